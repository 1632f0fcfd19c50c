"""When is a value a matter: rules over readings, states, events and other values, evaluated without clock or thread."""
