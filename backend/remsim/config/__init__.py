"""UCI files and the typed settings read from them."""
