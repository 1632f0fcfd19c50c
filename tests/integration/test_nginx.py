"""The service behind nginx, by the locations that the package brings: pages, login, API and the live stream."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import RunningService, free_port, running_service

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
LOCATIONS = Path(__file__).parents[2] / "openwrt-feed" / "remsim" / "files" / "nginx.locations"
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("behind"), "--simulate=1", "--backfill", "0") as service:
        yield service


@pytest.fixture(scope="module")
def port(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx with the locations as they are shipped, but for the service's port."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    locations = LOCATIONS.read_text()
    assert locations.count("127.0.0.1:8090") == 2
    (folder / "remsim.locations").write_text(locations.replace("127.0.0.1:8090", f"127.0.0.1:{service.port}"))
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {" ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
    server {{ listen 127.0.0.1:{port}; include {folder}/remsim.locations; }}
}}
"""
    )
    process = subprocess.Popen([str(NGINX), "-e", f"{folder}/error.log", "-p", str(folder), "-c", "nginx.conf"])
    deadline = time.monotonic() + 5
    while True:
        try:
            assert answer(port, "/remsim")[0] == 301
            break
        except OSError:
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(60)


def answer(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers or {})
    got = connection.getresponse()
    found = got.status, {name.lower(): value for name, value in got.getheaders()}, got.read().decode()
    connection.close()
    return found


def test_a_link_logs_in_and_leads_to_the_dashboard_below_the_path(port: int, service: RunningService) -> None:
    link = service.login_url().partition("/login")[2]
    status, headers, _text = answer(port, f"/remsim/login{link}")
    assert status == 303
    assert headers["location"].endswith("/remsim/")
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    status, _headers, text = answer(port, "/remsim/", cookie)
    assert status == 200
    assert "ui/remsim/start.js" in text
    assert answer(port, "/remsim/ui/remsim/start.js", cookie)[0] == 200


def test_the_api_is_below_the_path(port: int, service: RunningService) -> None:
    bearer = {"Authorization": f"Bearer {service.token}"}
    assert answer(port, "/remsim/api/v1/about", bearer)[0] == 200
    assert answer(port, "/remsim/api/v1/about")[0] == 401


def test_the_stream_comes_at_once_and_piece_by_piece(port: int, service: RunningService) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/remsim/api/v1/stream", headers={"Authorization": f"Bearer {service.token}"})
    got = connection.getresponse()
    assert got.headers.get_content_type() == "text/event-stream"
    lines = []
    while not any(line.startswith(b"event: reading") for line in lines):
        lines.append(got.readline())
    connection.close()
