"""What servers of profiles answer, and what an LPA makes of it: every refusal in words, everything else an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import SystemClock
from remsim.esim import refusals
from remsim.esim.errors import EsimError
from remsim.esim.es9 import (
    LARGEST_PACKAGE,
    MOST_PARTS,
    Entry,
    Offered,
    SmdpClient,
    Started,
    check_header,
    entries_of,
    octets,
    read_json,
    transaction_of,
)
from remsim.esim.https import Reply
from remsim.esim.refusals import MEANINGS, PAIRS, SmdpRefused, trouble
from remsim.esim.trust import Trust

JSON = "application/json"
SUCCESS = {"functionExecutionStatus": {"status": "Executed-Success"}}
SESSION = Started("53E0CCC8", bytes.fromhex("53E0CCC8"), b"s", b"g", b"k", b"c")
STARTED = {
    "header": SUCCESS,
    "transactionId": "53E0CCC8",
    "serverSigned1": "MAA=",
    "serverSignature1": "XzcA",
    "euiccCiPKIdToBeUsed": "BAA=",
    "serverCertificate": "MAA=",
}


def failed(subject: str, reason: str, message: str | None = None, status: str = "Failed") -> dict[str, Any]:
    data = {"subjectCode": subject, "reasonCode": reason} | ({"message": message} if message else {})
    return {"header": {"functionExecutionStatus": {"status": status, "statusCodeData": data}}}


class Answering:
    """A client whose server answers what a test says."""

    def __init__(self, *answers: Reply | dict[str, Any]) -> None:
        self.asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.client = SmdpClient(" Smdp.Example.com ", trust=Trust(), hosts={}, clock=SystemClock())
        self.client._https.post = self._post  # type: ignore[method-assign,assignment]
        self._answers = list(answers)

    def _post(self, path: str, body: bytes, headers: dict[str, str], **limits: Any) -> Reply:
        assert headers["X-Admin-Protocol"] == "gsma/rsp/v2.2.2" and headers["User-Agent"] == "gsma-rsp-lpad"
        self.asked.append((path, json.loads(body), limits))
        answer = self._answers.pop(0)
        return answer if isinstance(answer, Reply) else Reply(200, JSON, json.dumps(answer).encode())


def code_of(answer: Reply | dict[str, Any], ask: Callable[[SmdpClient], Any]) -> str:
    with pytest.raises(EsimError) as caught:
        ask(Answering(answer).client)
    assert caught.value.hint and caught.value.message[0].islower()
    return caught.value.code


def start(client: SmdpClient) -> Started:
    return client.initiate_authentication(b"\1" * 16, b"\xbf\x20\0")


# --- functions ---


def test_a_session_is_begun_with_the_address_as_it_was_given() -> None:
    server = Answering(STARTED)
    assert start(server.client) == Started("53E0CCC8", b"\x53\xe0\xcc\xc8", b"0\0", b"\x5f7\0", b"\4\0", b"0\0")
    path, message, _ = server.asked[0]
    assert path == "/gsma/rsp2/es9plus/initiateAuthentication"
    assert message == {
        "smdpAddress": "Smdp.Example.com",
        "euiccChallenge": "AQEBAQEBAQEBAQEBAQEBAQ==",
        "euiccInfo1": "vyAA",
    }


def test_an_offer_is_taken_out_of_base64_with_line_breaks() -> None:
    offer = {"profileMetadata": "vy\r\nUA", "smdpSigned2": "MA\nA=", "smdpSignature2": "XzcA"}
    server = Answering({"header": SUCCESS, "transactionId": "53e0ccc8", "smdpCertificate": "MAA=", **offer})
    assert server.client.authenticate_client(SESSION, b"x") == Offered(b"\xbf\x25\0", b"0\0", b"\x5f7\0", b"0\0")
    assert server.asked[0][1] == {"transactionId": "53E0CCC8", "authenticateServerResponse": "eA=="}


def test_an_answer_without_a_header_is_judged_by_what_it_holds() -> None:
    assert start(Answering({key: value for key, value in STARTED.items() if key != "header"}).client)
    assert code_of({}, start) == "server_reply"


def test_a_package_may_be_large_and_take_long() -> None:
    server = Answering({"header": SUCCESS, "boundProfilePackage": "vzYA"})
    assert server.client.get_bound_profile_package(SESSION, b"x") == b"\xbf\x36\0"
    assert server.asked[0][2] == {"most": LARGEST_PACKAGE, "within_s": 180.0}


@pytest.mark.parametrize("transaction", ["53E0CCC9", "", "xyz", 7, None])
def test_another_transaction_is_not_gone_on_with(transaction: Any) -> None:
    def ask(client: SmdpClient) -> bytes:
        return client.get_bound_profile_package(SESSION, b"x")

    answer = {"header": SUCCESS, "transactionId": transaction, "boundProfilePackage": "vzYA"}
    assert code_of(answer, ask) == ("wrong_transaction" if transaction == "53E0CCC9" else "server_reply")


@pytest.mark.parametrize(
    "reply", [Reply(204, "text/plain", b""), Reply(200, JSON, b'{"header":{}}'), Reply(202, JSON, b"junk")]
)
def test_any_2xx_takes_a_notification(reply: Reply) -> None:
    server = Answering(reply)
    server.client.handle_notification(b"\xbf\x37\0")
    assert server.asked[0][1] == {"pendingNotification": "vzcA"}


@pytest.mark.parametrize("status", [500, 503, 400, 404, 302])
def test_any_other_status_does_not(status: int) -> None:
    assert code_of(Reply(status, "text/html", b"<h1>"), lambda client: client.handle_notification(b"x"))


def test_a_session_is_cancelled_with_or_without_an_answer() -> None:
    for answer in (Reply(204, "", b""), {"header": SUCCESS}, {}):
        Answering(answer).client.cancel_session(SESSION, b"x")
    with pytest.raises(SmdpRefused):
        Answering(failed("8.10.1", "3.9")).client.cancel_session(SESSION, b"x")


def test_a_discovery_server_names_others() -> None:
    entries = [{"eventId": "E1", "rspServerAddress": " a.example.com "}, {"eventId": "", "rspServerAddress": "b"}]
    server = Answering({"header": SUCCESS, "eventEntries": entries})
    assert server.client.authenticate_client(SESSION, b"x") == [Entry("a.example.com", "E1"), Entry("b", "")]


@pytest.mark.parametrize("found", [None, 7, "x", {}, [7], [{}], [{"eventId": "E"}], [{"eventId": 1}] * 2, [{}] * 200])
def test_a_discovery_servers_nonsense_is_an_error(found: Any) -> None:
    with pytest.raises(EsimError):
        entries_of(found)


# --- refusals ---


ROWS = [  # of the facts' table: what a server says, what it means
    ("8.2.6", "3.8", "unknown, already used, or meant for another device"),
    ("8.2.6", "3.3", "conflicts with another order"),
    ("8.2.6", "3.1", "conflicts with another order"),
    ("8.2.6", "3.10", "conflicts with another order"),
    ("8.1.1", "3.8", "reserved for another card"),
    ("8.1.1", "2.2", "no profile waiting for this card's EID"),
    ("8.1.1", "3.1", "bound to another card"),
    ("8.1.1", "3.10", "bound to another card"),
    ("8.1", "4.8", "not enough free memory"),
    ("8.1", "6.1", "does not accept the card's signature"),
    ("8.1.2", "6.1", "card's manufacturer is not valid"),
    ("8.1.2", "6.3", "card's manufacturer is not valid"),
    ("8.1.3", "6.1", "the card's certificate is not valid"),
    ("8.1.3", "6.3", "the card's certificate is not valid"),
    ("8.1.4", "6.1", "EID is outside"),
    ("8.2", "1.2", "has not released the profile yet"),
    ("8.2", "3.7", "cannot be downloaded any more"),
    *(("8.2.1", reason, "does not have this profile") for reason in ("1.2", "3.3", "3.5", "3.9")),
    *(("8.2.5", reason, "no profile of the kind") for reason in ("1.2", "3.7", "3.8", "3.9")),
    ("8.2.5", "4.3", "suits this device or card"),
    ("8.2.7", "2.2", "asks for a confirmation code"),
    ("8.2.7", "3.8", "the confirmation code is wrong"),
    ("8.2.7", "6.4", "wrong confirmation code was given too often"),
    ("8.8", "3.1", "number (OID)"),
    ("8.8", "3.10", "number (OID)"),
    ("8.8.1", "3.8", "another name"),
    ("8.8.2", "3.1", "trust no common authority"),
    ("8.8.3", "3.1", "version of the card"),
    ("8.8.4", "3.7", "no certificate that this card could check"),
    ("8.8.5", "4.1", "the order has expired"),
    ("8.8.5", "4.10", "the order has expired"),
    ("8.8.5", "6.4", "tried too often"),
    ("8.9.1", "3.8", "another name"),
    ("8.9.2", "3.1", "trust no common authority"),
    ("8.9.3", "3.1", "version of the card"),
    ("8.9.4", "3.7", "no certificate that this card could check"),
    ("8.9.5", "3.9", "nothing waits"),
    ("8.9.5", "3.3", "holds this event already"),
    ("8.9", "4.2", "discovery server failed"),
    ("8.9", "5.1", "discovery server failed"),
    ("8.10.1", "3.9", "this session any more"),
    ("8.11.1", "3.9", "authority of this card"),
    *((subject, reason, "does not understand") for subject in ("1.2.1", "1.2.2", "1.3.1") for reason in ("2.1", "2.2")),
]


@pytest.mark.parametrize(("subject", "reason", "words"), ROWS)
def test_every_refusal_is_told_in_words_with_its_numbers(subject: str, reason: str, words: str) -> None:
    with pytest.raises(SmdpRefused) as caught:
        start(Answering(failed(subject, reason, "Some words")).client)
    error = caught.value
    assert words in error.message and error.message.endswith(f" ({subject}/{reason})")
    assert error.hint and error.pair == f"{subject}/{reason}" and "Some words" not in error.message


def test_every_pair_of_the_table_has_a_row() -> None:
    assert {f"{subject}/{reason}" for subject, reason, _ in ROWS} == set(PAIRS)


def test_a_refusal_that_no_table_has_is_told_in_the_servers_words() -> None:
    with pytest.raises(SmdpRefused) as caught:
        start(Answering(failed("8.77", "9.9", "Not\r\ntoday\x00", status="Expired")).client)
    assert caught.value.message == "the server refuses: Not  today (8.77/9.9)"
    assert caught.value.code == "smdp_refused"


@pytest.mark.parametrize("data", [None, 7, [], {}, {"subjectCode": {}, "reasonCode": "<script>"}])
def test_a_refusal_without_numbers_is_one_all_the_same(data: Any) -> None:
    answer = {"header": {"functionExecutionStatus": {"status": "Failed", "statusCodeData": data}}}
    with pytest.raises(SmdpRefused, match=r"the server refuses \(\?/\?\)"):
        check_header(answer)


def test_a_refusal_under_another_status_is_one() -> None:
    body = json.dumps(failed("8.2.6", "3.8")).encode()
    assert code_of(Reply(400, JSON, body), start) == "code_unknown"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(500, "text/html", b"<h1>Internal Server Error</h1>"), "server_fault"),
        (Reply(503, "text/plain", b""), "server_fault"),
        (Reply(404, "text/html", b"<h1>Not Found</h1>"), "server_absent"),
        (Reply(405, JSON, b"{}"), "server_absent"),
        (Reply(301, JSON, b"{}"), "server_redirect"),
        (Reply(204, JSON, b""), "server_empty"),
        (Reply(200, JSON, b""), "server_empty"),
        (Reply(200, "text/html", b"<!doctype html>"), "server_reply"),
        (Reply(200, JSON, b"{"), "server_reply"),
        (Reply(200, JSON, b"[]"), "server_reply"),
        (Reply(200, JSON, b"null"), "server_reply"),
        (Reply(200, JSON, b"\xff\xfe"), "server_reply"),
        (Reply(200, JSON, b"[" * 100_000), "server_reply"),
        (Reply(200, JSON, b'{"a":' * 10_000), "server_reply"),
        (Reply(200, JSON, b"{" + b'"a":[],' * MOST_PARTS + b'"a":1}'), "server_reply"),
    ],
)
def test_what_is_no_answer_has_an_error_of_its_own(reply: Reply, code: str) -> None:
    assert code_of(reply, start) == code


@pytest.mark.parametrize("key", [key for key in STARTED if key not in ("header",)])
@pytest.mark.parametrize("value", [None, 7, "", "é", "====", {}, "A"])
def test_an_answer_without_a_usable_part_names_it(key: str, value: Any) -> None:
    with pytest.raises(EsimError, match=f"it has no usable {key}"):
        start(Answering(STARTED | {key: value}).client)


@given(st.binary(max_size=200))
def test_any_octets_are_an_object_or_an_error(body: bytes) -> None:
    try:
        assert isinstance(read_json(Reply(200, JSON, body)), dict)
    except EsimError as error:
        assert error.code == "server_reply"


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["header", "transactionId", "eventEntries", "serverSigned1"]), PARTS))
def test_any_object_is_understood_or_an_error(answer: dict[str, Any]) -> None:
    for read in (check_header, transaction_of, lambda one: octets(one, "serverSigned1"), lambda one: entries_of(one)):
        try:
            read(answer)
        except EsimError as error:
            assert error.code in MEANINGS


# --- the words ---


def test_every_meaning_has_words_of_its_own_and_a_hint() -> None:
    sentences = [sentence for sentence, _ in MEANINGS.values()]
    assert len(set(sentences)) == len(sentences)
    for code, (sentence, hint) in MEANINGS.items():
        assert re.fullmatch(r"[a-z][a-z_]+", code)
        assert sentence and hint and not sentence.endswith(".") and not hint.endswith(".")
        assert sentence[0].islower() and hint[0].islower()
        assert not re.search(r"\d\.\d", sentence), "numbers are for the brackets"


def test_every_table_means_something() -> None:
    for table in (refusals.AUTHENTICATE, refusals.PREPARE, refusals.INSTALL, PAIRS):
        assert set(table.values()) <= set(MEANINGS)


def test_every_code_that_is_raised_has_a_meaning_and_every_meaning_is_raised() -> None:
    package = Path(refusals.__file__).parent
    source = "".join(file.read_text() for file in sorted(package.rglob("*.py")) if file.name != "refusals.py")
    raised = set(re.findall(r'trouble\(\s*"(\w+)"', source))
    assert raised <= set(MEANINGS)
    tables = {*PAIRS.values(), *refusals.AUTHENTICATE.values(), *refusals.PREPARE.values(), *refusals.INSTALL.values()}
    named = {code for code in MEANINGS if f'"{code}"' in source}
    assert set(MEANINGS) == raised | tables | named | {SmdpRefused.code}


def test_every_meaning_is_in_the_documentation() -> None:
    shown = Path(__file__).parents[2].joinpath("docs/esim.md").read_text().splitlines()
    rows = {cells[0]: cells[2:] for cells in (line.strip("| ").split("|") for line in shown) if len(cells) == 4}
    for code, (sentence, hint) in MEANINGS.items():
        assert [cell.strip() for cell in rows[f"`{code}` "]] == [sentence, hint]


def test_an_error_has_its_reason_and_what_was_said() -> None:
    error = trouble("smdp_unreachable", why="no route", raw="5/7")
    assert error.message == "the operator's server cannot be reached: no route (5/7)"
    assert (error.code, error.detail, error.http_status) == ("smdp_unreachable", "5/7", 502)
    assert trouble("already_installed").http_status == 409
