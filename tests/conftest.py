"""What all tests share."""

from hypothesis import settings

# A busy machine must not fail a property: no example has a deadline.
settings.register_profile("remsim", deadline=None)
settings.load_profile("remsim")
