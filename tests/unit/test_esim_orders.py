"""Orders by ES2+ at the virtual SM-DP+: mutual TLS, each function, each refusal in words, nothing ordered unseen."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from esim_engine import VirtualWay
from esim_support import EID, Bench, FakeRoom, bench
from remsim.config.esim_orders import EsimOrdersSettings, untrusted
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.core.errors import Conflict, InvalidInput, StorageError
from remsim.esim import codes, downloading
from remsim.esim.bulk import Bulk
from remsim.esim.bulk_rows import read_rows
from remsim.esim.checks import WayOut
from remsim.esim.engine import opened
from remsim.esim.errors import EsimError
from remsim.esim.es2 import OrderClient, OrderRefused, padded
from remsim.esim.ordering import Ordering, Wanted
from remsim.esim.records import Records
from remsim.esim.trust import Trust
from remsim.simulator.euicc import pki, scene
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.credentials import make
from remsim.simulator.euicc.faults import Fault
from remsim.simulator.euicc.servers import Servers

CI = pki.make_ci()


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers(CI, scene.orders(scene.codes()))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def connector(servers: Servers, tmp_path: Path) -> EsimOrdersSettings:
    servers.operator("Example Operator").save(tmp_path / "operator.pem", tmp_path / "operator_key.pem")
    CI.save(tmp_path / "ci.pem", tmp_path / "ci_key.pem")
    return EsimOrdersSettings(
        "example",
        label="Example",
        address=scene.ES2_HOST,
        requester="2.999.20",
        certificate=str(tmp_path / "operator.pem"),
        key=str(tmp_path / "operator_key.pem"),
        ca_file=str(tmp_path / "ci.pem"),
        profile_type="travel",
    )


@pytest.fixture
def desk(servers: Servers, connector: EsimOrdersSettings, tmp_path: Path) -> Bench:
    one = bench(tmp_path, settings=Settings(esim_orders=(connector,)))
    one.room.hosts = servers.hosts
    return one


@pytest.fixture
def ordering(desk: Bench, tmp_path: Path) -> Ordering:
    return Ordering(desk.room, desk.codes, Records(tmp_path / "records.db", clock=desk.clock))


def client_of(connector: EsimOrdersSettings, servers: Servers, clock: Any) -> OrderClient:
    trust = Trust(ca_files=(Path(connector.ca_file),))
    return OrderClient(connector, trust=trust, hosts=servers.hosts, clock=clock)


def test_each_function_with_a_certificate_of_ours(connector: EsimOrdersSettings, servers: Servers, desk: Bench) -> None:
    client = client_of(connector, servers, desk.clock)
    iccid = client.download_order(profile_type="travel", eid=EID)
    confirmed = client.confirm_order(iccid, is_released=False, confirmation_code="2468")
    assert (confirmed.smdp_address, confirmed.eid) == (scene.SMDP_HOST, EID)
    client.release_profile(iccid)
    client.cancel_order(iccid, is_reusable=True)
    assert client.download_order(iccid=iccid) == iccid
    assert [name for _, name in servers.es2.calls] == ["Example Operator"] * 5


def test_what_is_refused_is_said_in_words_and_numbers(
    connector: EsimOrdersSettings, servers: Servers, desk: Bench
) -> None:
    client = client_of(connector, servers, desk.clock)
    for asked, told in (
        ({"profile_type": "none"}, "the server does not know this type of profile (8.2.5/3.9)"),
        ({"iccid": "8900000000000000000"}, "no profile of this ICCID"),
        ({}, "the server wants an ICCID or a type of profile (8.2.1/2.2)"),
        ({"profile_type": "travel", "eid": "12"}, "the server finds the EID wrong (8.1.1/2.1)"),
    ):
        with pytest.raises(OrderRefused) as refused:
            client.download_order(**asked)
        assert told in refused.value.message and refused.value.hint
    iccid = client.download_order(profile_type="travel")
    with pytest.raises(OrderRefused, match=r"confirmed and waits for its release \(8.2.1/3.5\)"):
        client.release_profile(iccid)


def test_without_a_certificate_that_the_server_takes_it_says_so(
    connector: EsimOrdersSettings, servers: Servers, desk: Bench, tmp_path: Path
) -> None:
    stranger = pki.make_server(pki.make_ci("Another"), "dp_tls", "stranger", "2.999.20")
    stranger.save(tmp_path / "stranger.pem", tmp_path / "stranger_key.pem")
    pair = {"certificate": str(tmp_path / "stranger.pem"), "key": str(tmp_path / "stranger_key.pem")}
    for changes, told in (
        (pair, "the server does not take it"),
        ({"key": pair["key"]}, "do not fit"),
        ({"certificate": str(tmp_path / "none.pem")}, "No such file"),
    ):
        with pytest.raises(EsimError, match=told) as error:
            client_of(replace(connector, **changes), servers, desk.clock).download_order(profile_type="travel")
        assert error.value.code == "order_certificate"


def test_an_iccid_is_filled_up_to_twenty_characters() -> None:
    assert padded("8900101999000010004") == "8900101999000010004F"
    assert padded("89001019990000100041") == "89001019990000100041"
    assert padded(None) is None


def test_nothing_is_ordered_whose_code_could_not_be_kept(
    ordering: Ordering, desk: Bench, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "MOST_CODES", 1)
    desk.codes.add("LPA:1$rsp.example.com$LETTER")
    with pytest.raises(Conflict, match="codes are kept already"):
        ordering.begin(Wanted("example", eid=EID), "a test")
    assert not servers.es2.calls and ordering.view()["orders"] == []


def test_an_order_becomes_a_kept_code(ordering: Ordering, desk: Bench, servers: Servers) -> None:
    job = desk.done(ordering.begin(Wanted("example", eid=EID, confirmation_code="2468"), "a test"))
    assert job.state == "done", job.error
    kept = desk.codes.views()[0]
    assert (kept["id"], kept["label"]) == (job.result["code_id"], "ordered at Example")
    assert kept["smdp_address"] == scene.SMDP_HOST
    assert kept["confirmation_code_required"] is True
    view = ordering.view()
    assert [(one["state"], one["code_id"]) for one in view["orders"]] == [("released", kept["id"])]
    assert view["connectors"][0]["problem"] is None and "simulator" in view["about"]
    whole = desk.codes.whole(kept["id"])["code"]
    assert whole.split("$")[2] not in str(view) and EID not in str(view)


def test_an_order_is_released_later_and_cancelled(ordering: Ordering, desk: Bench, servers: Servers) -> None:
    desk.done(ordering.begin(Wanted("example", is_released=False), "a test"))
    order = ordering.view()["orders"][0]
    assert order["state"] == "confirmed"
    assert desk.done(ordering.release(order["id"], "a test")).state == "done"
    with pytest.raises(Conflict, match="nothing to release"):
        ordering.release(order["id"], "a test")
    before = len(servers.orders.stock)
    assert desk.done(ordering.cancel(order["id"], is_reusable=True, actor="a test")).state == "done"
    assert len(servers.orders.stock) == before + 1
    assert ordering.view()["orders"][0]["state"] == "cancelled"
    assert desk.codes.views() == []


def test_what_nobody_knows_of_an_order_is_called_unknown(ordering: Ordering, desk: Bench, servers: Servers) -> None:
    servers.faults.add(Fault("cut", "confirmOrder"))
    job = desk.done(ordering.begin(Wanted("example"), "a test"))
    assert (job.state, job.code) == ("failed", "smdp_cut")
    assert ordering.view()["orders"][0]["state"] == "unknown"
    servers.faults.clear()
    job = desk.done(ordering.begin(Wanted("example", profile_type="none"), "a test"))
    assert ordering.view()["orders"][0]["state"] == "failed"
    assert "8.2.5/3.9" in (job.error or "")


def test_nothing_is_ordered_that_cannot_be_written_down(
    ordering: Ordering, desk: Bench, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering._records, "write", lambda *statements: False)
    job = desk.done(ordering.begin(Wanted("example"), "a test"))
    assert job.code == StorageError.code
    assert list(servers.es2.calls) == []


def test_an_order_in_the_middle_of_which_the_service_ended_is_unknown(
    ordering: Ordering, desk: Bench, tmp_path: Path
) -> None:
    names = ("connector", "iccid", "eid", "profile_type", "code_id", "problem")
    data = json.dumps(dict.fromkeys(names) | {"connector": "example", "state": "ordering"})
    ordering._records.write(("INSERT INTO orders VALUES ('x', 1, ?)", (data,)))
    again = Ordering(desk.room, desk.codes, ordering._records)
    assert again.view()["orders"][0]["state"] == "unknown"


def test_what_cannot_be_ordered_is_said_before(ordering: Ordering) -> None:
    for wanted, field in (
        (Wanted("nobody"), "order"),
        (Wanted("example", eid="8" * 32), "eid"),
    ):
        with pytest.raises(InvalidInput) as error:
            ordering.begin(wanted, "a test")
        assert error.value.field == field


def test_only_the_trusted_name_files_and_roots() -> None:
    one = EsimOrdersSettings("one", address="es2.example.com", requester="1.2", certificate="/a", key="/b")
    assert untrusted(None, one) == "names files of this router"
    assert untrusted(one, replace(one, address="other.example.com")) is None
    assert untrusted(one, replace(one, key="/etc/shadow")) == "names files of this router"
    assert untrusted(one, replace(one, ca_file="/c")) == "may reach the local network"
    lab = replace(one, ca_file="/c")
    assert untrusted(lab, replace(lab, address="10.0.0.1")) == "may reach the local network"
    assert untrusted(lab, replace(lab, enabled=False)) is None
    assert untrusted(lab, None) is None


def bulk_of(desk: Bench, ordering: Ordering) -> Bulk:
    return Bulk(desk.room, desk.work, ordering._records, lambda: ordering, lambda job, s: desk.clock.sleep(s))


def test_rows_of_a_bulk_download_order_their_codes(
    servers: Servers, connector: EsimOrdersSettings, desk: Bench, ordering: Ordering, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    way = VirtualWay(VirtualEuicc(make(CI)))
    clock = SystemClock()

    @contextlib.contextmanager
    def engine(room: Any, holder: Any, **trusted: Any) -> Iterator[Any]:
        trust = Trust((Path(connector.ca_file),), None)
        with opened(
            [way], settings=room.settings.esim, trust=trust, hosts=servers.hosts, clock=clock, imei=holder.imei
        ) as one:
            yield one

    monkeypatch.setattr(FakeRoom, "engine", engine)
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: WayOut("eth0"))
    monkeypatch.setattr(downloading, "check_clock", lambda now: None)
    desk.read()
    bulk = bulk_of(desk, ordering)
    rows = [
        {"target": "modem1", "order": "example", "confirmation_code": "2468", "nickname": "Ordered"},
        {"target": "modem1", "order": "example", "profile_type": "none"},
        {"target": "modem1", "order": "example", "profile_type": "fleet"},
    ]
    for row in bulk.check(read_rows([*rows, {"target": "modem1", "order": "nobody"}]), 0)["rows"]:
        assert (row["problem"] is None) is (row["row"] < 4)
    job = desk.done(bulk.begin(read_rows(rows), name="", per_minute=60, min_free=0, actor="a test"))
    assert job.state == "done", job.error
    batch = bulk.view(bulk.views()[0]["id"])["rows"]
    assert [one["state"] for one in batch] == ["done", "failed", "done"]
    assert batch[1]["problem"]["code"] == "order_refused"
    assert sorted(one.nickname or one.name for one in way.card.profiles) == ["Fleet", "Ordered"]
    assert [one["state"] for one in ordering.view()["orders"]] == ["released", "failed", "released"]
    assert len(servers.es2.calls) == 5


def test_an_order_that_nobody_knows_the_end_of_is_not_ordered_again(
    servers: Servers, desk: Bench, ordering: Ordering
) -> None:
    desk.read()
    bulk = bulk_of(desk, ordering)
    servers.faults.add(Fault("cut", "downloadOrder"))
    rows = read_rows([{"target": "modem1", "order": "example"}])
    job = desk.done(bulk.begin(rows, name="", per_minute=60, min_free=0, actor="a test"))
    assert job.state == "done"
    row = bulk.view(bulk.views()[0]["id"])["rows"][0]
    assert (row["state"], row["problem"]["code"]) == ("unknown", "order_unknown")
    calls = len(servers.es2.calls)
    desk.done(bulk.resume(bulk.views()[0]["id"], "a test"))
    assert len(servers.es2.calls) == calls
