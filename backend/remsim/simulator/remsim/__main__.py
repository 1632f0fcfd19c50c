"""``python -m remsim.simulator.remsim PART``: one virtual part with the real program's options and a few more.

It says where it listens in one JSON line, and takes orders, one a line, from stdin.
"""

from __future__ import annotations

import contextlib
import getopt
import json
import os
import signal
import sys
from collections.abc import Callable

from remsim.core.errors import RemsimError
from remsim.remotesim import rspro
from remsim.simulator.remsim.loop import Loop

AUTHENTICATES_S = 20.0
Orders = Callable[[list[str]], None]
"""What is done with the words of a line."""
Options = dict[str, str]
PACE_VARIABLE = "REMSIM_SIMULATOR_TIME_SCALE"


def run_server(options: Options, loop: Loop) -> Orders:
    """Real: ``-d -L``. More: ``--host --port --rest-port --bank-port --no-race``."""
    from remsim.simulator.remsim.rest import FAULTS, Rest
    from remsim.simulator.remsim.server import VirtualServer

    host = options.get("--host", "127.0.0.1")
    server = VirtualServer(
        loop,
        host,
        number(options, "--port", rspro.SERVER_PORT),
        bank_port=number(options, "--bank-port", rspro.BANKD_PORT),
        race="--no-race" not in options,
    )
    rest = Rest(loop, server, host, number(options, "--rest-port", rspro.REST_PORT))
    say(ready=True, port=server.port, rest_port=rest.port)

    def order(words: list[str]) -> None:
        match words:
            case ["stop" | "restart" as verb]:
                server.stop()
                rest.stop()
                if verb == "restart":
                    server.start()
                    rest.start()
            case ["start"]:
                server.start()
                rest.start()
            case ["rest", fault] if fault in (*FAULTS, "right"):
                rest.fault = None if fault == "right" else fault
            case _:
                raise ValueError(f"orders are stop, start, restart, rest {'|'.join(FAULTS)}|right")

    return order


def run_bankd(options: Options, loop: Loop) -> Orders:
    """Real: ``-i -p -b -n -I -P -g -G -N -s -T -L -d -e``. More: ``--cards 0,1 --source IP --gsmtap-port N``."""
    from remsim.simulator.remsim.bankd import GSMTAP_PORT, VirtualBankd
    from remsim.simulator.remsim.card import MODES, VirtualCard

    slots = number(options, "-n", 8)
    there = options.get("--cards")
    cards = {int(slot): VirtualCard() for slot in there.split(",") if slot} if there is not None else {}
    if there is None:
        cards = {slot: VirtualCard() for slot in range(slots)}
    tap = options.get("-g")
    bankd = VirtualBankd(
        loop,
        cards,
        bank_id=number(options, "-b", 1),
        slots=slots,
        server=(options.get("-i", "127.0.0.1"), number(options, "-p", rspro.SERVER_PORT)),
        host=options.get("-I", "127.0.0.1"),
        port=number(options, "-P", rspro.BANKD_PORT),
        name=options.get("-N"),
        source_ip=options.get("--source"),
        gsmtap=(tap, number(options, "--gsmtap-port", GSMTAP_PORT)) if tap is not None else None,
        gsmtap_slot=number(options, "-G", 0) if "-G" in options else None,
    )
    say(ready=True, port=bankd.port)

    def order(words: list[str]) -> None:
        match words:
            case ["stop"]:
                bankd.stop()
            case ["start"]:
                bankd.start()
            case ["card", slot, mode] if mode in MODES:
                bankd.cards.setdefault(int(slot), VirtualCard()).mode = mode
            case _:
                raise ValueError(f"orders are stop, start, card SLOT {'|'.join(MODES)}")

    return order


def run_client(options: Options, loop: Loop) -> Orders:
    """Real: ``-i -p -c -n -a -r -e -d -L``, st2's ``-Z -V -P -C -I -S -A -H``. More: ``--program --authenticates``."""
    from remsim.simulator.remsim.client import Log, VirtualClient
    from remsim.simulator.remsim.modem import ModemFront, ShellFront

    program = options.get("--program", "osmo-remsim-client-shell")
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as comm:
        comm.write(program)
    if not 2 <= len(bytes.fromhex(options.get("-a", "3b00"))) <= 55:
        raise ValueError("an ATR has 2 to 55 bytes")
    extra = {"REMSIM_USB_PATH": options.get("-H", ""), "REMSIM_USB_INTERFACE": options.get("-I", "0")}
    client = VirtualClient(
        loop,
        server=(options.get("-i", "127.0.0.1"), number(options, "-p", rspro.SERVER_PORT)),
        slot=(number(options, "-c", 0), number(options, "-n", 0)),
        script=options.get("-e"),
        keep_atr="-r" in options,
        extra=extra if program.endswith("-st2") else None,
        log=Log(options.get("-d")),
    )
    if program.endswith("-st2"):
        client.front = ModemFront(loop, client, float(options.get("--authenticates", AUTHENTICATES_S)))
    elif program.endswith("-shell"):
        client.front = shell = ShellFront(client, lambda line: print(line, flush=True))

        def order(words: list[str]) -> None:
            try:
                shell.take("".join(words))
            except ValueError:
                print(f"ERROR parsing C-APDU `{' '.join(words)}'!", file=sys.stderr)

        return order
    # client-openwrt has no data path, so nothing ever starts.
    return lambda words: None


PARTS: dict[str, tuple[Callable[[Options, Loop], Orders], str, list[str]]] = {
    "server": (run_server, "d:L", ["host=", "port=", "rest-port=", "bank-port=", "no-race"]),
    "bankd": (run_bankd, "i:p:b:n:I:P:g:G:N:sTLd:e:", ["cards=", "source=", "gsmtap-port="]),
    "client": (run_client, "i:p:c:n:a:re:d:LZ:V:P:C:I:S:A:H:", ["program=", "authenticates="]),
}


def number(options: Options, name: str, usual: int) -> int:
    """An option's number."""
    return int(options.get(name, usual))


def say(**what: object) -> None:
    """One JSON line for whoever started it."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def hear(loop: Loop, order: Orders, *, is_client: bool) -> None:
    """Take orders from stdin for as long as somebody may give some.

    A bank and a server say what became of each. A client prints what its card says, and two lines in one write kill it,
    as they kill the real one.
    """
    got = bytearray()

    def readable() -> None:
        data = os.read(0, 65536)
        if not data:
            loop.forget(0)
        got.extend(data)
        *lines, rest = bytes(got).split(b"\n")
        got[:] = rest
        if is_client and len(lines) > 1:
            os.abort()
        for line in lines:
            try:
                order(line.decode("utf-8", "replace").split())
            except (ValueError, OSError) as error:
                say(ok=False, error=str(error))
            else:
                if not is_client:
                    say(ok=True)

    # A file or /dev/null, from which no order comes, cannot be watched.
    with contextlib.suppress(PermissionError):
        loop.watch(0, readable)


def main(arguments: list[str]) -> int:
    """Run one part until SIGTERM; 2 is a wrong call."""
    if not arguments or arguments[0] not in PARTS:
        print(f"usage: python -m remsim.simulator.remsim {'|'.join(PARTS)} [OPTIONS]", file=sys.stderr)
        return 2
    run, short, long = PARTS[arguments[0]]
    loop = Loop()
    try:
        pairs, _ = getopt.gnu_getopt(arguments[1:], short, [*long, "pace="])
        options = dict(pairs)
        loop.pace = float(options.get("--pace", os.environ.get(PACE_VARIABLE, "1")))
        for end in (signal.SIGTERM, signal.SIGINT):
            signal.signal(end, loop.stop)
        hear(loop, run(options, loop), is_client=arguments[0] == "client")
        loop.run()
    except (getopt.GetoptError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except RemsimError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
