"""``python -m remsim`` is the command ``remsim``."""

from remsim.cli import main

raise SystemExit(main())
