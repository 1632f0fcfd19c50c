"""What a user can have done to a modem: one action a verb, with the form that describes it."""
