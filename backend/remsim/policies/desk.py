"""All of a router's policies, as little of it as it needs: the rest is loaded when there is a policy or a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from remsim.config.routing import Routing
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.lazy import LazyDesk
from remsim.core.routes import Flow

if TYPE_CHECKING:
    from remsim.policies.facts import Facts, Traffic
    from remsim.policies.parts import Parts

FOLDER = "policies"
LOCAL, REMOTE = "local.policy", "remote.policy"


class PolicyDesk(LazyDesk["Parts"]):
    """Texts of policies, what they do, and the versions before.

    ``facts`` gives the world as it is now, ``traffic`` the links that carry it (None while they are off). Questions
    and changes answer with the JSON objects of the API; what is wrong in a text is an answer too, not an error.
    ``learns``: names are learned from packets; not where there are none.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        routing: Routing,
        facts: Callable[[], Facts],
        traffic: Callable[[], Traffic | None],
        learns: bool = True,
    ) -> None:
        super().__init__()
        self._folder = state_dir / FOLDER
        self._routing = routing
        self._given: dict[str, Any] = {
            "folder": self._folder,
            "data_dir": data_dir,
            "clock": clock,
            "emit": emit,
            "facts": facts,
            "traffic": traffic,
            "learns": learns,
        }

    def configure(self, routing: Routing) -> None:
        """Take changed sections of ``remsim_routing``."""
        with self._loading:
            self._routing = routing
            parts = self._parts
        if parts is not None:
            parts.configure(routing)
        else:
            self._load_if_needed()

    def look(self) -> None:
        """Each second, by the thread that shares traffic: hours that begin or end, links whose state policies ask
        for."""
        if self._parts is not None and not self._is_stopping:
            self._parts.look()

    def tend(self) -> None:
        """Each second, by a thread that nobody waits for, also while links are off: a change that nobody confirmed."""
        if self._parts is not None and not self._is_stopping:
            self._parts.tend()

    def links_changed(self) -> None:
        """Links were added, removed or set up anew: load the policies again."""
        if self._parts is not None:
            self._parts.links_changed()
        else:
            self._load_if_needed()

    def saw(self, flows: Sequence[Flow], name_of: Callable[[str], str | None]) -> None:
        """Some of the flows that are under way, now and then: a sample of them is kept for dry runs, on the disk."""
        if self._parts is not None:
            self._parts.saw(flows, name_of)

    def name(self, number: int) -> str | None:
        """The policy that has a number in marks."""
        return None if self._parts is None else self._parts.name(number)

    def name_of(self, address: str) -> str | None:
        """The name that an address was asked for by; loads nothing."""
        return None if self._parts is None else self._parts.name_of(address)

    def decide(self, flow: Flow, name: str | None) -> int:
        """The number of the policy that takes a flow to a name, 0 for none; of a simulated router only."""
        return 0 if self._parts is None else self._parts.decide(flow, name)

    def counts(self) -> list[dict[str, Any]]:
        """What metrics count: ``name``, ``hits``, ``is_open`` of each policy in force. Loads nothing."""
        return [] if self._parts is None else self._parts.counts()

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/policies``."""
        return self.parts.view() if self._is_needed() or self._parts is not None else dict(NOTHING)

    def check(self, text: str) -> dict[str, Any]:
        """``ok``, ``errors``, ``warnings``, ``policies``."""
        return self.parts.questions.check(text)

    def compile(self, text: str | None = None) -> dict[str, Any]:
        """``nft``: the table a text makes (that in force without one); ``InvalidInput`` when it has errors."""
        return self.parts.questions.compile(text)

    def explain(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Which policy takes a flow, by which links it goes, and why."""
        return self.parts.questions.explain(asked)

    def dry_run(self, text: str) -> dict[str, Any]:
        """As ``check``, and how many of the flows that were kept each policy would have taken."""
        return self.parts.questions.dry_run(text)

    def apply(
        self, text: str, *, source: str = "local", actor: str, etag: str | None = None, confirm_s: int = 0
    ) -> dict[str, Any]:
        """Put a text in force; ``InvalidInput`` when it has errors (``problems`` of the error has them), ``Conflict``
        when ``etag`` is not that of what is there. With ``confirm_s`` it goes again unless it is confirmed in time."""
        return self.parts.apply(text, source=source, actor=actor, etag=etag, confirm_s=confirm_s)

    def confirm(self, actor: str) -> dict[str, Any]:
        """Keep the change that waits for it; ``Conflict`` when none does."""
        return self.parts.confirm(actor)

    def rollback(self, version: int | None, actor: str) -> dict[str, Any]:
        """Put a version in force again, the one before without a number; ``NotFound``."""
        return self.parts.rollback(version, actor)

    def override(self, is_overridden: bool, actor: str) -> dict[str, Any]:
        """Let the local text be in force instead of the pushed one, or end that."""
        return self.parts.override(is_overridden, actor)

    def versions(self) -> list[dict[str, Any]]:
        """What was in force before, newest first, without texts."""
        return self.parts.versions()

    def version(self, number: int) -> dict[str, Any]:
        """One of them, with its ``text``; ``NotFound``."""
        return self.parts.version(number)

    def rungs(self) -> list[dict[str, Any]]:
        """The ways to tell names here, what each costs and misses."""
        return self.parts.rungs()

    def countries(self) -> dict[str, Any]:
        """The list of countries that was imported."""
        return self.parts.countries()

    def import_countries(
        self, file: BinaryIO, *, source: str = "", attribution: str = "", date: str | None = None, actor: str
    ) -> dict[str, Any]:
        """Replace it; it stays when the new one cannot be read (``InvalidInput``)."""
        del actor  # the audit has it
        return self.parts.import_countries(file, source=source, attribution=attribution, date=date)

    def remove_countries(self, actor: str) -> dict[str, Any]:
        """Forget it."""
        return self.parts.remove_countries(actor)

    def presets(self) -> list[dict[str, Any]]:
        """Policies to copy: ``name``, ``title``, ``help``, ``text``."""
        from remsim.policies.presets import presets

        return presets()

    def vocabulary(self) -> dict[str, Any]:
        """The words that a text may use here, for completion."""
        return self.parts.vocabulary()

    def _make(self) -> Parts:
        from remsim.policies.parts import Parts

        return Parts(routing=self._routing, **self._given)

    def _is_needed(self) -> bool:
        """Whether there are policies, or names are to be learned."""
        settings = self._routing.globals
        wanted = bool(self._routing.policies) or settings.learn_names or settings.sip_helper
        return wanted or any((self._folder / name).exists() for name in (LOCAL, REMOTE))


NOTHING: Mapping[str, Any] = {
    "text": "",
    "version": 0,
    "etag": "",
    "source": "local",
    "is_overridden": False,
    "has_remote": False,
    "pending": None,
    "policies": [],
    "warnings": [],
    "state": "off",
    "problem": None,
    "matching": [],
}
"""What is shown where there is no policy."""
