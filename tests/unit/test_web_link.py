"""``remsim link``: a link, or one sentence that says why there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import remsim.serve
from remsim.cli import main

TOKEN = "0123456789" * 4


class Service(BaseHTTPRequestHandler):
    """Answers what the test wants."""

    status, body = 200, b'{"ticket": "abc"}'

    def do_POST(self) -> None:
        asked = self.path == "/api/v1/tickets" and self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.send_response(self.status if asked else 401)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        """Not in the test's output."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Where a service listens whose state is ``tmp_path``."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a call that fails."""
    assert main(["link", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and TOKEN not in said.err
    return said.err


def test_a_link_is_printed(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", "--listen", address, "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"http://{address}/login?ticket=abc\n"


def test_the_routers_configuration_says_where_the_service_is(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    text = f"config web\n\toption listen '{address}'\nconfig service\n\toption state_dir '{tmp_path}'\n"
    (config / "remsim_console").write_text(text)
    monkeypatch.setattr(remsim.serve, "DEFAULT_CONFIG_DIR", config)
    assert main(["link"]) == 0
    assert capsys.readouterr().out == f"http://{address}/login?ticket=abc\n"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"", "refuses the token"),
        (500, b"", "answers 500"),
        (200, b"<html>", "is not remsim"),
        (200, b"[]", "is not remsim"),
        (200, b"{}", "is not remsim"),
        (200, b"\xff", "is not remsim"),
    ],
)
def test_an_answer_that_is_no_ticket_is_said(
    address: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    words: str,
) -> None:
    monkeypatch.setattr(Service, "status", status)
    monkeypatch.setattr(Service, "body", body)
    assert words in failure(capsys, "--listen", address, "--state", str(tmp_path))


# Nobody listens on port 1.
@pytest.mark.parametrize("listen", ["foo bar:1", "[::1", "127.0.0.1:many", "127.0.0.1:1", "ä b"])
def test_an_address_without_a_service_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], listen: str) -> None:
    (tmp_path / "token").write_text(TOKEN)
    assert listen in failure(capsys, "--listen", listen, "--state", str(tmp_path))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"two\nlines", b""])
def test_a_token_that_is_none_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    assert str(tmp_path / "token") in failure(capsys, "--listen", "127.0.0.1:1", "--state", str(tmp_path))
