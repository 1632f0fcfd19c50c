"""The console of a cellular router with remote SIMs."""

__version__ = "0.1.0"
