"""The nftables table that leads connections of the LAN to the proxy. Pure text.

It stands before the marks are set (-160, mangle is -150): what is redirected is for this router itself, and no flow of
a link. The devices of the LAN are in a set whose elements last 30 s: with the service gone nothing is redirected.
"""

from __future__ import annotations

from collections.abc import Sequence

from remsim.config.mptcp import MptcpSettings

TABLE = "inet remsim_mptcp"
LAN_S = 30
PRIVATE4 = "10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/3"
PRIVATE6 = "::1, fc00::/7, fe80::/10, ff00::/8"


def table_of(settings: MptcpSettings) -> str:
    """The table, in place of an earlier one."""
    family = "ip6" if ":" in settings.server else "ip"
    ports = "" if "all" in settings.ports else f"tcp dport {{ {', '.join(settings.ports)} }} "
    return f"""table {TABLE}
delete table {TABLE}
table {TABLE} {{
  set lan {{ type ifname; flags timeout; }}
  chain take {{
    type nat hook prerouting priority -160; policy accept;
    iifname != @lan return
    meta l4proto != tcp return
    fib daddr type {{ local, broadcast, multicast, anycast }} return
    ip daddr {{ {PRIVATE4} }} return
    ip6 daddr {{ {PRIVATE6} }} return
    {family} daddr {settings.server} return
    {ports}meta l4proto tcp redirect to :{settings.local_port}
  }}
}}
"""


def no_table() -> str:
    """The table is taken away."""
    return f"table {TABLE}\ndelete table {TABLE}\n"


def lan_of(devices: Sequence[str]) -> str:
    """The LAN's devices last a while longer. Names are checked by the settings, and quoted."""
    names = [one for one in devices if one and '"' not in one and len(one) < 16]
    elements = ", ".join(f'"{one}" timeout {LAN_S}s' for one in names)
    if not elements:
        return ""
    flush = ", ".join(f'"{one}"' for one in names)
    return (
        f"add element {TABLE} lan {{ {elements} }}\n"
        f"delete element {TABLE} lan {{ {flush} }}\nadd element {TABLE} lan {{ {elements} }}\n"
    )
