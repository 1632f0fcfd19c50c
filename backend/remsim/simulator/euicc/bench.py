"""A virtual eUICC on its own, as the command line asked for it, and the virtual servers beside it if wanted."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import Encoding

from remsim.simulator.euicc import credentials, pki, scene
from remsim.simulator.euicc.card import ISDR_AID, VirtualEuicc
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.cards import demonstration
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.options import Options
from remsim.simulator.euicc.servers import Servers

HOME = ("89999010000000000001", "999010000000001")
"""ICCID and IMSI of the profile that is enabled on a new card with profiles."""


class CardBench:
    """``card``, and with servers their ``hosts`` and ``ca``."""

    QUIET: ClassVar = {"REMSIM_SIMULATOR_ESIM": "0", "REMSIM_SIMULATOR_REMOTE": "0"}
    """What a simulation is told that holds nothing but a modem."""

    def __init__(self, options: Options) -> None:
        self.hosts: dict[str, str] = {}
        self.ca: Path | None = None
        self._servers: Servers | None = None
        directory = options.credentials
        ci = None
        if directory is None:
            ci = pki.make_ci()
            found = credentials.make(ci, options.eid or credentials.DEFAULT_EID)
        else:
            if not directory.exists():
                credentials.fill(directory, options.eid or credentials.DEFAULT_EID)
            found = credentials.from_directory(directory, options.eid)
            self.ca = next(file for file in (directory / "ci.pem", directory / "ci.der") if file.exists())
        self.card = VirtualEuicc(
            found,
            demonstration(*HOME) if options.has_profiles else (),
            state_file=options.state,
            faults=CardFaults(**options.faults),
            personality=Personality(is_iot=options.is_iot),
            isdr_aid=options.isdr or ISDR_AID,
            answers_directly=options.is_direct,
            last_channel=options.channels,
        )
        if options.has_servers:
            self._start(ci or pki.load_identity(self.ca or Path(), (directory or Path()) / "ci_key.pem"))

    def close(self) -> None:
        """End the servers."""
        if self._servers is not None:
            self._servers.stop()
            (self.ca or Path()).unlink(missing_ok=True)

    def _start(self, ci: pki.Identity) -> None:
        codes = scene.codes()
        self._servers = Servers(ci, scene.orders(codes))
        self.hosts = self._servers.start()
        with tempfile.NamedTemporaryFile(prefix="remsim-ci-", suffix=".pem", delete=False) as file:
            file.write(ci.certificate.public_bytes(Encoding.PEM))
        self.ca = Path(file.name)
        told = {"codes": [[code.label, code.activation_code] for code in codes], "hosts": self.hosts}
        print(json.dumps(told), flush=True)
