"""Layouts as files below the state folder: one a name, one a user.

They belong to the web layer, because nothing below it knows of pages and widgets.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from remsim.core.errors import Conflict, InvalidInput, NotFound, StorageError
from remsim.core.files import write_atomically
from remsim.web.errors import invalid_from
from remsim.web.layout_schema import LayoutForm, check_version

NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]{1,32}", re.ASCII)
RESERVED = ("auto", "built-in")
"""``/wall?layout=`` takes numbers of columns and ``auto`` too."""
MINE = "mine"
DEFAULT = "default"
MOST_LAYOUTS = 64
MOST_BYTES = 64 * 1024

writing = threading.Lock()


class LayoutFiles:
    """The layouts of one router. ``user`` is whose ``mine`` is meant."""

    def __init__(self, folder: Path, user: str) -> None:
        self._folder = folder
        self._users = folder / "users"
        self._user = user

    def names(self) -> list[str]:
        """The layouts that everybody sees, the default first."""
        found = sorted(path.stem for path in self._folder.glob("*.json") if NAME.fullmatch(path.stem))
        return sorted(found, key=lambda name: name != DEFAULT)

    def has_own(self) -> bool:
        """Whether the user has a layout of their own."""
        return self.path(MINE).is_file()

    def path(self, name: str) -> Path:
        """Where a layout lies. A user's name may hold anything, so the file has its digest."""
        if not NAME.fullmatch(name) or name in RESERVED:
            raise InvalidInput("a layout's name is 1 to 32 letters, digits, - and _, with a letter", field="name")
        if name == MINE:
            return self._users / f"{hashlib.sha256(self._user.encode('utf-8', 'replace')).hexdigest()[:32]}.json"
        return self._folder / f"{name}.json"

    def read(self, name: str) -> dict[str, Any]:
        """A layout; ``NotFound``, ``Conflict`` when a newer remsim wrote it, ``StorageError`` when it is damaged."""
        path = self.path(name)
        try:
            return loaded(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            raise NotFound(f"there is no layout {name!r}", field="name") from None
        except InvalidInput as error:
            if error.code == "newer_version":
                raise Conflict(f"{error.message}: {name} is kept as it is", hint=error.hint, code=error.code) from error
            raise StorageError(f"the saved layout {name!r} cannot be used: {error.message}", hint=SAVE_AGAIN) from error
        except (OSError, ValueError, RecursionError) as error:
            raise StorageError(f"the saved layout {name!r} cannot be read: {error}", hint=SAVE_AGAIN) from error

    def write(self, name: str, content: Any) -> dict[str, Any]:
        """Check and save; what was there and cannot be used by this version stays beside it as ``.kept``."""
        path, layout = self.path(name), loaded(content)
        text = json.dumps(layout, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        if len(text) > MOST_BYTES:
            raise InvalidInput(f"a layout has {MOST_BYTES // 1024} KB at most", field="body", code="too_large")
        with writing:
            if not path.exists() and len(list(path.parent.glob("*.json"))) >= MOST_LAYOUTS:
                raise Conflict(f"there are {MOST_LAYOUTS} layouts already", hint="delete one that nobody needs")
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if path.exists() and not self._is_usable(name):
                    path.replace(path.with_suffix(".kept"))
                write_atomically(path, text)
            except OSError as error:
                raise StorageError(f"the layout cannot be saved: {error}", hint="make room on the flash") from error
        return layout

    def delete(self, name: str) -> None:
        """Forget a layout."""
        path = self.path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            raise NotFound(f"there is no layout {name!r}", field="name") from None
        except OSError as error:
            raise StorageError(f"the layout cannot be deleted: {error}") from error

    def _is_usable(self, name: str) -> bool:
        try:
            self.read(name)
        except (Conflict, StorageError):
            return False
        return True


SAVE_AGAIN = "save a layout of this name again; the old file is kept beside it"


def loaded(content: Any) -> dict[str, Any]:
    """A layout as its schema gives it, or ``InvalidInput`` with the place of what is wrong."""
    if not isinstance(content, dict):
        raise InvalidInput("a layout is an object", field="body")
    check_version(content)
    try:
        layout: dict[str, Any] = LayoutForm().load(content)
    except ValidationError as error:
        raise invalid_from(error) from error
    return layout
