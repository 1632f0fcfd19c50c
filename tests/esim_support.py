"""eUICCs for tests of what is done with them: a card and its modem in memory, each with its moods."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from remsim.config.desk import ConfigDesk
from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.core.card import AccessPoint, Service
from remsim.core.clock import FakeClock, SystemClock
from remsim.core.errors import Conflict
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs
from remsim.esim.cards import Cards
from remsim.esim.codes import Codes
from remsim.esim.enabling import SLICE_S
from remsim.esim.errors import EsimError
from remsim.esim.room import Room
from remsim.esim.store import Store
from remsim.esim.telling import Telling
from remsim.esim.work import Work

EID = "89049032123451234512345678901235"
HOME, AWAY = "8949020000000000001", "8933010000000000002"


@dataclass(frozen=True)
class Profile:
    """As the card tells it."""

    iccid: str
    name: str
    state: str = "disabled"
    nickname: str | None = None
    provider: str | None = "Operator"
    profile_class: str = "operational"
    policy: frozenset[str] = frozenset()
    icon: bytes | None = None
    icon_type: str | None = None
    owner: Any = None

    @property
    def iccid_raw(self) -> bytes:
        return self.iccid.encode()

    @property
    def aid(self) -> bytes:
        return b"\xa0" + self.iccid.encode()[-4:]


@dataclass(frozen=True)
class Notification:
    """What its operator has to learn."""

    seq: int
    operation: str
    address: str
    iccid: str | None = None


class Moods:
    """What is to go wrong: by the name of what is asked, the errors of the next times."""

    def __init__(self) -> None:
        self.next: dict[str, list[Exception | None]] = {}

    def heed(self, name: str) -> None:
        errors = self.next.get(name)
        if errors and (error := errors.pop(0)) is not None:
            raise error


class Card:
    """An eUICC: its profiles and its queue."""

    def __init__(self, *profiles: Profile, address: str = "smdp.example.com") -> None:
        self.eid_text = EID
        self.held = list(profiles)
        self.queue: list[Notification] = []
        self.address = address
        self.moods = Moods()
        self.asked: list[str] = []
        self.waiting: list[Profile] = []
        """Profiles that the next downloads bring."""

    @property
    def enabled(self) -> Profile | None:
        return next((one for one in self.held if one.state == "enabled"), None)

    def tell(self, operation: str, iccid: str) -> None:
        seq = max((one.seq for one in self.queue), default=0) + 1
        self.queue.append(Notification(seq, operation, self.address, iccid))

    def put(self, iccid: str, **changes: Any) -> None:
        self.held = [replace(one, **changes) if one.iccid == iccid else one for one in self.held]


class Euicc:
    """The card, open."""

    def __init__(self, card: Card) -> None:
        self.card = card

    def _asked(self, name: str) -> None:
        self.card.asked.append(name)
        self.card.moods.heed(name)

    def eid(self) -> str:
        return self.card.eid_text

    def addresses(self) -> Any:
        return SimpleNamespace(default_smdp=None, root_smds="smds.example.com")

    def set_default_address(self, address: str) -> None:
        self._asked("default")

    def info2(self) -> Any:
        return SimpleNamespace(free_bytes=300_000, as_dict=lambda: {"free_bytes": 300_000})

    def profiles(self, *, icons: bool = True) -> list[Profile]:
        self._asked("profiles")
        return list(self.card.held)

    def enable(self, profile: Profile, *, refresh: bool = True) -> None:
        self.card.asked.append(f"enable {profile.name} {refresh}")
        self.card.moods.heed("enable" if refresh else "enable without")
        before = self.card.enabled
        if before is not None:
            self.card.put(before.iccid, state="disabled")
            self.card.tell("disable", before.iccid)
        self.card.put(profile.iccid, state="enabled")
        self.card.tell("enable", profile.iccid)
        self.card.moods.heed("enabled")

    def disable(self, profile: Profile, *, refresh: bool = True) -> None:
        self._asked("disable")
        self.card.put(profile.iccid, state="disabled")
        self.card.tell("disable", profile.iccid)

    def delete(self, profile: Profile) -> None:
        self._asked("delete")
        self.card.held = [one for one in self.card.held if one.iccid != profile.iccid]
        self.card.tell("delete", profile.iccid)

    def set_nickname(self, profile: Profile, nickname: str) -> None:
        self._asked("nickname")
        self.card.put(profile.iccid, nickname=nickname)

    def notifications(self) -> list[Notification]:
        return list(self.card.queue)

    def remove_notification(self, seq: int) -> bool:
        self._asked(f"remove {seq}")
        self.card.queue = [one for one in self.card.queue if one.seq != seq]
        return True

    def reset_memory(self, *, operational: bool, test: bool, smdp: bool) -> bool:
        self._asked("reset")
        self.card.held = []
        return True


class Engine:
    """What works with an open card; downloads bring what waits."""

    way = "a test"

    def __init__(self, card: Card) -> None:
        self.card = card
        self.euicc = Euicc(card)
        self.sent: list[int] = []

    def managed_by(self) -> str | None:
        return None

    def tell(self, notification: Notification) -> None:
        self.card.asked.append(f"tell {notification.seq}")
        self.card.moods.heed("tell")
        self.card.moods.heed(f"tell {notification.address}")

    def discover(self, server: str | None) -> list[Any]:
        self.card.moods.heed("discover")
        return [SimpleNamespace(smdp_address="smdp.example.com", event_id="EVENT-0001-ABCD")]

    def download(
        self,
        activation: Any,
        *,
        confirmation_code: str | None,
        consent: Callable[..., Any],
        progress: Callable[[str, float | None], None],
        is_aborted: Callable[[], bool],
        nickname: str | None,
    ) -> Any:
        from remsim.esim.download import LOADING

        progress("asking the server who it is", None)
        self.card.moods.heed("download")
        needs = "confirmation" in self.card.moods.next
        said = consent(metadata(self.card.waiting[0]), needs, False)
        while said is not None and said.accept and needs and said.confirmation_code != "1234":
            said = consent(metadata(self.card.waiting[0]), needs, True)
        if said is None:
            raise EsimError("nobody answered in time", code="consent_timeout")
        if not said.accept:
            raise EsimError("the profile was not wanted", code="declined")
        progress(LOADING, 0.0)
        self.card.moods.heed("load")
        progress(LOADING, 1.0)
        got = self.card.waiting.pop(0)
        got = replace(got, nickname=nickname)
        self.card.held.append(got)
        self.card.tell("install", got.iccid)
        return SimpleNamespace(profile=got, notifications=[self.card.queue[-1].seq])


def metadata(profile: Profile) -> Any:
    """What a server tells of it before."""
    return SimpleNamespace(
        name=profile.name,
        provider=profile.provider,
        iccid=profile.iccid,
        profile_class=profile.profile_class,
        icon=None,
        icon_type=None,
        owner=None,
        policy=profile.policy,
    )


class Holder:
    """A modem. It reads its card after a refresh, or when the card tells it to, and registers with ``networks``."""

    id, name, kind = "modem1", "modem1", "modem"
    imei = "490154203237518"

    def __init__(self, card: Card, clock: Any) -> None:
        self.card = card
        self._clock = clock
        self.interface: str | None = "wwan0"
        self.networks = {HOME, AWAY}
        """Profiles that networks take."""
        self.acts_on_refresh = True
        self.sim_state = "READY"
        self.sees = card.enabled.iccid if card.enabled else None
        self.refreshed: list[str] = []
        self.apns: list[AccessPoint] = []
        self.busy: str | None = None
        self.away: str | None = None
        self.on_wait: Callable[[Job], None] = lambda job: None
        self.held = 0
        self.moods = Moods()

    def why_not(self) -> str | None:
        return self.away

    def ways(self) -> list[Any]:
        return []

    @contextlib.contextmanager
    def reserved(self, title: str) -> Iterator[None]:
        if self.busy is not None:
            raise Conflict(f"{self.id} is busy: {self.busy}", code="busy")
        self.busy = title
        try:
            yield
        finally:
            self.busy = None

    @contextlib.contextmanager
    def polling_held(self) -> Iterator[None]:
        self.held += 1
        yield

    def service(self) -> Service:
        if self.acts_on_refresh and self.card.enabled is not None:
            self.sees = self.card.enabled.iccid
        is_registered = self.sees in self.networks
        return Service(self.sim_state, self.sees, self.sees, is_registered, "Net" if is_registered else None)

    def refresh(self, job: Job, *, hard: bool) -> None:
        self.refreshed.append("hard" if hard else "soft")
        self.moods.heed("hard" if hard else "soft")
        self.sees = self.card.enabled.iccid if self.card.enabled else None

    def access_point(self) -> AccessPoint | None:
        return self.apns[-1] if self.apns else AccessPoint("first.example")

    def set_access_point(self, wanted: AccessPoint, job: Job) -> None:
        self.moods.heed("apn")
        self.apns.append(wanted)

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        if within_s > SLICE_S:
            self.on_wait(job)
        if job.is_abort_wanted:
            raise job.aborted()
        self._clock.sleep(within_s)
        return self.service().is_registered is True and iccid in (None, self.sees)


class FakeRoom(Room):
    """Whose cards open at once."""

    @contextlib.contextmanager
    def engine(self, holder: Any, **trusted: Any) -> Iterator[Any]:
        holder.card.moods.heed("open")
        yield Engine(holder.card)


@dataclass
class Bench:
    """A router's eSIM with one card."""

    room: FakeRoom
    work: Work
    codes: Codes
    telling: Telling
    card: Card
    holder: Holder
    store: Store
    clock: Any
    events: list[Event] = field(default_factory=list)

    def done(self, job: Job) -> Job:
        """A job, at its end."""
        assert job.wait(60), job.as_dict()
        return job

    def read(self) -> None:
        """What the desk knows of the card."""
        assert self.done(self.work.read("modem1", "a test")).state == "done"

    def look(self) -> None:
        """Have it begin what is due."""
        self.telling.look()
        if self.telling.beginning is not None:
            self.telling.beginning.join(10)

    def told(self, kind: str) -> list[str]:
        return [one.message for one in self.events if one.kind == kind]


def bench(tmp_path: Path, card: Card | None = None, *, clock: Any = None, settings: Settings | None = None) -> Bench:
    """All of it but the LPA; time passes at once."""
    clock = clock or FakeClock()
    settings = settings or Settings()
    card = card or Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away"))
    holder = Holder(card, clock)
    events: list[Event] = []
    store = Store(tmp_path / "esim.db", clock=clock)
    cards = Cards(store, sim_of)
    config = ConfigDesk(tmp_path, tmp_path, clock=clock, running=settings)
    room = FakeRoom(
        settings, clock, events.append, Jobs(Bus(), clock), store, cards, config, tmp_path, sim_of, lambda: [holder]
    )
    codes, telling = Codes(store, clock), Telling(room)
    work = Work(room, codes, telling)
    if not isinstance(clock, SystemClock):
        work.switching.enabling.wait = lambda job, seconds: clock.sleep(seconds)
    return Bench(room, work, codes, telling, card, holder, store, clock, events)


def sim_of(iccid: str | None) -> str | None:
    """A name like those in history."""
    return None if iccid is None else f"sim-{iccid[-8:]}"


HOME_ID, AWAY_ID = str(sim_of(HOME)), str(sim_of(AWAY))
