"""What a simulated router has of eSIM: a test CI, the servers of profiles, codes to scan; and their faults.

The servers answer in threads of their own, so that the loop of the modems never waits for a handshake.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from remsim.core.errors import InvalidInput
from remsim.simulator.control import ESIM_NAME
from remsim.simulator.euicc import pki, scene
from remsim.simulator.euicc.cards import Cards
from remsim.simulator.euicc.faults import STEPS, Fault
from remsim.simulator.euicc.servers import Servers
from remsim.simulator.euicc.tls import CERTIFICATES

CA_NAME = "esim-ca.pem"
OPERATOR_NAME, OPERATOR_KEY_NAME = "esim-operator.pem", "esim-operator-key.pem"
"""Whom the ES2+ of the SM-DP+ takes orders from."""
SPOILT_PIECE = 2
"""The piece of a package that is tampered with, from 0: not the first, so that loading has begun."""


class EsimRoom:
    """``ci`` is the root of the servers and of ``cards``. Where they are is in ``esim.json`` in the directory."""

    def __init__(self, directory: Path, ci: pki.Identity | None = None, **options: Any) -> None:
        """``options`` are those of ``Servers``."""
        self.ci = ci or pki.make_ci("Simulated CI")
        codes = scene.codes(options.get("smdp_host", scene.SMDP_HOST))
        self.servers = Servers(self.ci, scene.orders(codes), **options)
        self.codes = tuple((code.label, code.activation_code) for code in codes)
        self.cards = Cards(self.ci)
        self._files = (directory / CA_NAME, directory / ESIM_NAME)
        self._operator = (directory / OPERATOR_NAME, directory / OPERATOR_KEY_NAME)
        hosts = self.servers.start()
        self._files[0].write_bytes(self.ci.certificate.public_bytes(Encoding.PEM))
        told = {"ca_file": str(self._files[0]), "hosts": hosts, "codes": self.codes}
        self._files[1].write_text(json.dumps(told))

    def configuration(self) -> str:
        """UCI: the SM-DP+ to order profiles at, with a certificate that it takes."""
        certificate, key = self._operator
        self.servers.operator("Simulated operator").save(certificate, key)
        lines = [
            "config esim_orders 'simulated'",
            "\toption label 'Simulated SM-DP+'",
            f"\toption address '{scene.ES2_HOST}'",
            "\toption requester '2.999.20'",
            f"\toption certificate '{certificate}'",
            f"\toption key '{key}'",
            "\toption profile_type 'travel'",
            "",
        ]
        return "\n".join(lines)

    def fault(self, name: str, step: str | None) -> Callable[[], None]:
        """Do one of ``control.ESIM_FAULTS``; what undoes it."""
        if step is not None and step not in STEPS:
            raise InvalidInput(f"a step is one of {', '.join(STEPS)}", field="step")
        servers = self.servers
        part, _, kind = name.partition("_")
        if name == "esim_clear":
            self._clear()
            return self._clear
        if name in ("smdp_lost", "smdp_back"):
            (servers.stop if kind == "lost" else servers.start)()
            return self._start
        if kind in CERTIFICATES:
            servers.use_certificate(kind)
            return lambda: servers.use_certificate("right")
        if name in ("smds_nothing", "smds_refuses"):
            servers.smds.is_empty, servers.smds.refuses = True, kind == "refuses"
            return self._announce
        if kind == "keeps_notifications":
            kind, step = "http_500", "handleNotification"
        fault = Fault(kind, step, SPOILT_PIECE if kind == "wrong_mac" else None)
        faults = servers.smds_faults if part == "smds" else servers.faults
        faults.add(fault)
        return lambda: faults.remove(fault)

    def close(self) -> None:
        """End the servers."""
        self.servers.stop()
        for file in (*self._files, *self._operator):
            file.unlink(missing_ok=True)

    def _clear(self) -> None:
        self.servers.faults.clear()
        self.servers.smds_faults.clear()
        self.servers.use_certificate("right")
        self._announce()
        self._start()

    def _announce(self) -> None:
        self.servers.smds.is_empty = self.servers.smds.refuses = False

    def _start(self) -> None:
        self.servers.start()
