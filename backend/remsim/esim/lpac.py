"""lpac as a second engine for downloads: the real program as a child, our ways to the card and to servers under it.

It asks in lines of JSON for APDUs and requests (its ``stdio`` backends), so the modem stays ours, and so do the rules
of TLS, of which it has none of its own. It downloads; to list, switch, tell operators and find what waits our own code
does, as lpac does not say enough for that. Source: lpac's documentation, and what 2.3.0 was seen to do.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import signal
import subprocess
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from remsim.core.errors import Aborted, RemsimError
from remsim.core.tlv import TlvError, read_one
from remsim.esim import download, refusals
from remsim.esim.activation import Activation
from remsim.esim.apdu import LOAD_TIMEOUT_S, STORE_DATA, Isdr
from remsim.esim.download import Consent, Declined, Installed, Metadata, Progress, same
from remsim.esim.engine import Ask, OwnEngine
from remsim.esim.errors import EsimError
from remsim.esim.es9 import check_header, http_error, octets, read_json
from remsim.esim.es10.codes import REASONS
from remsim.esim.https import Https, Reply
from remsim.esim.offer import read_metadata
from remsim.esim.refusals import trouble
from remsim.esim.transport import LogicalChannel, Way

log = logging.getLogger(__name__)

PLACES = ("/usr/lib/lpac", "/usr/lib/lpac/lpac", "/usr/libexec/lpac", "/usr/bin/lpac", "/usr/local/bin/lpac")
"""OpenWrt's /usr/bin/lpac is a script that sets its backends itself, so the program behind it is looked for first."""
LINE_S = 30.0
"""Between two lines it computes, no more: card and servers are ours."""
APDU_S = 60.0
LONGEST_LINE = 4 << 20
LARGEST_ANSWER = 4 << 20
END_S = 3.0
MOST_RUNS = 20
STEPS = {
    "es10b_get_euicc_challenge_and_info": download.ASKING,
    "es10b_authenticate_server": download.CHECKING,
    "es9p_authenticate_client": download.REQUESTING,
    "es10b_prepare_download": download.PREPARING,
    "es9p_get_bound_profile_package": download.FETCHING,
}
LOAD = "es10b_load_bound_profile_package"
PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be downloaded."""

    activation: Activation
    imei: str | None
    confirmation_code: str | None

    def arguments(self) -> list[str]:
        """lpac's words for it. They are seen in the list of processes by who may see root's."""
        words = ["profile", "download", "-p", "-s", self.activation.smdp_address]
        if self.activation.matching_id:
            words += ["-m", self.activation.matching_id]
        if self.imei:
            words += ["-i", self.imei]
        if self.confirmation_code:
            words += ["-c", self.confirmation_code]
        return words


class CodeWanted(Exception):
    """Somebody agreed and gave a confirmation code, which lpac takes at its start only."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


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
        self, opened_by: Callable[[], tuple[Isdr, Way]], *, program: Path, https: Callable[[str], Https], **own: Any
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
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LPAC_APDU": "stdio", "LPAC_HTTP": "stdio"}
        try:
            return subprocess.Popen(
                [str(self._program), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment | {"LPAC_CUSTOM_ISD_R_AID": self._named.aid.hex().upper()},
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


class Run:
    """One run of the program: answers what it asks for, until it ends."""

    def __init__(
        self,
        engine: LpacEngine,
        order: Order,
        has: Sequence[Metadata],
        *,
        consent: Ask | None,
        progress: Progress,
        is_wrong: bool,
    ) -> None:
        self._engine = engine
        self._order = order
        self._has = has
        self._consent = consent
        self._progress = progress
        self._is_wrong = is_wrong
        self._step = ""
        self._channel: LogicalChannel | None = None
        self._failed: RemsimError | None = None
        self.metadata: Metadata | None = None
        self._wants_code = False
        self._package_octets, self._loaded_octets = 0, 0
        self._buffer = b""
        self._ended: dict[str, Any] | None = None

    @property
    def is_loading(self) -> bool:
        """Whether the package was begun: what the card has then is known to the card alone."""
        return self._step == LOAD

    def run(self, is_aborted: Callable[[], bool]) -> Metadata:
        """What was installed; the error that ended it otherwise."""
        process = self._engine.start(self._order.arguments())
        try:
            while self._ended is None and (line := self._line(process)):
                if is_aborted() and not self.is_loading and self._failed is None:
                    self._failed = Aborted("the download was aborted")
                    process.send_signal(signal.SIGINT)  # it ends its session at the next step
                self._take(process, line)
        finally:
            end(process)
            if self._channel is not None:
                self._channel.close()
        return self._outcome()

    def _outcome(self) -> Metadata:
        if self._ended is not None and self._ended.get("code") == 0 and self.metadata is not None:
            return self.metadata
        if self._failed is not None:
            raise self._failed
        if self._ended is None:
            raise trouble("lpac_failed", why="it ended without a word")
        raise error_of(str(self._ended.get("message") or ""), self._ended.get("data"))

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Its next line; empty at its end."""
        assert process.stdout is not None
        stream = process.stdout.fileno()
        while b"\n" not in self._buffer:
            if not select.select([stream], [], [], LINE_S)[0]:
                raise trouble("lpac_failed", why=f"it has said nothing for {LINE_S:.0f} s")
            chunk = os.read(stream, 1 << 16)
            self._buffer += chunk
            if not chunk or len(self._buffer) > LONGEST_LINE:
                return b""
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line or b"{}"

    def _take(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        """Do what a line asks for."""
        try:
            message = json.loads(line)
            kind, payload = message.get("type"), message.get("payload") or {}
        except (ValueError, AttributeError, RecursionError):
            log.warning("lpac said something that is no JSON: %r", line[:80])
            return
        if kind == "apdu":
            say(process, {"type": "apdu", "payload": self._apdu(payload)})
        elif kind == "http":
            say(process, {"type": "http", "payload": self._http(payload)})
        elif kind == "lpa":
            self._ended = payload
        elif kind == "progress" and payload.get("message") == PREVIEW:
            tell(process, b"y" if self._agreed() else b"n")  # it reads one letter, and what follows is a line
        elif kind == "progress":
            self._tell(str(payload.get("message")))

    def _tell(self, step: str) -> None:
        self._step = step if step in STEPS or step == LOAD else self._step
        if step in STEPS:
            self._progress(STEPS[step], None)
        elif step == LOAD:
            self._progress(download.LOADING, 0.0)

    def _apdu(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """An exchange with the card. What goes wrong is kept: lpac passes no reasons on."""
        what = payload.get("func")
        try:
            if what == "logic_channel_open":
                self._channel = self._engine.open()
                return {"ecode": self._channel.number or 1}
            if what == "transmit" and self._channel is not None:
                apdu = bytes.fromhex(str(payload.get("param")))
                is_load = self.is_loading
                answer = self._channel.transmit(apdu, timeout_s=LOAD_TIMEOUT_S if is_load else APDU_S)
                if is_load and apdu[1:2] == bytes((STORE_DATA,)):
                    self._count(len(apdu) - 5)
                return {"ecode": 0, "data": answer.hex()}
            if what == "logic_channel_close" and self._channel is not None:
                self._channel.close()
                self._channel = None
        except (RemsimError, ValueError) as error:
            self._keep(error)
            return {"ecode": -1}
        return {"ecode": 0 if what in ("connect", "disconnect", "logic_channel_close") else -1}

    def _count(self, octets_sent: int) -> None:
        before = self._loaded_octets
        self._loaded_octets += octets_sent
        total = self._package_octets
        if total and 100 * before // total != 100 * self._loaded_octets // total:
            self._progress(download.LOADING, min(1.0, self._loaded_octets / total))

    def _http(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A request to a server, whose answer is looked at on its way."""
        try:
            headers = dict(str(one).split(": ", 1) for one in payload.get("headers") or ())
            reply = self._engine.post(str(payload.get("url")), bytes.fromhex(str(payload.get("tx") or "")), headers)
            self._look(str(payload.get("url")).rpartition("/")[2], reply)
        except (RemsimError, ValueError) as error:
            self._keep(error)
            return {"rcode": 500, "rx": ""}
        return {"rcode": reply.status, "rx": reply.body.hex()}

    def _look(self, function: str, reply: Reply) -> None:
        """Take from an answer what lpac does not tell: the refusal, all of the metadata, the package's size."""
        if function in ("handleNotification", "cancelSession"):
            return
        if not 200 <= reply.status < 300:
            raise http_error(reply)
        answer = read_json(reply)
        check_header(answer)
        try:
            if function == "authenticateClient":
                self.metadata = read_metadata(octets(answer, "profileMetadata"))
                wanted = read_one(octets(answer, "smdpSigned2")).find(0x01)
                self._wants_code = wanted is not None and any(wanted.value)
            elif function == "getBoundProfilePackage":
                self._package_octets = len(b64decode(str(answer.get("boundProfilePackage") or "")))
        except (TlvError, ValueError) as error:
            raise trouble("server_reply", why=str(error)) from error

    def _agreed(self) -> bool:
        """Whether somebody wants the profile; if not, why is kept."""
        if self._failed is not None or self.metadata is None:
            return False
        if any(same(one, self.metadata) for one in self._has):
            self._failed = trouble("already_installed")
            return False
        if self._consent is None:
            return True
        self._progress(download.CONSENTING, None)
        given = self._order.confirmation_code
        said: Consent | None = self._consent(self.metadata, self._wants_code and given is None, self._is_wrong)
        if said is None:
            self._failed = trouble("consent_timeout")
        elif not said.accept:
            self._failed = Declined(said.reason)
        elif self._wants_code and given is None:
            code = (said.confirmation_code or "").strip()
            if code:
                raise CodeWanted(code)
            self._failed = trouble("confirmation_needed")
        return self._failed is None

    def _keep(self, error: RemsimError | ValueError) -> None:
        """The first thing that went wrong is what it is about."""
        if self._failed is None:
            self._failed = error if isinstance(error, RemsimError) else trouble("lpac_failed", why=str(error)[:80])


def error_of(step: str, data: Any) -> EsimError:
    """What lpac says of its end: the step, and for a load the card's reason in its own words."""
    detail = f"{step}: {data}"[:160] if data else step[:160]
    if step == LOAD:
        words = str(data).replace("_", "").lower()
        for number, (name, _) in REASONS.items():
            if name.lower() in words:
                return trouble(refusals.INSTALL.get(number, "load_failed"), raw=detail)
        return trouble("load_failed", raw=detail)
    return trouble("lpac_failed", why=detail)


def say(process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> None:
    """Answer with a line."""
    tell(process, json.dumps(message).encode() + b"\n")


def tell(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write to the program; one that has ended is noticed by its silence."""
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.flush()
    except OSError:
        log.debug("lpac does not listen any more")


def end(process: subprocess.Popen[bytes]) -> None:
    """See it end, or end it."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                pass
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
