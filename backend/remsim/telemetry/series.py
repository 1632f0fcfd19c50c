"""Series of all modems: the last hour in memory, 13 months in round-robin files.

A reading goes to its ring at once and to the files in batches. What goes wrong with a file costs that file at most: it
is moved aside, a new one begun and the event told; a disk that takes nothing is told once and tried again.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import InvalidInput, NotFound, StorageError
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.backup import Backup
from remsim.telemetry.measures import DEFINITIONS, MEASURES, measure_named, values_of
from remsim.telemetry.ring import Ring
from remsim.telemetry.rrd import DamagedFile, RoundRobinFile, Row

log = logging.getLogger(__name__)

MODEM_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
MOST_POINTS = 2000
DEFAULT_POINTS = 600
LONGEST_RANGE_S = 400 * 86400
PENDING_LIMIT = 3600
CLOCK_SET_BACK_S = 120
JUMP_TOLD_S = 60
SILENT_PERIODS = 3
SHORTEST_SILENCE_S = 10
LONGEST_PERIOD_S = 60
NOTHING = (None,) * len(MEASURES)
Point = tuple[float, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """A measure of a modem over a period: time, minimum, average, maximum; None is a gap."""

    modem: str
    measure: str
    unit: str
    step_s: float
    source: str  # live, archive
    points: list[Point]
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """The object of the API; ``reason`` says why there is nothing to draw."""
        return {
            "modem": self.modem,
            "measure": self.measure,
            "unit": self.unit,
            "step_s": self.step_s,
            "source": self.source,
            "points": [list(point) for point in self.points],
            "reason": self.reason,
        }


class ModemSeries:
    """One modem's ring, files and waiting rows."""

    def __init__(self, directory: Path, modem: str) -> None:
        self.modem = modem
        self.ring = Ring(tuple(MEASURES))
        self.files: dict[str, RoundRobinFile] = {}
        first = 0
        for store, measures in DEFINITIONS.stores.items():
            self.files[store] = RoundRobinFile(directory / modem / f"{store}.rrd", measures, first)
            first += len(measures)
        self.pending: list[Row] = []
        self.last_at = 0.0
        self.spacing_s = 0.0
        self.unset_offset: float | None = None
        self.unseen = {name: at for at, name in enumerate(MEASURES)}

    def add(self, reading: ModemReading, monotonic: float) -> bool:
        """Take a reading: to the ring, and to the rows that wait for the files; True when the clock was set at last.

        What was taken while the clock was unset since boot gets its true time then: the other clock never stood still.
        """
        values = values_of(reading)
        self.note(values)
        clock_set = False
        if reading.at < FIRST_TRUSTED:
            self.unset_offset = reading.at - monotonic
        elif self.unset_offset is not None:
            self._shift(reading.at - monotonic - self.unset_offset)
            clock_set = True
        self.ring.add(reading.at, values)
        when = int(reading.at)
        if when - 1 > self.last_at + 1 and self.last_at and is_silence(reading.at - self.last_at, self.spacing_s):
            self.pending.append((when - 1, NOTHING))  # a silence becomes a gap, not a bridge
        self.pending.append((when, values))
        if len(self.pending) > PENDING_LIMIT:
            del self.pending[: len(self.pending) - PENDING_LIMIT]
        self.spacing_s = min(abs(reading.at - self.last_at), LONGEST_PERIOD_S)
        self.last_at = reading.at
        return clock_set

    def _shift(self, seconds: float) -> None:
        self.unset_offset = None
        self.ring.shift(seconds)
        whole = round(seconds)
        self.pending = [(when + whole if when < FIRST_TRUSTED else when, values) for when, values in self.pending]
        if self.last_at < FIRST_TRUSTED:
            self.last_at += seconds

    def note(self, values: tuple[float | None, ...]) -> None:
        """Remember which measures this modem reports at all."""
        for name in [name for name, at in self.unseen.items() if values[at] is not None]:
            del self.unseen[name]


class SeriesStore:
    """The series of a router. ``record`` and ``query`` may be called from any thread."""

    def __init__(
        self, data_dir: Path, *, clock: Clock, emit: Callable[[Event], None], backup_dir: Path | None = None
    ) -> None:
        self._directory = data_dir
        self._clock = clock
        self._emit = emit
        self._modems: dict[str, ModemSeries] = {}
        self._lock = threading.RLock()
        self._held = False
        self._problem: str | None = None
        self._backup_problem: str | None = None
        self._jump_told = -math.inf
        self.backup = Backup(data_dir, backup_dir) if backup_dir is not None else None
        if self.backup is not None:
            for path in self.backup.restore():
                log.info("%s restored from the backup", path)
        with contextlib.suppress(OSError):
            for path in sorted(data_dir.iterdir()):
                if path.is_dir() and MODEM_ID.match(path.name) and any(path.glob("*.rrd")):
                    self._modem(path.name)

    # --- writing ---

    def record(self, reading: ModemReading) -> None:
        """Take a reading: to the ring now, to the files with the next flush."""
        with self._lock:
            if self._modem(reading.modem).add(reading, self._clock.monotonic()):
                self._tell_jump("the clock was set; what was recorded before got its true time")

    def record_history(self, readings: Iterable[ModemReading]) -> None:
        """Write readings of the past, in the order of time, while live ones wait (``hold_live``)."""
        waiting: dict[str, list[Row]] = {}
        for count, reading in enumerate(readings):
            values = values_of(reading)
            with self._lock:
                series = self._modem(reading.modem)
                series.note(values)
            waiting.setdefault(reading.modem, []).append((int(reading.at), values))
            if count % 3000 == 2999:
                self._write_history(waiting)
        self._write_history(waiting)

    def hold_live(self) -> None:
        """Keep live readings in memory until ``release_live``: a file takes rows in the order of time only."""
        self._held = True

    def release_live(self) -> None:
        """Write live readings again, those that waited first."""
        self._held = False

    def has_history(self) -> bool:
        """Whether any file has values already."""
        with self._lock:
            return any(file.path.exists() for series in self._modems.values() for file in series.files.values())

    def flush(self) -> None:
        """Write what waits. Trouble is told once, and the rows go on waiting (an hour of them at most)."""
        if self._held:
            return
        trouble = None
        with self._lock:
            modems = list(self._modems.values())
        for series in modems:
            try:
                with self._lock:
                    self._write(series)
            except StorageError as error:
                trouble = error  # the other modems' files may do
        if trouble is not None:
            self._trouble(trouble)
        else:
            self._well()

    def save_backup(self) -> None:
        """Copy what changed to the backup."""
        if self.backup is None:
            return
        try:
            self.backup.save(self._lock)
        except StorageError as error:
            if self._backup_problem is None:
                self._tell("error", error.message, "error")
            self._backup_problem = error.message
        else:
            if self._backup_problem is not None:
                self._tell("recovered", "series are backed up again")
            self._backup_problem = None

    def close(self) -> None:
        """Write everything out."""
        self._held = False
        self.flush()
        self.save_backup()

    @property
    def problem(self) -> str | None:
        """What keeps series from being stored, in a sentence."""
        return self._problem or self._backup_problem

    def _write_history(self, waiting: dict[str, list[Row]]) -> None:
        for modem, rows in waiting.items():
            with self._lock:
                for file in self._modem(modem).files.values() if rows else ():
                    try:
                        self._put(file, rows)
                    except StorageError as error:
                        self._trouble(error)
            rows.clear()

    def _write(self, series: ModemSeries) -> None:
        """Write what waits; when one file fails all rows wait on, and the others leave out what they have.

        Rows of a clock that is not set yet wait until it is: they would put the file's past out of its reach.
        """
        unset = [row for row in series.pending if row[0] < FIRST_TRUSTED]
        rows = [row for row in series.pending if row[0] >= FIRST_TRUSTED] if unset else series.pending
        while rows:
            run = first_run(rows)
            for file in series.files.values():
                self._put(file, run)
            rows = rows[len(run) :]
            series.pending = unset + rows

    def _put(self, file: RoundRobinFile, rows: list[Row]) -> None:
        """Write rows; a file that was damaged meanwhile is replaced first."""
        try:
            file.update(self._ready(file, rows))
        except DamagedFile as error:
            self._replace(file, error)
            try:
                file.update(self._ready(file, rows))
            except DamagedFile as again:
                raise StorageError(f"{file.path} cannot be written: {again}") from again

    def _ready(self, file: RoundRobinFile, rows: list[Row]) -> list[Row]:
        """See to it that the file can take the rows; the rows."""
        if not file.exists():
            file.last = None
        if file.last is not None and rows[-1][0] < file.last - CLOCK_SET_BACK_S:
            text = f"the clock was set back by {file.last - rows[-1][0]} s; the series so far were kept aside"
            self._aside(file, "clock_jump", text)
        if file.last is None:
            file.create(rows[0][0] - 1)
        return rows

    def _aside(self, file: RoundRobinFile, kind: str, text: str) -> None:
        """Rename a file that cannot be used any more and tell."""
        name = f"{file.path.name}.{kind}-{int(self._clock.now())}"
        target = file.path.with_name(name)
        number = 1
        while target.exists():
            number += 1
            target = file.path.with_name(f"{name}-{number}")
        try:
            file.path.rename(target)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StorageError(f"{file.path} cannot be moved aside: {error.strerror}") from error
        file.last = None
        if kind == "clock_jump":
            self._tell_jump(text)
        else:
            self._tell(kind, text, "error", file=f"{file.path.parent.name}/{file.path.name}")

    def _tell(self, kind: str, text: str, severity: str = "info", **data: Any) -> None:
        self._emit(Event(kind, "remsim", self._clock.now(), text, severity, data))

    def _tell_jump(self, text: str) -> None:
        """One jump of the clock concerns every file and is told once."""
        now = self._clock.monotonic()
        if now - self._jump_told >= JUMP_TOLD_S:
            self._jump_told = now
            self._tell("clock_jump", text, "warning")

    def _trouble(self, error: StorageError) -> None:
        if self._problem is None:
            self._tell("error", f"series are not stored: {error.message}", "error")
        self._problem = error.message

    def _well(self) -> None:
        if self._problem is not None:
            self._problem = None
            self._tell("recovered", "series are stored again")

    def _modem(self, modem: str) -> ModemSeries:
        if modem not in self._modems:
            if not MODEM_ID.match(modem) or modem.startswith("."):
                raise InvalidInput("a modem's id has letters, digits, '.', '_' and '-' only", field="modem")
            series = ModemSeries(self._directory, modem)
            for file in series.files.values():
                try:
                    self._open(file)
                except StorageError as error:
                    self._trouble(error)
            series.last_at = float(max(file.last or 0 for file in series.files.values()))
            self._modems[modem] = series
        return self._modems[modem]

    def _open(self, file: RoundRobinFile) -> None:
        try:
            file.open()
        except DamagedFile as error:
            self._replace(file, error)

    def _replace(self, file: RoundRobinFile, error: DamagedFile) -> None:
        """Put the backup's copy in a damaged file's place; without a good one the file goes aside."""
        if self.backup is not None and self.backup.restore_one(file.path):
            with contextlib.suppress(DamagedFile):
                file.open()
                text = f"{file.path.parent.name}/{file.path.name} was damaged and restored from the backup"
                self._tell("series_recreated", text, "warning")
                return
        self._aside(file, "series_recreated", f"{file.path.name} was damaged ({error}) and is begun anew")

    # --- reading ---

    def query(
        self,
        modem: str,
        measure: str,
        *,
        range_s: float | None = None,
        start: float | None = None,
        end: float | None = None,
        points: int = DEFAULT_POINTS,
    ) -> Series:
        """A measure over the last ``range_s`` seconds or from ``start`` to ``end``, in at most ``points`` points."""
        found = measure_named(measure)
        if not 1 <= points <= MOST_POINTS:
            raise InvalidInput(f"points is 1 to {MOST_POINTS}", field="points")
        start, end = self._period(range_s, start, end)
        with self._lock:
            series = self._modems.get(modem)
            if series is None:
                raise NotFound(f"there is no modem {modem[:40]!r}", field="modem")
            ring = series.ring
            live = ring.samples(measure, start, end) if len(ring) and end >= ring.oldest else []
            rows, step_s = self._rows(series, measure, start, end, points, live)
        source = "live" if live and live[0][0] <= start + 15 else "archive"
        merged, step_s = consolidate(rows, start, end, step_s, points)
        return Series(
            modem, measure, found.unit, step_s, source, merged, self._reason(series, measure, merged, start, end)
        )

    def _period(self, range_s: float | None, start: float | None, end: float | None) -> tuple[float, float]:
        now = self._clock.now()
        if range_s is not None:
            start, end = now - range_s, now
        end = now if end is None else end
        start = end - 3600 if start is None else start
        if not (math.isfinite(start) and math.isfinite(end)) or start >= end:
            raise InvalidInput("from must be before to", field="from")
        if end - start > LONGEST_RANGE_S:
            raise InvalidInput("a range is 400 days at most", field="from")
        return start, end

    def _rows(
        self, series: ModemSeries, measure: str, start: float, end: float, points: int, live: list[tuple[float, float]]
    ) -> tuple[list[Point], float]:
        """Rows from the archive up to where the ring begins, then the ring's; and the resolution."""
        rows: list[Point] = []
        live_from = live[0][0] if live else end
        step_s = 1.0
        if live_from > start + 15:
            file = series.files[MEASURES[measure].store]
            step_s = self._archive_step(start, end, points)
            step_s, rows = self._archived(file, measure, start, live_from, step_s)
            rows = [row for row in rows if row[0] <= live_from]
        rows.extend(rows_of_samples(live))
        return rows, step_s

    def _archive_step(self, start: float, end: float, points: int) -> float:
        """The finest archive that reaches back far enough without having more points than wanted."""
        now = self._clock.now()
        fitting = [one for one in DEFINITIONS.archives if now - start <= one.keep_s + one.resolution_s]
        fitting = fitting or [DEFINITIONS.archives[-1]]
        for archive in fitting:
            if (end - start) / archive.resolution_s <= max(points, MOST_POINTS):
                return archive.resolution_s
        return fitting[-1].resolution_s

    def _archived(
        self, file: RoundRobinFile, measure: str, start: float, end: float, step_s: float
    ) -> tuple[float, list[Point]]:
        start = max(start, FIRST_TRUSTED)  # nothing is older, and librrd reads small numbers as days and months
        if file.last is None or end <= start or not file.path.exists():
            return step_s, []
        try:
            step_s, found = file.fetch(measure, int(start), int(end), int(step_s))
        except DamagedFile as error:
            with contextlib.suppress(StorageError):
                self._replace(file, error)
            return step_s, []
        except StorageError as error:
            self._trouble(error)
            return step_s, []
        return step_s, [
            (when, *(None if value != value else round(value, 3) for value in (low, average, high)))  # type: ignore[misc]
            for (when, low), (_, average), (_, high) in zip(found["MIN"], found["AVERAGE"], found["MAX"], strict=True)
        ]

    def _reason(self, series: ModemSeries, measure: str, points: list[Point], start: float, end: float) -> str | None:
        """Why there is nothing to draw."""
        if any(point[2] is not None for point in points):
            return None
        if self._problem is not None:
            return f"series are not stored: {self._problem}"
        if measure in series.unseen and len(series.ring):
            return f"this modem has not reported {MEASURES[measure].label} since the service started"
        file = series.files[MEASURES[measure].store]
        if series.unset_offset is not None:
            return "the clock is not set yet; what is recorded is kept until it is"
        if file.last is None:
            return "nothing has been recorded yet"
        return "no value was recorded in this period"


def is_silence(elapsed_s: float, spacing_s: float) -> bool:
    """Whether a modem that reported every ``spacing_s`` was away rather than slow."""
    return elapsed_s > max(SILENT_PERIODS * spacing_s, SHORTEST_SILENCE_S)


def first_run(rows: list[Row]) -> list[Row]:
    """The rows up to where the clock was set back."""
    for at in range(1, len(rows)):
        if rows[at][0] < rows[at - 1][0] - CLOCK_SET_BACK_S:
            return rows[:at]
    return rows


def rows_of_samples(samples: list[tuple[float, float]]) -> list[Point]:
    """Samples of the ring as rows, with a row without value in the middle of each silence."""
    rows: list[Point] = []
    before, spacing_s = (samples[0][0] if samples else 0.0), float(LONGEST_PERIOD_S)
    for when, value in samples:
        elapsed_s = when - before
        if elapsed_s > SHORTEST_SILENCE_S and is_silence(elapsed_s, spacing_s):
            rows.append((before + elapsed_s / 2, None, None, None))
        rows.append((when, value, value, value) if value == value else (when, None, None, None))
        if elapsed_s:
            spacing_s = min(elapsed_s, LONGEST_PERIOD_S)
        before = when
    return rows


def consolidate(rows: list[Point], start: float, end: float, step_s: float, points: int) -> tuple[list[Point], float]:
    """Rows gathered into spans of at least ``step_s``: the least, the mean, the greatest of each, at the span's end.

    A row without a value is a gap when it is alone in its span; a span without rows is none: a modem may be slow.
    """
    step_s = math.ceil(step_s) * math.ceil((end - start) / points / math.ceil(step_s))
    gathered: dict[int, list[Point]] = {}
    for row in rows:
        gathered.setdefault(math.ceil(row[0] / step_s), []).append(row)
    merged: list[Point] = []
    for slot in sorted(gathered):
        known = [row for row in gathered[slot] if row[2] is not None]
        when = min(float(slot * step_s), max(end, gathered[slot][-1][0]))  # the last span has not ended yet
        if not known:
            if merged and merged[-1][2] is not None:
                merged.append((when, None, None, None))
            continue
        low = min(row[1] for row in known if row[1] is not None)
        high = max(row[3] for row in known if row[3] is not None)
        mean = sum(row[2] for row in known if row[2] is not None) / len(known)
        merged.append((when, round(low, 3), round(mean, 3), round(high, 3)))
    while len(merged) > points and merged[-1][2] is None:
        merged.pop()
    return merged[-points:], step_s
