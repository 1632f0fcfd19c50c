"""Short messages: alphabets (23.038) and PDUs (23.040) as pure functions, and a modem's store as an inbox."""
