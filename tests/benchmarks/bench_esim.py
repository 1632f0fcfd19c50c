"""A 60 kB profile through AT+CGLA at 115 200 baud: what the LPA adds to the APDUs' own time, how many it sends, and
what it holds in memory.

The card and its modem are a process behind a pseudo terminal that takes the time each octet of a command and its answer
has on such a line; it measures that time itself. The server is a process, too. Goals: all of the download in at most
1.1 x the APDUs' time, and in 1.1 x the commands that the package takes at least at this block size (what is asked
besides, and fetching answers, is the rest); 4 MB above a process that has done nothing.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path

from measuring import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent / "backend"), str(TESTS)]

BAUD = 115_200
BITS_AN_OCTET = 10
PROFILE_BYTES = 60_000
MOST_RATIO, MOST_MB = 1.1, 4.0
HOST = "smdpplus.example.com"
BLOCK = 120


def private_mb() -> float:
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_")) / 1024


def modem(master: int, directory: Path) -> None:
    """Answers AT+CCHO, AT+CGLA and AT+CCHC from a card; writes down at the end what its line took."""
    from remsim.simulator.euicc import credentials
    from remsim.simulator.euicc.card import ISDR_AID, VirtualEuicc, at_channel

    card = VirtualEuicc(credentials.from_directory(directory))
    buffer, spent_s, apdus, loading = b"", 0.0, 0, 0
    while True:
        try:
            buffer += os.read(master, 4096)
        except OSError:  # nobody has the terminal open yet
            time.sleep(0.01)
            continue
        while b"\r" in buffer:
            begun = time.perf_counter()
            line, _, buffer = buffer.partition(b"\r")
            text = line.decode()
            answer = "\r\n+CMEE: 0\r\n\r\nOK\r\n" if text == "AT+CMEE?" else "\r\nOK\r\n"
            if match := re.fullmatch(r'AT\+CCHO="([0-9A-F]+)"', text):
                is_isdr = bytes.fromhex(match[1]) == ISDR_AID
                answer = f"\r\n+CCHO: {card.open(ISDR_AID)}\r\n{answer}" if is_isdr else "\r\nERROR\r\n"
            elif match := re.fullmatch(r'AT\+CGLA=(\d+),\d+,"([0-9A-F]+)"', text):
                found = card.transmit(at_channel(bytes.fromhex(match[2]), int(match[1]))).hex().upper()
                answer = f'\r\n+CGLA: {len(found)},"{found}"\r\n{answer}'
                apdus += 1
                loading += match[2][2:4] == "E2"
            elif match := re.fullmatch(r"AT\+CCHC=(\d+)", text):
                card.close(int(match[1]))
            line_s = (len(line) + 1 + len(answer)) * BITS_AN_OCTET / BAUD
            time.sleep(max(0.0, line_s - (time.perf_counter() - begun)))
            spent_s += time.perf_counter() - begun  # before it is heard: what follows is the LPA's time
            (directory / "line.json").write_text(
                json.dumps({"spent_s": spent_s, "apdus": apdus, "store_data": loading})
            )
            os.write(master, answer.encode())


def servers(directory: Path, ready: int) -> None:
    """An SM-DP+ with one order of the wanted size; told where it is by a pipe."""
    from remsim.simulator.euicc import pki, scene
    from remsim.simulator.euicc.orders import Order, Orders
    from remsim.simulator.euicc.servers import Servers

    ci = pki.load_identity(directory / "ci.pem", directory / "ci_key.pem")
    order = scene.codes()[0].order
    assert order is not None
    offer = replace(order.offer, size_bytes=PROFILE_BYTES)
    made = Servers(ci, Orders([Order(offer, matching_id="SIXTY")]))
    os.write(ready, json.dumps(made.start()).encode() + b"\n")
    time.sleep(600)


def forked(work: object, *given: object) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work(*given)  # type: ignore[operator]
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def main() -> int:
    """Start card and server, measure, end them."""
    directory = Path(tempfile.mkdtemp(prefix="remsim-esim-bench-"))
    prepare = forked(fill, directory)
    os.waitpid(prepare, 0)
    master, slave = os.openpty()
    import tty

    tty.setraw(slave)
    port = os.ttyname(slave)
    os.close(slave)
    reading, ready = os.pipe()
    children = [forked(modem, master, directory), forked(servers, directory, ready)]
    try:
        os.close(master)
        os.close(ready)
        return measure(port, directory, json.loads(os.read(reading, 65536)))
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def measure(port: str, directory: Path, hosts: dict[str, str]) -> int:
    """One download."""
    from remsim.core.clock import SystemClock
    from remsim.modems.channel import Channel

    clock = SystemClock()
    channel = Channel(port, clock=clock, on_urc=lambda line: None)
    channel.open()
    channel.query("AT")
    before = private_mb()

    from remsim.config.esim import EsimSettings
    from remsim.esim import bpp, download
    from remsim.esim.activation import Activation
    from remsim.esim.download import Consent
    from remsim.esim.engine import opened
    from remsim.esim.trust import Trust
    from remsim.modems.card.cgla import CglaWay

    imported = private_mb()
    cut: list[list[bytes]] = []
    cutting = bpp.segments
    download.segments = lambda package: cut.append(cutting(package)) or cut[-1]  # type: ignore[func-returns-value]
    peak, steps = 0.0, []

    def progress(step: str, fraction: float | None) -> None:
        nonlocal peak
        peak = max(peak, private_mb()) if fraction is None or fraction in (0.0, 1.0) else peak
        if not steps or steps[-1][0] != step:
            steps.append((step, time.perf_counter()))

    line = json.loads((directory / "line.json").read_text())
    begun = time.perf_counter()
    with opened(
        [CglaWay(lambda: channel, clock.sleep)],
        settings=EsimSettings(block_size=BLOCK),
        trust=Trust((directory / "ci.pem",)),
        hosts=hosts,
        clock=clock,
        imei=None,
    ) as engine:
        opened_at = time.perf_counter()
        opening = json.loads((directory / "line.json").read_text())
        found = engine.download(
            Activation(HOST, "SIXTY"),
            confirmation_code=None,
            consent=lambda *_: Consent(True),
            progress=progress,
            is_aborted=lambda: False,
            nickname=None,
        )
        ended = time.perf_counter()
        told = json.loads((directory / "line.json").read_text())
    after = private_mb()

    whole_s, line_s = ended - opened_at, told["spent_s"] - opening["spent_s"]
    package = sum(map(len, cut[0]))
    load_sent = sum(-(-len(one) // BLOCK) for one in cut[0])
    sent = told["store_data"] - opening["store_data"]
    print(f"{found.profile.name}: a package of {package} octets in {len(cut[0])} segments, {whole_s:.1f} s")
    apdus = told["apdus"] - opening["apdus"]
    print(f"the line took {line_s:.1f} s of it; {apdus} APDUs, {sent} of them STORE DATA")
    print(f"{load_sent} STORE DATA are the package's least at blocks of {BLOCK}; {sent - load_sent} for all else")
    print(
        f"opening the card: {opened_at - begun:.2f} s, of which the line {opening['spent_s'] - line['spent_s']:.2f} s"
    )
    print(
        f"memory: {imported - before:.1f} MB of code, {peak - before:.1f} at most, {after - before:.1f} afterwards"
    )
    table = Table("eSIM: a download of 60 kB over AT+CGLA at 115 200 baud")
    table.row("all of it to the line's own time", whole_s / line_s, "x", at_most=MOST_RATIO)
    table.row("all APDUs to the least that the package takes", apdus / load_sent, "x", at_most=MOST_RATIO)
    table.row("the LPA's memory at most", peak - before, "MB", at_most=MOST_MB)
    return table.status()


def fill(directory: Path) -> None:
    from remsim.simulator.euicc import credentials

    directory.rmdir()
    credentials.fill(directory, credentials.DEFAULT_EID)


if __name__ == "__main__":
    sys.exit(main())
