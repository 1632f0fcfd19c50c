"""A minimal IPA: asks an eIM what waits, has the card or the LPA do it, and brings the result back (SGP.32 §3.3)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Conflict, RemsimError
from remsim.core.jobs import Job
from remsim.core.tlv import TlvError, encode, read_one
from remsim.esim.download import Installed
from remsim.esim.holder import Holder
from remsim.esim.iot import messages
from remsim.esim.iot.eims import Eim
from remsim.esim.iot.messages import Package
from remsim.esim.iot.server import EimServer
from remsim.esim.refusals import trouble
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.engine import Engine
    from remsim.esim.euicc import Euicc
    from remsim.esim.work import Work

log = logging.getLogger(__name__)

MOST_PACKAGES = 16
"""In one go: an eIM that never ends is left for the next time."""
PACKAGE_S = 120.0
REGISTER_S = 180.0
INSTALLED = b"\xbf\x37"


class Ipa:
    """One run over one eIM. ``run`` blocks; the holder is reserved by the job."""

    def __init__(self, room: Room, work: Work, holder: Holder, eim: Eim, job: Job) -> None:
        self._room = room
        self._work = work
        self._holder = holder
        self._eim = eim
        self._job = job
        self._server = EimServer(eim, trust=room.trust(), hosts=room.hosts, clock=room.clock)
        self._eid, self._names_eid = "", False

    def run(self) -> list[dict[str, Any]]:
        """What was done, in order: ``{"eim", "kind", "ok", "text"}``."""
        done: list[dict[str, Any]] = []
        with self._room.engine(self._holder) as engine:
            self._eid = engine.euicc.eid()
            self._names_eid = version_of(engine.euicc.info2().iot_version) >= messages.NAMES_EID_SINCE
        while len(done) < MOST_PACKAGES:
            self._job.report(None, f"asking {self._eim.address}")
            package = self._asked()
            if package is None:
                break
            done.append({"eim": self._eim.id, "kind": package.kind, **self._done(package)})
        return done

    def _asked(self) -> Package | None:
        try:
            found = messages.read_package(self._server.ask(messages.get_package(self._eid)))
        except TlvError as error:
            raise trouble("server_reply", why=error.message) from error
        if isinstance(found, Package):
            return found
        if found != messages.NO_PACKAGE:
            raise trouble("eim_error", why=messages.ERRORS.get(found), raw=str(found))
        return None

    def _done(self, package: Package) -> dict[str, Any]:
        """Do it, and bring the result; a package that cannot be done is answered, too."""
        try:
            if package.kind == "package":
                return self._relayed(package)
            result = self._told(package) if package.kind == "data" else self._downloaded(package)
        except TlvError as error:
            self._bring(messages.result_error(messages.UNKNOWN_PACKAGE))
            return {"ok": False, "text": f"the package is not understood: {error.message}"}
        self._bring(result)
        failed = package.kind == "download" and INSTALLED not in result
        return {"ok": not failed, "text": "not downloaded" if failed else "done"}

    def _relayed(self, package: Package) -> dict[str, Any]:
        """A signed package for the card. When it switched, the modem follows before the result is brought."""
        with self._room.engine(self._holder) as engine:
            before = enabled(engine.euicc)
            self._room.cards.begin_change(self._holder.id)
            self._job.report(None, "the card does what its eIM wants")
            result = engine.euicc.call(package.tlv.encode(), timeout_s=PACKAGE_S)
            after = self._enabled_after(engine)
        if before != after:
            self._follow()
        try:
            self._bring(result or messages.result_error(messages.UNDEFINED))
        except RemsimError as error:
            if before == after:
                raise
            return {"ok": False, "text": f"{error.message}; {self._rolled_back()}"}
        return {"ok": True, "text": "done, with a switch of profiles" if before != after else "done"}

    def _enabled_after(self, engine: Engine) -> str | None:
        """The profile that is enabled now; a refresh may have taken the channel."""
        try:
            return enabled(engine.euicc)
        except RemsimError:
            with self._room.engine(self._holder) as anew:
                return enabled(anew.euicc)

    def _follow(self) -> None:
        """Have the modem use the profile that its eIM enabled."""
        self._job.report(None, "waiting for the network")
        if self._holder.kind == "modem":
            self._holder.refresh(self._job, hard=False)
            self._holder.wait_registered(REGISTER_S, self._job)

    def _rolled_back(self) -> str:
        """Back to the profile from before, where the eIM allowed the card that; what came of it."""
        with self._room.engine(self._holder) as engine:
            if not messages.is_well(engine.euicc.call(messages.roll_back(), timeout_s=PACKAGE_S)):
                return "the new profile stays, for the eIM does not allow the way back"
        self._follow()
        return "the card went back to the profile from before"

    def _told(self, package: Package) -> bytes:
        """What the eIM wants to know of card and device."""
        request = messages.read_data_request(package.tlv)
        known: dict[int, bytes] = {}
        with self._room.engine(self._holder) as engine:
            euicc = engine.euicc
            addresses = euicc.addresses()
            known[0xBF20], known[0xBF22] = euicc.info1(), euicc.call(encode(0xBF22))
            for tag, address in ((0x81, addresses.default_smdp), (0x83, addresses.root_smds)):
                if address:
                    known[tag] = encode(tag, address.encode())
            known[0xA0] = encode(0xA0, *euicc.retrieve_all())
            certificates = euicc.certs()
            if certificates is not None and (pair := read_one(certificates).find(0xA0)) is not None:
                known |= {one.tag: one.encode() for one in pair.children() if one.tag in (0xA5, 0xA6)}
        return messages.data_response(request, known)

    def _downloaded(self, package: Package) -> bytes:
        """A download that the eIM orders; its operator is told as of any other."""
        from remsim.esim.activation import Activation, parse
        from remsim.esim.downloading import Downloading, Wish

        order = messages.read_download(package.tlv)
        installed: list[bytes] = []

        def keep(engine: Engine, found: Installed) -> None:
            """The result of the load; a second notification of the same may follow it."""
            for seq in reversed(found.notifications):
                raw = engine.euicc.retrieve(seq)
                if raw is not None and raw.startswith(INSTALLED):
                    installed.append(raw)
                    break

        try:
            if not order.is_supported:
                raise Conflict("an eIM's discovery server is not asked", code="not_supported")
            activation = parse(order.code) if order.code else Activation(self._default_address())
            wish = Wish(activation, is_agreed=True, actor=f"the eIM {self._eim.id}", on_installed=keep)
            Downloading(self._room, self._work.codes, self._work.telling).run(self._job, self._holder, wish)
        except RemsimError as error:
            log.warning("%s: what its eIM ordered was not downloaded: %s", self._holder.id, error.message)
        return messages.download_result(order, installed[0] if installed else None)

    def _default_address(self) -> str:
        with self._room.engine(self._holder) as engine:
            address = engine.euicc.addresses().default_smdp
        if address is None:
            raise Conflict("the card has no default SM-DP+", code="no_default_smdp")
        return address

    def _bring(self, result: bytes) -> None:
        """Bring a result, and let the card forget what the eIM has."""
        answer = self._server.ask(messages.provide_result(result, self._eid if self._names_eid else None))
        try:
            known = messages.read_acknowledged(answer)
        except TlvError as error:
            raise trouble("server_reply", why=error.message) from error
        if known:
            with self._room.engine(self._holder) as engine:
                for seq in known:
                    engine.euicc.remove_notification(seq)


def enabled(euicc: Euicc) -> str | None:
    """The profile that is enabled."""
    return next((one.iccid for one in euicc.profiles(icons=False) if one.state == "enabled"), None)


def version_of(text: str | None) -> tuple[int, ...]:
    """A version as numbers."""
    return tuple(int(part) for part in (text or "").split(".") if part.isdigit())
