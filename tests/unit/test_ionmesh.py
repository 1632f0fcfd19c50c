"""IonMesh: clients registered at a real HTTP server that behaves as the documents say, and as they do not."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ionmesh_server import ICCID, IMSI, Orchestrator, ionmesh, later
from receivers import CERTIFICATE, TLS, free_port
from remsim.config.remote_sim import IonMeshSettings, RemoteClientSettings
from remsim.config.settings import Settings
from remsim.core.clock import FakeClock, SystemClock
from remsim.core.errors import Conflict, NotFound
from remsim.core.events import Event
from remsim.remotesim.assignment import CACHE, Assignment, assignment_of, host_of, read_assignments
from remsim.remotesim.ionmesh import IonMesh
from remsim.remotesim.ionmesh_api import IonMeshApi, IonMeshError
from remsim.remotesim.ionmesh_environment import in_force

TWO = (RemoteClientSettings("uplink", 5), RemoteClientSettings("spare", 6))


@pytest.fixture
def orchestrator() -> Iterator[Orchestrator]:
    with ionmesh() as made:
        yield made


class Room:
    """An IonMesh of ours whose time the test makes."""

    def __init__(self, directory: Path, orchestrator: Orchestrator, **options: Any) -> None:
        self.clock = FakeClock(**options)
        self.events: list[Event] = []
        self.directory = directory
        self.settings = IonMeshSettings(enabled=True, url=orchestrator.url, api_key=orchestrator.key)
        self.assigned: list[dict[str, Assignment]] = []
        self.mesh = IonMesh(
            state_dir=directory,
            clock=self.clock,
            emit=self.events.append,
            environment={},
            host_name="router7",
            assigned=lambda: self.assigned.append(read_assignments(directory, self.settings)),
        )

    def use(self, clients: tuple[RemoteClientSettings, ...] = TWO, **changes: Any) -> Room:
        self.settings = replace(self.settings, **changes)
        self.mesh.configure(Settings(ionmesh=self.settings, remote_clients=clients))
        return self

    def go(self, seconds: float = 0.0) -> Room:
        self.clock.advance(seconds)
        self.mesh.step()
        return self

    @property
    def view(self) -> dict[str, Any]:
        found = self.mesh.view()
        assert found is not None
        return found

    @property
    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.view["clients"]}

    def told(self) -> list[str]:
        return [event.message for event in self.events]


@pytest.fixture
def room(tmp_path: Path, orchestrator: Orchestrator) -> Room:
    return Room(tmp_path, orchestrator)


def test_every_client_is_registered_and_kept_alive(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    assert room.states == {"uplink": "registered", "spare": "registered"}
    assert orchestrator.clients == {"router7-uplink": 42, "router7-spare": 43}
    assert orchestrator.asked[0][2] == {
        "client_id": "router7-uplink",
        "mapping_mode": "ONE_TO_ONE_SWSIM",
        "tenant_id": 1,
    }
    assert orchestrator.count("POST", "heartbeat") == 0
    room.go(59)
    assert orchestrator.count("POST", "heartbeat") == 0
    room.go(1)
    assert orchestrator.count("POST", "heartbeat") == 2
    assert orchestrator.asked[-1][2] == {"client_id": "router7-spare", "status": "active"}
    first = room.view["clients"][0]
    assert first["last_heartbeat_at"] is not None
    assert first["assignment"]["server_host"] == "10.0.0.5"


def test_a_router_without_clients_is_one_itself(room: Room, orchestrator: Orchestrator) -> None:
    room.use(()).go()
    assert list(orchestrator.clients) == ["router7-slot0"]
    assert room.view["state"] == "registered"


def test_the_stock_openwrt_client_has_the_name_it_gives_itself(room: Room, orchestrator: Orchestrator) -> None:
    room.use((RemoteClientSettings("uplink", 5, 3, program="openwrt"),)).go()
    assert list(orchestrator.clients) == ["router7-slot3"]


def test_the_interval_is_the_orchestrators_within_reason(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.interval = 7
    room.use().go()
    assert room.go(7).view["clients"][0]["heartbeat_interval_s"] == 7
    for asked, kept in ((0, 7), (-5, 7), (1e12, 7), (float("nan"), 7), (86_400, 3600)):
        orchestrator.interval = asked
        assert room.go(7).view["clients"][0]["heartbeat_interval_s"] == kept


def test_identifiers_are_masked_where_they_are_seen(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    room.use().go(60)
    seen = json.dumps(room.view) + json.dumps([event.as_dict() for event in room.events]) + caplog.text
    assert ICCID not in seen and IMSI not in seen
    assert room.view["clients"][0]["assignment"]["iccid"].endswith("0001")


def test_an_unknown_command_is_written_down_and_never_run(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.commands = [{"type": "exec", "cmd": "touch /tmp/pwned"}, "reboot", 7, None, ["x"]]
    room.use((TWO[0],)).go().go(60)
    warned = [event for event in room.events if event.severity == "warning"]
    assert [event.data["command"] for event in warned] == orchestrator.commands
    assert room.states == {"uplink": "registered"}
    room.go(60)
    assert orchestrator.count("POST", "heartbeat") == 2
    assert len([event for event in room.events if event.severity == "warning"]) == 5  # not again each minute
    assert room.view["clients"][0]["commands_ignored"] == 10


@pytest.mark.parametrize("commands", [{"type": "restart"}, "restart", 5, True, [[]] * 500, [{"x": "y" * 100_000}]])
def test_commands_of_any_shape_do_not_stop_the_heartbeat(
    room: Room, orchestrator: Orchestrator, commands: Any
) -> None:
    orchestrator.commands = commands
    room.use((TWO[0],)).go().go(60).go(60)
    assert orchestrator.count("POST", "heartbeat") == 2
    assert room.states == {"uplink": "registered"}
    assert all(len(json.dumps(event.as_dict())) < 5000 for event in room.events)


def test_an_orchestrator_that_forgot_is_told_again(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    orchestrator.clients.clear()
    room.go(60)
    assert room.states == {"uplink": "registered", "spare": "registered"}
    assert len(orchestrator.clients) == 2


def test_a_wrong_key_is_said_once_and_tried_seldom(
    room: Room, orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    room.use((TWO[0],), api_key="not-the-right-key").go()
    assert room.view["state"] == "refused"
    assert "API key" in room.view["message"]
    for _ in range(20):
        room.go(30)
    assert orchestrator.count("POST", "register") <= 6
    assert len(room.events) == 1
    assert "not-the-right-key" not in json.dumps([event.as_dict() for event in room.events]) + caplog.text
    room.use((TWO[0],), api_key=orchestrator.key).go()
    assert room.view["state"] == "registered"


def test_the_key_does_not_come_back_through_the_orchestrators_words(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.bad = (400, {})
    room.use((TWO[0],)).go()
    assert "not today" in room.view["message"]
    assert str(orchestrator.key) not in json.dumps(room.view) + json.dumps([one.as_dict() for one in room.events])


def test_429_waits_as_long_as_it_is_asked_to(room: Room, orchestrator: Orchestrator) -> None:
    room.use((TWO[0],)).go()
    orchestrator.bad = (429, {"Retry-After": "200"})
    room.go(60)
    asked = len(orchestrator.asked)
    room.go(199)
    assert len(orchestrator.asked) == asked
    assert room.view["state"] == "registered"
    orchestrator.bad = None
    assert room.go(1).view["clients"][0]["last_heartbeat_at"] is not None


def test_a_retry_after_of_a_date_counts_from_the_orchestrators_clock(
    tmp_path: Path, orchestrator: Orchestrator
) -> None:
    room = Room(tmp_path, orchestrator, now=42.0)  # 1970
    orchestrator.date = "Wed, 25 Nov 2026 20:00:00 GMT"
    orchestrator.bad = (429, {"Retry-After": "Wed, 25 Nov 2026 20:02:00 GMT"})
    room.use((TWO[0],)).go()
    asked = len(orchestrator.asked)
    room.go(119)
    assert len(orchestrator.asked) == asked
    orchestrator.bad = None
    room.go(1)
    assert room.view["state"] == "registered"


@pytest.mark.parametrize("asked", ["-5", "soon", "1e9", "999999999999", "", "Wed, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_leaves_the_usual_pause(
    room: Room, orchestrator: Orchestrator, asked: str
) -> None:
    orchestrator.bad = (500, {"Retry-After": asked})
    room.use((TWO[0],)).go()
    asked_times = len(orchestrator.asked)
    orchestrator.bad = None
    room.go(6)
    assert len(orchestrator.asked) > asked_times


BAD = ((500, {}), (503, {}), (302, {"Location": "http://127.0.0.1/"}), "html", "half", "list")


@pytest.mark.parametrize("bad", BAD)
def test_bad_answers_are_named_and_tried_again_with_growing_pauses(
    room: Room, orchestrator: Orchestrator, bad: Any
) -> None:
    room.use((TWO[0],)).go()
    orchestrator.bad = bad
    before = len(orchestrator.asked)
    for _ in range(60):
        room.go(10)
    assert 3 <= len(orchestrator.asked) - before <= 12
    assert room.view["state"] in ("unreachable", "refused")
    assert room.view["message"]
    assert room.view["assignment"]["slot_id"] == 42
    assert len([event for event in room.events if event.severity == "warning"]) == 1
    orchestrator.bad = None
    room.go(900)
    assert room.view["state"] == "registered"
    assert "again" in room.told()[-1]


@pytest.mark.parametrize("bad", ["silent", "drip", "huge"])
def test_a_request_ends_however_slowly_or_long_it_is_answered(orchestrator: Orchestrator, bad: str) -> None:
    orchestrator.bad = bad
    api = IonMeshApi(IonMeshSettings(url=orchestrator.url), SystemClock(), timeout_s=0.3)
    with pytest.raises(IonMeshError):
        api.discover()


def test_one_lost_heartbeat_is_not_worth_an_event(room: Room, orchestrator: Orchestrator) -> None:
    room.use((TWO[0],)).go()
    orchestrator.bad = (500, {})
    room.go(60)
    orchestrator.bad = None
    room.go(10)
    assert room.view["state"] == "registered"
    assert len(room.events) == 1


def test_assignments_outlive_orchestrator_and_service(tmp_path: Path, orchestrator: Orchestrator) -> None:
    room = Room(tmp_path, orchestrator).use().go()
    room.mesh.stop()
    assert os.stat(tmp_path / CACHE).st_mode & 0o777 == 0o600
    orchestrator.bad = (500, {})
    again = Room(tmp_path, orchestrator).use().go()
    assert again.view["cached"]
    assert again.view["assignment"]["slot_id"] == 42
    assert read_assignments(tmp_path, again.settings)["uplink"].slot_id == 42
    assert read_assignments(tmp_path, again.settings)["uplink"].server_host == "10.0.0.5"
    assert read_assignments(tmp_path, replace(again.settings, tenant_id=2)) == {}
    assert read_assignments(tmp_path, replace(again.settings, enabled=False)) == {}
    orchestrator.bad = None
    again.go(10)
    assert not again.view["cached"]
    assert again.view["assignment"]["slot_id"] == 42


def test_who_runs_the_clients_hears_of_what_they_were_given_once_it_is_written(
    room: Room, orchestrator: Orchestrator
) -> None:
    room.use().go()
    assert [{name: one.slot_id for name, one in found.items()} for found in room.assigned] == [
        {"uplink": 42, "spare": 43}
    ]
    room.go(60).go(60)
    assert len(room.assigned) == 1
    room.mesh.unregister("spare")
    assert list(room.assigned[-1]) == ["uplink"]
    orchestrator.clients["router7-uplink"] = 49
    room.mesh.register("uplink")
    assert room.assigned[-1]["uplink"].slot_id == 49
    again = Room(room.directory, orchestrator).use().go()
    assert again.assigned == []  # it was known from the file


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"clients": 5}', '{"of": 1, "clients": {"uplink": 7}, "lists": [], "leaving": 5}', "\x00" * 99],
)
def test_a_damaged_cache_costs_only_what_was_in_it(room: Room, content: str) -> None:
    (room.directory / CACHE).write_text(content)
    assert room.use().go().states == {"uplink": "registered", "spare": "registered"}


def test_a_client_that_is_gone_is_unregistered_even_later(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    orchestrator.bad = (500, {})
    room.use((TWO[0],)).go()
    room.mesh.stop()
    orchestrator.bad = None
    Room(room.directory, orchestrator).use((TWO[0],)).go()
    assert list(orchestrator.clients) == ["router7-uplink"]


def test_a_stop_unregisters_nobody(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    room.mesh.stop()
    assert len(orchestrator.clients) == 2
    assert orchestrator.count("DELETE", "") == 0


def test_what_was_unregistered_by_hand_stays_so_until_it_is_registered_by_hand(
    room: Room, orchestrator: Orchestrator
) -> None:
    room.use().go()
    room.mesh.unregister("spare")
    assert room.go(3600).states == {"uplink": "registered", "spare": "released"}
    again = Room(room.directory, orchestrator).use().go(60)
    assert again.states == {"uplink": "registered", "spare": "released"}
    assert list(read_assignments(room.directory, room.settings)) == ["uplink"]
    again.mesh.register("spare")
    assert again.states["spare"] == "registered"
    with pytest.raises(NotFound):
        again.mesh.register("other")


def test_an_unregistering_that_fails_changes_nothing(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    orchestrator.bad = (500, {})
    with pytest.raises(IonMeshError):
        room.mesh.unregister("spare")
    assert room.states["spare"] == "registered"


def test_no_slot_left_is_said_in_the_orchestrators_words(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.slots = 1
    room.use().go()
    assert room.states == {"uplink": "registered", "spare": "refused"}
    assert "No available slots" in room.view["message"]


@pytest.mark.parametrize("missing", ["bank_id", "slot_id"])
def test_an_assignment_without_its_slot_is_none(room: Room, orchestrator: Orchestrator, missing: str) -> None:
    orchestrator.without = (missing,)
    room.use().go()
    assert room.view["assignment"] is None
    assert "bank_id" in room.view["message"]


def test_all_that_is_optional_may_be_absent(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.without = (
        *("iccid", "imsi", "bankd_endpoint", "mapping_mode", "profile_id", "heartbeat_interval", "ki_proxy_enabled"),
        *("next_heartbeat_interval", "commands", "note", "status"),
    )
    orchestrator.key = None
    room.use(api_key=None).go().go(60).go(60)
    assert orchestrator.count("POST", "heartbeat") == 4
    assert room.view["assignment"]["server_host"] is None


def test_the_mapping_mode_is_passed_through(room: Room, orchestrator: Orchestrator) -> None:
    room.use((TWO[0],), mapping_mode="KI_PROXY_SWSIM").go()
    assert "mcc_mnc is required" in room.view["message"]
    room.use((TWO[0],), mcc_mnc="310410").go()
    assert room.view["state"] == "registered"
    assert room.view["assignment"]["mapping_mode"] == "KI_PROXY_SWSIM"
    assert orchestrator.asked[-2][2]["mcc_mnc"] == "310410"


def test_another_tenant_begins_anew(room: Room, orchestrator: Orchestrator) -> None:
    room.use((TWO[0],)).go()
    room.use((TWO[0],), tenant_id=9).go()
    assert orchestrator.asked[-2][2]["tenant_id"] == 9
    assert room.view["tenant_id"] == 9


def test_a_clock_that_is_set_meanwhile_moves_no_heartbeat(tmp_path: Path, orchestrator: Orchestrator) -> None:
    room = Room(tmp_path, orchestrator, now=10.0).use((TWO[0],)).go()
    assert room.mesh.warnings() == []
    room.clock.set_wall(1_795_000_000.0)
    room.go(59)
    assert orchestrator.count("POST", "heartbeat") == 0
    room.go(1)
    assert orchestrator.count("POST", "heartbeat") == 1
    assert room.view["since"].startswith("2026")


def test_a_clock_far_from_the_orchestrators_is_named(room: Room, orchestrator: Orchestrator) -> None:
    orchestrator.date = "Thu, 01 Jan 2026 01:00:00 GMT"
    room.use((TWO[0],)).go()
    assert room.view["clock_skew_s"] == 3600
    assert [one["code"] for one in room.mesh.warnings()] == ["ionmesh_clock"]


def test_what_the_orchestrator_is_and_what_is_not_offered(room: Room) -> None:
    room.use(mapping_mode="ONE_TO_ONE_VSIM").go()
    assert room.view["orchestrator"]["version"] == "1.0.0"
    assert [one["code"] for one in room.mesh.warnings()][-1] == "ionmesh_mode"
    assert room.view["unsupported"] == ["webhooks", "policies", "audit log"]
    assert room.mesh.discover()["service"] == "ionmesh-orchestrator"


def test_a_key_in_the_clear_is_named_unless_it_stays_near(room: Room, tmp_path: Path) -> None:
    def codes(url: str) -> list[str]:
        room.use(url=url)
        return [one["code"] for one in room.mesh.warnings()]

    assert codes("http://10.1.2.3:5000") == []
    assert codes("https://ionmesh.example.com") == []
    assert codes("http://ionmesh.example.com") == ["ionmesh_key_in_the_clear"]
    assert codes("http://203.0.114.5:5000") == ["ionmesh_key_in_the_clear"]


def test_sim_cards_and_pools_are_kept_while_the_orchestrator_is_away(room: Room, orchestrator: Orchestrator) -> None:
    room.use().go()
    card = {"bank_id": 1, "slot_id": 3, "carrier": "One", "physical_iccid": ICCID, "card_type": "REGULAR"}
    assert room.mesh.api.put_sim_card(card)["tenant_id"] == 1
    room.mesh.api.put_sim_card(card | {"slot_id": 4, "carrier": "Two"})
    orchestrator.cards[1, 3]["card_metadata"] = {"ki": "00112233445566778899AABBCCDDEEFF"}
    pool = {"pool_name": "p", "carrier": "One", "bank_id": 1, "slot_range_start": 1, "slot_range_end": 50}
    pool_id = room.mesh.api.add_pool(pool)["pool_id"]
    assert room.mesh.pools()["pools"][0]["pool_name"] == "p"
    assert room.mesh.api.pool(pool_id)["physical_sims"][0]["slot_id"] == 3
    found = room.mesh.sim_cards({"carrier": "One"})
    assert [one["slot_id"] for one in found["cards"]] == [3]
    assert not found["cached"]
    assert ICCID not in json.dumps(found)
    assert "0011" not in json.dumps(found)
    room.mesh.stop()

    assert b"0011" not in (room.directory / CACHE).read_bytes()
    orchestrator.bad = "html"
    again = Room(room.directory, orchestrator).use()
    assert [one["slot_id"] for one in again.mesh.sim_cards({"carrier": "Two"})["cards"]] == [4]
    assert again.mesh.pools()["cached"]
    assert "web page" in again.mesh.pools()["problem"]
    orchestrator.bad = None
    again.mesh.api.drop_sim_card(1, 4)
    orchestrator.pools[pool_id]["current_virtual_sims"] = 1
    with pytest.raises(IonMeshError, match="in use"):
        again.mesh.api.drop_pool(pool_id)


def test_what_was_never_known_is_an_error_while_the_orchestrator_is_away(
    room: Room, orchestrator: Orchestrator
) -> None:
    orchestrator.bad = (500, {})
    with pytest.raises(IonMeshError):
        room.use().mesh.pools()


def test_off_is_off(room: Room, orchestrator: Orchestrator) -> None:
    room.use(enabled=False).go(100)
    assert room.mesh.view() is None
    assert orchestrator.asked == []
    with pytest.raises(Conflict):
        room.mesh.register(None)


def test_the_thread_runs_only_while_it_is_wanted(tmp_path: Path, orchestrator: Orchestrator) -> None:
    orchestrator.interval = 1
    mesh = IonMesh(
        state_dir=tmp_path, clock=SystemClock(), emit=lambda event: None, environment={}, host_name="router7"
    )
    mesh.configure(Settings())
    mesh.start()
    assert mesh._thread is None
    on = IonMeshSettings(enabled=True, url=orchestrator.url + "/api/backend/v1/", api_key=orchestrator.key)
    mesh.configure(Settings(ionmesh=on))
    mesh.start()
    later(lambda: orchestrator.count("POST", "heartbeat") >= 1)
    mesh.configure(Settings())
    later(lambda: mesh._thread is None)
    mesh.configure(Settings(ionmesh=on))
    mesh.start()
    later(lambda: (mesh.view() or {}).get("state") == "registered")
    mesh.stop()


def test_nobody_there(tmp_path: Path) -> None:
    gone = Orchestrator(url=f"http://127.0.0.1:{free_port()}")
    room = Room(tmp_path, gone).use((TWO[0],)).go()
    assert room.view["state"] == "unreachable"
    assert "cannot be reached" in room.view["message"]


def test_a_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ionmesh(certificate="localhost") as orchestrator:
        room = Room(tmp_path, orchestrator).use((TWO[0],)).go()
        assert "self-signed certificate" in room.view["message"]
        assert room.use((TWO[0],), verify_tls=False).go().view["state"] == "registered"
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert room.use((TWO[0],), verify_tls=True).go(60).view["state"] == "registered"


def test_the_time_of_a_certificate_is_looked_at_once_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ionmesh(certificate="expired") as orchestrator:
        unset = Room(tmp_path, orchestrator, now=42.0).use((TWO[0],)).go()
        assert "self-signed certificate" in unset.view["message"]  # who signed it is looked at always
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "expired.crt"))
        assert "expired" in Room(tmp_path, orchestrator).use((TWO[0],)).go().view["message"]
        assert unset.go(10).view["state"] == "registered"


def test_the_environment_says_what_the_settings_do_not(caplog: pytest.LogCaptureFixture) -> None:
    own = IonMeshSettings(url="http://10.0.0.9:5000", api_key="own", tenant_id=4)
    assert in_force(own, {}) == own
    given = {
        "REMSIM_IONMESH_URL": "http://127.0.0.1:5000",
        "REMSIM_IONMESH_KEY": "k",
        "REMSIM_IONMESH_TENANT": "3",
        "REMSIM_IONMESH_MODE": "KI_PROXY_SWSIM",
    }
    assert in_force(own, given) == IonMeshSettings(True, "http://127.0.0.1:5000", "k", 3, "KI_PROXY_SWSIM")
    wrong = {"REMSIM_IONMESH_TENANT": "three", "REMSIM_IONMESH_KEY": "se cret", "REMSIM_IONMESH_URL": "ftp://x"}
    assert in_force(own, wrong) == own
    assert "REMSIM_IONMESH_KEY" in caplog.text
    assert "se cret" not in caplog.text
    assert not in_force(IonMeshSettings(enabled=True), {}).enabled


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://bank.example.com:9999", "bank.example.com"),
        ("10.0.0.5:9999", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5"),
        ("http://[2001:db8::1]:9999", "2001:db8::1"),
        ("-e/tmp/x:1", None),
        ("http://a b:1", None),
        ("http://", None),
        ("x;reboot", None),
        (7, None),
        ("a" * 300, None),
    ],
)
def test_only_a_host_becomes_one(endpoint: Any, host: str | None) -> None:
    assert host_of(endpoint) == host


@given(st.dictionaries(st.sampled_from(["bank_id", "slot_id", "bankd_endpoint", "iccid", "heartbeat_interval"]),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))))  # fmt: skip
def test_any_answer_gives_an_assignment_in_bounds_or_none(answer: dict[str, Any]) -> None:
    found = assignment_of(answer)
    assert found is None or (0 <= found.bank_id <= 1023 and 0 <= found.slot_id <= 1023)
