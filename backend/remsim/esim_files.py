"""Files and secrets that the verbs of ``remsim esim`` read and write."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.job_cli import asked

LONGEST_FILE = 4 << 20


def word(value: str, name: str) -> str:
    """A secret from the arguments, or typed: ``-``, so that it does not stand in the list of processes."""
    return asked(name) if value == "-" else value


def read_text(path: Path) -> str:
    """A file's text; ``InvalidInput`` names what is wrong."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", field="FILE") from error
    if len(text) > LONGEST_FILE:
        raise InvalidInput(f"{path} is too large", field="FILE")
    return text


def read_blob(path: Path) -> str:
    """A file's octets in hex; one that is text is sent as it is."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", field="FILE") from error
    is_text = re.fullmatch(rb"[A-Za-z0-9+/=\s]+", data) is not None
    return data.decode("ascii") if is_text else data.hex()


def read_json(path: Path) -> Any:
    """A file's JSON."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON: {error}", field="FILE") from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; nothing is overwritten."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}", field="--output") from error
