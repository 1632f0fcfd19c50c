"""A minimal IPA: asks an eIM what waits, has the card or the LPA do it, and brings the result back (SGP.32 §3.3)."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Aborted, Conflict, InvalidInput, ModemError, RemsimError
from remsim.core.jobs import Job
from remsim.core.tlv import TlvError
from remsim.esim.download import Installed
from remsim.esim.errors import EsimError
from remsim.esim.holder import Holder
from remsim.esim.iot import messages
from remsim.esim.iot.data import gather, results_for
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
INSTALLED = b"\xbf\x37"
"""The card's own word on an installation, among notifications of it."""
TRIES, AGAIN_S = 12, 5.0
"""A modem that left the bus with a switch is back within that time."""
PACKAGE_S = 120.0
REGISTER_S = 180.0
INSTALLED = b"\xbf\x37"


class Ipa:
    """One run over one eIM. ``run`` blocks; the holder is reserved by the job. ``is_changed``: by somebody else.

    ``done`` is what was done, in order, also when ``run`` ends with an error: ``{"eim", "kind", "ok", "text"}``.
    """

    def __init__(
        self, room: Room, work: Work, holder: Holder, eim: Eim, job: Job, *, is_changed: bool = False
    ) -> None:
        self._room = room
        self._work = work
        self._holder = holder
        self._eim = eim
        self._job = job
        self._server = EimServer(eim, trust=room.trust(), hosts=room.hosts, clock=room.clock)
        self._eid, self._names_eid = "", False
        self._is_changed = is_changed
        self.done: list[dict[str, Any]] = []

    def run(self) -> None:
        """First what could not be brought the last time, then what waits at the eIM."""
        with self._room.engine(self._holder) as engine:
            self._eid = engine.euicc.eid()
            self._names_eid = version_of(engine.euicc.info2().iot_version) >= messages.NAMES_EID_SINCE
            left = results_for(engine.euicc, self._eim)
        for result in left:
            self._job.report(None, f"bringing a result to {self._eim.address}")
            self._bring(result)
            self._note("result", {"ok": True, "text": "a result from before was brought"})
        for _ in range(MOST_PACKAGES):
            self._job.report(None, f"asking {self._eim.address}")
            package = self._asked()
            if package is None:
                break
            self._note(package.kind, self._done(package))

    def _note(self, kind: str, what: dict[str, Any]) -> None:
        self.done.append({"eim": self._eim.id, "kind": kind, **what})

    def _asked(self) -> Package | None:
        try:
            request = messages.get_package(self._eid, is_changed=self._is_changed)
            found = messages.read_package(self._server.ask(request))
        except TlvError as error:
            raise trouble("server_reply", why=error.message) from error
        self._is_changed = False
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
            try:
                result = engine.euicc.call(package.tlv.encode(), timeout_s=PACKAGE_S)
            except (EsimError, InvalidInput) as error:  # it is no package for any card
                self._bring(messages.result_error(messages.INVALID_FORMAT))
                return {"ok": False, "text": error.message}
            except ModemError as error:  # a card that switches may take the modem with it
                log.warning("%s: no answer to a package of its eIM: %s", self._holder.id, error.message)
                result = None
            else:
                after = self._enabled_after(engine)
        if result is None:
            after, result = self._found_again()
        result = result or messages.result_error(messages.UNDEFINED)
        if before == after:
            self._bring(result)
            return {"ok": True, "text": "done"}
        self._tell(before, after)
        try:
            self._follow(after)
            self._bring(result)
        except Aborted:
            raise
        except RemsimError as error:
            return {"ok": False, "text": f"{error.message}; {self._rolled_back()}"}
        return {"ok": True, "text": "done, with a switch of profiles"}

    def _found_again(self) -> tuple[str | None, bytes]:
        """What is enabled on a card that did not answer, once it can be asked, and the result that waits there."""
        for left in reversed(range(TRIES)):
            self._job.sleep(AGAIN_S)
            if self._job.is_stopping:
                break
            try:
                with self._room.engine(self._holder) as engine:
                    results = results_for(engine.euicc, self._eim)
                    return enabled(engine.euicc), results[-1] if results else b""
            except ModemError:
                if not left:
                    raise
        raise self._job.aborted()

    def _enabled_after(self, engine: Engine) -> str | None:
        """The profile that is enabled now; a refresh may have taken the channel."""
        try:
            return enabled(engine.euicc)
        except RemsimError:
            with self._room.engine(self._holder) as anew:
                return enabled(anew.euicc)

    def _tell(self, before: str | None, after: str | None) -> None:
        """A switch that nobody here asked for is written down at once."""
        known = {"from": self._room.sim_of(before), "to": self._room.sim_of(after), "eim": self._eim.id}
        what = "disabled the profile" if after is None else "switched to another profile"
        self._room.tell("esim_switch", self._holder.id, f"{self._holder.id}: the eIM {self._eim.id} {what}", data=known)

    def _follow(self, iccid: str | None) -> None:
        """Have the modem use the profile that its eIM enabled, or none."""
        if self._holder.kind != "modem":
            return
        self._job.report(None, "having the modem read the card anew")
        self._holder.refresh(self._job, hard=False)
        if iccid is not None:
            self._job.report(None, "waiting for the network")
            self._holder.wait_registered(REGISTER_S, self._job, iccid)

    def _rolled_back(self) -> str:
        """Back to the profile from before, where the eIM allowed the card that; what came of it.

        A result that cannot be brought even then waits on the card.
        """
        with self._room.engine(self._holder) as engine:
            is_back, result = messages.read_rolled_back(engine.euicc.call(messages.roll_back(), timeout_s=PACKAGE_S))
            if not is_back:
                return "the new profile stays, for the eIM does not allow the way back"
            now = self._enabled_after(engine)
        back = f"{self._holder.id}: the eIM {self._eim.id} did not learn of the switch, which was undone"
        self._room.tell("esim_switch", self._holder.id, back, "warning", {"to": self._room.sim_of(now)})
        with contextlib.suppress(RemsimError):
            self._follow(now)
            if result is not None:
                self._bring(result)
        return "the card went back to the profile from before"

    def _told(self, package: Package) -> bytes:
        """What the eIM wants to know of card and device."""
        request = messages.read_data_request(package.tlv)
        with self._room.engine(self._holder) as engine:
            known = gather(engine.euicc, self._eim, self._holder.imei, request)
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
            by = f"the eIM {self._eim.id}"
            wish = Wish(activation, is_agreed=True, actor=by, source=f"eim {self._eim.id}", on_installed=keep)
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
        if isinstance(known, int):
            raise trouble("eim_error", why=messages.ERRORS.get(known), raw=str(known))
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
