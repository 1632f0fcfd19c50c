"""``remsim links`` and ``remsim policy``: files without a service, and a service that answers as a test tells it to."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from remsim.cli import main
from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput
from remsim.routing_offline import epoch_of

ROADMAP = """\
policy video_streaming {
  match: port 443, SNI *.youtube.com
  route: prefer_connection(lowest_latency)
}
policy off_peak {
  match: time 00:00-06:00
  route: connection "carrier_a_unlimited"
}
policy cost_optimization {
  match: all
  route: balance_by_remaining_data()
  fallback: cheapest_overage_rate()
}
"""
BAD = "policy a {\n  match: port\n  route: nowhere\n}\n"
LINKS = """\
config link 'carrier_a_unlimited'
	option interface 'wwan0'
	option flat_minor '3000'
config link 'carrier_b'
	option device 'wwan1'
	option cap_mbytes '10000'
"""
LINK = {
    "index": 1, "name": "lte", "device": "wwan0", "interface": None, "place": None, "priority": 1, "state": "up",
    "reason": "7 probes\x1b[2J lost", "latency_ms": 41.2, "loss_percent": 0.0, "rx_bps": 1e6, "tx_bps": None,
    "flows": 3, "tags": ["fast"], "cost": {"used_bytes": 5, "state": "ok"}, "carrier": None,
}  # fmt: skip
VIEW = {"state": "running", "problem": None, "warnings": [], "links": [LINK]}
IN_FORCE = {
    "version": 4, "state": "in_force", "pending": {"confirm_by": "2026-01-01T00:01:30Z"}, "problem": None,
    "source": "local", "is_overridden": False, "text": ROADMAP, "warnings": [],
    "policies": [{"name": "all", "is_open": True, "hits": 7, "hits_percent": 100.0, "flows": 2, "match": "all",
                  "route": "any"}],
}  # fmt: skip
CLEAN = {"ok": True, "errors": [], "warnings": [], "policies": []}


class Service:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[str, Any] = {"links": VIEW, "policies": IN_FORCE, "policies/check": CLEAN}

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def upload(self, path: str, file: Path) -> Any:
        return self.request("UPLOAD", path, file.read_bytes())

    def request(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        return self.answers.get(path.partition("?")[0], IN_FORCE)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    one = Service()
    monkeypatch.setattr(ServiceClient, "of_router", lambda *_: one)
    return one


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, list[str]]:
    """A file of policies, and the options for this router's configuration."""
    (tmp_path / "remsim_routing").write_text(LINKS)
    (tmp_path / "all.policy").write_text(ROADMAP)
    return str(tmp_path / "all.policy"), ["--config", str(tmp_path), "--state", str(tmp_path / "state")]


def test_a_sound_file_is_sound_and_a_missing_link_is_a_warning(
    files: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = files
    assert main(["policy", "check", name, "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"ok", "errors", "warnings"} and found["ok"] and found["errors"] == []
    assert not any("carrier_a_unlimited" in one["message"] for one in found["warnings"])
    (tmp_path / "remsim_routing").write_text("")
    assert main(["policy", "check", name, "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["line"] for one in found["warnings"] if "carrier_a_unlimited" in one["message"]] == [7]


UNTIDY = """\
# who comes first
policy  a{match:port 443 # web
route: any
# to be thought about
}
"""
TIDY = """\
# who comes first
policy a {
  match: port 443 # web
  route: any
  # to be thought about
}
"""


def test_a_file_is_put_in_the_usual_form_with_its_comments_and_rights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.policy"
    path.write_text(UNTIDY)
    path.chmod(0o640)
    (tmp_path / "link").symlink_to(path)
    assert main(["policy", "format", str(path)]) == 0
    assert (capsys.readouterr().out, path.read_text()) == (TIDY, UNTIDY)
    for _ in range(2):
        assert main(["policy", "format", "--write", str(tmp_path / "link")]) == 0
        assert (capsys.readouterr().out, path.read_text(), path.stat().st_mode & 0o777) == ("", TIDY, 0o640)
    assert (tmp_path / "link").is_symlink()


def test_a_file_with_errors_is_not_formatted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.policy"
    path.write_text(BAD)
    assert main(["policy", "format", "--write", str(path)]) == 1
    assert path.read_text() == BAD
    assert f"{path}:3:10: error: " in capsys.readouterr().err


def test_stdin_is_formatted_but_not_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(UNTIDY.encode())}))
    assert main(["policy", "format", "-"]) == 0
    assert capsys.readouterr().out == TIDY
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(UNTIDY.encode())}))
    assert main(["policy", "format", "--write", "-"]) != 0
    assert "name a file" in capsys.readouterr().err


def test_errors_are_told_with_line_column_and_what_was_expected(
    files: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad.policy"
    path.write_text(BAD)
    assert main(["policy", "check", str(path), "--json", *files[1]]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"] and found["errors"][1]["line"] == 3 and found["errors"][1]["column"] == 10
    assert "connection" in found["errors"][1]["expected"]
    assert main(["policy", "check", str(path), *files[1]]) == 1
    assert f"{path}:3:10: error: " in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(BAD.encode())}))
    assert main(["policy", "compile", "-", "--json", *files[1]]) == 1
    assert len(json.loads(capsys.readouterr().out)["errors"]) == 2


@pytest.mark.parametrize(
    ("content", "line", "column"), [(b"# a\npolicy \xff {", 2, 8), (b"#" * (1 << 20) + b"##", 1, 1)]
)
def test_what_is_no_text_or_too_long_is_an_error_of_the_file(
    content: bytes, line: int, column: int, files: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files[0]).write_bytes(content)
    assert main(["policy", "check", files[0], "--json", *files[1]]) == 1
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert (error["line"], error["column"]) == (line, column)


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "/nowhere/x.policy", "--json"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_file_is_compiled_to_the_table_that_would_be_loaded(
    files: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "compile", files[0], *files[1]]) == 0
    nft = capsys.readouterr().out
    assert nft.startswith("table inet remsim {") and '"wwan1"' in nft and "chain use_2" in nft
    assert main(["policy", "compile", files[0], "--json", *files[1]]) == 0
    assert json.loads(capsys.readouterr().out) == {"nft": nft}


def test_a_flow_is_explained_by_a_file(files: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["policy", "explain", "--file", files[0], *files[1], "--src", "192.168.1.5", "--dport", "22", "--at"]
    assert main([*asked, "02:30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["policy"], found["line"], found["link"]) == ("off_peak", 5, "carrier_a_unlimited")
    assert found["links"] == [{"link": "carrier_a_unlimited", "percent": 100.0}]
    assert main([*asked, "12:00"]) == 0
    told = capsys.readouterr().out
    assert "policy cost_optimization (line 9)" in told and "off_peak" in told and "taken to be up" in told
    assert main([*asked, "noon"]) == 1
    assert "is no time" in capsys.readouterr().err


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    now = time.mktime((2026, 1, 28, 12, 0, 0, 0, 0, -1))  # a Wednesday
    at = [epoch_of(text, now) for text in ("02:30", "sat 02:30", "Wednesday 2:30", "2026-01-31T02:30")]
    assert [time.strftime("%d %H:%M", time.localtime(one)) for one in at] == [
        "28 02:30", "31 02:30", "28 02:30", "31 02:30",
    ]  # fmt: skip
    assert epoch_of("2026-01-31T02:30+00:00") == 1769826600.0
    for wrong in ("", "25:00", "sat", "someday 02:30", "2026-13-01T00:00", "12"):
        with pytest.raises(InvalidInput):
            epoch_of(wrong, now)


def test_without_a_file_the_service_is_asked(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers["policies/explain"] = {
        "policy": None, "line": None, "link": "lte", "links": [], "class": "bulk", "steps": [], "notes": ["\x1bnote"],
    }  # fmt: skip
    assert main(["policy", "explain", "--dst", "192.0.2.1", "--dport", "443", "--at", "2026-01-31T02:30+00:00"]) == 0
    asked = {"destination": "192.0.2.1", "port": 443, "at": 1769826600.0}
    assert service.asked == [("POST", "policies/explain", asked)]
    told = capsys.readouterr().out
    assert told.startswith("lte: no policy takes it") and "\x1b" not in told
    service.answers["policies/explain"] |= {"policy": "web", "line": 0, "notes": []}  # a section of the configuration
    assert main(["policy", "explain", "--dst", "192.0.2.1"]) == 0
    assert capsys.readouterr().out == "lte: policy web, bulk\n"


def test_apply_checks_first_and_tells_what_is_in_force(
    service: Service, files: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "apply", files[0], "--confirm-within", "60", "--source", "remote"]) == 0
    body = {"text": ROADMAP, "source": "remote", "dry_run": False, "confirm_s": 60}
    assert service.asked == [("POST", "policies/check", {"text": ROADMAP}), ("PUT", "policies", body)]
    told = capsys.readouterr()
    assert "version 4 of 1 policies is in force" in told.out and "unless you say" in told.err
    service.answers["policies"] = IN_FORCE | {"source": "remote"}
    assert main(["policy", "apply", files[0]]) == 0
    assert "the pushed policies are in force" in capsys.readouterr().err
    service.answers["policies"] = IN_FORCE | {"is_overridden": True}
    assert main(["policy", "apply", files[0], "--source", "remote"]) == 0
    assert "remsim policy override --end" in capsys.readouterr().err
    error = {"line": 2, "column": 3, "message": "no", "expected": ["all"]}
    service.answers["policies/check"] = {"ok": False, "errors": [error], "warnings": [], "policies": []}
    service.asked.clear()
    assert main(["policy", "apply", files[0], "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == [error] and len(service.asked) == 1


def test_a_dry_run_tells_what_each_would_take(
    service: Service, files: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = CLEAN | {"policies": [{"name": "all", "would_match_percent": 12.5}], "note": "A sample of yesterday."}
    service.answers["policies"] = found
    assert main(["policy", "apply", files[0], "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "12.5 %" in told.out and "yesterday" in told.err and service.asked[-1][2]["dry_run"]


def test_what_is_in_force_is_shown_saved_and_rolled_back(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show"]) == 0 and "100 %" in capsys.readouterr().out
    assert main(["policy", "show", "--text"]) == 0 and capsys.readouterr().out == ROADMAP
    assert main(["policy", "show", "--json"]) == 0 and json.loads(capsys.readouterr().out) == IN_FORCE
    for words in (["rollback", "3"], ["rollback"], ["override"], ["override", "--end"], ["confirm"]):
        assert main(["policy", *words]) == 0
    assert service.asked[-5:] == [
        ("POST", "policies/rollback", {"version": 3}),
        ("POST", "policies/rollback", {}),
        ("POST", "policies/override", {"is_overridden": True}),
        ("POST", "policies/override", {"is_overridden": False}),
        ("POST", "policies/confirm", {}),
    ]
    one = {"n": 4, "at": "2026", "source": "local", "policies": 3, "actor": "ann", "is_current": True, "note": ""}
    back = one | {"n": 3, "is_current": False, "note": "version 2 taken back"}
    service.answers["policies/versions"] = {"versions": [one, back]}
    capsys.readouterr()
    assert main(["policy", "versions"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("*    4  2026") and told[0].endswith("ann")
    assert told[1].endswith("ann  version 2 taken back")


def test_a_warning_of_a_section_names_no_line(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    warnings = [{"line": 0, "column": 0, "message": "night: there is no set x", "expected": []}]
    service.answers["policies"] = IN_FORCE | {"warnings": warnings}
    assert main(["policy", "show"]) == 0 and capsys.readouterr().err.endswith("\nnight: there is no set x\n")


def test_presets_need_no_service(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["policy", "presets", "--json"]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)]
    assert len(names) >= 8
    for name in names:
        assert main(["policy", "presets", name]) == 0
        (tmp_path / "x.policy").write_text(capsys.readouterr().out)
        assert main(["policy", "check", str(tmp_path / "x.policy"), "--config", str(tmp_path)]) == 0, name
    assert main(["policy", "presets", "nothing"]) == 1


def test_a_list_of_countries_is_sent_as_it_is(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"192.0.2.0,192.0.2.255,DE\n")
    service.answers["policies/countries"] = {
        "is_there": True, "source": "list.csv", "countries": [{"code": "DE", "is_used": True}],
    }  # fmt: skip
    assert main(["policy", "countries", "import", str(path)]) == 0
    assert service.asked == [("UPLOAD", "policies/countries?source=list.csv", path.read_bytes())]
    assert "used by policies: DE" in capsys.readouterr().out
    told = ["--source", "a vendor", "--attribution", "CC BY 4.0", "--date", "2026-11-01"]
    assert main(["policy", "countries", "import", str(path), *told]) == 0
    assert service.asked[-1][1] == "policies/countries?source=a+vendor&attribution=CC+BY+4.0&date=2026-11-01"
    assert main(["policy", "countries", "remove"]) == 0 and service.asked[-1][0] == "DELETE"
    assert main(["policy", "countries", "import"]) == 1


def test_links_are_listed_shown_and_acted_on(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["links", "list"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("lte") and "41.2 ms" in told and "1.00 Mbit/s" in told and "\x1b" not in told
    assert main(["links", "show", "lte"]) == 0
    told = capsys.readouterr().out
    assert "fast" in told and "carrier" not in told, "what is unknown is left out"
    assert main(["links", "show", "nobody"]) == 1 and "there are: lte" in capsys.readouterr().err
    assert main(["links", "list", "--json"]) == 0 and json.loads(capsys.readouterr().out) == VIEW
    for verb, action in (("test", "test"), ("disable", "disable"), ("reset-flows", "reset_flows")):
        assert main(["links", verb, "lte"]) == 0
        assert service.asked[-1] == ("POST", "links/lte/actions", {"action": action})


@pytest.mark.parametrize(
    ("state", "problem", "told"),
    [
        ("going", None, "at its data cap: changing to Travel"),
        ("away", None, "at its data cap: changed to Travel until the end of 2026-11-30"),
        ("away", "no\x1b", "at its data cap: changed to Travel until the end of 2026-11-30; it could not go back yet"),
        ("returning", None, "going back to Home"),
        ("refused", "the modem is busy", "at its data cap: it could not change to Travel: the modem is busy"),
        ("left", None, "its profile was chosen by hand: left alone until the end of 2026-11-30"),
    ],
)
def test_what_became_of_a_link_at_its_cap_is_listed(
    state: str, problem: str | None, told: str, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {"state": state, "profile_name": "Travel", "from_name": "Home", "until": "2026-11-30", "problem": problem}
    service.answers["links"] = VIEW | {"links": [LINK | {"cap_switch": changed}]}
    assert main(["links", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].strip().startswith(told)


def test_flows_of_what_is_not_there_are_told_from_none(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers["links/flows"] = {"total": 0, "shown": 0, "flows": []}
    assert main(["links", "flows", "--link", "nosuch"]) != 0
    assert "no link 'nosuch'; there are: lte" in capsys.readouterr().err
    assert main(["links", "flows", "--policy", "nosuch"]) != 0
    assert "no policy 'nosuch'; there are: all" in capsys.readouterr().err
    assert main(["links", "flows", "--link", "lte", "--policy", "all"]) == 0
    assert main(["links", "flows", "--policy", ""]) == 0


def test_flows_rings_and_usage_are_shown(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    flow = {
        "protocol": "tcp", "source": "192.168.1.5", "source_name": None, "source_port": 5000, "link": "lte",
        "destination": "2001:db8::1", "destination_port": 443, "domain": None, "policy": None,
        "rx_bps": 2e6, "tx_bps": None,
    }  # fmt: skip
    service.answers["links/flows"] = {"total": 1, "shown": 1, "flows": [flow]}
    assert main(["links", "flows", "--limit", "5", "--policy", ""]) == 0
    assert service.asked[-1] == ("GET", "links/flows?limit=5&policy=", None)
    assert "[2001:db8::1]:443" in capsys.readouterr().out
    weight = {"link": "lte", "percent": 100.0, "why": "free"}
    ring = {"name": "bulk", "policy": None, "choice": "learned", "weights": [weight]}
    service.answers["links/rings"] = {"rings": [ring]}
    assert main(["links", "rings"]) == 0 and "100.0 %  free" in capsys.readouterr().out
    days = [{"day": "2026-01-01", "link": "lte", "policy": None, "rx_bytes": 10**9, "tx_bytes": 0}]
    service.answers["links/usage"] = {"days": days, "saving": None}
    assert main(["links", "usage"]) == 0 and "1.000 GB" in capsys.readouterr().out


def test_mwan3_is_shown_from_a_file_and_taken_over_by_the_service(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(Path(__file__).parents[1] / "fixtures" / "routing" / "mwan3")
    assert main(["links", "import-mwan3", "--file", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["links"]] == ["wan", "wanb"] and service.asked == []
    assert main(["links", "import-mwan3", "--file", path, "--write"]) == 1
    service.answers["links/import/mwan3"] = found | {"is_applied": True}
    capsys.readouterr()
    assert main(["links", "import-mwan3", "--write"]) == 0
    assert service.asked == [("POST", "links/import/mwan3", {"dry_run": False})]
    assert "policy https" in capsys.readouterr().out
