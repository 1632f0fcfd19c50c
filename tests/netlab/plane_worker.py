"""The kernel's data plane alone, inside a lab's router: JSON lines in, a JSON line out for each.

``start`` with ``links`` (index, device, gateway) and ``lan``; ``load`` a ``text`` of policies; ``swap`` the bulk ring
so many ``times``; ``fill`` a set with a ``count`` of addresses; ``spoil``; ``leave`` a ``link``; ``stop``. Times are
milliseconds. It has to run in the router's namespace (``ip netns exec``).
"""

from __future__ import annotations

import json
import random
import re
import struct
import sys
import threading
from dataclasses import replace
from pathlib import Path
from time import monotonic, perf_counter, process_time
from typing import Any

from remsim.core.clock import SystemClock
from remsim.core.routes import SLOTS, Choice, LinkView, PolicyCode, Program, RingSpec, SetCode
from remsim.links.kernel.plane import KernelPlane
from remsim.links.plane import LinkRoute, PlaneError
from remsim.policies.addresses.spans import Spans, Texts
from remsim.policies.applications.catalogue import Catalogue
from remsim.policies.compile import compile_set
from remsim.policies.facts import Facts
from remsim.policies.language.parser import parse
from remsim.policies.learning.taps import sip_taps

DEFAULT = (RingSpec("interactive", (), "interactive"), RingSpec("bulk", (), "bulk"))


class Worker:
    """What obeys."""

    def __init__(self) -> None:
        self._plane = KernelPlane(SystemClock())
        self._links: list[LinkRoute] = []

    def start(self, links: list[dict[str, Any]], lan: list[str]) -> object:
        """Take the router over."""
        self._plane.start(lan, on_device=lambda name: None)
        self._links = [LinkRoute(one["index"], one["device"], one["device"], one["gateway"]) for one in links]
        self._plane.set_links(self._links)
        return {"capabilities": {one.name: one.is_there for one in self._plane.capabilities()}}

    def load(self, text: str, times: int = 1, sip: bool = False) -> object:
        """Compile and load policies, the same ones so many times; each time with a ring turned, so that it differs.
        ``sip``: with the kernel's helper for calls."""
        began = perf_counter()
        views = tuple(LinkView(link.index, link.name, state="up", device=link.device) for link in self._links)
        parsed = parse(text)
        assert not parsed.problems, parsed.problems[:3]
        facts = Facts(links=views, now=None, applications=Catalogue())
        program = compile_set(parsed.set.policies, parsed.set.sets, facts).program
        if sip:
            objects, taps = sip_taps()
            program = replace(program, objects=objects, taps=(*program.taps, *taps))
        compiled = perf_counter()
        loads: list[dict[str, float]] = []
        sets: dict[str, float] = {}
        for n in range(times):
            before, spent = perf_counter(), process_time()
            loaded = self._plane.load(program, DEFAULT, self._rings(program, n))
            took, spent = perf_counter() - before, process_time() - spent
            loads.append({"all": 1000 * took, "cpu": 1000 * spent, "chains": loaded.chains_ms})
            sets.update(loaded.sets_ms)
        return {"compile": 1000 * (compiled - began), "loads": loads, "sets": sets}

    def alternate(self, texts: list[str], seconds: float) -> object:
        """Load one of two sets after the other for some time."""
        end, count = monotonic() + seconds, 0
        while monotonic() < end:
            self.load(texts[count % len(texts)])
            count += 1
        return {"loads": count}

    def swap(self, times: int) -> dict[str, Any]:
        """Turn the bulk ring so many times."""
        took = []
        spent = process_time()
        for n in range(times):
            before = perf_counter()
            self._plane.swap({"bulk": self._around(n)})
            took.append(1000 * (perf_counter() - before))
        return {"swaps": took, "cpu": 1000 * (process_time() - spent) / times}

    def fill(self, count: int) -> object:
        """Fill a set with so many addresses, and change a ring ten times a second meanwhile."""
        numbers = sorted(random.Random(1).sample(range(0x1000_0000, 0xD000_0000), count))
        elements = Texts(Spans(4, b"".join(struct.pack(">II", one, one) for one in numbers)))
        del numbers
        large = SetCode("a_many_4", "type ipv4_addr; flags interval;", elements, is_apart=True)
        policy = PolicyCode(1, "many", ("ip daddr @a_many_4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
        program = Program((policy,), (large,))
        self._plane.load(Program(), DEFAULT, self._rings(Program(), 0))
        filling = threading.Thread(target=self._plane.prepare, args=(program,))
        swaps: list[float] = []
        memory, began, spent = [self._pss_mb()], perf_counter(), process_time()
        filling.start()
        while filling.is_alive():
            filling.join(0.1)
            swaps += self.swap(1)["swaps"]
            memory.append(self._pss_mb())
        took, spent = perf_counter() - began, process_time() - spent
        loaded = self._plane.load(program, DEFAULT, self._rings(program, 0))
        return {
            "seconds": took,
            "cpu": spent,
            "swaps": swaps,
            "more_mb": max(memory) - memory[0],
            "chains": loaded.chains_ms,
            "sets": dict(loaded.sets_ms),
        }

    def spoil(self) -> object:
        """Load a rule that no kernel takes."""
        ring = RingSpec("p_1", (Choice("any"),))
        program = Program((PolicyCode(1, "spoilt", ("tcp dport nonsense goto pick_1",), ring),))
        try:
            self._plane.load(program, DEFAULT, self._rings(program, 0))
        except PlaneError as error:
            return {"refused": error.message}
        return {"refused": None}

    def leave(self, link: int) -> object:
        """Have no new flows take a link, and those of it begin again."""
        others = tuple(one.index for one in self._links if one.index != link)
        ring = tuple(others[n % len(others)] for n in range(SLOTS))
        self._plane.swap({"interactive": ring, "bulk": ring})
        return {"flows": self._plane.cut(link, ()).flows}

    def stop(self) -> object:
        """Leave the router as it was."""
        self._plane.stop()
        return {}

    def _pss_mb(self) -> float:
        found = re.search(r"^Pss:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0

    def _around(self, turn: int) -> tuple[int, ...]:
        count = len(self._links)
        return tuple(self._links[(n + turn) % count].index for n in range(SLOTS))

    def _rings(self, program: Program, turn: int) -> dict[str, tuple[int, ...]]:
        rings = {ring.name: self._around(turn) for ring in DEFAULT}
        names = {link.name: link.index for link in self._links}
        for policy in program.policies:
            choice = policy.ring.choices[0]
            one = names.get(choice.value) if choice.kind == "connection" else None
            rings[policy.ring.name] = self._around(turn) if one is None else (one,) * SLOTS
        return rings


def main() -> None:
    worker = Worker()
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(worker, order.pop("do"))(**order)), flush=True)


if __name__ == "__main__":
    main()
