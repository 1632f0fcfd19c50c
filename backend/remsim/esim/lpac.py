"""lpac as a second engine for downloads: the real program as a child, our ways to the card and to servers under it.

It asks in lines of JSON for APDUs and requests (its ``stdio`` backends), so the modem stays ours, and so do the rules
of TLS, of which it has none of its own, and the looks at what servers sign. It downloads; to list, switch, tell
operators and find what waits our own code does, as lpac does not say enough for that. Source: lpac's documentation,
and what 2.3.0 was seen to do.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from remsim.core.errors import RemsimError
from remsim.esim.activation import Activation
from remsim.esim.apdu import Isdr
from remsim.esim.download import Installed, Metadata, Progress
from remsim.esim.engine import Ask, OwnEngine
from remsim.esim.https import Https, Reply
from remsim.esim.loading import same
from remsim.esim.lpac_run import CodeWanted, Order, Run
from remsim.esim.refusals import trouble
from remsim.esim.transport import LogicalChannel, Way

log = logging.getLogger(__name__)

PLACES = ("/usr/lib/lpac", "/usr/lib/lpac/lpac", "/usr/libexec/lpac", "/usr/bin/lpac", "/usr/local/bin/lpac")
"""OpenWrt's /usr/bin/lpac is a script that sets its backends itself, so the program behind it is looked for first."""
LARGEST_ANSWER = 4 << 20
MOST_RUNS = 20


def find_program(configured: str = "") -> Path:
    """The real program; ``EsimError`` when it is not there."""
    if configured:
        if not os.access(configured, os.X_OK):
            raise trouble("lpac_missing", why=f"there is no program {configured}")
        return Path(configured)
    for name in filter(None, (*PLACES, shutil.which("lpac"))):
        path = Path(name)
        if path.is_file() and os.access(path, os.X_OK) and not is_script(path):
            return path
    raise trouble("lpac_missing")


def is_script(path: Path) -> bool:
    """Whether a file is no program itself."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"


class Named:
    """A way that remembers by which name it opened the card: lpac has to be told."""

    def __init__(self, way: Way) -> None:
        self.kind, self.label = way.kind, way.label
        self.aid = b""
        self._way = way

    def open(self, aid: bytes) -> LogicalChannel:
        """As the way itself."""
        channel = self._way.open(aid)
        self.aid = aid
        return channel


class LpacEngine(OwnEngine):
    """Downloads by lpac; all else as our own engine does it. The ways are ``Named`` ones."""

    def __init__(
        self,
        opened_by: Callable[[], tuple[Isdr, Way]],
        *,
        program: Path,
        https: Callable[[str], Https],
        block_size: int,
        **own: Any,
    ) -> None:
        self._card_way: Named | None = None

        def opened() -> tuple[Isdr, Way]:
            isdr, way = opened_by()
            assert isinstance(way, Named)
            self._card_way = way
            return isdr, way

        super().__init__(opened, **own)
        self._program = program
        self._https = https
        self._block_size = block_size

    def download(
        self,
        activation: Activation,
        *,
        confirmation_code: str | None = None,
        consent: Ask,
        progress: Progress = lambda step, fraction: None,
        is_aborted: Callable[[], bool] = lambda: False,
        nickname: str | None = None,
    ) -> Installed:
        """By lpac. A confirmation code that somebody types makes it begin anew."""
        has = self.euicc.profiles(icons=False)
        self.euicc.close()
        order, is_wrong, agreed = Order(activation, self._imei, confirmation_code), False, False
        for _ in range(MOST_RUNS):
            run = Run(self, order, has, consent=None if agreed else consent, progress=progress, is_wrong=is_wrong)
            try:
                return self._installed(run.run(is_aborted), nickname)
            except CodeWanted as wanted:
                order, agreed, is_wrong = replace(order, confirmation_code=wanted.code), True, False
            except RemsimError as error:
                if error.code == "confirmation_wrong":
                    order, agreed, is_wrong = replace(order, confirmation_code=None), False, True
                    continue
                self._reopened()
                if run.is_loading and run.metadata is not None and self._listed(run.metadata):
                    return self._installed(run.metadata, nickname)  # the card has it, whatever was said
                raise
        self._reopened()
        raise trouble("confirmation_wrong")

    def _listed(self, metadata: Metadata) -> Metadata | None:
        return next((one for one in self.euicc.profiles() if same(one, metadata)), None)

    def _installed(self, metadata: Metadata, nickname: str | None) -> Installed:
        """The profile as the card lists it now, with its name."""
        self._reopened()
        profile = self._listed(metadata)
        if profile is None:
            raise trouble("load_unknown", why="lpac says that the card has the profile, and the card does not list it")
        if nickname:
            self.euicc.set_nickname(profile, nickname)
            profile = replace(profile, nickname=nickname)
        return Installed(profile, metadata, sorted(one.seq for one in self.euicc.notifications()))

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """The program, speaking to us."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LPAC_APDU": "stdio",
            "LPAC_HTTP": "stdio",
            "LPAC_CUSTOM_ES10X_MSS": str(self._block_size),
            "LPAC_CUSTOM_ISD_R_AID": self._named.aid.hex().upper(),
        }
        try:
            return subprocess.Popen(
                [str(self._program), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise trouble("lpac_failed", why=error.strerror) from error

    def open(self) -> LogicalChannel:
        """The card's ISD-R, for lpac."""
        return self._named.open(self._named.aid)

    @property
    def _named(self) -> Named:
        assert self._card_way is not None
        return self._card_way

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A request of lpac, by our rules of TLS."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.netloc:
            raise trouble("lpac_failed", why="it asks for an address that is not https")
        return self._https(parts.netloc).post(parts.path, body, headers, most=LARGEST_ANSWER)
