"""Modems in trouble: how soon one is read and missed, what a dead one costs the others, how long jobs take.

The real service on virtual modems; the simulator's control socket does the faults, so their moments are known.
``bench_trouble.py [SECONDS]``: for how long each kind of dead modem is looked at.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measuring import Table, service
from remsim.modems.channel import TURN_S
from remsim.modems.control.target import HURRIED_S
from remsim.simulator.control import SimulatorControl
from remsim.simulator.models import MODELS
from remsim.simulator.virtual import BOOT_S, PLUG_BOOT_S
from running import RunningService, descendants

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
PLUGGED = (
    ("RM520N-GL", "EC25", "BG96", "RM500U-CNV", "FM350-GL", "FM160-EAU", "L860-GL"),
    ("EM7565", "MC7455", "EM9190", "EM12-G", "PLS8-E", "MODEM-27.007"),
)
MODEMS = ("RM520N-GL", "EM7565", "FM350-GL", "EC25", "EM9190", "FM150-AE", "L860-GL", "RM500U-CNV")
DEAD = ("silence", "no_ok", "garbage", "late")
RESTARTED = ("RM520N-GL", "EM7565", "EM9190", "FM350-GL", "FM150-AE", "L860-GL", "MV31-W")
SLOTTED = ("RM520N-GL", "EM7565", "FM150-AE", "MV31-W")
FIRST_READING_S = 5.0
UNPLUG_S = 1.0
PERIOD_S = 1.0
WITHIN = 0.10
ANSWER_MS = 500.0
SILENT_FORM_MS = 1000 * (TURN_S + HURRIED_S) + ANSWER_MS
"""A question of polling to the dead modem goes first, then the form's own is waited for."""
SETTLE_S = 15.0
SCAN_S, SCAN_SIMULATED_S = 60.0, 35.0
QUICK = 0.1
JOB_OVER_S = 10.0


class Watched:
    """A service, its simulator, and every message of its stream with the moment when it came."""

    def __init__(self, running: RunningService, count: int) -> None:
        self.service = running
        self.simulator = SimulatorControl(simulation_of(running))
        self._messages: list[tuple[float, str, Any]] = []
        self._came = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        self.until(lambda: len(self._modems("online")) == count, 60)
        self.ids = {one["usb_path"]: one["id"] for one in running.get("modems")["modems"]}
        self.paths = {one["model"]: one["usb_path"] for one in self.simulator.modems()}

    def id(self, model: str) -> str:
        """The modem of a model."""
        return str(self.ids[self.paths[model]])

    def since(self, moment: float, kind: str) -> list[tuple[float, Any]]:
        """The messages of a kind that came later."""
        with self._came:
            return [(at, data) for at, name, data in self._messages if at >= moment and name == kind]

    def first(self, since: float, kind: str, is_it: Callable[[Any], bool], within_s: float = 30.0) -> float:
        """When the first such message came; infinite when none did."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = next((at for at, data in self.since(since, kind) if is_it(data)), None)
            if found is not None:
                return found
            with self._came:
                self._came.wait(0.1)
        return float("inf")

    def until(self, is_so: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait; a benchmark whose modems do not come is broken."""
        deadline = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.service.get('modems')}\n{self.service.log()}")
            time.sleep(0.1)

    def is_online(self, modem_id: str) -> bool:
        """Whether a modem is online."""
        return modem_id in self._modems("online")

    def end_of(self, job: dict[str, Any], within_s: float = 200.0) -> tuple[dict[str, Any], float]:
        """A job at its end, confirmed when it asks for that; and how long it took."""
        begun = time.monotonic()
        while True:
            job = self.service.get(f"jobs/{job['id']}")
            if job["ended_at"] is not None:
                return job, time.monotonic() - begun
            if job["state"] == "confirming":
                self.service.request(f"jobs/{job['id']}/confirm", method="POST", body={})
            if time.monotonic() - begun > within_s:
                raise AssertionError(job)
            time.sleep(0.1)

    def do(self, modem_id: str, action: str, **content: Any) -> dict[str, Any]:
        """Begin an action."""
        status, job = self.service.request(f"modems/{modem_id}/{action}", method="POST", body=content, timeout_s=30)
        assert status == 202, job
        return dict(job)

    def _modems(self, state: str) -> set[str]:
        return {one["id"] for one in self.service.get("modems")["modems"] if one["state"] == state}

    def _listen(self) -> None:
        try:
            for message in self.service.stream(timeout_s=60):
                with self._came:
                    self._messages.append((time.monotonic(), message.get("event", ""), message.get("data")))
                    self._came.notify_all()
        except OSError:
            pass  # the service was stopped


@contextmanager
def watched(*models: str) -> Iterator[Watched]:
    """A service with these modems, all online."""
    with service(f"--simulate={','.join(models)}", "--backfill", "0") as running:
        yield Watched(running, len(models))


def simulation_of(running: RunningService) -> Path:
    """The directory of the service's virtual modems."""
    assert running.process is not None
    for pid in descendants(running.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if "simulate" in words:
            return Path(words[words.index("--dir") + 1])
    raise AssertionError("there is no simulator")


def measure_plugging(table: Table) -> None:
    """From the parser's first answer to the first reading, and from unplugging to the word that it is gone."""
    took: dict[str, list[float]] = {}
    for models in PLUGGED:
        with watched(*models) as here:
            here.simulator.set_time_scale(QUICK)
            for model in models:
                plug_and_unplug(here, model, took)
            took.setdefault("restarted", []).extend(restarted(here))
    for name, told in (
        ("known", "plugged in again"),
        ("new", "never seen before"),
        ("restarted", "all restarted at once, 4 s until the parser answers"),
    ):
        table.row(f"{told}: median", statistics.median(took[name]), "s")
        table.row(f"{told}: slowest", max(took[name]), "s", at_most=FIRST_READING_S)
    table.row("unplugged while it is polled: noticed", max(took["missed"]), "s", at_most=UNPLUG_S)
    table.row("unplugged while polling is off: noticed", max(took["missed unpolled"]), "s", at_most=UNPLUG_S)


def plug_and_unplug(here: Watched, model: str, took: dict[str, list[float]]) -> None:
    """One modem polled, then with polling off, then forgotten and plugged in as if it was new."""
    path, modem_id = here.paths[model], here.id(model)

    def note(name: str, seconds: float) -> None:
        took.setdefault(name, []).append(seconds)
        if seconds > 2:
            print(f"  {model}: {name} {seconds:.2f} s", flush=True)

    note("missed", unplugged(here, path, modem_id))
    note("known", plugged(here, path, modem_id))
    here.until(lambda: here.is_online(modem_id))
    here.service.request(f"modems/{modem_id}", method="PATCH", body={"period_s": None})
    time.sleep(0.4)
    note("missed unpolled", unplugged(here, path, modem_id))
    here.service.request(f"modems/{modem_id}", method="PATCH", body={"period_s": PERIOD_S})
    status, told = here.service.request(f"modems/{modem_id}", method="DELETE")
    assert status in (200, 204), told
    note("new", plugged(here, path, None))
    here.ids = {one["usb_path"]: one["id"] for one in here.service.get("modems")["modems"]}


def unplugged(here: Watched, path: str, modem_id: str) -> float:
    """How long until it is told."""
    begun = time.monotonic()
    here.simulator.fault(path, "unplug")
    return here.first(begun, "event", lambda told: (told["kind"], told["source"]) == ("vanished", modem_id)) - begun


def plugged(here: Watched, path: str, modem_id: str | None) -> float:
    """How long from the parser's first answer to a reading; of a modem nobody knew when no id is given."""
    others = {one for place, one in here.ids.items() if place != path}
    begun = time.monotonic()
    here.simulator.fault(path, "plug")
    return here.first(begun, "reading", is_of(modem_id, others)) - begun - PLUG_BOOT_S


def restarted(here: Watched) -> list[float]:
    """All away for as long as a real restart takes, then with silent ttys for a while."""
    here.until(lambda: all(here.is_online(one) for one in here.ids.values()))
    away_s = BOOT_S * 10
    begun = {}
    for path, modem_id in here.ids.items():
        begun[modem_id] = time.monotonic()
        here.simulator.fault(path, "reboot", seconds=away_s)
    time.sleep(away_s)
    answered = {one: at + away_s + BOOT_S for one, at in begun.items()}
    return [here.first(at - BOOT_S, "reading", is_of(one, set()), 30) - at for one, at in answered.items()]


def is_of(modem_id: str | None, others: set[str]) -> Callable[[Any], bool]:
    """Whether a reading is of this modem, or of none of the others."""
    return lambda told: told["modem"] == modem_id if modem_id else told["modem"] not in others


def measure_neighbours(table: Table) -> None:
    """The distance of the others' readings while one modem is dead, and while another one searches too."""
    with watched(*MODEMS) as here:
        dead, searching = here.id(MODEMS[0]), here.id(MODEMS[1])
        time.sleep(SETTLE_S)
        told_distances(table, here, "all well", set(), SECONDS)
        for fault in DEAD:
            here.simulator.fault(here.paths[MODEMS[0]], fault)
            time.sleep(3)
            asked = Asked(here, dead, here.id(MODEMS[2]))
            told_distances(table, here, fault, {dead}, SECONDS)
            asked.told(table, fault)
            here.simulator.fault(here.paths[MODEMS[0]], "clear")
            here.until(lambda: here.is_online(dead), 90)
        here.simulator.set_time_scale(SCAN_S / SCAN_SIMULATED_S)
        here.simulator.fault(here.paths[MODEMS[0]], "silence")
        job = here.do(searching, "scan")
        told_distances(table, here, "silence and a search", {dead, searching}, SCAN_S - 2)
        job, _ = here.end_of(job)
        assert job["state"] == "done" and job["result"]["took_s"] >= SCAN_S, job


def told_distances(table: Table, here: Watched, name: str, without: set[str], seconds: float) -> None:
    """Rows with the distances between readings of each modem but those."""
    begun = time.monotonic()
    time.sleep(seconds)
    came: dict[str, list[float]] = {}
    for at, told in here.since(begun, "reading"):
        came.setdefault(told["modem"], []).append(at)
    watched_ids = set(here.ids.values()) - without
    distances = {one: [b - a for a, b in itertools.pairwise(came.get(one, []))] for one in watched_ids}
    means = [statistics.mean(found) if found else float("inf") for found in distances.values()]
    all_of_them = sorted(one for found in distances.values() for one in found)
    off = 100 * max(abs(mean / PERIOD_S - 1) for mean in means)
    table.row(f"{name}: a modem's mean distance is off by at most", off, "%", at_most=100 * WITHIN)
    table.row(f"{name}: 95 % of distances", share(all_of_them, 0.95), "s", at_most=PERIOD_S * (1 + WITHIN))


class Asked:
    """Asks for the list of actions and for a form of a dead and of a living modem, until it is told."""

    def __init__(self, here: Watched, dead: str, living: str) -> None:
        self._here = here
        self._over = threading.Event()
        self._took_ms: dict[str, list[float]] = {}
        rows = {
            "list of actions, the dead modem's": f"modems/{dead}/actions",
            "list of actions, another's": f"modems/{living}/actions",
            "form, the dead modem's": f"modems/{dead}/radio/form",
            "form, another's": f"modems/{living}/radio/form",
            "all modems": "modems",
        }
        self._threads = [threading.Thread(target=self._ask, args=row) for row in rows.items()]
        for thread in self._threads:
            thread.start()

    def told(self, table: Table, name: str) -> None:
        """End it, with rows."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        for what, took in self._took_ms.items():
            is_asked = what.startswith("form, the dead")
            bar = SILENT_FORM_MS if is_asked else ANSWER_MS
            table.row(f"{name}: {what}, 99 % within", share(sorted(took), 0.99), "ms", at_most=bar)

    def _ask(self, what: str, path: str) -> None:
        took = self._took_ms.setdefault(what, [])
        while not self._over.is_set():
            begun = time.monotonic()
            self._here.service.request(path, timeout_s=60)
            took.append(1000 * (time.monotonic() - begun))
            self._over.wait(0.5)


def measure_jobs(table: Table) -> None:
    """From a request to the end of its job, beside what the virtual modem itself takes."""
    with watched(*RESTARTED) as here:
        here.simulator.set_time_scale(QUICK)
        for model in RESTARTED:
            away_s = QUICK * (MODELS[model].drop_s + MODELS[model].away_s)
            boot_s = min(BOOT_S, max(QUICK * MODELS[model].away_s / 10, 0.5))
            job, took_s = here.end_of(here.do(here.id(model), "reset"))
            told_job(table, f"{model}: restart", job, took_s, away_s + boot_s)
            here.until(lambda model=model: here.is_online(here.id(model)), 60)
        for model in SLOTTED:
            job, took_s = here.end_of(here.do(here.id(model), "sim-slot", slot="2"))
            told_job(table, f"{model}: SIM slot", job, took_s, None)


def told_job(table: Table, name: str, job: dict[str, Any], took_s: float, own_s: float | None) -> None:
    """One job's row; a job that failed is a miss."""
    if job["state"] != "done":
        table.missed.append(f"{name}: {job['state']}, {job['error']}")
    if own_s is None:
        table.row(f"{name}, from the request to the end", took_s, "s")
        return
    table.row(f"{name}, beyond the modem's own {own_s:.1f} s", took_s - own_s, "s", at_most=JOB_OVER_S)


def share(found: list[float], part: float) -> float:
    """The value that this part of them does not exceed; infinite when there are none."""
    return found[min(int(len(found) * part), len(found) - 1)] if found else float("inf")


def main() -> int:
    table = Table("plugging, from the moment when the parser answers")
    measure_plugging(table)
    print(f"\n{len(MODEMS)} modems at 1 reading/s, one of them in trouble for {SECONDS:g} s each")
    measure_neighbours(table)
    print(f"\njobs, with a real modem's times shortened to {100 * QUICK:g} %")
    measure_jobs(table)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
