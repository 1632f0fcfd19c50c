"""OpenSSL, loaded when somebody needs it and not because somebody might.

gunicorn and Werkzeug import ``ssl`` for TLS listeners, which we have none of, and ``hashlib`` prefers OpenSSL's hashes
to Python's own: together 4 MB of the service's memory. Afterwards ``ssl`` and ``hashlib`` have all they always have;
what only OpenSSL offers (TLS, scrypt, PBKDF2) is loaded at its first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

ERRORS = ("SSLError", "SSLEOFError", "SSLWantReadError", "SSLWantWriteError")
NUMBERS = ("CERT_NONE", "PROTOCOL_SSLv23", "PROTOCOL_TLS", "SSL_ERROR_EOF")


class _NoTls(OSError):
    """What a server without TLS listeners catches: nobody raises it."""


class LateSsl(ModuleType):
    """Stands for ``ssl`` until an attribute of it is needed; then the real one takes its place."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of any module
            raise AttributeError(name)
        if isinstance(sys.modules.get("ssl"), LateSsl):
            del sys.modules["ssl"]
        return getattr(importlib.import_module("ssl"), name)


def put_off_openssl() -> None:
    """Do it; at the start of a process, before anything imports ``ssl`` or ``hashlib``."""
    if "hashlib" not in sys.modules:
        sys.modules["_hashlib"] = None  # type: ignore[assignment]  # how Python says: this import fails
        try:
            import hashlib
            import hmac  # noqa: F401
        finally:
            del sys.modules["_hashlib"]
        vars(hashlib)["__getattr__"] = _only_in_openssl
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = LateSsl("ssl")


def import_without_tls(*modules: str) -> None:
    """Import modules that name errors and numbers of ``ssl`` in passing; they keep these for good."""
    late = sys.modules.get("ssl")
    if not isinstance(late, LateSsl):
        return
    named = LateSsl("ssl")
    vars(named).update({**dict.fromkeys(ERRORS, _NoTls), **dict.fromkeys(NUMBERS, 0)})
    sys.modules["ssl"] = named
    try:
        for module in modules:
            importlib.import_module(module)
    finally:
        sys.modules["ssl"] = late


def _only_in_openssl(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("_hashlib"), name)
