"""``remsim serve``: the service from the command line to its last log line."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from remsim.options import RouterOptions, Simulation, effective_settings, make_dirs
from remsim.web.late_openssl import put_off_openssl

if TYPE_CHECKING:
    from remsim.router import Router

log = logging.getLogger(__name__)

DEFAULT_CONFIG_DIR = Path("/etc/config")


def serve(
    *,
    listen: str | None,
    data_dir: Path | None,
    state_dir: Path | None,
    config_dir: Path | None,
    simulate: int | list[str],
    backfill_s: float,
) -> int:
    """Run until SIGTERM or SIGINT; the exit status of the process."""
    put_off_openssl()
    if not simulate:
        return run(RouterOptions(data_dir, state_dir, config_dir or DEFAULT_CONFIG_DIR), listen)

    from remsim.simulator.links import SimulatedPlane
    from remsim.simulator.process import SimulatorProcess
    from remsim.simulator.profiles import profiles_of

    models = simulate if isinstance(simulate, list) else []
    count = len(profiles_of(0 if isinstance(simulate, list) else simulate, models))
    with tempfile.TemporaryDirectory(prefix="remsim-simulation-") as directory:
        devices = SimulatorProcess(Path(directory), count, models)
        devices.start()
        try:
            simulation = Simulation(
                count=count,
                sysfs_root=devices.sysfs_root,
                dev_root=devices.dev_root,
                config_dir=devices.config_dir,
                control=devices.control,
                history=devices.history,
                programs=devices.programs,
                slotmaps=devices.slotmaps,
                esim=devices.esim,
                plane=SimulatedPlane(devices.sysfs_root),
            )
            options = RouterOptions(data_dir, state_dir, config_dir, simulation, backfill_s)
            return run(options, listen)
        finally:
            devices.stop()


def run(options: RouterOptions, listen: str | None) -> int:
    """Serve one router over HTTP."""
    from remsim.web.server import serve_http
    from remsim.web.token import ensure_token

    settings, _problems = effective_settings(options)
    logging.getLogger().setLevel(settings.service.log_level.upper())
    state_dir = Path(settings.service.state_dir)
    make_dirs(Path(settings.service.data_dir), state_dir)
    token = ensure_token(state_dir)
    address = listen or settings.web.listen
    ticket = os.urandom(24).hex()

    def router() -> Router:
        from remsim.core.allocator import hold_little  # in the worker only: the arbiter stays small
        from remsim.router import Router

        hold_little()
        made = Router(options, token)
        if options.simulation is not None:
            want_slotmaps(made, options.simulation)
        logging.getLogger().setLevel(made.settings.service.log_level.upper())  # it may have changed since the arbiter's
        return made

    return serve_http(
        router,
        address,
        settings.web,
        first_ticket=ticket,
        on_ready=lambda: announce(address, ticket, simulated=options.simulation is not None),
    )


def want_slotmaps(router: Router, simulation: Simulation) -> None:
    """Give a simulated router without slot maps those of its cards."""
    from remsim.remotesim.keeper import MapForm
    from remsim.remotesim.slotmap import SlotMap

    keeper = router.remote_sim.keeper
    if keeper.is_used and not keeper.wanted():
        for bank, client in simulation.slotmaps:
            keeper.add(MapForm(SlotMap(*bank, *client)))


def announce(address: str, ticket: str, *, simulated: bool) -> None:
    """Tell the person at the terminal where to look; the link works once."""
    what = "a simulated router" if simulated else "the router"
    print(f"\nremsim serves {what}. Open this link once in a browser:\n\n  {login_link(address, ticket)}\n", flush=True)


def login_link(address: str, ticket: str) -> str:
    """The link that spends a ticket; ``0.0.0.0`` is where a service listens, not where a browser goes."""
    host, _, port = address.rpartition(":")
    if host in ("0.0.0.0", "[::]"):
        host = "localhost"
    return f"http://{host}:{port}/login?ticket={ticket}"
