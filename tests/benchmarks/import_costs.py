"""What each import of the service costs in memory: ``python tests/benchmarks/import_costs.py [MODULE ...]``.

Memory private to this process, read before and after each module's body; what a module imports first is charged
to itself. Packages are summed up, the dearest first.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

SERVICE = ("remsim.cli", "remsim.serve", "gunicorn.app.base", "remsim.web.worker", "remsim.router", "remsim.web.app")


def private_kb() -> int:
    """Memory only this process has, in KB."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


class Meter(importlib.abc.MetaPathFinder):
    """Finds modules as Python does and measures around their bodies."""

    def __init__(self) -> None:
        self.own_kb: dict[str, int] = {}
        self._nested: list[int] = []

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return spec
        run = spec.loader.exec_module

        def measured(module: ModuleType) -> None:
            before = private_kb()
            self._nested.append(0)
            try:
                run(module)
            finally:
                total = private_kb() - before
                self.own_kb[name] = self.own_kb.get(name, 0) + total - self._nested.pop()
                if self._nested:
                    self._nested[-1] += total

        spec.loader.exec_module = measured  # type: ignore[method-assign]
        return spec


def package_of(name: str) -> str:
    """What a module is summed up under."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "remsim" else parts[0]


def measure(modules: tuple[str, ...]) -> tuple[int, list[tuple[str, int]], dict[str, int]]:
    """Bare Python, then KB a package and KB a module."""
    bare = private_kb()
    meter = Meter()
    sys.meta_path.insert(0, meter)
    for module in modules:
        importlib.import_module(module)
    packages: dict[str, int] = defaultdict(int)
    for name, cost in meter.own_kb.items():
        packages[package_of(name)] += cost
    return bare, sorted(packages.items(), key=lambda one: -one[1]), meter.own_kb


def main() -> int:
    bare, packages, _modules = measure(tuple(sys.argv[1:]) or SERVICE)
    print(f"{'python and this script':40} {bare / 1024:7.2f} MB")
    for name, cost in packages:
        if cost >= 100:
            print(f"{name:40} {cost / 1024:7.2f} MB")
    rest = sum(cost for _name, cost in packages if cost < 100)
    print(f"{'all others':40} {rest / 1024:7.2f} MB")
    print(f"{'sum':40} {private_kb() / 1024:7.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
