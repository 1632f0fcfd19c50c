"""Virtual modems on pseudo terminals: real replies, real drives. Nothing imports this but the command line and tests."""
