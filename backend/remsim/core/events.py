"""What happened: one frozen record, the same in the journal, on the stream and in the API."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to ``source`` (a modem's id, or ``remsim`` itself).

    ``at`` is seconds since the epoch (UTC). ``id`` is given by the journal: one rising sequence over
    restarts, shared with the readings of the stream. ``data`` holds JSON values only.
    """

    kind: str
    source: str
    at: float
    message: str
    severity: str = "info"  # one of SEVERITIES
    data: dict[str, Any] = field(default_factory=dict)
    id: int | None = None

    def with_id(self, event_id: int) -> Event:
        """The same event, numbered."""
        return replace(self, id=event_id)

    def as_dict(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/events`` and of the stream."""
        return {
            "id": self.id,
            "at": iso_utc(self.at),
            "kind": self.kind,
            "source": self.source,
            "severity": self.severity,
            "message": self.message,
            "data": self.data,
        }


SEVERITIES = ("info", "warning", "error")

KINDS = {
    "connect": "a modem came online",
    "disconnect": "a modem lost its service",
    "cell_change": "the serving cell changed",
    "technology_change": "the radio technology changed",
    "registration": "the registration state changed",
    "sim_state": "the SIM's state, slot or card changed",
    "appeared": "a modem was found",
    "vanished": "a modem went away",
    "moved": "a modem is at another place",
    "composition": "a modem changed its USB mode",
    "forgotten": "a modem that was gone was forgotten",
    "port_shared": "another program opened the port we use",
    "same_imei": "two modems have one IMEI",
    "reboot": "a modem restarted",
    "state": "a modem's state changed otherwise",
    "sms": "a short message or a delivery report came in",
    "remote_sim": "a remote SIM client got its card, lost it or was told to wait",
    "bankd_reconnect": "a bank serves a remote SIM client again",
    "slotmap": "a remote SIM's slot map was made, removed, put back, adopted or is in conflict",
    "remsim_client": "the program of a remote SIM client was started, ended or was restarted",
    "ionmesh": "IonMesh registered this router, refused it or told it something",
    "remsim_server": "a remsim-server was lost, answers again or has restarted",
    "esim_download": "a profile was downloaded to an eUICC, or could not be",
    "esim_switch": "a profile of an eUICC was enabled or disabled, or switched back",
    "esim_delete": "a profile was deleted, or an eUICC was cleared",
    "esim_rule": "a rule switches a profile of an eUICC, or would if it were allowed to",
    "esim_notification": "an operator could not be told of what was done to a profile, or was told at last",
    "failover": "a link failed; others carry its traffic",
    "link_down": "a link failed and no other is there to carry its traffic",
    "link_up": "a link carries traffic",
    "link_state": "a link's state changed otherwise: degraded, a portal, switched off",
    "conntrack": "the router's table of connections is nearly full, so that new ones may fail",
    "link_cap": "a link has used its data cap, or most of it; it changes its eSIM profile for that, or back",
    "policies": "routing policies were changed, confirmed or taken back",
    "alert": "an alert fired or ended",
    "control": "somebody had something done to a modem",
    "access": "somebody tried to get in who may not",
    "error": "something went wrong",
    "recovered": "something works again",
    "clock_jump": "the wall clock was set",
    "series_recreated": "a damaged or outdated series file was moved aside",
    "journal_recovered": "the journal was damaged and what could be read was kept",
    "service_start": "remsim started",
    "service_stop": "remsim stopped",
}
"""Every kind of event and what it means."""
