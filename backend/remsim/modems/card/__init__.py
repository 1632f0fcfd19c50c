"""Ways to the applications of a modem's card, and the modem as what holds an eUICC (see ``esim/holder``)."""
