"""Orders at SM-DP+ by ES2+: each step is written down before it is taken, so that nothing is ordered twice unseen."""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import field
from pathlib import Path
from typing import Any

from remsim.config.esim_orders import EsimOrdersSettings
from remsim.core.clock import iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.activation import Activation, parse
from remsim.esim.codes import Codes, masked_token
from remsim.esim.es2 import MAY_HAVE_DONE, OrderClient
from remsim.esim.ids import is_eid
from remsim.esim.records import Records
from remsim.esim.room import Room
from remsim.esim.trust import Trust

KIND = "esim-order"
ABOUT = (
    "Orders by ES2+ were tested with the simulator's SM-DP+ only: no operator's server was at hand. "
    "Try one order before you rely on it."
)
ORDERING, ORDERED, CONFIRMED, RELEASED, CANCELLED, FAILED, UNKNOWN = (
    "ordering", "ordered", "confirmed", "released", "cancelled", "failed", "unknown",
)  # fmt: skip
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to order: a profile of a type or of a number, for a card or for any."""

    connector: str
    eid: str | None = None
    iccid: str | None = None
    profile_type: str | None = None
    confirmation_code: str | None = field(default=None, repr=False)
    is_released: bool = True


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of it."""

    order: str
    iccid: str
    activation: Activation


class Ordering:
    """The connectors, and the orders there were."""

    def __init__(self, room: Room, codes: Codes, records: Records) -> None:
        self._room, self._codes, self._records = room, codes, records
        for order_id, _, text in records.rows("SELECT id, made_at, data FROM orders"):
            if json.loads(text)["state"] == ORDERING:
                self._change(order_id, state=UNKNOWN, problem="the service ended while the server was asked")

    def connector(self, name: str) -> EsimOrdersSettings:
        """One that is in use, or ``InvalidInput``."""
        for one in self._room.settings.esim_orders:
            if one.name == name and one.enabled:
                return one
        raise InvalidInput(f"there is no server {name[:40]!r} to order at", field="order")

    def check(self, wanted: Wanted) -> None:
        """``InvalidInput`` when it cannot be ordered so."""
        connector = self.connector(wanted.connector)
        if wanted.eid is not None and not is_eid(wanted.eid):
            raise InvalidInput("this is not an EID: its check digits are wrong", field="eid")
        if not wanted.iccid and not (wanted.profile_type or connector.profile_type):
            raise InvalidInput("a type of profile or an ICCID is needed", field="profile_type")

    def begin(self, wanted: Wanted, actor: str) -> Job:
        """A job that orders a profile and keeps its code; ``Conflict`` where no code can be kept."""
        self.check(wanted)
        self._codes.check_room()
        connector = self.connector(wanted.connector)
        name = connector.label or connector.name

        def work(job: Job) -> dict[str, Any]:
            ordered = self.order(wanted, job)
            code_id = self._codes.found(ordered.activation, f"ordered at {name}"[:64])
            self._change(ordered.order, code_id=code_id)
            return {"order": ordered.order, "code_id": code_id, "iccid": mask(ordered.iccid)}

        return self._room.jobs.start(KIND, work, title=f"ordering a profile at {name}", actor=actor)

    def order(self, wanted: Wanted, job: Job) -> Ordered:
        """Order and confirm; ``StorageError`` before anything is ordered that could not be written down."""
        connector = self.connector(wanted.connector)
        client = self._client(connector)
        order_id = secrets.token_hex(4)
        data: dict[str, Any] = {
            "connector": connector.name,
            "eid": wanted.eid,
            "iccid": wanted.iccid,
            "profile_type": None if wanted.iccid else wanted.profile_type or connector.profile_type,
            "state": ORDERING,
            "code_id": None,
            "problem": None,
        }
        insert = ("INSERT INTO orders VALUES (?, ?, ?)", (order_id, self._room.clock.now(), json.dumps(data)))
        self._records.must_write([insert], "nothing was ordered, for it could not be written down")
        job.report(None, "ordering the profile", can_abort=False)
        with self._told(order_id):
            iccid = client.download_order(eid=wanted.eid, iccid=wanted.iccid, profile_type=data["profile_type"])
            self._change(order_id, iccid=iccid, state=ORDERED)
            job.report(None, "confirming the order")
            confirmed = client.confirm_order(
                iccid,
                eid=wanted.eid,
                confirmation_code=wanted.confirmation_code,
                is_released=wanted.is_released,
            )
            flag = "$$1" if wanted.confirmation_code else ""
            activation = parse(f"LPA:1${confirmed.smdp_address}${confirmed.matching_id}{flag}")
            state = RELEASED if wanted.is_released else CONFIRMED
            self._change(order_id, state=state, hint=masked_token(confirmed.matching_id))
        return Ordered(order_id, iccid, activation)

    def release(self, order_id: str, actor: str) -> Job:
        """Let what was confirmed be downloaded."""
        data = self._one(order_id)
        if data["state"] != CONFIRMED:
            raise Conflict(f"this order is {data['state']}: there is nothing to release", field="order")
        connector = self.connector(data["connector"])

        def work(job: Job) -> dict[str, Any]:
            job.report(None, "releasing the profile")
            self._client(connector).release_profile(data["iccid"])
            self._change(order_id, state=RELEASED)
            return {"order": order_id, "state": RELEASED}

        return self._room.jobs.start(KIND, work, title="releasing an order", actor=actor)

    def cancel(self, order_id: str, *, is_reusable: bool, actor: str) -> Job:
        """Give an order back; its code is not kept any more."""
        data = self._one(order_id)
        if data["iccid"] is None or data["state"] == CANCELLED:
            why = "no profile is known of it" if data["iccid"] is None else "it was cancelled already"
            raise Conflict(f"this order cannot be cancelled: {why}", field="order")
        connector = self.connector(data["connector"])

        def work(job: Job) -> dict[str, Any]:
            job.report(None, "cancelling the order")
            self._client(connector).cancel_order(data["iccid"], is_reusable=is_reusable, eid=data["eid"])
            self._change(order_id, state=CANCELLED, problem=None)
            if data["code_id"]:
                with contextlib.suppress(NotFound):
                    self._codes.drop(data["code_id"])
            return {"order": order_id, "state": CANCELLED}

        return self._room.jobs.start(KIND, work, title="cancelling an order", actor=actor)

    def view(self) -> dict[str, Any]:
        """The object of the API."""
        select = "SELECT id, made_at, data FROM orders ORDER BY made_at DESC, rowid DESC LIMIT ?"
        return {
            "connectors": [self._connector_view(one) for one in self._room.settings.esim_orders],
            "orders": [order_view(*row) for row in self._records.rows(select, (SHOWN,))],
            "about": ABOUT,
        }

    def _connector_view(self, connector: EsimOrdersSettings) -> dict[str, Any]:
        files = (connector.certificate, connector.key, connector.ca_file)
        gone = [name for name in files if name and not Path(name).is_file()]
        return {
            "name": connector.name,
            "label": connector.label or connector.name,
            "enabled": connector.enabled,
            "address": connector.address,
            "requester": connector.requester,
            "profile_type": connector.profile_type or None,
            "problem": f"{gone[0]} is not there" if gone else None,
        }

    def _client(self, connector: EsimOrdersSettings) -> OrderClient:
        room = self._room
        own = (Path(connector.ca_file),) if connector.ca_file else ()
        trust = Trust(ca_files=(*room.trust().ca_files, *own))
        return OrderClient(connector, trust=trust, hosts=room.hosts, clock=room.clock)

    @contextlib.contextmanager
    def _told(self, order_id: str) -> Any:
        """What went wrong is written down: also that nobody knows what the server has done."""
        try:
            yield
        except RemsimError as error:
            state = UNKNOWN if error.code in MAY_HAVE_DONE else FAILED
            self._change(order_id, state=state, problem=error.message)
            raise

    def _change(self, order_id: str, **changes: Any) -> None:
        data = self._one(order_id) | changes
        self._records.write(("UPDATE orders SET data = ? WHERE id = ?", (json.dumps(data), order_id)))

    def _one(self, order_id: str) -> dict[str, Any]:
        for (data,) in self._records.rows("SELECT data FROM orders WHERE id = ?", (order_id,)):
            return dict(json.loads(data))
        raise NotFound(f"there is no order {order_id[:40]!r}", field="order")


def order_view(order_id: str, made_at: float, text: str) -> dict[str, Any]:
    """An order, its numbers masked."""
    data = json.loads(text)
    return {
        "id": order_id,
        "connector": data["connector"],
        "iccid": mask(data["iccid"]),
        "eid": mask(data["eid"]),
        "profile_type": data["profile_type"],
        "state": data["state"],
        "made_at": iso_utc(made_at),
        "code": data.get("hint"),
        "code_id": data["code_id"],
        "problem": data["problem"],
    }
