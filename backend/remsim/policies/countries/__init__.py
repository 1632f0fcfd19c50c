"""Which country addresses are in, by a list that the user imports; only countries that policies name are loaded."""
