"""``remsim serve`` on the virtual modems of a simulator that outlives it: ``serve_beside.py --listen … DIRECTORY``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from remsim.options import RouterOptions, Simulation
from remsim.serve import run
from remsim.simulator.control import SimulatorControl
from remsim.simulator.links import SimulatedPlane
from remsim.simulator.process import SimulatorProcess


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    asked = parser.parse_args()
    directory: Path = asked.directory
    simulation = Simulation(
        count=1,
        sysfs_root=directory / "sys",
        dev_root=directory / "dev",
        config_dir=directory,
        control=SimulatorControl(directory),
        history=lambda *ignored: iter(()),
        plane=SimulatedPlane(directory / "sys"),
        esim=SimulatorProcess(directory).read_esim(),
    )
    return run(RouterOptions(asked.data, asked.state, None, simulation), asked.listen)


if __name__ == "__main__":
    sys.exit(main())
