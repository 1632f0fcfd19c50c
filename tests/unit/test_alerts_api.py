"""Alerts, rules and channels over the API: shapes, refusals that name their field, secrets that are not told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remsim.config.alerting import AlertOptions
from remsim.config.channels import ChannelOptions
from remsim.core.bus import Numbered
from remsim.core.clock import FakeClock
from remsim.core.reading import ModemReading
from web_support import SmallRouter, client_of, small_app, wait_until

API = "/api/v1"
POOR = {
    "name": "poor", "label": "Poor signal", "source": "measure", "measure": "rsrp_dbm", "comparison": "below",
    "threshold": -110, "hysteresis": 3, "for_s": 60, "severity": "warning", "modem": None, "from_time": None,
    "to_time": None, "days": [], "channels": [],
}  # fmt: skip
HOOK = {"name": "hook", "type": "webhook", "label": "Hook", "url": "https://example.org/x", "secret": "hush"}
MAIL = {
    "name": "mail", "type": "smtp", "host": "mail.example.org", "sender": "router@example.org", "user": "me",
    "recipients": ["a@example.org", "b@example.org"], "password": "hush-hush",
}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[SmallRouter, FlaskClient]]:
    router, app = small_app(tmp_path)
    yield router, client_of(app)
    router.stop()


def post(client: FlaskClient, path: str, body: dict[str, Any], method: str = "POST") -> Any:
    return client.open(f"{API}/{path}", method=method, json=body)


def read(router: SmallRouter, **values: Any) -> None:
    """A reading as the thread would take it."""
    reading = ModemReading("modem1", router.clock.now(), **values)
    router.alerts.take([Numbered(1, reading)])
    router.alerts.tick()


def advance(router: SmallRouter, seconds: float) -> None:
    clock = router.clock
    assert isinstance(clock, FakeClock)
    clock.advance(seconds)


def test_a_rule_is_added_changed_and_removed(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    made = post(client, "alert-rules", POOR)
    assert made.status_code == 201, made.json
    assert made.json == POOR | {
        "enabled": True, "clear_for_s": 0.0, "window_s": 600.0, "repeat_s": 0.0, "for_s": 60.0,
    }  # fmt: skip
    assert post(client, "alert-rules", POOR).status_code == 409
    text = (router.config_dir / "remsim_console").read_text()
    assert "config alert 'poor'" in text
    assert "option threshold '-110'" in text
    changed = post(client, "alert-rules/poor", {**made.json, "threshold": -105, "days": ["mon", "sun"]}, "PUT")
    assert changed.json["threshold"] == -105
    assert changed.json["days"] == ["mon", "sun"]
    listed = client.get(f"{API}/alert-rules").json
    assert [one["name"] for one in listed["rules"]] == ["poor"]
    assert {"signal_poor", "no_service", "flash_full"} <= {one["name"] for one in listed["presets"]}
    assert client.delete(f"{API}/alert-rules/poor").status_code == 200
    assert client.get(f"{API}/alert-rules/poor").status_code == 404


def test_each_preset_is_a_rule_that_can_be_added(small: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = small
    for preset in client.get(f"{API}/alert-rules").json["presets"]:
        body = {name: value for name, value in preset.items() if name != "help"}
        answer = post(client, "alert-rules", body)
        assert answer.status_code == 201, answer.json
        assert answer.json == body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"threshold": None}, "threshold"),
        ({"threshold": "low"}, "threshold"),
        ({"threshold": {"a": 1}}, "threshold"),
        ({"measure": "charisma"}, "measure"),
        ({"comparison": "count_at_least"}, "comparison"),
        ({"source": "state", "measure": "state", "comparison": "is", "threshold": "asleep"}, "threshold"),
        ({"source": "event", "measure": "reboot", "comparison": "count_at_least", "threshold": 0}, "threshold"),
        ({"source": "event", "measure": "alert", "comparison": "count_at_least", "threshold": 2}, "measure"),
        ({"from_time": "25:00"}, "from_time"),
        ({"days": ["someday"]}, "days"),
        ({"for_s": -1}, "for_s"),
        ({"hysteresis": 1e9}, "hysteresis"),
        ({"severity": "awful"}, "severity"),
        ({"channels": ["../x"]}, "channels"),
        ({"name": "a b"}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 33}, "name"),
        ({"label": "a\nb"}, "label"),
        ({"flavour": 1}, "flavour"),
    ],
)
def test_a_wrong_rule_is_refused_by_field(
    small: tuple[SmallRouter, FlaskClient], change: dict[str, Any], field: str
) -> None:
    router, client = small
    answer = post(client, "alert-rules", POOR | change)
    assert answer.status_code == 422, answer.json
    assert answer.json["field"] == field
    assert not router.config.settings.alerts
    if field != "name":
        assert post(client, "alert-rules/preview", POOR | change).json["field"] == field


def test_the_form_says_what_each_source_has(small: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = small
    form = client.get(f"{API}/alert-rules/form").json
    assert set(form["x-measures"]) == {"measure", "state", "event", "usage", "router"}
    rsrp = next(one for one in form["x-measures"]["measure"] if one["const"] == "rsrp_dbm")
    assert rsrp == {"const": "rsrp_dbm", "title": "RSRP", "unit": "dBm", "values": None}
    state = form["x-measures"]["state"][0]
    assert "searching" in state["values"]
    assert form["x-comparisons"]["event"] == ["count_at_least"]
    assert form["properties"]["threshold"]["title"]


def test_an_alert_comes_is_acknowledged_and_goes(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    post(client, "alert-rules", POOR)
    read(router, rsrp_dbm=-114.0)
    (pending,) = client.get(f"{API}/alerts").json["alerts"]
    assert pending["state"] == "pending"
    assert client.get(f"{API}/state").json["alerts"] == {"firing": 0, "pending": 1, "worst": None}
    assert post(client, f"alerts/{pending['id']}/acknowledge", {}).status_code == 409
    advance(router, 60)
    router.alerts.tick()
    (firing,) = client.get(f"{API}/alerts").json["alerts"]
    assert (firing["state"], firing["value"], firing["threshold"], firing["unit"]) == ("firing", -114.0, -110.0, "dBm")
    assert firing["summary"] == "modem1: RSRP is −114 dBm, below −110 dBm for 60 s"
    assert (firing["source"], firing["measure"], firing["modem"]) == ("measure", "rsrp_dbm", "modem1")
    assert client.get(f"{API}/state").json["alerts"] == {"firing": 1, "pending": 0, "worst": "warning"}
    known = post(client, f"alerts/{firing['id']}/acknowledge", {}).json
    assert known["acknowledged_by"].startswith("local")
    read(router, rsrp_dbm=-80.0)
    (over,) = client.get(f"{API}/alerts").json["alerts"]
    assert over["state"] == "resolved"
    assert over["resolved_at"] is not None
    assert post(client, f"alerts/{firing['id']}/acknowledge", {}).status_code == 409
    assert post(client, "alerts/4711/acknowledge", {}).status_code == 404
    assert post(client, "alerts/%2e%2e/acknowledge", {}).status_code == 404
    events = client.get(f"{API}/events?kind=alert").json["events"]
    assert [one["data"]["state"] for one in events] == ["resolved", "firing"]
    assert events[1]["source"] == "modem1"


def test_the_stream_tells_of_each_step(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    post(client, "alert-rules", POOR)
    broker = client.application.extensions["remsim"].broker
    position, _ = broker.position()
    for _ in range(3):  # on the edge: no page needs to hear of that
        read(router, rsrp_dbm=-111.0)
        read(router, rsrp_dbm=-100.0)
    read(router, rsrp_dbm=-114.0)
    for seconds in (2, 58):
        advance(router, seconds)
        router.alerts.tick()
    read(router, rsrp_dbm=-80.0)
    wire = broker.read(position).wire.decode().split("\n\n")
    alerts = [json.loads(one.partition("data: ")[2]) for one in wire if one.startswith("event: alert\n")]
    assert [one["state"] for one in alerts] == ["pending", "firing", "resolved"]
    assert len({one["id"] for one in alerts}) == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WRITES = ("alert-rules", "alert-rules/preview", "alert-channels", "silences", "alerts/1/acknowledge")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_is_too_odd(small: tuple[SmallRouter, FlaskClient], data: st.DataObject) -> None:
    _router, client = small
    path = data.draw(st.sampled_from(WRITES))
    known = data.draw(st.sampled_from([POOR, HOOK, MAIL, {"range": "1h", "rule": None, "modem": None}]))
    changes = data.draw(st.dictionaries(st.sampled_from([*known, "range", "from", "type"]), anything, max_size=3))
    answer = client.post(f"{API}/{path}", data=json.dumps(known | changes), content_type="application/json")
    assert answer.status_code in (200, 201, 404, 409, 422), (answer.status_code, answer.text)
    if answer.status_code == 201 and path != "silences":
        assert client.delete(f"{API}/{path}/{answer.json['name']}").status_code == 200


def test_a_silence_is_made_and_ended(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    post(client, "alert-rules", POOR)
    made = post(client, "silences", {"rule": "poor", "range": "2h", "comment": "<b>works</b>"})
    assert made.status_code == 201, made.json
    assert made.json["comment"] == "<b>works</b>"
    assert client.get(f"{API}/silences").json["silences"] == [made.json]
    read(router, rsrp_dbm=-114.0)
    advance(router, 60)
    router.alerts.tick()
    assert client.get(f"{API}/alerts").json["alerts"][0]["silenced_by"] == made.json["id"]
    assert client.delete(f"{API}/silences/{made.json['id']}").status_code == 200
    assert client.get(f"{API}/alerts").json["alerts"][0]["silenced_by"] is None
    assert client.delete(f"{API}/silences/{made.json['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "until"),
        ({"range": "1h", "until": "2030-01-01"}, "until"),
        ({"until": "2001-01-01"}, "until"),
        ({"range": "1h", "rule": "unheard"}, "rule"),
        ({"range": "1h", "modem": "modem99"}, "modem"),
        ({"range": "1h", "comment": "x" * 201}, "comment"),
        ({"range": "forever"}, "range"),
    ],
)
def test_a_wrong_silence_is_refused_by_field(
    small: tuple[SmallRouter, FlaskClient], body: dict[str, Any], field: str
) -> None:
    answer = post(small[1], "silences", body)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_channel_never_tells_its_secrets(small: tuple[SmallRouter, FlaskClient], caplog: Any) -> None:
    router, client = small
    for body in (HOOK, MAIL):
        made = post(client, "alert-channels", body)
        assert made.status_code == 201, made.json
    assert made.json["password"] == {"set": True}
    assert made.json["recipients"] == ["a@example.org", "b@example.org"]
    assert made.json["state"]["queue"] == 0
    listed = client.get(f"{API}/alert-channels")
    assert "hush" not in listed.text
    for path in ("config", "config/versions", "config/export", "audit", "events", "config/channel/mail"):
        answer = client.get(f"{API}/{path}")
        assert (answer.status_code, "hush" in answer.text) == (200, False), path
    assert "hush" not in caplog.text
    assert client.delete(f"{API}/alert-channels/hook").status_code == 200
    assert [one["name"] for one in client.get(f"{API}/alert-channels").json["channels"]] == ["mail"]


def test_a_secret_that_is_not_given_stays(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    post(client, "alert-channels", MAIL)
    kept = {name: value for name, value in MAIL.items() if name != "password"}
    changed = post(client, "alert-channels/mail", kept | {"label": "Post"}, "PUT")
    assert changed.status_code == 200, changed.json
    assert router.config.settings.channels[0].password == "hush-hush"
    assert changed.json["label"] == "Post"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (HOOK | {"type": "pigeon"}, "type"),
        (HOOK | {"url": "file:///etc/shadow"}, "url"),
        (HOOK | {"url": "https://me:pw@example.org/"}, "url"),
        (HOOK | {"url": "https://exa mple.org/"}, "url"),
        (HOOK | {"url": "http://[::1/"}, "url"),
        (HOOK | {"headers": ["X-A: b\r\nX-C: d"]}, "headers"),
        (HOOK | {"headers": ["Host: other"]}, "headers"),
        (HOOK | {"template": "$password"}, "template"),
        (HOOK | {"host": "a"}, "host"),
        (MAIL | {"sender": "a@b\r\nBcc: c@d"}, "sender"),
        (MAIL | {"recipients": ["nobody"]}, "recipients"),
        (MAIL | {"recipients": []}, "recipients"),
        (MAIL | {"port": 70000}, "port"),
        (MAIL | {"security": "none"}, "security"),
        ({"name": "n", "type": "ntfy"}, "topic"),
        ({"name": "n", "type": "ntfy", "topic": "a/b"}, "topic"),
        ({"name": "m", "type": "mqtt", "host": "h", "topic": "a/#"}, "topic"),
        ({"name": "m", "type": "syslog", "facility": "kern"}, "facility"),
    ],
)
def test_a_wrong_channel_is_refused_by_field(
    small: tuple[SmallRouter, FlaskClient], body: dict[str, Any], field: str
) -> None:
    answer = post(small[1], "alert-channels", body)
    assert (answer.status_code, answer.json["field"]) == (422, field)


@pytest.mark.parametrize("kind", ["smtp", "webhook", "mqtt", "ntfy", "syslog", "browser"])
def test_each_type_of_channel_has_a_form(small: tuple[SmallRouter, FlaskClient], kind: str) -> None:
    form = small[1].get(f"{API}/alert-channels/form?type={kind}").json
    assert set(form["required"]) <= set(form["properties"])
    for name in ("password", "secret", "token"):
        if name in form["properties"]:
            assert form["properties"][name]["format"] == "password"


def bearer_of(router: SmallRouter, client: FlaskClient) -> dict[str, str]:
    """A token that may write."""
    made = client.post(f"{API}/tokens", json={"name": "script", "scopes": ["read", "write"]})
    return {"Authorization": f"Bearer {made.json['secret']}"}


def test_a_token_cannot_reach_the_local_network_through_a_channel(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    token = bearer_of(router, client)
    home = HOOK | {"allow_private": True}

    def status(path: str, body: dict[str, Any], method: str = "POST") -> int:
        return client.open(f"{API}/{path}", method=method, json=body, headers=token).status_code

    assert status("alert-channels", home) == 403
    values = {name: value for name, value in home.items() if name != "name"}
    assert status("config/channel/hook", values, "PUT") == 403
    document = {"types": ["channel"], "sections": [{"type": "channel", "name": "hook", "values": values}]}
    assert status("config", document, "PUT") == 403
    assert post(client, "alert-channels", home).status_code == 201  # the router's own key may
    assert status("alert-channels/hook", home | {"url": "http://192.168.1.1/"}, "PUT") == 403
    assert status("alert-channels/hook", home | {"label": "Mine"}, "PUT") == 403
    assert status("alert-channels/hook", HOOK, "PUT") == 200  # without the permission, and nothing else changed
    assert status("alert-channels/hook", home, "PUT") == 403
    version = client.get(f"{API}/config/versions").json["versions"][1]["n"]
    assert client.post(f"{API}/config/versions/{version}/rollback", headers=token).status_code == 403
    assert client.delete(f"{API}/alert-channels/hook", headers=token).status_code == 200


def test_a_token_cannot_have_a_secret_shown_to_another_server(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    token = bearer_of(router, client)
    post(client, "alert-channels", MAIL)
    kept = {name: value for name, value in MAIL.items() if name != "password"}
    thief = kept | {"host": "thief.example.org"}
    refused = client.put(f"{API}/alert-channels/mail", json=thief, headers=token)
    assert (refused.status_code, "secret" in refused.json["detail"]) == (403, True)
    for change in ({"security": "tls"}, {"verify_tls": False}, {"port": 2525}):
        assert client.put(f"{API}/alert-channels/mail", json=kept | change, headers=token).status_code == 403
    allowed = client.put(f"{API}/alert-channels/mail", json=thief | {"password": "another"}, headers=token)
    assert allowed.status_code == 200
    assert client.put(f"{API}/alert-channels/mail", json=thief | {"label": "x"}, headers=token).status_code == 200


def test_a_test_is_sent_as_a_job(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    post(client, "alert-channels", HOOK)
    job = post(client, "alert-channels/hook/test", {})
    assert job.status_code == 202
    wait_until(lambda: client.get(f"{API}/jobs/{job.json['id']}").json["state"] == "done")
    assert [name for name, _ in router.sent] == ["hook"]
    assert post(client, "alert-channels/other/test", {}).status_code == 404


def test_too_many_rules_are_refused_quickly(small: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = small
    sections = [{"type": "alert", "name": f"r{number}", "values": {"threshold": -100}} for number in range(5000)]
    answer = client.put(f"{API}/config", json={"types": ["alert"], "sections": sections})
    assert answer.status_code == 422
    assert "500" in answer.json["detail"]


def test_the_preview_says_when_a_rule_would_have_fired(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    for _ in range(4):
        for second in range(200):
            router.publish("modem1", rsrp_dbm=-115.0 if second < 100 else -90.0)
            advance(router, 1)
    answer = post(client, "alert-rules/preview", POOR | {"range": "1h"}).json
    assert answer["fired"] == 4
    assert answer["spans"][0]["modem"] == "modem1"
    assert answer["spans"][0]["peak"] == -115.0
    exact = post(client, "alert-rules/preview", POOR | {"range": "700"}).json
    assert (exact["fired"], exact["approximate"], exact["note"]) == (3, False, None)
    assert post(client, "alert-rules/preview", POOR | {"for_s": 130, "range": "1h"}).json["fired"] == 0


def test_the_preview_of_events_counts_the_journal(small: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = small
    for _ in range(3):
        for _ in range(3):
            router.tell("again", kind="reboot")
            advance(router, 10)
        advance(router, 3600)
    rule = {"source": "event", "measure": "reboot", "comparison": "count_at_least", "threshold": 3, "window_s": 600}
    answer = post(client, "alert-rules/preview", rule).json
    assert answer["fired"] == 3
    rule = {"source": "router", "measure": "load_percent", "comparison": "above", "threshold": 90}
    nothing = post(client, "alert-rules/preview", rule).json
    assert nothing["fired"] == 0
    assert "no history" in nothing["note"]


@pytest.mark.parametrize("option", [*AlertOptions().fields, *ChannelOptions().fields])
def test_the_documentation_names_each_option(option: str) -> None:
    assert f"`{option}`" in (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")
