"""What rungs that are off would lack here, found out without switching them on."""

from __future__ import annotations

import glob
import threading
import time
from pathlib import Path

from remsim.policies.learning.dnsmasq import Dnsmasq

KEPT_S = 60.0
NFLOG = Path("/proc/net/netfilter/nfnetlink_log")
SIP = Path("/sys/module/nf_conntrack_sip")
NDPI = ("/usr/lib/libndpi.so*", "/lib/libndpi.so*", "/usr/lib/*/libndpi.so*", "/usr/local/lib/libndpi.so*")

NDPI_VERSIONS = {"4"}
"""As file names tell them; what the library itself tells is looked at when it is used."""


class Missing:
    """Looks at most once a minute: whoever shows it asks every few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._until = 0.0
        self._dnsmasq = Dnsmasq()

    def __call__(self) -> dict[str, str]:
        """Why a rung could not be on, by its name."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = self._look()
                self._until = time.monotonic() + KEPT_S
            return self._found

    def _look(self) -> dict[str, str]:
        found: dict[str, str] = {}
        dnsmasq = self._dnsmasq.why_not()
        if dnsmasq is not None:
            found["dnsmasq"] = dnsmasq
        if not NFLOG.exists():
            found |= dict.fromkeys(("dns", "sni", "quic"), "the kernel copies no packets here")
        if not has_sip_helper():
            found["sip"] = "this kernel has no helper for SIP"
        installed = {Path(one).name for place in NDPI for one in glob.glob(place)}
        versions = {name.removeprefix("libndpi.so").lstrip(".").partition(".")[0] for name in installed} - {""}
        if not installed:
            found["ndpi"] = "nDPI is not installed"
        elif versions and not versions & NDPI_VERSIONS:
            which = ", ".join(sorted(versions))
            found["ndpi"] = f"nDPI {which} is here, and only versions 4.2 to 4.10 can be used"
        return found


def has_sip_helper() -> bool:
    """Whether the kernel can follow calls by SIP. Where it cannot, it would refuse all of the table."""
    return SIP.exists()


missing = Missing()
