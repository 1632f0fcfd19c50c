"""Which addresses belong to the names that policies ask for: from DNS answers, TLS and QUIC hellos, and nDPI."""
