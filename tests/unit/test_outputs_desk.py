"""All outputs together: settings that change while receivers do not answer, and a disk that takes nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from remsim.config.outputs import OutputSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.core.errors import NotFound
from remsim.outbound import http, reach
from remsim.outbound.way import Undelivered
from remsim.outputs import desk
from remsim.outputs.desk import Outputs
from remsim.telemetry.metrics.draft import Draft
from remsim.telemetry.metrics.text import samples

Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Makes a server that does something of its own with each connection; its address."""
    sockets: list[socket.socket] = []

    def accept(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                sockets.append(listener.accept()[0])
            except OSError:
                return
            threading.Thread(target=answer, args=(sockets[-1],), daemon=True).start()

    def made(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)
        threading.Thread(target=accept, args=(listener, answer), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/write"

    yield made
    for one in sockets:
        one.close()


def outputs_of(tmp_path: Path, *outputs: OutputSettings) -> Outputs:
    return Outputs(
        tmp_path / "outputs",
        settings=Settings(outputs=outputs),
        snapshot=lambda: (("remsim_up", (), 1.0),),
        clock=SystemClock(),
        emit=lambda event: None,
    )


def test_many_receivers_that_do_not_answer_hold_a_change_up_once(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "END_WITHIN_S", 2.0)
    taken = threading.Semaphore(0)
    url = serve(lambda link: taken.release())
    several = [OutputSettings(f"o{at}", url=url, allow_private=True) for at in range(5)]
    outputs = outputs_of(tmp_path, *several)
    outputs.start()
    for _ in several:
        assert taken.acquire(timeout=10)
    ending = threading.Thread(target=outputs.configure, args=(Settings(outputs=()),))
    begun = time.monotonic()
    ending.start()
    outputs.state_of("o0")
    assert ending.is_alive(), "who looks does not wait"
    ending.join(30)
    assert time.monotonic() - begun < 8, "they end together"
    outputs.stop()


def test_a_receiver_that_answers_by_the_octet_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach.connect, "__kwdefaults__", reach.connect.__kwdefaults__ | {"timeout_s": 0.3})
    url = serve(drip)
    begun = time.monotonic()
    with pytest.raises(Undelivered, match="does not answer"):
        http.post(OutputSettings("o", allow_private=True), url, b"x", {})
    assert time.monotonic() - begun < 30


def drip(link: socket.socket) -> None:
    """Answer without end."""
    link.sendall(b"HTTP/1.1 200 OK\r\n")
    try:
        while True:
            link.sendall(b"X: y\r\n"[:1])
            time.sleep(0.02)
    except OSError:
        return


def test_a_disk_that_takes_nothing_keeps_no_service_from_starting(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file where the folder would be")
    outputs = outputs_of(tmp_path, OutputSettings("o", url="http://127.0.0.1:9/", allow_private=True))
    outputs.start()
    until = time.monotonic() + 10
    while (outputs.state_of("o") or {})["problem"] is None and time.monotonic() < until:
        time.sleep(0.01)
    assert "cannot be kept" in (outputs.state_of("o") or {})["problem"]
    outputs.stop()


def test_an_output_that_is_gone_cannot_be_tried(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        outputs_of(tmp_path).test("o")


def test_a_flag_is_sent_as_a_number() -> None:
    draft = Draft()
    draft.add("remsim_connection_status", True)
    assert [type(value) for _, _, value in samples(draft, "r")] == [float]
