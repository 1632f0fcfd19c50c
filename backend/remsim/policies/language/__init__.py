"""The policy language: text to a model and back, and what is wrong with it."""
