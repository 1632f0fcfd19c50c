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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import InvalidInput, NotFound, StorageError
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.backup import Backup
from remsim.telemetry.measures import DEFINITIONS, DERIVED, MEASURES, SHOWN, measure_named, values_of
from remsim.telemetry.points import (
    LONGEST_PERIOD_S,
    Point,
    consolidate,
    gathered,
    is_silence,
    step_for,
    usual_spacing_s,
)
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
RING_MARGIN_S = 15
"""Memory that begins so little after a period covers it."""
NOTHING = (None,) * len(MEASURES)
Archived = tuple[float, list[Point]]
"""The resolution of a measure's rows, and the rows."""


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
        self.write_errors = 0
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
            if not file.is_wanted(rows):
                return []
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
        self.write_errors += 1

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
        start, end = self._period(range_s, start, end)
        return self.query_many(modem, (measure,), start, end, points)[0]

    def query_many(
        self, modem: str, measures: Sequence[str], start: float, end: float, points: int = DEFAULT_POINTS
    ) -> list[Series]:
        """Several measures of a modem, in their order; each of its files is read once."""
        found = [measure_named(measure) for measure in measures]
        if not 1 <= points <= MOST_POINTS:
            raise InvalidInput(f"points is 1 to {MOST_POINTS}", field="points")
        start, end = self._period(None, start, end)
        stored = list(dict.fromkeys(name for measure in measures for name in inputs_of(measure)))
        with self._lock:
            series = self._modems.get(modem)
            if series is None:
                raise NotFound(f"there is no modem {modem[:40]!r}", field="modem")
            ring = series.ring
            times, columns = ring.columns(stored, start, end)
            is_live = len(times) > 0 and ring.oldest <= start + RING_MARGIN_S
            archive: dict[str, Archived] = {}
            usual_step_s = usual_spacing_s(times)
            if not is_live:
                usual_step_s = self._archive_step(start, end, points)
                archive = self._archived(series, stored, start, times[0] if times else end, usual_step_s)
        merged: dict[str, tuple[list[Point], float]] = {}
        for name, column in columns.items():
            resolution_s, rows = archive.get(name, (usual_step_s, []))
            step_s = step_for(resolution_s, end - start, points)
            rows = rows + gathered(times, column, step_s if is_live else resolution_s)
            merged[name] = consolidate(rows, end, step_s, points), step_s
        made = []
        for measure in found:
            shown, step_s = merged[measure.name] if measure.name in merged else derived_points(measure.name, merged)
            reason = self._reason(series, measure.name, shown)
            source = "live" if is_live else "archive"
            made.append(Series(modem, measure.name, measure.unit, step_s, source, shown, reason))
        return made

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

    def _archive_step(self, start: float, end: float, points: int) -> int:
        """The finest archive that reaches back far enough without having more points than wanted."""
        now = self._clock.now()
        fitting = [one for one in DEFINITIONS.archives if now - start <= one.keep_s + one.resolution_s]
        fitting = fitting or [DEFINITIONS.archives[-1]]
        for archive in fitting:
            if (end - start) / archive.resolution_s <= max(points, MOST_POINTS):
                return archive.resolution_s
        return fitting[-1].resolution_s

    def _archived(
        self, series: ModemSeries, measures: Iterable[str], start: float, end: float, step_s: int
    ) -> dict[str, Archived]:
        """Rows from ``start`` to ``end`` of the stored measures, of each file that can be read."""
        start = max(start, FIRST_TRUSTED)  # nothing is older, and librrd reads small numbers as days and months
        found: dict[str, Archived] = {}
        for store, file in series.files.items():
            names = [name for name in measures if MEASURES[name].store == store]
            if not names or file.last is None or end <= start or not file.path.exists():
                continue
            try:
                step, times, columns = file.fetch(names, int(start), int(end), step_s)
            except DamagedFile as error:
                with contextlib.suppress(StorageError):
                    self._replace(file, error)
                continue
            except StorageError as error:
                self._trouble(error)
                continue
            within = bisect_right(times, end)
            for name in names:
                found[name] = float(step), list(zip(times[:within], *columns[name], strict=False))
        return found

    def _reason(self, series: ModemSeries, measure: str, points: list[Point]) -> str | None:
        """Why there is nothing to draw."""
        if any(point[2] is not None for point in points):
            return None
        if self._problem is not None:
            return f"series are not stored: {self._problem}"
        inputs = inputs_of(measure)
        if all(name in series.unseen for name in inputs) and len(series.ring):
            return f"this modem has not reported {SHOWN[measure].label} since the service started"
        if series.unset_offset is not None:
            return "the clock is not set yet; what is recorded is kept until it is"
        if all(series.files[MEASURES[name].store].last is None for name in inputs):
            return "nothing has been recorded yet"
        return "no value was recorded in this period"


def inputs_of(measure: str) -> tuple[str, ...]:
    """The stored measures that one is made of: itself, unless it is derived."""
    return DERIVED[measure].inputs if measure in DERIVED else (measure,)


def derived_points(measure: str, merged: Mapping[str, tuple[list[Point], float]]) -> tuple[list[Point], float]:
    """The points and the step of a derived measure, each worked out from the means of its inputs at that time."""
    derived = DERIVED[measure]
    means = [{when: mean for when, _, mean, _ in merged[name][0]} for name in derived.inputs]
    points: list[Point] = []
    for when in sorted(set().union(*means)):
        value = derived.value_of([column.get(when) for column in means])
        if value is not None or (points and points[-1][2] is not None):
            points.append((when, value, value, value))
    return points, max(merged[name][1] for name in derived.inputs)


def first_run(rows: list[Row]) -> list[Row]:
    """The rows up to where the clock was set back."""
    for at in range(1, len(rows)):
        if rows[at][0] < rows[at - 1][0] - CLOCK_SET_BACK_S:
            return rows[:at]
    return rows
