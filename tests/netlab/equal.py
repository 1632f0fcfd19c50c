"""What the measurements compare with: each new connection to a link by chance, as mwan3 does with equal weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from netlab.lab import LAN, Lab

USE = """  chain use_{index} {{
    meta mark set {mark:#x}
    ct mark set {mark:#x}
    accept
  }}
"""


@contextmanager
def random_links(lab: Lab, weights: Sequence[int] | None = None) -> Iterator[None]:
    """Rules and routes for links by chance, in the proportion of ``weights`` (equal), until it is left."""
    weights = weights or [1] * len(lab.links)
    rules = ["rule add pref 800 lookup main suppress_prefixlength 0"]
    for link in lab.links:
        rules.append(f"rule add pref {1000 + link.index} fwmark {link.mark:#x}/0xf00 lookup {200 + link.index}")
        rules.append(f"route add default via {link.gateway} dev {link.device} table {200 + link.index}")
    for line in rules:
        lab.router("ip", *line.split())
    lab.router.nft(table(lab, weights))
    try:
        yield
    finally:
        lab.router.nft("delete table inet chance")
        for line in rules:
            lab.router("ip", *line.replace(" add ", " del ").split(), check=False)


def table(lab: Lab, weights: Sequence[int]) -> str:
    """The nft text: an established flow keeps its link, a new one draws."""
    use = "".join(USE.format(index=link.index, mark=link.mark) for link in lab.links)
    pinned = ", ".join(f"{link.mark:#x} : goto use_{link.index}" for link in lab.links)
    slots, first = [], 0
    for link, weight in zip(lab.links, weights, strict=True):
        if weight:
            last = first + weight - 1
            slots.append(f"{first}{'' if last == first else f'-{last}'} : goto use_{link.index}")
            first += weight
    return f"""table inet chance {{
{use}  chain prerouting {{
    type filter hook prerouting priority mangle; policy accept
    ct mark & 0xf00 vmap {{ {pinned} }}
    iifname != "{LAN}" return
    fib daddr type {{ local, broadcast, multicast }} return
    ct state new numgen random mod {first} vmap {{ {", ".join(slots)} }}
  }}
}}
"""
