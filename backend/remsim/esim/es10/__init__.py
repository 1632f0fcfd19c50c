"""ES10: what an LPA says to an eUICC and what that answers, as octets. No I/O."""
