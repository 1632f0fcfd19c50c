"""The addresses of eSIM: what they take, refuse and show, with a card in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from esim_support import AWAY, AWAY_ID, EID, HOME, HOME_ID, Card, FakeRoom, Holder, Profile, sim_of
from remsim.core.bus import Subscription
from remsim.esim import desk, downloading
from remsim.esim.checks import WayOut
from remsim.esim.room import MARK, Room
from remsim.esim.store import SWITCH
from remsim.esim.trust import ROOTS
from web_support import client_of, small_app, wait_until

API = "/api/v1/esim"
CODE = "LPA:1$smdp.example.com$MATCHING-0001"


class Bench:
    """A router with a card, and who asks it."""

    def __init__(self, directory: Path) -> None:
        self.router, self.app = small_app(directory)
        self.card = Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away"))
        self.holder = Holder(self.card, self.router.clock)
        self.router.esim._given |= {"holders": lambda: [self.holder], "sim_of": sim_of}
        self.client = client_of(self.app)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
        answer = self.client.open(f"{API}{path}", method=method, json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json
        return found

    def job(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A job, at its end."""
        name = self.ask(method, path, {} if body is None else body, 202)["id"]
        job = self.router.jobs.get(name)
        assert job.wait(60)
        return job.as_dict()

    def holder_view(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", "")["holders"][0]
        return found


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(Room, "engine", FakeRoom.engine)
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: WayOut("eth0"))
    made = Bench(tmp_path)
    yield made
    made.router.esim.stop()


def test_before_anybody_asks_nothing_is_loaded_and_modems_are_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PCSCD", ())
    router, app = small_app(tmp_path)
    router.esim.start()
    view = client_of(app).get(API).json
    assert [(one["id"], one["state"], one["profiles"]) for one in view["holders"]] == [
        ("modem1", "unread", []), ("modem2", "unread", []),
    ]  # fmt: skip
    assert view["settings"]["register_minutes"] == 5
    router.esim.look()
    assert router.esim._parts is None
    assert not (tmp_path / "esim.db").exists()


def test_a_card_that_was_read_is_shown_masked_and_after_a_restart_too(one: Bench, tmp_path: Path) -> None:
    assert one.job("POST", "/modem1/read")["state"] == "done"
    view = one.holder_view()
    assert (view["state"], view["eid"], view["way"], view["job"]) == ("ready", "•" * 28 + "1235", "a test", None)
    assert [(p["id"], p["iccid"][-5:], p["name"], p["state"]) for p in view["profiles"]] == [
        (HOME_ID, "•0001", "Home", "enabled"), (AWAY_ID, "•0002", "Away", "disabled"),
    ]  # fmt: skip
    text = one.client.get(API).text
    assert HOME not in text and EID not in text
    one.router.esim.stop()
    after = Bench(tmp_path)
    assert after.holder_view()["read_at"] == view["read_at"]
    after.router.esim.stop()


def test_what_is_counted_for_metrics_loads_nothing_and_asks_no_reader(
    one: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one.job("POST", "/modem1/read")["state"] == "done"
    monkeypatch.setattr(Room, "all_holders", None)
    (found,) = one.router.esim.counts()["holders"]
    assert (found["id"], found["free_bytes"], found["notifications"]) == ("modem1", 300_000, 0)
    assert found["states"] == {"enabled": 1, "disabled": 1}
    one.holder.sees, one.holder.acts_on_refresh = "8949000000000000009", False  # another card
    assert one.router.esim.counts() == {"holders": []}
    one.router.esim.stop()
    after = Bench(tmp_path)
    assert after.router.esim.counts() == {}
    assert not after.router.esim.is_loaded


def test_a_card_that_was_changed_since_is_not_shown_as_it_was(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.holder.acts_on_refresh = False
    one.holder.sees = AWAY  # somebody else switched
    view = one.holder_view()
    assert (view["problem"]["code"], len(view["profiles"])) == ("card_differs", 2)
    one.holder.sees = "8988301000000000009"
    view = one.holder_view()
    assert (view["state"], view["problem"]["code"], view["profiles"]) == ("unread", "card_changed", [])
    one.holder.sees = HOME[:-1]  # without its check digit
    assert one.holder_view()["problem"] is None
    assert one.job("POST", f"/modem1/profiles/{HOME_ID}/disable", {"sure": True})["state"] == "done"
    one.holder.sees = HOME  # a modem that still thinks so
    assert one.holder_view()["problem"] is None


def test_plans_and_usage_stand_beside_the_profiles(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    section = AWAY_ID.replace("-", "_")
    values = {"apn": "a.example", "apn_password": "geheim", "expires": "2027-01-31", "note": "Prepaid"}
    assert one.client.put(f"/api/v1/config/sim/{section}", json=values).status_code == 200
    home, away = one.holder_view()["profiles"]
    assert (home["plan"], home["usage"]) == (None, None)
    assert [away["plan"][name] for name in ("apn", "expires", "note")] == ["a.example", "2027-01-31", "Prepaid"]
    assert "geheim" not in one.client.get(API).text


def test_a_plan_that_ends_soon_is_warned_of_while_its_profile_is_enabled(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    for profile in (HOME_ID, AWAY_ID):
        section = profile.replace("-", "_")
        assert one.client.put(f"/api/v1/config/sim/{section}", json={"expires": "2026-01-05"}).status_code == 200
    told = [warning["message"] for warning in one.ask("GET", "")["warnings"]]
    assert told == ["modem1: the plan of Home ends on 2026-01-05"]
    one.client.put(f"/api/v1/config/sim/{HOME_ID.replace('-', '_')}", json={"expires": "2025-12-31"})
    assert "ended on 2025-12-31" in one.ask("GET", "")["warnings"][0]["message"]
    assert one.client.put("/api/v1/config/sim/sim_1", json={"expires": "2026-02-30"}).status_code == 422


def test_a_whole_download_over_the_api(one: Bench) -> None:
    one.card.waiting = [Profile("8931440000000000003", "New one")]
    job = one.ask("POST", "/modem1/downloads", {"code": CODE, "nickname": "Holidays"}, 202)
    assert (job["kind"], job["modem"]) == ("esim-download", "modem1")
    assert one.holder_view()["job"] == job["id"]
    wait_until(lambda: one.client.get(f"/api/v1/jobs/{job['id']}").json["state"] == "asking")
    question = one.client.get(f"/api/v1/jobs/{job['id']}").json["question"]
    assert question["profile"]["name"] == "New one"
    one.ask("POST", "/modem1/read", {}, 409)
    assert one.client.post(f"/api/v1/jobs/{job['id']}/answer", json={"accept": True}).status_code == 200
    wait_until(lambda: one.client.get(f"/api/v1/jobs/{job['id']}").json["ended_at"] is not None)
    assert one.holder_view()["profiles"][-1]["nickname"] == "Holidays"


def test_what_a_code_says_and_what_is_wrong_with_it(one: Bench) -> None:
    found = one.ask("POST", "/parse", {"code": f"  {CODE.lower()[:4]}{CODE[4:]}$$1\n"})
    assert found == {
        "smdp_address": "smdp.example.com", "matching_id": "MATCHING-0001", "oid": None,
        "confirmation_code_required": True, "warnings": [],
    }  # fmt: skip
    assert not one.client.get("/api/v1/audit").json["entries"]
    wrong = one.ask("POST", "/parse", {"code": "LPA:1$smdp.example.com$a b"}, 422)
    assert wrong["field"] == "matching_id"
    assert one.ask("POST", "/parse", {"code": "x" * 9_999}, 422)["field"] == "code"
    assert one.ask("POST", "/parse", {"code": "x" * 10_001}, 422)["field"] == "code"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/modem1/downloads", {}, "code"),
        ("POST", "/modem1/downloads", {"code": "nonsense"}, "code"),
        ("POST", "/modem1/downloads", {"code": CODE, "code_id": "x"}, "code"),
        ("POST", "/modem1/downloads", {"code": CODE, "apn": "a b"}, "apn"),
        ("POST", f"/modem1/profiles/{AWAY_ID}/enable", {"minutes": 0}, "minutes"),
        ("POST", f"/modem1/profiles/{HOME_ID}/disable", {}, "sure"),
        ("DELETE", f"/modem1/profiles/{AWAY_ID}", {"name": "wrong"}, "name"),
        ("DELETE", "/modem1/notifications/1", {"sure": False}, "sure"),
        ("PUT", f"/modem1/profiles/{AWAY_ID}", {"nickname": "é" * 40}, "nickname"),
        ("PUT", "/modem1/default-smdp", {"address": "https://x/"}, "address"),
        ("POST", "/modem1/memory-reset", {"eid": "1", "operational": True}, "eid"),
        ("POST", "/modem1/memory-reset", {"eid": EID}, "operational"),
        ("POST", "/codes", {"code": "x"}, "code"),
        ("POST", "/restore", {"backup": {}}, "backup"),
        ("POST", "/backup", {"passphrase": "short"}, "passphrase"),
    ],
)
def test_what_is_not_right_is_refused_with_its_field(
    one: Bench, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    one.job("POST", "/modem1/read")
    assert one.ask(method, path, body, 422)["field"] == field
    assert not [what for what in one.card.asked if what != "profiles"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/modem9/read"), ("POST", "/modem1/profiles/sim-x/enable"), ("PUT", "/modem1/profiles/sim-x"),
        ("DELETE", "/modem1/profiles/sim-x"), ("DELETE", "/modem1/notifications/x"), ("GET", "/codes/x"),
        ("DELETE", "/codes/x"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(one: Bench, method: str, path: str) -> None:
    body = {"nickname": "x"} if method == "PUT" else None if method == "GET" else {}
    one.ask(method, path, body, 404)


def test_every_change_of_a_card_over_the_api(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    assert one.job("PUT", f"/modem1/profiles/{AWAY_ID}", {"nickname": "Ferien"})["state"] == "done"
    switched = one.job("POST", f"/modem1/profiles/{AWAY_ID}/enable", {"minutes": None, "apn": None})
    assert (switched["state"], switched["result"]["registered"]) == ("done", True)
    assert one.job("DELETE", f"/modem1/profiles/{HOME_ID}", {"name": "Home"})["state"] == "done"
    assert one.job("PUT", "/modem1/default-smdp", {"address": "smdp.example.com"})["state"] == "done"
    assert one.job("POST", f"/modem1/profiles/{AWAY_ID}/disable", {"sure": True})["state"] == "done"
    assert one.job("POST", "/modem1/discover")["result"]["entries"][0]["smdp_address"] == "smdp.example.com"
    assert one.job("POST", "/modem1/notifications")["result"] == {"notifications_waiting": 0}
    typed = {"eid": f"{EID[:8]} {EID[8:]}", "operational": True}
    assert one.job("POST", "/modem1/memory-reset", typed)["state"] == "done"
    assert one.holder_view()["profiles"] == []
    kinds = [event["kind"] for event in one.client.get("/api/v1/events?kind=esim_switch,esim_delete").json["events"]]
    assert kinds == ["esim_delete", "esim_switch", "esim_delete", "esim_switch"]


def test_codes_are_kept_listed_masked_shown_and_dropped(one: Bench) -> None:
    kept = one.ask("POST", "/codes", {"code": CODE, "label": "letter", "holder": "modem1"}, 201)
    one.ask("POST", "/codes", {"code": CODE}, 409)
    assert "MATCHING-0001" not in one.client.get(API).text + one.client.get(f"{API}/codes").text
    assert one.ask("GET", f"/codes/{kept['id']}")["code"] == CODE
    made = one.ask("POST", "/backup", {"passphrase": "a long passphrase"})
    one.ask("DELETE", f"/codes/{kept['id']}", {})
    assert one.ask("GET", "/codes")["codes"] == []
    job = one.job("POST", "/restore", {"backup": made, "passphrase": "a long passphrase"})
    assert job["result"]["codes"] == 1
    assert one.ask("GET", "/codes")["codes"][0]["label"] == "letter"


def test_who_may_only_write_gets_no_numbers_in_full_and_is_not_let_into_the_routers_network(
    one: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = one.client.post("/api/v1/tokens", json={"name": "w", "scopes": ["read", "write"]}).json["secret"]
    writer = {"Authorization": f"Bearer {secret}"}
    refused = one.client.post(f"{API}/backup", json={}, headers=writer)
    assert (refused.status_code, refused.json["code"]) == (403, "no_identifiers")
    other_roots = {"ca_file": "/etc/lab.pem"}
    refused = one.client.put("/api/v1/config/esim/esim", json=other_roots, headers=writer)
    assert (refused.status_code, refused.json["code"]) == (403, "untrusted")
    reached: list[bool] = []
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: reached.append(is_lab) or WayOut(None))
    for headers in (writer, {}):
        body = {"code": CODE, "consent": True, "lab_ca": ROOTS.read_text()}
        job = one.client.post(f"{API}/modem1/downloads", json=body, headers=headers).json
        assert one.router.jobs.get(job["id"]).wait(60)
    assert reached == [False, True]
    assert one.client.put("/api/v1/config/esim/esim", json=other_roots).status_code == 200
    again = {"ca_file": "/etc/lab.pem", "register_minutes": 7}
    assert one.client.put("/api/v1/config/esim/esim", json=again, headers=writer).status_code == 200


def test_a_backup_of_much_is_taken_back(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    made = one.ask("POST", "/backup", {})
    made["cards"] = [{**made["cards"][0], "profiles": made["cards"][0]["profiles"] * 30} for _ in range(12)]
    assert len(str(made)) > 100_000
    assert one.job("POST", "/restore", {"backup": made})["state"] == "done"


def test_no_secret_is_in_the_audit_log_or_on_the_stream(one: Bench) -> None:
    heard: Subscription = one.router.bus.subscribe("test", object, limit=1000)
    one.card.waiting = [Profile("8931440000000000003", "New one")]
    one.card.moods.next["confirmation"] = []
    one.ask("POST", "/codes", {"code": CODE}, 201)
    body = {"code": CODE, "confirmation_code": "1234", "consent": True}
    assert one.job("POST", "/modem1/downloads", body)["state"] == "done"
    text = str(heard.get_all(0.1)) + one.client.get("/api/v1/audit").text
    assert "MATCHING-0001" not in text and "'1234'" not in text


def test_a_restart_of_the_service_waits_for_a_load(one: Bench) -> None:
    room = one.router.esim.parts.room
    with room.loading(one.holder), pytest.raises(Exception, match="being loaded"):
        one.router.esim.check_restart()
    one.router.esim.check_restart()


def test_the_mark_of_a_load_that_a_power_cut_ended_keeps_no_stop_waiting(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.router.esim.stop()
    mark = one.router.esim.parts.room.data_dir / MARK
    mark.write_text("1\n")
    one.router.esim._parts = None
    one.router.esim._is_stopping = False
    one.router.esim.start()
    assert not mark.exists()


def test_a_switch_that_was_cut_short_is_a_warning_until_it_is_taken_up(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    one.router.esim.parts.store.put(SWITCH, "modem1", {"before": {"name": "Home"}})
    warning = one.ask("GET", "")["warnings"][0]
    assert (warning["code"], warning["hint"]) == ("switch_cut", "or enable Home by hand")


def test_a_changed_setting_is_in_force_at_once(one: Bench) -> None:
    one.job("POST", "/modem1/read")
    assert one.client.put("/api/v1/config/esim/esim", json={"register_minutes": 9}).json["restart_needed"] == []
    assert one.ask("GET", "")["settings"]["register_minutes"] == 9

