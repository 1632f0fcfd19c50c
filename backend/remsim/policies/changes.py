"""Changes of what is in force: checked, loaded, kept, and taken back when nobody confirms them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from remsim.config.file_desk import Changed
from remsim.config.routing import PolicySettings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, RemsimError
from remsim.core.events import Event
from remsim.policies.engine import Engine
from remsim.policies.facts import Facts
from remsim.policies.language.checker import check_set
from remsim.policies.language.from_uci import policies_of
from remsim.policies.language.model import Checked, Policy, PolicySet, Problem
from remsim.policies.language.parser import parse
from remsim.policies.language.terms import TooManyTerms
from remsim.policies.store import SOURCES, Kept, Pending, Store, Texts

log = logging.getLogger(__name__)


class Changes:
    """What is kept, and how it changes. One change at a time. ``aside`` does in another thread what takes its time."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        facts: Callable[[], Facts],
        aside: Callable[[Callable[[], None]], bool],
    ) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._emit = emit
        self._facts = facts
        self._aside = aside
        self._lock = threading.RLock()
        self._goes_at: float | None = None
        """When a change that waits goes again, monotonic: a wall clock that is set makes it no sooner and no later."""
        self._sections: tuple[Policy, ...] = ()
        self._section_problems: tuple[Problem, ...] = ()
        self._checked: Checked | None = None
        self.kept = Kept()

    def start(self, sections: Iterable[PolicySettings]) -> None:
        """Read what is kept and put it in force; a change that nobody confirmed before the service ended goes."""
        with self._lock:
            self.kept = self._store.read()
            self._sections, self._section_problems = policies_of(sections)
            pending = self.kept.pending
            if pending is not None:
                self._go_back(pending, "the service ended before it was confirmed")
            self._put_what_is_kept()

    def stop(self) -> None:
        """A change that waits stays so: it goes at the next start."""
        with self._lock:
            self._goes_at = None

    def look(self) -> None:
        """Each second: see whether somebody has to take a change back. Does not wait for it."""
        goes_at = self._goes_at
        if goes_at is not None and self._clock.monotonic() >= goes_at:
            self._aside(self._expire)

    def configure(self, sections: Iterable[PolicySettings]) -> None:
        """Take changed sections."""
        with self._lock:
            self._sections, self._section_problems = policies_of(sections)
            self._put_what_is_kept()

    @property
    def in_force(self) -> Checked:
        """What is in force, looked at; sections of the configuration are part of it."""
        with self._lock:
            if self._checked is None:
                self._checked = self.look_at(self.kept.texts)
            return self._checked

    def forget_checked(self) -> None:
        """Look again: links, countries or settings are others now."""
        with self._lock:
            self._checked = None

    def look_at(self, texts: Texts, *, is_kept: bool = True) -> Checked:
        """A state of the texts with the sections that belong to it. ``is_kept``: it was in force before."""
        parsed = parse(texts.in_force)
        sections, problems = (self._sections, self._section_problems) if texts.source == "local" else ((), ())
        names = {one.name for one in parsed.set.policies}
        problems += tuple(
            Problem(0, 0, f"{one.name}: the text has a policy of this name, which counts instead")
            for one in sections
            if one.name in names
        )
        items = (*parsed.set.items, *(one for one in sections if one.name not in names))
        if texts.source == "remote":
            items = tuple(replace(one, origin="remote") if isinstance(one, Policy) else one for one in items)
        checked = check_set(PolicySet(items, parsed.set.after), self._facts(), parsed.problems, is_kept=is_kept)
        return replace(checked, warnings=(*problems, *checked.warnings))

    def apply(self, text: str, *, source: str, actor: str, etag: str | None, confirm_s: int) -> None:
        """Put a text in force, and keep it."""
        if source not in SOURCES:
            raise InvalidInput(f"source: {source[:40]!r} is neither local nor remote", field="source")
        with self._lock:
            if etag is not None and etag != self.kept.texts.etag:
                raise Changed("somebody else changed the policies since they were read", hint="read them again")
            texts = self.kept.texts
            texts = replace(texts, local=text) if source == "local" else replace(texts, remote=text)
            if texts.source == source:
                self._change(texts, text, source, actor, "", confirm_s)
                return
            waiting = self._sound(text)
            note = f"it waits: the {'pushed' if source == 'local' else 'local'} text is in force"
            self._change(texts, text, source, actor, note, confirm_s, len(waiting.set.policies))

    def confirm(self, actor: str) -> None:
        """Keep the change that waits."""
        with self._lock:
            if self.kept.pending is None:
                raise Conflict("no change of the policies waits to be confirmed")
            kept = replace(self.kept, pending=None)
            self._store.write(kept)
            self._goes_at = None
            self.kept = kept
            self._tell(f"policies: version {kept.version} was confirmed", actor, "confirmed")

    def rollback(self, version: int | None, actor: str) -> None:
        """Put an earlier version in force, whichever of the two texts it is; without a number what was before, which
        ends a change that waits."""
        with self._lock:
            pending = self.kept.pending
            if version is None and pending is not None:
                self._go_back(pending, "it was taken back", actor)
                return
            found = self._store.before(self.kept.version) if version is None else self._store.version(version)
            source = found.what[0] if found.what and found.what[0] in SOURCES else "local"
            texts = self.kept.texts
            if source == "local":
                texts = replace(texts, local=found.text, is_overridden=texts.remote is not None)
            else:
                texts = replace(texts, remote=found.text, is_overridden=False)
            self._change(texts, found.text, source, actor, f"as version {found.number}", 0)

    def override(self, is_overridden: bool, actor: str) -> None:
        """Let the local text be in force instead of the pushed one, or the pushed one again."""
        with self._lock:
            texts = self.kept.texts
            if texts.remote is None:
                raise Conflict("no policies were pushed that could be overridden")
            if is_overridden is texts.is_overridden:
                return
            texts = replace(texts, is_overridden=is_overridden)
            note = "the local text overrides the pushed one" if is_overridden else "the pushed text is in force again"
            self._change(texts, texts.in_force, texts.source, actor, note, 0)

    def _sound(self, text: str) -> Checked:
        parsed = parse(text)
        checked = check_set(parsed.set, self._facts(), parsed.problems)
        refuse_errors(checked)
        return checked

    def _change(
        self, texts: Texts, text: str, source: str, actor: str, note: str, confirm_s: int, policies: int | None = None
    ) -> None:
        """Load, keep, tell. What cannot be loaded or kept changes nothing. ``policies``: of a text that waits."""
        before = self.kept
        checked = self._load(texts, is_kept=False)
        try:
            count = len(checked.set.policies) if policies is None else policies
            number = self._store.keep_version(text, self._clock.now(), actor, source, count, note)
            pending = None
            if confirm_s:
                last = before.texts if before.pending is None else before.pending.before
                pending = Pending(self._clock.now() + confirm_s, number, last)
            kept = Kept(texts, pending, number)
            self._store.write(kept)
        except RemsimError:
            self._load(before.texts)
            raise
        self.kept, self._checked = kept, checked
        self._store.write_numbers(self._engine.numbers)
        self._goes_at = None if pending is None else self._clock.monotonic() + confirm_s
        word = note or ("pushed" if source == "remote" else "changed")
        tail = f"; they go again unless they are confirmed in {confirm_s} s" if confirm_s else ""
        self._tell(f"policies: version {number}, {word}{tail}", actor, "applied")

    def _load(self, texts: Texts, *, is_kept: bool = True) -> Checked:
        checked = self.look_at(texts, is_kept=is_kept)
        refuse_errors(checked)
        try:
            self._engine.put(checked.set.policies, checked.set.sets)
        except TooManyTerms as error:
            raise InvalidInput(str(error), field="text") from None
        return checked

    def _put_what_is_kept(self) -> None:
        checked = self.look_at(self.kept.texts)
        self._checked = checked
        if not checked.ok:
            first = checked.errors[0]
            place = f"line {first.line}: " if first.line else ""
            message = f"the policies that are kept have errors and are not in force: {place}{first.message}"
            self._engine.refuse(InvalidInput(message, field="text"))
            return
        self._engine.take(checked.set.policies, checked.set.sets)
        self._store.write_numbers(self._engine.numbers)

    def _go_back(self, pending: Pending, why: str, actor: str = "remsim") -> None:
        """End a change that waits: what was before is in force again."""
        texts = pending.before
        self._goes_at = None
        checked = self.look_at(texts)
        self._checked = None
        self._engine.take(checked.set.policies if checked.ok else (), checked.set.sets)
        number = self.kept.version
        note = f"version {pending.version} taken back"
        try:
            policies = len(checked.set.policies)
            number = self._store.keep_version(
                texts.in_force, self._clock.now(), actor, texts.source, policies, note
            )
            self._store.write(Kept(texts, None, number))
        except RemsimError as error:
            log.warning("%s", error.message)
        self.kept = Kept(texts, None, number)
        self._tell(f"policies: version {pending.version} was taken back: {why}", actor, "rolled_back", "warning")

    def _expire(self) -> None:
        """Nobody has confirmed a change in time, unless somebody did in this moment, or it is another one by now."""
        with self._lock:
            pending, goes_at = self.kept.pending, self._goes_at
            if pending is not None and goes_at is not None and self._clock.monotonic() >= goes_at:
                self._go_back(pending, "nobody confirmed it")

    def _tell(self, message: str, actor: str, what: str, severity: str = "info") -> None:
        data = {"actor": actor, "what": what, "version": self.kept.version, "source": self.kept.texts.source}
        self._emit(Event("policies", "remsim", self._clock.now(), message, severity, data))


def refuse_errors(checked: Checked) -> None:
    """``InvalidInput`` with all errors of a text as its ``problems``, if it has any."""
    if checked.ok:
        return
    first = checked.errors[0]
    more = f" (and {len(checked.errors) - 1} more)" if len(checked.errors) > 1 else ""
    place = f"line {first.line}, column {first.column}: " if first.line else ""
    refused = InvalidInput(f"{place}{first.message}{more}", field="text")
    refused.problems = [one.as_dict() for one in checked.errors]
    raise refused
