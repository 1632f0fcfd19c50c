"""Which modem is which: ids that stay, by IMEI, and by USB path while the IMEI is not known.

The IMEI itself is never stored, only a keyed hash of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import itertools
import json
import logging
import secrets
import threading
from collections.abc import Collection
from pathlib import Path

from remsim.core.files import read_table, write_atomically

log = logging.getLogger(__name__)

LAST_NUMBER = "last_number"
"""Of the file, beside the ids: ``{"number": N}``, the highest number that was let go. Older versions take it for a
modem that never told who it is, and let it go."""


class Identities:
    """Keyed hashes of identifiers: equal cards are equal, and nobody can count back from a hash."""

    def __init__(self, state_dir: Path) -> None:
        self._key = load_key(state_dir / "identity.key")

    def of(self, text: str) -> str:
        """Eight hex digits for an identifier."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:8]

    def sim(self, iccid: str | None) -> str | None:
        """The name of a SIM in history and usage."""
        return None if iccid is None else f"sim-{self.of(iccid)}"


class Registry:
    """Ids ``modem1`` … by IMEI hash and last USB path, kept in one small file.

    An id that was let go is not given out again: its readings are still kept under it.
    """

    def __init__(self, state_dir: Path, identities: Identities) -> None:
        self._path = state_dir / "modems.json"
        self._identities = identities
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, str | None]] = {}
        self._last_number = 0
        self._load()

    def id_at(self, usb_path: str) -> str:
        """The id of whatever sits at a USB path, before its IMEI is known: the one last seen there, else a new one."""
        with self._lock:
            for modem_id, entry in self._entries.items():
                if entry.get("usb_path") == usb_path:
                    return modem_id
            return self._new(None, usb_path)

    def identified(self, modem_id: str, imei: str, usb_path: str, taken: Collection[str] = ()) -> str:
        """The id for an IMEI found at a USB path: its old id if it was known, elsewhere perhaps, else ``modem_id``.

        An IMEI of zeros belongs to no modem in particular. ``taken`` are ids that other modems have for sure: of two
        modems with one IMEI each keeps the id of its place.
        """
        if is_empty(imei):
            return modem_id
        imei_hash = self._identities.of(imei)
        with self._lock:
            same = [name for name, entry in self._entries.items() if entry.get("imei") == imei_hash]
            known = modem_id if modem_id in same else next((name for name in same if name not in taken), None)
            right = known or modem_id
            mine = self._entries.get(modem_id, {})
            if known is None and mine.get("imei") not in (None, imei_hash):
                right = self._new(imei_hash, usb_path)  # another modem sat here before
            before = self._entries.get(right)
            for name, entry in self._entries.items():
                if name != right and entry.get("usb_path") == usb_path:
                    entry["usb_path"] = None
            self._entries[right] = {"imei": imei_hash, "usb_path": usb_path}
            if right != modem_id and mine.get("imei") is None:
                self._entries.pop(modem_id, None)
            if before != self._entries[right] or right != modem_id:
                self._save()
            return right

    def lend(self, modem_id: str, usb_path: str) -> None:
        """Let a modem that is not identified yet have an id for now."""
        with self._lock:
            entry = self._entries.setdefault(modem_id, {"imei": None, "usb_path": usb_path})
            entry["usb_path"] = usb_path
            self._save()

    def left(self, usb_path: str) -> None:
        """Another modem sits at this place now."""
        with self._lock:
            for name, entry in list(self._entries.items()):
                if entry.get("usb_path") == usb_path:
                    entry["usb_path"] = None
                    if entry.get("imei") is None:
                        self._let_go(name)
            self._save()

    def is_ghost(self, modem_id: str) -> bool:
        """Whether nothing is known by which this modem could be recognised when it comes back."""
        return self._entries.get(modem_id, {}).get("imei") is None

    def prune(self, present: Collection[str]) -> list[str]:
        """Let go of entries without an IMEI whose places are empty; their ids."""
        with self._lock:
            ghosts = [
                name
                for name, entry in self._entries.items()
                if entry.get("imei") is None and entry.get("usb_path") not in present
            ]
            for name in ghosts:
                self._let_go(name)
            if ghosts:
                self._save()
            return ghosts

    def forget(self, modem_id: str) -> bool:
        """Let an id go; False when it was not known."""
        with self._lock:
            if modem_id not in self._entries:
                return False
            self._let_go(modem_id)
            self._save()
            return True

    def _new(self, imei_hash: str | None, usb_path: str) -> str:
        number = next(n for n in itertools.count(self._last_number + 1) if f"modem{n}" not in self._entries)
        self._entries[f"modem{number}"] = {"imei": imei_hash, "usb_path": usb_path}
        self._save()
        return f"modem{number}"

    def _let_go(self, modem_id: str) -> None:
        del self._entries[modem_id]
        number = modem_id.removeprefix("modem")
        if number.isdecimal():
            self._last_number = max(self._last_number, int(number))

    def _load(self) -> None:
        try:
            entries = read_table(self._path)
            number = entries.pop(LAST_NUMBER, {}).get("number", 0)
            if not isinstance(number, int):
                raise ValueError("the last number is none")
            self._entries, self._last_number = entries, number
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used (%s); modems get new ids", self._path, error)
            with contextlib.suppress(OSError):
                self._path.rename(self._path.with_suffix(".broken"))

    def _save(self) -> None:
        last = {LAST_NUMBER: {"number": self._last_number}} if self._last_number else {}
        try:
            write_atomically(self._path, json.dumps({**self._entries, **last}, indent=1).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)


def is_empty(imei: str) -> bool:
    """Whether an IMEI is one that was never written, or lost: nothing but zeros."""
    return not imei.strip("0 ")


def load_key(path: Path) -> bytes:
    """The key of this router, made at the first start; a new one for this run when it cannot be stored."""
    with contextlib.suppress(OSError):
        key = path.read_bytes()
        if len(key) >= 32:
            return key
    key = secrets.token_bytes(32)
    try:
        write_atomically(path, key)
    except OSError as error:
        log.warning("%s cannot be written: %s; SIMs get other names at the next start", path, error.strerror)
    return key
