"""How each session with a server begins: the card asks it something, and checks who answers (SGP.22 §3.0.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from remsim.core.errors import InvalidInput
from remsim.esim import refusals
from remsim.esim.es9 import SmdpClient, Started
from remsim.esim.es10 import requests
from remsim.esim.ids import encode_imei
from remsim.esim.offer import check_card, check_started

if TYPE_CHECKING:
    from remsim.esim.euicc import Euicc

UNKNOWN_TAC = bytes.fromhex("35290611")
"""Of a device that does not tell its IMEI, as other LPAs say it."""


def device_of(imei: str | None) -> bytes | None:
    """An IMEI in octets; None for none, and for what some modems have in its place."""
    try:
        return None if imei is None else encode_imei(imei)
    except InvalidInput:
        return None


class Session(NamedTuple):
    """What the server began with, and what the card answers it, BF38."""

    started: Started
    answer: bytes


def authenticate(
    euicc: Euicc,
    client: SmdpClient,
    matching_id: str,
    *,
    imei: str | None = None,
    oid: str | None = None,
    on_started: Callable[[], None] = lambda: None,
) -> Session:
    """A session of a card with a server that both it and we take for the one that was meant."""
    challenge = euicc.challenge()
    started = client.initiate_authentication(challenge, euicc.info1())
    check_started(started, challenge=challenge, address=client.address, oid=oid)
    on_started()
    device = device_of(imei)
    context = requests.context(matching_id, device[:4] if device else UNKNOWN_TAC, device)
    answer = euicc.authenticate_server(
        requests.authenticate_server(started.signed, started.signature, started.key_id, started.certificate, context)
    )
    check_card(answer, requests.AUTHENTICATE_SERVER, refusals.AUTHENTICATE)
    return Session(started, answer)
