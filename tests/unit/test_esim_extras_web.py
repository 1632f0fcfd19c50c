"""The addresses of rules, bulk downloads, the inventory and orders."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from esim_support import AWAY, AWAY_ID, EID, HOME, HOME_ID, Card, FakeRoom, Holder, Profile, sim_of
from remsim.core.reading import ModemReading
from remsim.esim import checks, downloading
from remsim.esim.checks import WayOut
from remsim.esim.room import Room
from web_support import client_of, small_app, wait_until

API = "/api/v1/esim"
CODE = "LPA:1$smdp.example.com$MATCHING-0001"
NEW = "8931440000000000003"
RULE = {"name": "lost", "label": "No service", "modem": "modem1", "profile": AWAY_ID, "for_s": 60, "cooldown_s": 600}


class Bench:
    """A router with a card, and who asks it."""

    def __init__(self, directory: Path) -> None:
        self.router, self.app = small_app(directory)
        self.card = Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away"))
        self.card.waiting = [Profile(NEW, "=New")]
        self.holder = Holder(self.card, self.router.clock)
        self.holder.networks.add(NEW)
        self.router.esim._given |= {"holders": lambda: [self.holder], "sim_of": sim_of}
        self.client = client_of(self.app)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        answer = self.client.open(f"{API}{path}", method=method, json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json
        return found

    def job(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        name = self.ask(method, path, {} if body is None else body, 202)["id"]
        job = self.router.jobs.get(name)
        assert job.wait(60)
        return job.as_dict()


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(Room, "engine", FakeRoom.engine)
    for module in (downloading, checks):
        monkeypatch.setattr(module, "reach", lambda address, hosts, is_lab: WayOut("eth0"))
    made = Bench(tmp_path)
    yield made
    made.router.esim.stop()


# --- rules ---


def test_without_rules_nothing_is_loaded(one: Bench) -> None:
    assert one.ask("GET", "/rules") == {"rules": [], "now": [], "log": []}
    one.router.esim.start()
    one.router.esim.look()
    assert not one.router.esim.is_loaded


def test_a_rule_is_added_changed_shown_and_removed(one: Bench) -> None:
    assert one.job("POST", "/modem1/read")["state"] == "done"
    made = one.ask("POST", "/rules", RULE, 201)
    assert (made["label"], made["when"], made["countries"]) == ("No service", "no_service", [])
    one.ask("POST", "/rules", RULE, 409)
    assert one.ask("PUT", "/rules/lost", {**RULE, "priority": 7})["priority"] == 7
    assert one.ask("PUT", "/rules/lost", {**RULE, "name": "other"}, 422)["field"] == "name"
    assert one.ask("POST", "/rules", {**RULE, "name": "b", "when": "signal"}, 422)["field"] == "threshold"
    found = one.ask("GET", "/rules")
    assert [rule["name"] for rule in found["rules"]] == ["lost"]
    assert (found["now"][0]["decision"], found["now"][0]["why"]) == ("unknown", "nothing is known of it")
    form = one.ask("GET", "/rules/form")
    assert form["x-profiles"]["modem1"] == [{"const": HOME_ID, "title": "Home"}, {"const": AWAY_ID, "title": "Away"}]
    assert form["properties"]["cooldown_s"]["default"] == 3600.0 and "signal" in form["x-fields"]
    assert one.ask("DELETE", "/rules/lost")["name"] == "lost"
    one.ask("GET", "/rules/lost", status=404)


def test_rules_that_are_there_at_the_start_are_heeded(one: Bench, tmp_path: Path) -> None:
    one.job("POST", "/modem1/read")
    one.ask("POST", "/rules", RULE, 201)
    one.router.esim.stop()
    after = Bench(tmp_path)
    after.router.esim.configure(after.router.config.reread())
    after.router.config.section("esim_rule", "lost")
    after.router.esim.start()
    for _ in range(5):
        after.router.clock.advance(30)  # type: ignore[attr-defined]
        after.router.publish("modem1", state="denied")
        after.router.esim.look()
    wait_until(lambda: after.card.enabled is not None and after.card.enabled.name == "Away")
    wait_until(lambda: after.router.esim.parts.room.job_of("modem1") is None)
    log = after.router.esim.parts.extras.rules.view()["log"]
    assert log[0]["decision"] == "switched"
    after.router.esim.stop()


def test_a_preview_changes_nothing_and_needs_no_more_than_reading(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    found = one.ask("POST", "/rules/preview", {**RULE, "when": "time", "days": ["mon"], "name": ""})
    assert found["now"][0]["decision"] in ("not_so", "switches")
    assert one.ask("POST", "/rules/preview", {**RULE, "when": "cost"}, 422)["field"] == "threshold"
    assert one.ask("GET", "/rules")["rules"] == []


def test_rules_are_in_a_backup_and_come_back(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.ask("POST", "/rules", RULE, 201)
    kept = json.loads(one.client.post(f"{API}/backup", json={}).text)
    one.ask("DELETE", "/rules/lost")
    assert one.job("POST", "/restore", {"backup": kept})["result"]["sections"] == 1
    assert one.ask("GET", "/rules/lost")["for_s"] == 60.0


# --- bulk ---


def test_a_check_answers_at_once_and_a_bulk_is_a_job_with_a_result(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    text = f"target,code,enable\n{EID},{CODE},yes\n"
    found = one.ask("POST", "/bulk", {"csv": text, "check": True})
    assert (found["ready"], found["problems"]) == (1, 0)
    assert one.ask("GET", "/bulk")["batches"] == []
    job = one.job("POST", "/bulk", {"csv": text, "name": "Fleet", "per_minute": 60})
    assert (job["state"], job["kind"]) == ("done", "esim-bulk"), job
    batch = one.ask("GET", "/bulk")["batches"][0]
    assert (batch["state"], batch["counts"]["done"], batch["by"]) == ("done", 1, "local from 127.0.0.1")
    row = one.ask("GET", f"/bulk/{batch['id']}")["rows"][0]
    assert (row["state"], row["enabled"], row["iccid"][-4:]) == ("done", "done", "0003")
    assert NEW not in json.dumps(row) and "MATCHING" not in json.dumps(row) and EID not in json.dumps(row)
    one.ask("DELETE", f"/bulk/{batch['id']}")
    one.ask("GET", f"/bulk/{batch['id']}", status=404)


def test_the_result_as_csv_has_no_formulas_and_numbers_only_for_who_may_see_them(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.job("POST", "/bulk", {"rows": [{"target": "modem1", "code": CODE}], "per_minute": 60})
    batch = one.ask("GET", "/bulk")["batches"][0]["id"]
    answer = one.client.get(f"{API}/bulk/{batch}/result.csv?identifiers=1")
    assert answer.mimetype == "text/csv" and NEW in answer.text
    first = next(csv.DictReader(io.StringIO(answer.text)))
    assert (first["state"], first["name"], first["enable"]) == ("done", "'=New", "no")
    secret = one.client.post("/api/v1/tokens", json={"name": "r", "scopes": ["read"]}).json["secret"]
    reader = {"Authorization": f"Bearer {secret}"}
    for path in (f"bulk/{batch}", f"bulk/{batch}/result.csv", "inventory", "inventory.csv"):
        assert one.client.get(f"{API}/{path}?identifiers=1", headers=reader).status_code == 403
        shown = one.client.get(f"{API}/{path}", headers=reader)
        assert shown.status_code == 200 and NEW not in shown.text and EID not in shown.text


def test_no_code_is_in_the_audit_log(one: Bench) -> None:
    one.ask("POST", "/bulk", {"csv": f"target,code,confirmation_code\nmodem9,{CODE},4711\n"}, 422)
    one.ask("POST", "/bulk", {"rows": [{"target": "modem9", "code": CODE, "confirmation_code": "4711"}]}, 422)
    one.ask("POST", "/orders", {"connector": "none", "confirmation_code": "4711"}, 422)
    text = one.client.get("/api/v1/audit").text
    assert text.count("esim/bulk") == 2 and "MATCHING" not in text and "4711" not in text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "csv"),
        ({"csv": "target,code\n", "rows": []}, "csv"),
        ({"csv": "what\n"}, "csv"),
        ({"rows": "x"}, "rows"),
        ({"rows": [7]}, "rows"),
        ({"rows": [{"target": "modem1", "code": CODE}], "per_minute": 0}, "per_minute"),
        ({"rows": [{"target": "modem7", "code": CODE}]}, "rows"),
    ],
)
def test_what_cannot_be_begun_says_why(one: Bench, body: dict[str, Any], field: str) -> None:
    assert one.ask("POST", "/bulk", body, 422)["field"] == field


def test_a_list_of_five_hundred_is_taken_and_what_is_too_long_is_not(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    rows = "".join(f"modem1,LPA:1$smdp.example.com${'M' * 100}-{number},Name {number}\n" for number in range(500))
    found = one.ask("POST", "/bulk", {"csv": f"target,code,nickname\n{rows}", "check": True, "min_free_kb": 0})
    assert found["ready"] == 500
    assert one.client.post(f"{API}/bulk", json={"csv": "x" * 600_000}).status_code in (413, 422)


def test_a_row_that_failed_is_decided_on(one: Bench) -> None:
    from remsim.esim.refusals import SmdpRefused

    one.job("POST", "/modem1/read")
    one.card.moods.next["download"] = [SmdpRefused("8.2.6", "3.8")]
    one.job("POST", "/bulk", {"rows": [{"target": "modem1", "code": CODE}], "per_minute": 60})
    batch = one.ask("GET", "/bulk")["batches"][0]["id"]
    assert one.ask("POST", f"/bulk/{batch}/rows/1", {"decision": "perhaps"}, 422)["field"] == "decision"
    assert one.ask("POST", f"/bulk/{batch}/rows/x", {"decision": "again"}, 422)["field"] == "row"
    assert one.ask("POST", f"/bulk/{batch}/rows/1", {"decision": "again"})["state"] == "waiting"
    assert one.job("POST", f"/bulk/{batch}/resume")["state"] == "done"


# --- inventory ---


def test_every_profile_that_was_seen_stays_in_the_inventory(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.router.usage.record(ModemReading("modem1", 1_767_225_600.0, sim=HOME_ID, interface="w", rx_bytes=0, tx_bytes=0))
    one.router.usage.record(ModemReading("modem1", 1_767_225_601.0, sim=HOME_ID, interface="w", rx_bytes=7, tx_bytes=1))
    one.job("POST", "/bulk", {"rows": [{"target": "modem1", "code": CODE, "nickname": "Mine"}], "per_minute": 60})
    one.router.clock.advance(3600)  # type: ignore[attr-defined]
    one.job("DELETE", f"/modem1/profiles/{AWAY_ID}", {"name": "Away"})
    found = {profile["name"]: profile for profile in one.ask("GET", "/inventory")["profiles"]}
    assert {name: profile["state"] for name, profile in found.items()} == {
        "Home": "enabled", "Away": "gone", "Mine": "disabled",
    }  # fmt: skip
    assert found["Home"]["used_bytes"] == 8 and found["Away"]["used_bytes"] is None
    assert found["Away"]["last_seen"] < found["Home"]["last_seen"]
    origin = found["Mine"]["origin"]
    assert (origin["kind"], origin["smdp_address"], origin["code"]) == ("batch", "smdp.example.com", "•" * 9 + "0001")
    assert found["Home"]["eid"] == "•" * 28 + "1235" and found["Home"]["card"].startswith("eid-")
    table = list(csv.DictReader(io.StringIO(one.client.get(f"{API}/inventory.csv").text)))
    assert [line["state"] for line in table if line["name"] == "Away"] == ["gone"]
    text = one.client.get(f"{API}/inventory?identifiers=1").text
    assert NEW in text and EID in text


# --- orders ---


def test_orders_need_a_server_that_is_set_up_and_an_eid_that_is_known(one: Bench) -> None:
    assert one.ask("GET", "/orders")["connectors"] == []
    assert one.ask("POST", "/orders", {"connector": "none", "profile_type": "x"}, 422)["field"] == "order"
    values = {"address": "es2.example.com", "requester": "1.2.3", "certificate": "/none.pem", "key": "/none.key"}
    assert one.client.put("/api/v1/config/esim_orders/example", json=values).status_code == 200
    one.router.esim.configure(one.router.config.settings)
    assert one.ask("GET", "/orders")["connectors"][0]["problem"] == "/none.pem is not there"
    wanted = {"connector": "example", "holder": "modem1", "profile_type": "travel"}
    assert one.ask("POST", "/orders", wanted, 409)["field"] == "holder"
    one.job("POST", "/modem1/read")
    job = one.job("POST", "/orders", wanted)
    assert (job["state"], job["code"]) == ("failed", "order_certificate")
    assert one.ask("GET", "/orders")["orders"][0]["state"] == "failed"
    order = one.ask("GET", "/orders")["orders"][0]["id"]
    one.ask("POST", f"/orders/{order}/cancel", {}, 409)
    one.ask("POST", f"/orders/{order}/release", {}, 409)
    one.ask("POST", "/orders/none/release", {}, 404)


def test_who_has_a_token_names_no_files_of_the_router(one: Bench) -> None:
    secret = one.client.post("/api/v1/tokens", json={"name": "w", "scopes": ["write"]}).json["secret"]
    values = {"address": "es2.example.com", "requester": "1", "certificate": "/etc/shadow", "key": "/etc/shadow"}
    answer = one.client.put(
        "/api/v1/config/esim_orders/example", json=values, headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 403 and answer.json["code"] == "untrusted"
