"""What an eIM may ask to know: IpaEuiccData, of the card and of this device (SGP.32 §2.11.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remsim.core.tlv import TlvError, encode, read_one
from remsim.esim.authentication import UNKNOWN_TAC, device_of
from remsim.esim.errors import EsimError
from remsim.esim.es10 import replies, requests
from remsim.esim.iot import messages
from remsim.esim.iot.messages import DataRequest

if TYPE_CHECKING:
    from remsim.esim.euicc import Euicc
    from remsim.esim.iot.eims import Eim

RETRIEVE_S = 60.0
"""A card signs as it tells."""


def results_for(euicc: Euicc, eim: Eim) -> list[bytes]:
    """Results of an eIM's packages that it has not acknowledged; none from a card that does not keep them."""
    try:
        found = messages.read_results(euicc.call(messages.results_request(), timeout_s=RETRIEVE_S))
        return [one for one in found if messages.eim_of(one) == eim.id]
    except (EsimError, TlvError):
        return []


def gather(euicc: Euicc, eim: Eim, imei: str | None, request: DataRequest) -> dict[int, bytes]:
    """What of it is asked for and there, whole objects by their tags. ``EsimError`` where the card does not tell."""
    tags = request.tags or messages.DATA_TAGS
    found = {0xA8: messages.ABILITIES, 0xA9: device_info(imei)}
    if eim.token is not None:
        found[0x84] = encode(0x84, eim.token)
    if 0xBF20 in tags:
        found[0xBF20] = euicc.info1()
    if 0xBF22 in tags:
        found[0xBF22] = euicc.call(requests.info2())
    if 0x81 in tags or 0x83 in tags:
        addresses = euicc.addresses()
        told = ((0x81, addresses.default_smdp), (0x83, addresses.root_smds))
        found |= {tag: encode(tag, address.encode()) for tag, address in told if address}
    if 0xA0 in tags:
        found[0xA0] = encode(0xA0, *notifications(euicc, request.notifications))
    if 0xA2 in tags:
        found[0xA2] = encode(0xA2, *results_for(euicc, eim))
    if 0xA5 in tags or 0xA6 in tags:
        found |= certificates(euicc)
    return found


def notifications(euicc: Euicc, chosen: bytes) -> list[bytes]:
    """What operators have not been told; of those the ones that the eIM chooses."""
    if not chosen:
        return euicc.retrieve_all()
    request = encode(requests.RETRIEVE_NOTIFICATIONS, encode(0xA0, chosen))
    return [one.raw for one in replies.pending(euicc.call(request, timeout_s=RETRIEVE_S)) if one.raw is not None]


def certificates(euicc: Euicc) -> dict[int, bytes]:
    """The card's, and its manufacturer's."""
    raw = euicc.certs()
    pair = None if raw is None else read_one(raw).find(0xA0)
    return {} if pair is None else {one.tag: one.encode() for one in pair.children() if one.tag in (0xA5, 0xA6)}


def device_info(imei: str | None) -> bytes:
    """DeviceInfo, as servers of profiles get it."""
    device = device_of(imei)
    tac = encode(0x80, device[:4] if device else UNKNOWN_TAC)
    return encode(0xA9, tac, encode(0xA1), b"" if device is None else encode(0x82, device))
