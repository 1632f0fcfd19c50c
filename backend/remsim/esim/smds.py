"""What waits for a card: asked of a discovery server (SM-DS), which names other servers and matching ids (ES11)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from remsim.core.errors import RemsimError
from remsim.esim.authentication import authenticate
from remsim.esim.es9 import Entry, SmdpClient
from remsim.esim.refusals import SmdpRefused, trouble

if TYPE_CHECKING:
    from remsim.esim.euicc import Euicc

log = logging.getLogger(__name__)

GSMA = "lpa.ds.gsma.com"
"""The root of all, for cards that name none."""
NOTHING = "no_event"


def discover(
    euicc: Euicc, client: Callable[[str], SmdpClient], server: str | None = None, *, imei: str | None = None
) -> list[Entry]:
    """What waits for this card, none to many: at the server that is named, else at the card's own, else at GSMA's."""
    asked = client(server or own_server(euicc) or GSMA)
    log.info("asking %s what waits for the card", asked.address)
    session = authenticate(euicc, asked, "", imei=imei)
    try:
        found = asked.authenticate_client(session.started, session.answer)
    except SmdpRefused as refused:
        if refused.code == NOTHING:
            return []
        raise
    if not isinstance(found, list):
        raise trouble("server_reply", why="it offers a profile and is no discovery server")
    return list(dict.fromkeys(found))


def own_server(euicc: Euicc) -> str | None:
    """The discovery server that a card names."""
    try:
        return (euicc.addresses().root_smds or "").strip() or None
    except RemsimError as error:
        log.info("the card does not tell its discovery server: %s", error.message)
        return None
