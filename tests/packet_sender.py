"""A program for a network namespace of its own: loads tables, sends each packet into one, tells which counter grew.

Reads JSON ``[{"table": text, "frames": [hex, …]}, …]``, writes ``[[counter or null, …], …]``.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

SEEN = """table inet seen {
  chain c {
    type filter hook prerouting priority raw
    iifname "br-lan" counter
  }
}
"""


def run(*command: str, text: str | None = None) -> str:
    """A program that has to work."""
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=20, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout


def counters() -> dict[str, int]:
    """Packets of the table's counters of policies."""
    found = json.loads(run("nft", "-j", "list", "counters", "table", "inet", "remsim"))["nftables"]
    named = [one["counter"] for one in found if "counter" in one]
    return {one["name"]: one["packets"] for one in named if one["name"].startswith("p_")}


def seen() -> int:
    """Packets that came in."""
    found = json.loads(run("nft", "-j", "list", "chain", "inet", "seen", "c"))["nftables"]
    rule = next(one["rule"] for one in found if "rule" in one)
    return int(next(one["counter"]["packets"] for one in rule["expr"] if "counter" in one))


def main() -> None:
    """All tables, all packets."""
    for name, peer in (("br-lan", "client"), ("wwan0", "mast")):
        run("ip", "link", "add", name, "type", "veth", "peer", "name", peer)
        Path(f"/proc/sys/net/ipv6/conf/{peer}/disable_ipv6").write_text("1")  # it says nothing by itself
        run("ip", "link", "set", "dev", peer, "up")
        run("ip", "link", "set", "dev", name, "address", "02:00:00:00:00:01", "up")
    run("ip", "addr", "add", "192.168.1.1/24", "dev", "br-lan")
    run("nft", "-f", "-", text=SEEN)
    answers = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind(("client", 0))
        for given in json.load(sys.stdin):
            run("nft", "-f", "-", text=given["table"])
            answer = []
            count, before = seen(), counters()
            for frame in given["frames"]:
                sender.send(bytes.fromhex(frame))
                end = time.monotonic() + 5
                while seen() == count and time.monotonic() < end:
                    time.sleep(0.001)
                count, after = seen(), counters()
                grown = [name for name in after if after[name] != before[name]]
                answer.append(grown[0] if grown else None)
                before = after
            answers.append(answer)
            run("nft", "delete", "table", "inet", "remsim")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
