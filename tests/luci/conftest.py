"""A browser, a real service with virtual modems, and LuCI around it: our own host's runtime or a checkout's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from luci.host import LuciHost
from luci.relay import Interpreted
from luci.visit import Visit
from pictures import leave
from playwright.sync_api import Browser
from running import RunningService, free_port


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--luci-src", type=Path, default=None, help="checkout of LuCI: the same tests run on its own client runtime"
    )


@pytest.fixture(scope="session")
def luci_source(request: pytest.FixtureRequest) -> Path | None:
    """The checkout given with ``--luci-src``; the option is unknown when pytest starts above this folder."""
    source: Path | None = request.config.getoption("--luci-src", None)
    assert source is None or (source / "modules" / "luci-base").is_dir(), f"{source} is no checkout of LuCI"
    return source


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service on every address, as a router's owner may have set it."""
    directory = tmp_path_factory.mktemp("luci")
    port = free_port()
    service = RunningService(
        directory, "--simulate=3", "--backfill", "0", "--listen", f"0.0.0.0:{port}", port=port
    ).start()
    service.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"] * 3)
    yield service
    service.stop()


@pytest.fixture
def host(service: RunningService, luci_source: Path | None) -> Iterator[LuciHost]:
    """LuCI with the app; by its configuration the service listens on the loopback, so pages poll."""
    with LuciHost(luci_source) as host:
        if shutil.which("ucode"):
            host.relay = Interpreted()
        host.uci["remsim_console"] = {
            "service": {".type": "service", "state_dir": str(service.state)},
            "web": {".type": "web", "listen": f"127.0.0.1:{service.port}"},
        }
        yield host


@pytest.fixture
def visit(browser: Browser, host: LuciHost, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Open a page as someone; a test that leaves complaints on the console fails. Pictures: build/screenshots."""
    visits: list[Visit] = []

    def begin(*, write: bool = True, own: bool = True, user: str = "root", **options: object) -> Visit:
        visits.append(Visit(browser, host, {"write": write, "own": own, "user": user}, options))
        return visits[-1]

    yield begin
    runtime = "own" if host.source is None else "luci"
    for visit in visits:
        leave(visit.page, request.node, f"luci-{runtime}-")
        visit.context.close()
    for visit in visits:
        assert visit.complaints == []
        assert visit.hosts <= host.allowed_hosts
