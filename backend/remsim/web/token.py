"""The API token: made at the first start, kept where only the service's user can read it."""

from __future__ import annotations

import os
from pathlib import Path

from remsim.core.errors import StorageError
from remsim.core.files import write_atomically

NAME = "token"
SHORTEST = 32


def ensure_token(state_dir: Path) -> str:
    """The token in ``state_dir``, made when there is none. ``StorageError`` names the file."""
    path = state_dir / NAME
    try:
        found = path.read_text("ascii").strip()
        os.chmod(path, 0o600)
    except FileNotFoundError:
        return _create(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read: {error}", field="--state") from error
    # A power cut may leave an empty file; whoever has the directory may have the new token.
    return found if len(found) >= SHORTEST else _create(path)


def _create(path: Path) -> str:
    token = os.urandom(32).hex()
    try:
        write_atomically(path, f"{token}\n".encode())
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}", field="--state", hint="give another one with --state DIR"
        ) from error
    return token
