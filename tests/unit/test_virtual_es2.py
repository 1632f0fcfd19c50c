"""ES2+ of the virtual SM-DP+: orders from an operator with a certificate, down to the profile on the card."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from esim_lpa import ES2, Lpa, Refused, call, operator_context, post
from remsim.core import tlv
from remsim.simulator.euicc import credentials, pki, scene
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.servers import Servers

CI = pki.make_ci()
EID = credentials.DEFAULT_EID
HEADER = {"functionRequesterIdentifier": "2.999.20", "functionCallIdentifier": "FCI-1"}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers(CI, scene.orders(scene.codes()))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ask(servers: Servers, tmp_path: Path) -> Ask:
    context = operator_context(servers, servers.operator("Example Operator"), tmp_path)

    def asked(function: str, **message: Any) -> dict[str, Any]:
        return call(servers, scene.ES2_HOST, ES2 + function, {"header": HEADER, **message}, context)

    return asked


def test_an_order_ends_as_a_profile_on_the_card(ask: Ask, servers: Servers) -> None:
    iccid = ask("downloadOrder", profileType="travel", eid=EID)["iccid"]
    confirmed = ask("confirmOrder", iccid=iccid, confirmationCode="2468", releaseFlag=False)
    assert (confirmed["smdpAddress"], confirmed["eid"]) == (scene.SMDP_HOST, EID)
    assert re.fullmatch(r"([A-Z2-9]{5}-){2}[A-Z2-9]{5}", confirmed["matchingId"])
    lpa = Lpa(VirtualEuicc(credentials.make(CI)), servers)
    with pytest.raises(Refused, match=r"^8.2/1.2$"):
        lpa.install(confirmed["matchingId"], "2468")
    ask("releaseProfile", iccid=iccid)
    lpa.install(confirmed["matchingId"], "2468")
    assert lpa.card.profiles[-1].iccid == iccid
    assert [name for _function, name in servers.es2.calls] == ["Example Operator"] * 3


def test_a_default_order_and_an_event_need_no_code(ask: Ask, servers: Servers) -> None:
    iccid = ask("downloadOrder", iccid=next(iter(servers.orders.stock)) + "F", eid=EID)["iccid"]
    assert ask("confirmOrder", iccid=iccid, matchingId="", releaseFlag=True)["matchingId"] == ""
    other = ask("downloadOrder", profileType="travel")["iccid"]
    event = ask("confirmOrder", iccid=other, eid=EID, smdsAddress=scene.SMDS_HOST, releaseFlag=True)["matchingId"]
    lpa = Lpa(VirtualEuicc(credentials.make(CI)), servers)
    waiting = [entry["eventId"] for entry in lpa.authenticate(scene.SMDS_HOST)["eventEntries"]]
    assert event in waiting
    lpa.install("")
    lpa.install(event)
    assert [profile.iccid for profile in lpa.card.profiles] == [iccid, other]


def test_a_cancelled_order_is_in_stock_again_or_gone(ask: Ask, servers: Servers) -> None:
    before = len(servers.orders.stock)
    first = ask("downloadOrder", profileType="travel")["iccid"]
    ask("cancelOrder", iccid=first, finalProfileStatusIndicator="Available")
    assert len(servers.orders.stock) == before
    assert ask("downloadOrder", iccid=first)["iccid"] == first
    code = ask("confirmOrder", iccid=first, releaseFlag=True)["matchingId"]
    ask("cancelOrder", iccid=first, matchingId=code, finalProfileStatusIndicator="Unavailable")
    with pytest.raises(Refused, match=r"^8.2.1/3.3$"):
        ask("downloadOrder", iccid=first)
    with pytest.raises(Refused, match=r"^8.2.6/3.8$"):
        Lpa(VirtualEuicc(credentials.make(CI)), servers).authenticate(scene.SMDP_HOST, code)


def test_what_cannot_be_ordered_says_why(ask: Ask) -> None:
    for message, refusal in (
        ({}, "8.2.1/2.2"),
        ({"iccid": "8900000000000000000"}, "8.2.1/3.9"),
        ({"profileType": "none"}, "8.2.5/3.9"),
        ({"profileType": "travel", "eid": "12"}, "8.1.1/2.1"),
        ({"profileType": 7}, "1.2.1/2.1"),
        ({"iccid": scene.stock()[0].iccid, "profileType": "fleet"}, "8.2.5/3.8"),
    ):
        with pytest.raises(Refused, match=f"^{refusal}$"):
            ask("downloadOrder", **message)
    ask("downloadOrder", profileType="fleet")
    with pytest.raises(Refused, match=r"^8.2.5/3.7$"):
        ask("downloadOrder", profileType="fleet")


def test_what_cannot_be_confirmed_released_or_cancelled_says_why(ask: Ask) -> None:
    iccid = ask("downloadOrder", profileType="travel", eid=EID)["iccid"]
    free = ask("downloadOrder", profileType="travel")["iccid"]
    for function, message, refusal in (
        ("confirmOrder", {"iccid": "8900000000000000000", "releaseFlag": True}, "8.2.1/3.9"),
        ("confirmOrder", {"releaseFlag": True}, "8.2.1/2.2"),
        ("confirmOrder", {"iccid": iccid}, "1.2.1/2.2"),
        ("confirmOrder", {"iccid": iccid, "eid": pki.make_eid(7), "releaseFlag": True}, "8.1.1/3.10"),
        ("confirmOrder", {"iccid": iccid, "matchingId": "LOCKED", "releaseFlag": True}, "8.2.6/3.3"),
        ("confirmOrder", {"iccid": iccid, "smdsAddress": "x.example.com", "releaseFlag": True}, "8.9/5.1"),
        ("confirmOrder", {"iccid": free, "matchingId": "", "releaseFlag": True}, "8.1.1/2.2"),
        ("releaseProfile", {"iccid": iccid}, "8.2.1/3.5"),
        ("confirmOrder", {"iccid": iccid, "matchingId": "A B", "releaseFlag": True}, "8.2.6/2.1"),
        ("cancelOrder", {"iccid": iccid}, "8.2.1/2.2"),
        ("cancelOrder", {"iccid": iccid, "finalProfileStatusIndicator": "Lost"}, "8.2.1/2.2"),
        (
            "cancelOrder",
            {"iccid": iccid, "matchingId": "LOCKED", "finalProfileStatusIndicator": "Available"},
            "8.2.6/3.10",
        ),
    ):
        with pytest.raises(Refused, match=f"^{refusal}$"):
            ask(function, **message)
    ask("confirmOrder", iccid=iccid, releaseFlag=True)
    for function in ("confirmOrder", "releaseProfile"):
        with pytest.raises(Refused, match=r"^8.2.1/3.[35]$"):
            ask(function, iccid=iccid, releaseFlag=True)


def test_a_profile_on_a_card_cannot_be_cancelled(ask: Ask, servers: Servers) -> None:
    iccid = ask("downloadOrder", profileType="travel")["iccid"]
    code = ask("confirmOrder", iccid=iccid, releaseFlag=True)["matchingId"]
    lpa = Lpa(VirtualEuicc(credentials.make(CI)), servers)
    lpa.install(code)
    lpa.tell(scene.SMDP_HOST)
    with pytest.raises(Refused, match=r"^8.2.1/3.3$"):
        ask("cancelOrder", iccid=iccid, finalProfileStatusIndicator="Available")
    assert tlv.read_one(lpa.ask(bytes.fromhex("BF2D00"))).find(0xA0) is not None


def test_a_request_names_who_asks(servers: Servers, tmp_path: Path) -> None:
    context = operator_context(servers, servers.operator(), tmp_path)
    for message in ({}, {"header": {}}, {"header": {**HEADER, "functionCallIdentifier": ""}}, {"header": []}):
        with pytest.raises(Refused, match=r"^1.2.1/2.2$"):
            call(servers, scene.ES2_HOST, ES2 + "downloadOrder", message, context)
    assert post(servers, scene.ES2_HOST, ES2 + "handleDownloadProgressInfo", b"{}", context)[0] == 404
    assert post(servers, scene.ES2_HOST, "/gsma/rsp2/es9plus/initiateAuthentication", b"{}", context)[0] == 404


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_only_an_operator_with_a_certificate_of_the_root_may_ask(servers: Servers, tmp_path: Path, who: str) -> None:
    stranger = pki.make_server(pki.make_ci("Somebody's CI"), "dp_tls", "stranger", "2.999.30")
    context = operator_context(servers, stranger if who == "stranger" else None, tmp_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        call(servers, scene.ES2_HOST, ES2 + "downloadOrder", {"header": HEADER, "profileType": "travel"}, context)
    assert not servers.es2.calls
