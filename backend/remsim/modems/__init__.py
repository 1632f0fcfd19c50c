"""Modems on AT ports: found, spoken to, decoded, watched. Words are 3GPP's."""
