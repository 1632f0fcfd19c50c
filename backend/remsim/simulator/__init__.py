"""Virtual modems on pseudo terminals: real replies, real drives. Only the command line and tests import this."""
