"""What the jobs of eSIM share: whom they work on, the way into a card, and one operation a card."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.desk import ConfigDesk
from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs
from remsim.core.small_dataclass import dataclass
from remsim.esim.cards import Cards
from remsim.esim.desk import has_readers
from remsim.esim.readers import Readers
from remsim.esim.store import Store

if TYPE_CHECKING:
    from remsim.esim.activation import Activation
    from remsim.esim.engine import Engine
    from remsim.esim.holder import Holder
    from remsim.esim.trust import Trust

log = logging.getLogger(__name__)

MARK = "esim-loading"
"""In the data directory while a package loads: OpenWrt's init script waits for its end before it stops the service."""
LOAD_END_S = 5.0
SAY_IT = "wait for its end; a package that is cut off may cost the activation code"


@dataclass(slots=True)
class Room:
    """What all of them use. ``hosts`` and ``ca_files``: where servers of a laboratory are, and what they are under."""

    settings: Settings
    clock: Clock
    emit: Callable[[Event], None]
    jobs: Jobs
    store: Store
    cards: Cards
    config: ConfigDesk
    data_dir: Path
    sim_of: Callable[[str | None], str | None]
    holders: Callable[[], list[Holder]]
    hosts: Mapping[str, str] = field(default_factory=dict)
    ca_files: tuple[Path, ...] = ()
    came: Callable[[str | None, Activation, str], None] = lambda iccid, activation, source: None
    _readers: Readers = field(default_factory=Readers)
    _under_way: dict[str, Job] = field(default_factory=dict)
    _beginning: threading.Lock = field(default_factory=threading.Lock)
    _loading: set[str] = field(default_factory=set)
    _loaded: threading.Condition = field(default_factory=threading.Condition)

    def all_holders(self) -> list[Holder]:
        """Modems first, then readers."""
        return [*self.holders(), *(self._readers.now() if has_readers(self.settings) else ())]

    def holder(self, holder_id: str) -> Holder:
        """The holder of an id, readers last; ``NotFound`` where there is none, ``Conflict`` while it is away."""
        for among in (self.holders, self.all_holders):
            for one in among():
                if one.id == holder_id:
                    return one
        if self.cards.of(holder_id) is not None:
            why = f"{holder_id} is not there: it was unplugged or is restarting"
            raise Conflict(why, code="card_away", field="holder")
        raise NotFound(f"there is no modem or card reader {holder_id[:40]!r}", field="holder")

    def job_of(self, holder_id: str) -> Job | None:
        """What is done to it now."""
        job = self._under_way.get(holder_id)
        return None if job is None or job.is_over else job

    def note_job(self, holder_id: str, job: Job) -> None:
        """What is done to it now, begun elsewhere."""
        with self._beginning:
            self._under_way[holder_id] = job

    def begin(
        self,
        kind: str,
        holder_id: str,
        title: str,
        work: Callable[[Job, Holder], Any],
        *,
        actor: str | None = None,
    ) -> Job:
        """Begin a job on a holder that nobody else works on; ``Conflict`` names what goes on there."""
        holder = self.holder(holder_id)
        if (why := holder.why_not()) is not None:
            raise Conflict(why, code="card_away", field="holder")
        reservation = holder.reserved(title)
        reservation.__enter__()  # before the lock: what a modem does by itself is waited for, and others' jobs begin

        def run(job: Job) -> Any:
            try:
                return work(job, holder)
            finally:
                reservation.__exit__(None, None, None)

        try:
            with self._beginning:
                self._check_card_free(holder)
                job = self.jobs.start(kind, run, source=holder.id, title=title, actor=actor)
                self._under_way[holder.id] = job
        except BaseException:
            reservation.__exit__(None, None, None)
            raise
        return job

    @contextlib.contextmanager
    def engine(self, holder: Holder, *, lab_ca: str | None = None, may_be_local: bool = True) -> Iterator[Engine]:
        """The card's ISD-R, open meanwhile; see ``Trust`` for the rest."""
        from remsim.esim.engine import opened

        with opened(
            holder.ways(),
            settings=self.settings.esim,
            trust=self.trust(lab_ca, may_be_local=may_be_local),
            hosts=self.hosts,
            clock=self.clock,
            imei=holder.imei,
        ) as engine:
            yield engine

    def trust(self, lab_ca: str | None = None, *, may_be_local: bool = True) -> Trust:
        """What servers' certificates are checked against."""
        from remsim.esim.trust import Trust

        own = (Path(self.settings.esim.ca_file),) if self.settings.esim.ca_file else ()
        return Trust(ca_files=(*self.ca_files, *own), lab_ca=lab_ca, may_be_local=may_be_local)

    @contextlib.contextmanager
    def loading(self, holder: Holder) -> Iterator[None]:
        """A package loads: nobody polls the modem, and the service is not to be restarted."""
        with holder.polling_held():
            self._mark(holder.id, is_on=True)
            try:
                yield
            finally:
                self._mark(holder.id, is_on=False)

    def check_not_loading(self) -> None:
        """``Conflict`` while a package loads anywhere."""
        loading = sorted(self._loading)
        if loading:
            raise Conflict(f"a profile is being loaded in {', '.join(loading)}", code="esim_loading", hint=SAY_IT)

    def let_load_end(self, within_s: float = LOAD_END_S) -> None:
        """Wait for the end of a load, a little."""
        with self._loaded:
            if self._loading:
                log.warning("a profile is being loaded in %s; waiting for its end", ", ".join(sorted(self._loading)))
                self._loaded.wait_for(lambda: not self._loading, within_s)

    def forget_load(self) -> None:
        """At the start: a load that a power cut ended has left its mark, whose process may be anybody's now."""
        with contextlib.suppress(OSError):
            (self.data_dir / MARK).unlink(missing_ok=True)

    def tell(
        self, kind: str, holder: str, message: str, severity: str = "info", data: dict[str, Any] | None = None
    ) -> None:
        """Write it in the journal."""
        self.emit(Event(kind, holder, self.clock.now(), message, severity, data or {}))

    def _check_card_free(self, holder: Holder) -> None:
        """A card that two holders reach is still one card."""
        own = (self.cards.of(holder.id) or {}).get("eid")
        for other, job in list(self._under_way.items()):
            if job.is_over:
                del self._under_way[other]
            elif other == holder.id or (own is not None and (self.cards.of(other) or {}).get("eid") == own):
                raise Conflict(f"{other} is busy: {job.title}", code="busy", hint="wait for its end or abort it")

    def _mark(self, holder_id: str, *, is_on: bool) -> None:
        with self._loaded:
            (self._loading.add if is_on else self._loading.discard)(holder_id)
            with contextlib.suppress(OSError):
                if self._loading:
                    (self.data_dir / MARK).write_text(f"{os.getpid()}\n")
                else:
                    (self.data_dir / MARK).unlink(missing_ok=True)
            self._loaded.notify_all()


def check_octets(text: str, most: int, field_name: str) -> None:
    """``InvalidInput`` when a text is longer than a card holds."""
    if len(text.encode()) > most:
        raise InvalidInput(f"it has more than {most} octets; accents and signs take two or more", field=field_name)
