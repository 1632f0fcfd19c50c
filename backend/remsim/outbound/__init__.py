"""The ways out of the router to addresses that people name: looked at before, connected to as looked at."""
