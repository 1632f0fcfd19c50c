"""Events, readings, bus, clock, errors: what every room above speaks. No I/O."""
