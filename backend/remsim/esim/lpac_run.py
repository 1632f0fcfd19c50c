"""One run of lpac: what it asks for is answered by card and servers, what it does is looked at and told."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from remsim.core.errors import Aborted, RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.esim import download, refusals
from remsim.esim.activation import Activation
from remsim.esim.apdu import LOAD_TIMEOUT_S, STORE_DATA, class_octet
from remsim.esim.download import Consent, Declined, Metadata, Progress
from remsim.esim.engine import Ask
from remsim.esim.errors import EsimError
from remsim.esim.es9 import (
    Started,
    check_header,
    check_transaction,
    http_error,
    octets,
    offered_of,
    read_json,
    started_of,
)
from remsim.esim.es10.codes import REASONS
from remsim.esim.https import Reply
from remsim.esim.loading import same
from remsim.esim.offer import check_package, check_started, needs_code, read_metadata
from remsim.esim.refusals import trouble
from remsim.esim.transport import LogicalChannel

log = logging.getLogger(__name__)

LINE_S = 30.0
"""Between two lines it computes, no more: card and servers are ours."""
APDU_S = 60.0
LONGEST_LINE = 4 << 20
MOST_NONSENSE = 100
"""Lines: what it writes for people is no reason to end it, but a program that says nothing else is."""
END_S = 3.0
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
    confirmation_code: str | None = field(repr=False)

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


class World(Protocol):
    """What a run has around it: the program, the card, servers."""

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """The program, speaking to us."""

    def open(self) -> LogicalChannel:
        """The card's ISD-R."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A request to a server."""


class Run:
    """One run of the program: answers what it asks for, until it ends."""

    def __init__(
        self,
        world: World,
        order: Order,
        has: Sequence[Metadata],
        *,
        consent: Ask | None,
        progress: Progress,
        is_wrong: bool,
    ) -> None:
        self._world = world
        self._order = order
        self._has = has
        self._consent = consent
        self._progress = progress
        self._is_wrong = is_wrong
        self._step = ""
        self._channel: LogicalChannel | None = None
        self._failed: RemsimError | None = None
        self.metadata: Metadata | None = None
        self._session: Started | None = None
        self._wants_code = False
        self._package_octets, self._loaded_octets = 0, 0
        self._buffer = b""
        self._ended: dict[str, Any] | None = None
        self._nonsense = 0

    @property
    def is_loading(self) -> bool:
        """Whether the package was begun: what the card has then is known to the card alone."""
        return self._step == LOAD

    def run(self, is_aborted: Callable[[], bool]) -> Metadata:
        """What was installed; the error that ended it otherwise."""
        process = self._world.start(self._order.arguments())
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
            kind, payload = message.get("type"), message.get("payload")
        except (ValueError, AttributeError, RecursionError) as error:
            self._nonsense += 1
            if self._nonsense == 1:
                log.warning("lpac said something that is no JSON: %r", line[:80])
            if self._nonsense > MOST_NONSENSE:
                raise trouble("lpac_failed", why="what it says is no JSON") from error
            return
        payload = payload if isinstance(payload, dict) else {}
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
                self._channel = self._world.open()
                return {"ecode": self._channel.number or 1}
            if what == "transmit" and self._channel is not None:
                apdu = self._with_channel(bytes.fromhex(str(payload.get("param"))))
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

    def _with_channel(self, apdu: bytes) -> bytes:
        """lpac writes each channel into the class as if there were three; some ways write it themselves."""
        return bytes((class_octet(0x80, self._channel.number if self._channel else None),)) + apdu[1:]

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
            body = bytes.fromhex(str(payload.get("tx") or ""))
            reply = self._world.post(str(payload.get("url")), body, headers)
            self._look(str(payload.get("url")).rpartition("/")[2], body, reply)
        except (RemsimError, ValueError) as error:
            self._keep(error)
            return {"rcode": 500, "rx": ""}
        return {"rcode": reply.status, "rx": reply.body.hex()}

    def _look(self, function: str, asked: bytes, reply: Reply) -> None:
        """What our own LPA looks at, too, and what lpac does not tell: refusals, all of the metadata, the size."""
        if function in ("handleNotification", "cancelSession"):
            return
        if not 200 <= reply.status < 300:
            raise http_error(reply)
        answer = read_json(reply)
        check_header(answer)
        if function == "initiateAuthentication":
            self._session = started_of(answer)
            wanted = self._order.activation
            challenge = octets(json.loads(asked), "euiccChallenge")
            check_started(self._session, challenge=challenge, address=wanted.smdp_address, oid=wanted.oid)
        elif function == "authenticateClient" and self._session is not None:
            offered = offered_of(answer, self._session)
            self._wants_code = needs_code(offered, self._session)
            self.metadata = read_metadata(offered.metadata)
        elif function == "getBoundProfilePackage" and self._session is not None and self.metadata is not None:
            check_transaction(answer, self._session)
            package = octets(answer, "boundProfilePackage")
            check_package(package, self._session, self.metadata)
            self._package_octets = len(package)

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
