"""Reads and changes settings of a file while the service runs: whole, under a lock, with a way back."""

from __future__ import annotations

import contextlib
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from remsim.config import document as doc
from remsim.config.differences import NEEDS_INIT, Change, changes, effective_values, needs_restart, warnings_of
from remsim.config.file_text import FileText, etag_of
from remsim.config.reading import OnError
from remsim.config.uci import UciFile
from remsim.config.versions import Versions
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError, StorageError
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

LARGEST_FILE = 512 * 1024
OUTSIDE = "LuCI, or by hand"

S = TypeVar("S")
"""What the file gives once it is read."""
Guard = Callable[[S, S], None]
"""Hears of the settings before and after; raises to refuse."""


class Changed(RemsimError):
    """Somebody else changed the configuration since it was read."""

    code = "changed_meanwhile"
    http_status = 412


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change does, or would do. ``restart_needed`` names all settings that wait for one, also earlier ones."""

    etag: str
    changes: list[Change]
    restart_needed: list[str]
    warnings: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "etag": self.etag,
            "changes": [one.as_dict() for one in self.changes],
            "restart_needed": self.restart_needed,
            "needs_init": [name for name in self.restart_needed if name in NEEDS_INIT],
            "warnings": self.warnings,
        }


class FileDesk(ABC, Generic[S]):
    """One file of the configuration. ``running`` are the settings the service was started with.

    ``name`` is the file's, ``versions_folder`` where its versions are kept, ``format_name`` what a document of it is
    called.
    """

    name: ClassVar[str]
    versions_folder: ClassVar[str]
    format_name: ClassVar[str]

    def __init__(
        self,
        config_dir: Path | None,
        state_dir: Path,
        *,
        clock: Clock,
        running: S,
        overlay: Callable[[S], S] = lambda settings: settings,
        staged_root: Path | None = None,
    ) -> None:
        self._file = FileText(config_dir, self.name, staged_root)
        self._clock = clock
        self._versions = Versions(state_dir / self.versions_folder)
        self._overlay = overlay
        self._running = running
        self._settings = running
        self._listeners: list[Callable[[S], None]] = []
        self._lock = threading.RLock()
        self._seen = self._file.state()

    @property
    @abstractmethod
    def sections(self) -> doc.Known:
        """The types of sections there are, in the order of the pages."""

    @abstractmethod
    def read(self, file: UciFile, on_error: OnError) -> S:
        """What a file gives; ``on_error`` hears of each value that cannot be used."""

    def settle(self, file: UciFile) -> None:
        """Write down what follows from a change and has to stay as it is from then on."""

    @property
    def settings(self) -> S:
        """What the file says, as of the last change through here; what waits for a restart is in it."""
        return self._settings

    def subscribe(self, listener: Callable[[S], None]) -> None:
        """Have ``listener(settings)`` called after each change through here, in the thread of who makes it."""
        self._listeners.append(listener)

    def reread(self) -> S:
        """What the service would start with now; a wrong value has its default."""
        return self._overlay(self.read(self._file.parsed(self._file.read()), lambda problem: None))

    def document(self, types: Iterable[str] | None = None, *, secrets: bool = False) -> dict[str, Any]:
        """All that the file says, for an export."""
        file = self._file.parsed(self._file.read())
        return doc.document_of(file, self.sections, self.format_name, types, secrets=secrets)

    def overview(self, types: Iterable[str] | None = None) -> dict[str, Any]:
        """The document, its ``etag``, what is in force with the defaults, and what waits for a restart."""
        text = self._file.read()
        file = self._file.parsed(text)
        problems: list[RemsimError] = []
        wanted = self.read(file, problems.append)
        pending = needs_restart(self._running, self._overlay(wanted), self.sections)
        return {
            "etag": etag_of(text),
            "file": None if self._file.path is None else str(self._file.path),
            **doc.document_of(file, self.sections, self.format_name, types),
            "effective": {row.name: effective_values(row, wanted) for row in self.sections.values() if not row.many},
            "problems": [one.message for one in problems],
            "restart_needed": pending,
            "needs_init": [name for name in pending if name in NEEDS_INIT],
        }

    def section(self, kind: str, name: str) -> dict[str, Any]:
        """One section, or ``NotFound``."""
        row, text = doc.section_type(self.sections, kind), self._file.read()
        file = self._file.parsed(text)
        found = next((one for one in doc.views_of(file, row) if one["name"] == name), None)
        if found is None:
            raise NotFound(f"there is no section {name[:40]} of type {kind}", field="name")
        return {"etag": etag_of(text), **found}

    def put_section(
        self, kind: str, name: str, values: Any, actor: str, *, etag: str | None = None, guard: Guard[S] | None = None
    ) -> Outcome:
        """Give a section its values; what is left out has its default, but a secret stays. Makes it if need be."""
        row = doc.section_type(self.sections, kind)
        return self._change(lambda file: doc.put_section(file, row, name, values), actor, etag, guard)

    def delete_section(
        self, kind: str, name: str, actor: str, *, etag: str | None = None, guard: Guard[S] | None = None
    ) -> Outcome:
        """Drop a section; of a type there is one of, its values."""
        row = doc.section_type(self.sections, kind)
        return self._change(lambda file: doc.delete_section(file, row, name), actor, etag, guard)

    def change(
        self, edit: Callable[[UciFile], Any], actor: str, *, etag: str | None = None, guard: Guard[S] | None = None
    ) -> Outcome:
        """Change several things of the file at once; ``edit`` raises to leave all as it was."""
        return self._change(edit, actor, etag, guard)

    def would(self, edit: Callable[[UciFile], Any], *, guard: Guard[S] | None = None) -> Outcome:
        """What such a change would do; nothing is written."""
        return self._made(self._file.read(), edit, guard)[1]

    def check(self, document: Any, *, guard: Guard[S] | None = None) -> Outcome:
        """What applying a document would change; nothing is written."""
        before = self._file.read()
        _text, outcome, _settings = self._made(before, lambda file: self._put_document(file, document), guard)
        return outcome

    def apply(self, document: Any, actor: str, *, etag: str | None = None, guard: Guard[S] | None = None) -> Outcome:
        """Replace all sections of the document's types."""
        return self._change(lambda file: self._put_document(file, document), actor, etag, guard)

    def versions(self) -> list[dict[str, Any]]:
        """The last versions of the file, newest first; the first is what it says now."""
        self.keep_what_is_there()
        with self._lock:
            current = self._file.read()
            return [one.as_dict() | {"is_current": one.text == current} for one in self._versions.all()]

    def version(self, number: int) -> dict[str, Any]:
        """One version, with what a rollback to it would change."""
        version = self._versions.get(number)
        outcome = self._made(self._file.read(), lambda file: self._file.parsed(version.text), None, is_strict=False)[1]
        return version.as_dict() | outcome.as_dict()

    def rollback(self, number: int, actor: str, *, etag: str | None = None, guard: Guard[S] | None = None) -> Outcome:
        """Make the file what it was; that is a new version itself. Helps when the file cannot be read at all, too."""
        version = self._versions.get(number)
        how = f"rolled back to version {number}"
        return self._change(lambda file: self._file.parsed(version.text), actor, etag, guard, how=how, is_strict=False)

    def look(self) -> None:
        """Put in force what somebody else wrote to the file, if there is anything: a wrong value has its default. While
        the file cannot be read, what was in force is. Cheap, to be called every few seconds."""
        state = self._file.state()
        if state == self._seen:
            return
        self._seen = state
        problems: list[RemsimError] = []
        with self._lock:
            try:
                settings = self._overlay(self.read(self._file.parsed(self._file.read()), problems.append))
            except RemsimError as error:
                log.error("%s", error.message)
                return
            for problem in problems:
                log.error("%s", problem.message)
            self.keep_what_is_there()
            if settings != self._settings:
                self._settings = settings
                self._tell(settings)

    def keep_what_is_there(self) -> None:
        """What LuCI or somebody's hand has written becomes a version; a full disk loses that only."""
        if self._file.path is not None:
            with self._lock, contextlib.suppress(RemsimError), self._file.locked():
                self._keep_what_is_there()

    def _change(
        self,
        edit: Callable[[UciFile], Any],
        actor: str,
        etag: str | None,
        guard: Guard[S] | None,
        *,
        how: str | None = None,
        is_strict: bool = True,
    ) -> Outcome:
        with self._lock:
            with self._file.locked():
                before = self._file.read()
                if etag is not None and etag.strip('"') != etag_of(before):
                    hint = "read them again, and make your change anew"
                    raise Changed("the settings were changed by somebody else meanwhile", hint=hint)
                self._file.check_nothing_staged()
                text, outcome, settings = self._made(before, edit, guard, is_strict=is_strict)
                if text != before:
                    self._keep_what_is_there()
                    what = [how] if how else [str(one) for one in outcome.changes] or ["comments only"]
                    self._file.write(text)
                    with contextlib.suppress(StorageError):  # the change itself is done
                        self._versions.keep(text, self._clock.now(), actor, what)
            self._settings = self._overlay(settings)
            if text != before:
                self._seen = self._file.state()
                self._tell(self._settings)
        return outcome

    def _made(
        self, before: str, edit: Callable[[UciFile], Any], guard: Guard[S] | None, *, is_strict: bool = True
    ) -> tuple[str, Outcome, S]:
        """The new text, what it does, and the settings it gives. ``is_strict``: it may bring no new wrong value."""
        try:
            old, file = self._file.parsed(before), self._file.parsed(before)
        except Conflict:
            if is_strict:
                raise
            old, file = UciFile(self.name), UciFile(self.name)
        made = edit(file)
        if is_strict:
            self.settle(file)
        text = (made if isinstance(made, UciFile) else file).dumps()
        if len(text.encode()) > LARGEST_FILE:
            raise InvalidInput(f"the file would be larger than {LARGEST_FILE // 1024} kB", field="body")
        new = self._file.parsed(text)
        old_problems: list[RemsimError] = []
        new_problems: list[RemsimError] = []
        old_settings = self.read(old, old_problems.append)
        settings = self.read(new, new_problems.append)
        known = {self._bare(one) for one in old_problems}
        for problem in new_problems:
            if is_strict and (told := self._bare(problem)) not in known:
                raise InvalidInput(told, field=problem.field)
        if guard is not None:
            guard(old_settings, settings)
        found = changes(old, new, self.sections)
        effective = self._overlay(settings)
        pending = needs_restart(self._running, effective, self.sections)
        outcome = Outcome(etag_of(text), found, pending, warnings_of(found, self.sections))
        return text, outcome, settings

    def _keep_what_is_there(self) -> None:
        """Make the present file the newest version, unless it is."""
        text, path = self._file.read(), self._file.path
        known = self._versions.newest()
        if path is None or (known is not None and known.text == text):
            return
        at = path.stat().st_mtime if path.exists() else self._clock.now()
        what = ["as it was found"]
        if known is not None:
            with contextlib.suppress(Conflict):
                old, new = self._file.parsed(known.text), self._file.parsed(text)
                what = [str(one) for one in changes(old, new, self.sections)] or ["comments only"]
        self._versions.keep(text, at, OUTSIDE if known else "", what)

    def _put_document(self, file: UciFile, document: Any) -> None:
        doc.put_document(file, self.sections, self.format_name, document)

    def _bare(self, problem: RemsimError) -> str:
        """A message without the line it stands in, which moves."""
        return problem.message.rpartition(f"{self.name}.")[2]

    def _tell(self, settings: S) -> None:
        for listener in self._listeners:
            try:
                listener(settings)
            except RemsimError as error:
                log.error("a change of the settings is not in force everywhere: %s", error.message)
