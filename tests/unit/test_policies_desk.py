"""The desk of policies: texts applied, confirmed or taken back, pushed and overridden, over restarts and full disks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from policy_support import NOON, ROADMAP, FakeTraffic, facts
from remsim.config.file_desk import Changed
from remsim.config.routing import PolicySettings, Routing, RoutingSettings
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict, InvalidInput, NotFound, StorageError
from remsim.core.events import Event
from remsim.core.routes import Flow
from remsim.policies.desk import PolicyDesk
from remsim.policies.presets import presets

ONE = "policy one { match: port 1\n route: any }\n"
TWO = "policy two { match: port 2\n route: any }\n"


class Bench:
    """A state folder over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock(NOON)
        self.events: list[Event] = []
        self.traffic = FakeTraffic()
        self.desk = self.started()

    def started(self, *policies: PolicySettings) -> PolicyDesk:
        """A service that starts."""
        self.desk = PolicyDesk(
            state_dir=self.folder,
            data_dir=self.folder / "data",
            clock=self.clock,
            emit=self.events.append,
            routing=Routing(RoutingSettings(), (), policies),
            facts=lambda: facts(now=self.clock.now(), countries=None, applications=None),
            traffic=lambda: self.traffic,
            learns=False,
        )
        self.desk.start()
        return self.desk

    @property
    def in_force(self) -> list[str]:
        """Names of what was loaded last."""
        return [one.name for one in self.traffic.loaded[-1].policies] if self.traffic.loaded else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Until a timer has rung."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_without_a_policy_nothing_is_loaded(bench: Bench) -> None:
    view = bench.desk.view()
    assert (view["text"], view["policies"], view["state"]) == ("", [], "off")
    assert not bench.desk.is_loaded
    assert bench.desk.counts() == []
    assert bench.desk.name(1) is None


def test_a_text_is_in_force_and_after_a_restart_too(bench: Bench) -> None:
    view = bench.desk.apply(ROADMAP, actor="admin")
    assert (view["state"], view["version"], view["source"], view["pending"]) == ("in_force", 1, "local", None)
    rows = {one["name"]: one for one in view["policies"]}
    assert next(iter(rows)) == "voip"
    assert (rows["off_peak"]["is_open"], rows["off_peak"]["opens_at"]) == (False, "2027-01-02T00:00:00.000Z")
    assert rows["off_peak"]["closed_why"] == "time 00:00-06:00 does not hold now"
    assert (rows["video_streaming"]["line"], rows["video_streaming"]["first_line"]) == (2, 1)
    assert rows["cost_optimization"]["route"] == "balance_by_remaining_data() then cheapest_overage_rate()"
    assert [event.kind for event in bench.events] == ["policies"]
    again = bench.started().view()
    assert (again["text"], again["version"], again["etag"]) == (ROADMAP, 1, view["etag"])
    assert bench.in_force == [one["name"] for one in view["policies"]]


def test_errors_are_told_with_their_places_and_change_nothing(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    with pytest.raises(InvalidInput) as told:
        bench.desk.apply("policy a { match: prot 1\n rout: any }", actor="admin")
    assert told.value.message.startswith("line 1, column 19: “prot” is no condition")
    assert [one["line"] for one in told.value.problems] == [1, 2]
    assert bench.desk.view()["text"] == ONE
    assert bench.in_force == ["one"]


def test_who_has_read_something_older_is_refused(bench: Bench) -> None:
    etag = bench.desk.apply(ONE, actor="admin")["etag"]
    bench.desk.apply(TWO, actor="admin", etag=etag)
    with pytest.raises(Changed):
        bench.desk.apply(ONE, actor="admin", etag=etag)


def test_what_the_kernel_refuses_is_neither_in_force_nor_kept(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.traffic.refuses = Conflict("nft says no")
    with pytest.raises(Conflict):
        bench.desk.apply(TWO, actor="admin")
    bench.traffic.refuses = None
    view = bench.desk.view()
    assert (view["text"], view["version"], view["state"]) == (ONE, 1, "in_force")
    assert [one["name"] for one in view["policies"]] == ["one"]


def test_what_cannot_be_kept_is_not_in_force(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.desk.apply(ONE, actor="admin")

    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr("remsim.policies.store.Store.write", full)
    with pytest.raises(StorageError):
        bench.desk.apply(TWO, actor="admin")
    assert bench.in_force == ["one"]
    assert bench.desk.view()["text"] == ONE


def test_a_change_that_is_confirmed_stays(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    view = bench.desk.apply(TWO, actor="admin", confirm_s=90)
    assert view["pending"] == {"confirm_by": "2027-01-01T12:01:30.000Z", "version": 2}
    assert bench.desk.confirm("admin")["pending"] is None
    assert bench.started().view()["text"] == TWO
    with pytest.raises(Conflict):
        bench.desk.confirm("admin")


def test_a_change_that_nobody_confirms_goes(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, actor="admin", confirm_s=90)
    bench.clock.advance(89.9)
    bench.clock.set_wall(NOON + 86400)  # a clock that is set has nothing to do with it
    bench.desk.tend()
    assert bench.desk.view()["text"] == TWO
    bench.clock.advance(0.1)
    bench.desk.tend()
    wait_for(lambda: bench.desk.view()["text"] == ONE)
    assert bench.in_force == ["one"]
    assert bench.desk.view()["pending"] is None
    assert bench.events[-1].severity == "warning"
    assert "nobody confirmed it" in bench.events[-1].message


def test_a_change_that_waits_when_the_service_ends_is_not_taken_back_by_it(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, actor="admin", confirm_s=90)
    bench.desk.stop()
    bench.clock.advance(100)
    bench.desk.tend()
    assert bench.in_force == ["two"]
    assert bench.started().view()["text"] == ONE


def test_a_service_that_ends_before_a_change_is_confirmed_takes_it_back(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, actor="admin", confirm_s=90)
    view = bench.started().view()
    assert (view["text"], view["pending"]) == (ONE, None)
    assert bench.in_force == ["one"]
    notes = [(one["n"], one["note"], one["is_current"]) for one in bench.desk.versions()]
    assert notes == [(3, "version 2 taken back", True), (2, "", False), (1, "", False)]


def test_several_changes_that_wait_go_back_to_what_was_confirmed(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, actor="admin", confirm_s=90)
    bench.desk.apply(ROADMAP, actor="admin", confirm_s=90)
    assert bench.desk.rollback(None, "admin")["text"] == ONE


def test_versions_come_back(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, actor="other")
    assert bench.desk.version(1)["text"] == ONE
    view = bench.desk.rollback(1, "admin")
    assert (view["text"], view["version"]) == (ONE, 3)
    assert bench.desk.versions()[0]["note"] == "as version 1"
    assert bench.desk.rollback(None, "admin")["text"] == TWO
    with pytest.raises(NotFound):
        bench.desk.rollback(99, "admin")


def test_a_pushed_set_is_in_force_until_it_is_overridden(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    view = bench.desk.apply(TWO, source="remote", actor="orchestrator")
    assert (view["source"], view["text"], view["local"]) == ("remote", TWO, ONE)
    assert [(one["name"], one["from"]) for one in view["policies"]] == [("two", "remote")]
    view = bench.desk.override(True, "admin")
    assert (view["source"], view["is_overridden"], view["text"]) == ("local", True, ONE)
    assert bench.in_force == ["one"]
    bench.desk.apply(ROADMAP, source="remote", actor="orchestrator")
    assert bench.in_force == ["one"]
    assert bench.started().view()["is_overridden"]
    assert bench.desk.override(False, "admin")["text"] == ROADMAP


def test_a_version_that_is_put_in_force_again_is_in_force_whoever_wrote_it(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    bench.desk.apply(TWO, source="remote", actor="orchestrator")
    view = bench.desk.rollback(1, "admin")
    assert (view["text"], view["source"], view["is_overridden"]) == (ONE, "local", True)
    assert bench.in_force == ["one"]
    view = bench.desk.rollback(2, "admin")
    assert (view["text"], view["source"], view["is_overridden"]) == (TWO, "remote", False)
    assert bench.in_force == ["two"]


def test_a_text_that_waits_is_told_as_such(bench: Bench) -> None:
    bench.desk.apply(TWO, source="remote", actor="orchestrator")
    bench.desk.apply(ONE + ROADMAP, actor="admin")
    (version, _) = bench.desk.versions()
    assert (version["policies"], version["note"]) == (7, "it waits: the pushed text is in force")
    bench.desk.override(True, "admin")
    bench.desk.apply("", source="remote", actor="orchestrator")
    version = bench.desk.versions()[0]
    assert (version["policies"], version["note"]) == (0, "it waits: the local text is in force")


def test_only_what_was_pushed_can_be_overridden(bench: Bench) -> None:
    with pytest.raises(Conflict):
        bench.desk.override(True, "admin")


def test_sections_of_the_configuration_stand_beside_the_text(bench: Bench) -> None:
    sections = (
        PolicySettings("uci_one", priority=5, dest_port=("7",)),
        PolicySettings("one", dest_port=("8",)),
        PolicySettings("bad", dest_port=("x",)),
    )
    bench.desk.apply(ONE, actor="admin")
    view = bench.started(*sections).view()
    assert [(one["name"], one["from"], one["line"]) for one in view["policies"]] == [
        ("uci_one", "uci", None),
        ("one", "text", 1),
    ]
    assert [one["message"] for one in view["warnings"]] == [
        "bad: “x” is no port",
        "one: the text has a policy of this name, which counts instead",
    ]


def test_what_is_odd_in_a_section_is_told_with_its_name(bench: Bench) -> None:
    sections = (
        PolicySettings("web", priority=5, dest_port=("443",), link="nosuch", route="connection"),
        PolicySettings("mail", priority=6, dest_port=("443",), link="nosuch", route="connection"),
    )
    bench.desk.apply("policy late { match: port 443 route: any priority: 7 }", actor="admin")
    told = [one["message"] for one in bench.started(*sections).view()["warnings"]]
    assert told[:2] == ["web: no link is called “nosuch”", "mail: no link is called “nosuch”"]
    assert any("policy web (a section of the configuration)" in one for one in told[2:])
    unknown = PolicySettings("guests", source=("@nosuch",))
    assert bench.started(unknown).view()["problem"]["message"].endswith("not in force: guests: there is no set nosuch")


def test_damaged_files_are_told_and_harm_nothing(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    folder = bench.folder / "policies"
    (folder / "state.json").write_text('{"pending": [1], "version": "x"}')
    (folder / "numbers.json").write_text("[")
    (folder / "local.policy").write_bytes(b"\xff\xfe policy")
    view = bench.started().view()
    assert view["state"] == "failed"
    assert "have errors and are not in force" in view["problem"]["message"]
    assert bench.in_force == []
    assert bench.desk.apply(TWO, actor="admin")["state"] == "in_force"


def test_a_policy_keeps_its_number_over_a_restart(bench: Bench) -> None:
    bench.desk.apply(ONE + TWO, actor="admin")
    bench.desk.apply(TWO, actor="admin")
    assert bench.started().view()["policies"][0]["number"] == 2
    assert bench.desk.name(2) == "two"


def test_links_that_are_off_leave_everything_ready(bench: Bench) -> None:
    traffic = bench.traffic
    bench.traffic = None  # type: ignore[assignment]
    assert bench.desk.apply(ONE, actor="admin")["state"] == "off"
    assert "chain p_1 {  # one" in bench.desk.compile()["nft"]
    bench.traffic = traffic
    bench.desk.links_changed()
    assert (bench.desk.view()["state"], bench.in_force) == ("in_force", ["one"])


def test_a_flow_is_explained_by_what_is_in_force_or_by_a_text(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    flow = {"source": "192.168.1.2", "port": 2, "protocol": "TCP", "dscp": "ef"}
    assert bench.desk.explain(flow)["policy"] is None
    assert bench.desk.explain({**flow, "text": TWO})["policy"] == "two"
    device = {"source_mac": "AA-BB-CC-DD-EE-FF", "text": "policy a { match: source aa:bb:cc:dd:ee:ff\n route: any }"}
    assert bench.desk.explain(device)["policy"] == "a"
    wrong = {"source": "x", "source_mac": "aa", "destination": "1.2.3", "dscp": "zz", "domain": "a..b", "protocol": "f"}
    for field, value in {**wrong, "application": "vidio"}.items():
        with pytest.raises(InvalidInput):
            bench.desk.explain({**flow, field: value})
    with pytest.raises(InvalidInput):
        bench.desk.explain({**flow, "text": "policy"})


def test_a_dry_run_tells_what_past_flows_a_text_would_have_taken(bench: Bench) -> None:
    bench.desk.apply(ONE, actor="admin")
    flows = [
        Flow("tcp", f"192.168.1.{host}", 40000 + host, "203.0.113.1", port, 1)
        for host, port in ((1, 443), (2, 443), (3, 443), (4, 22))
    ]
    for _ in range(3):
        bench.desk.saw(flows, {"203.0.113.1": "www.youtube.com"}.get)
    text = "policy video { match: port 443, SNI *.youtube.com\n route: any }\n"
    text += "policy marked { match: dscp ef\n route: any }\n"
    for days in (0, 1):
        bench.clock.advance(days * 86400)
        found = bench.desk.dry_run(text)
        rows = {one["name"]: one for one in found["policies"]}
        assert (found["flows"], found["day"]) == (4, "2027-01-01")
        assert rows["video"]["would_match_percent"] == 75.0
        assert (rows["marked"]["would_match_percent"], rows["marked"]["unknown_percent"]) == (0.0, 25.0)
        assert found["unmatched_percent"] == 25.0
    bench.desk.stop()
    assert bench.started().dry_run(text)["flows"] == 4
    bench.clock.advance(5 * 86400)
    bench.desk.saw(flows[:1], {}.get)
    assert bench.desk.dry_run(text)["flows"] == 1


def test_a_damaged_sample_begins_anew(bench: Bench) -> None:
    (bench.folder / "data").mkdir()
    (bench.folder / "data" / "flow-sample.json").write_text(json.dumps({"days": {"2027-01-01": [1]}, "counts": []}))
    bench.desk.apply(ONE, actor="admin")
    assert bench.desk.dry_run(ONE)["flows"] == 0


def test_the_simulated_plane_asks_what_is_in_force(bench: Bench) -> None:
    assert bench.desk.decide(Flow("tcp", "10.0.0.1", 1, "203.0.113.1", 1, 0), None) == 0
    bench.desk.apply(ONE, actor="admin")
    assert bench.desk.decide(Flow("tcp", "10.0.0.1", 1, "203.0.113.1", 1, 0), None) == 1
    assert bench.desk.decide(Flow("tcp", "10.0.0.1", 1, "203.0.113.1", 9, 0), None) == 0


def test_examples_are_reached_before_one_that_takes_everything(bench: Bench) -> None:
    """Where the page puts them."""
    for taker in (one for one in presets() if "match: all" in one["text"]):
        some = [one["text"] for one in presets() if "match: all" not in one["text"]]
        told = [one["message"] for one in bench.desk.check("\n".join([*some, taker["text"]]))["warnings"]]
        assert not [one for one in told if "reached" in one]


@pytest.mark.parametrize("preset", presets(), ids=lambda one: one["name"])
def test_each_example_to_copy_is_a_sound_text_that_says_what_for(bench: Bench, preset: dict[str, str]) -> None:
    checked = bench.desk.check(preset["text"])
    assert checked["errors"] == []
    told = [one["message"] for one in checked["warnings"]]
    assert [one for one in told if "from the next flow on" not in one] == []
    assert len(preset["title"]) < 60
    assert preset["help"].endswith(".")


def test_examples_may_stand_in_one_file(bench: Bench) -> None:
    together = "\n".join(preset["text"] for preset in presets())
    assert bench.desk.check(together)["errors"] == []


def test_the_vocabulary_has_what_the_text_may_say_here(bench: Bench) -> None:
    words = bench.desk.vocabulary()
    assert [one["name"] for one in words["links"]] == ["carrier_a", "fiber"]
    assert words["tags"] == ["cheap", "metered"]
    assert "streaming" in [one["name"] for one in words["applications"]]
    assert {"word": "priority", "help": "which policy is asked first: a number, the lowest first, or a word",
            "insert": "priority: "} in words["fields"]  # fmt: skip
