"""``/api/v1/links``: what is shown while links are off, and sections of ``remsim_routing`` over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from remsim.config.routing_rules import LinkOptions, RoutingOptions
from web_support import SmallRouter, client_of, small_app

OTHER = (Path(__file__).parents[1] / "fixtures" / "routing" / "mwan3").read_text()


@pytest.fixture
def parts(tmp_path: Path) -> tuple[SmallRouter, FlaskClient, Path]:
    router, app = small_app(tmp_path)
    return router, client_of(app), tmp_path / "remsim_routing"


def test_a_link_is_added_shown_changed_and_removed(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, path = parts
    made = client.post("/api/v1/links", json={"name": "lte", "device": "wwan0", "tags": ["fast"], "cap_mbytes": 5000})
    assert made.status_code == 201 and made.json["restart_needed"] == []
    assert "config link 'lte'" in path.read_text() and "option index '1'" in path.read_text()
    (shown,) = client.get("/api/v1/links").json["links"]
    assert (shown["name"], shown["index"], shown["state"], shown["device"]) == ("lte", 1, "off", "wwan0")
    written = client.get("/api/v1/links/lte")
    assert written.json["values"] == {"device": "wwan0", "tags": ["fast"], "cap_mbytes": 5000, "index": 1}
    assert written.headers["ETag"] == f'"{written.json["etag"]}"'
    changed = client.put("/api/v1/links/lte", json={"name": "lte", "device": "wwan0", "weight": 7})
    assert changed.status_code == 200 and router.routing.settings.links[0].weight == 7
    assert router.routing.settings.links[0].cap_mbytes is None and router.routing.settings.links[0].index == 1
    assert client.delete("/api/v1/links/lte").status_code == 200
    assert client.get("/api/v1/links").json["links"] == [] and client.get("/api/v1/links/lte").status_code == 404


def test_a_form_makes_a_link_too(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, _path = parts
    answer = client.post("/api/v1/links", data={"name": "dsl", "device": "eth1", "metered": "on", "weight": "3"})
    assert answer.status_code == 201
    assert router.routing.settings.links[0].metered and router.routing.settings.links[0].weight == 3


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"device": "eth1"}, 422, "name"),
        ({"name": "has blank", "device": "eth1"}, 422, "name"),
        ({"name": "flows", "device": "eth1"}, 422, "name"),
        ({"name": "x" * 33, "device": "eth1"}, 422, "name"),
        ({"name": "dsl", "device": "sixteen_letters_"}, 422, "device"),
        ({"name": "dsl", "device": "eth 1"}, 422, "device"),
        ({"name": "dsl"}, 422, "modem"),
        ({"name": "dsl", "device": "eth1", "weight": 0}, 422, "weight"),
        ({"name": "dsl", "device": "eth1", "weights": 1}, 422, "weights"),
        ({"name": "lte", "device": "eth1"}, 409, "name"),
        ({"name": "dsl", "device": "wwan0"}, 422, "device"),
        ({"name": "dsl", "device": "eth1", "index": 1}, 422, "index"),
    ],
)
def test_what_is_wrong_with_a_link_is_told_with_its_field(
    parts: tuple[SmallRouter, FlaskClient, Path], body: dict[str, object], status: int, field: str
) -> None:
    _router, client, path = parts
    client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"})
    before = path.read_text()
    answer = client.post("/api/v1/links", json=body)
    assert (answer.status_code, answer.json["field"]) == (status, field), answer.json
    assert path.read_text() == before


def test_a_device_of_the_lan_is_refused_as_the_router_has_it_now(
    parts: tuple[SmallRouter, FlaskClient, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    router, client, path = parts
    client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"})
    before = path.read_text()
    monkeypatch.setattr(router.links, "lan", lambda: ("br-lan",))
    for answer in (
        client.post("/api/v1/links", json={"name": "dsl", "device": "br-lan"}),
        client.put("/api/v1/links/lte", json={"device": "br-lan"}),
    ):
        assert (answer.status_code, answer.json["field"]) == (422, "device")
        assert "br-lan is a device of the LAN" in answer.json["detail"]
    assert path.read_text() == before


def test_who_comes_second_is_told(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    _router, client, _path = parts
    etag = client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"}).json["etag"]
    assert client.put(f"/api/v1/links/lte?etag={etag}", json={"device": "wwan1"}).status_code == 200
    answer = client.put("/api/v1/links/lte", json={"device": "wwan2"}, headers={"If-Match": f'"{etag}"'})
    assert answer.status_code == 412 and answer.json["code"] == "changed_meanwhile"


def test_globals_are_replaced_or_changed_in_part(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, _path = parts
    assert client.get("/api/v1/links/globals").json["values"] == {}
    client.put("/api/v1/links/globals", json={"algorithm": "latency", "probe_down": 5})
    client.patch("/api/v1/links/globals", json={"enabled": True, "probe_down": None})
    shown = client.get("/api/v1/links/globals").json
    assert shown["name"] == "globals" and shown["values"] == {"algorithm": "latency", "enabled": True}
    assert router.routing.settings.globals.enabled
    answer = client.patch("/api/v1/links/globals", json={"algorithm": "chance"})
    assert answer.status_code == 422 and answer.json["field"] == "algorithm"


def test_links_are_put_in_order_in_one_change(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, _path = parts
    for name in ("a", "b", "c"):
        client.post("/api/v1/links", json={"name": name, "device": f"eth{name}"})
    assert client.put("/api/v1/links/order", json={"names": ["c", "a"]}).status_code == 200
    assert {one.name: (one.priority, one.index) for one in router.routing.settings.links} == {
        "a": (2, 1), "b": (3, 2), "c": (1, 3),
    }  # fmt: skip
    assert len(client.get("/api/v1/links/versions").json["versions"]) == 5
    for names in (["c", "c"], ["nobody"], [], "x", [1]):
        assert client.put("/api/v1/links/order", json={"names": names}).status_code in (404, 422)


def test_switching_a_link_off_is_kept(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, path = parts
    client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"})
    done = client.post("/api/v1/links/lte/actions", json={"action": "disable"})
    assert done.json == {"link": "lte", "action": "disable"}
    assert not router.routing.settings.links[0].enabled and "option enabled '0'" in path.read_text()
    client.post("/api/v1/links/lte/actions", data={"action": "enable"})
    assert router.routing.settings.links[0].enabled


def test_what_cannot_be_done_to_a_link_is_told(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    _router, client, _path = parts
    client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"})
    for action, status in (("test", 409), ("reset_flows", 409), ("explode", 422), ("correct", 422)):
        assert client.post("/api/v1/links/lte/actions", json={"action": action}).status_code == status
    assert client.post("/api/v1/links/nobody/actions", json={"action": "disable"}).status_code == 404


def test_a_link_that_only_load_balancing_names_is_written_when_it_changes(
    parts: tuple[SmallRouter, FlaskClient, Path],
) -> None:
    router, client, path = parts
    path.write_text("config load_balancing\n\tlist connection 'wwan0:weight=4'\n")
    router.routing.reread()
    router.routing.put_section("routing", "routing", {"enabled": False}, "test")
    assert client.get("/api/v1/links/wwan0").json["values"] == {"interface": "wwan0", "weight": 4}
    assert client.delete("/api/v1/links/wwan0").status_code == 409
    client.post("/api/v1/links/wwan0/actions", json={"action": "disable"})
    assert "config link 'wwan0'\n\toption interface 'wwan0'\n\toption weight '4'" in path.read_text()
    assert [(one.name, one.enabled) for one in router.routing.settings.links] == [("wwan0", False)]


def test_a_rollback_leads_back(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, _path = parts
    client.post("/api/v1/links", json={"name": "lte", "device": "wwan0"})
    client.put("/api/v1/links/lte", json={"device": "wwan0", "weight": 9})
    versions = client.get("/api/v1/links/versions").json["versions"]
    number = versions[1]["n"]
    assert client.get(f"/api/v1/links/versions/{number}").json["changes"][0]["path"] == "link[lte].weight"
    assert client.post(f"/api/v1/links/versions/{number}/rollback").status_code == 200
    assert router.routing.settings.links[0].weight == 1


def test_forms_name_every_field_with_its_default(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    _router, client, _path = parts
    link = client.get("/api/v1/links/form?section=link").json["properties"]
    assert set(link) == set(LinkOptions().fields) and link["cycle_day"]["default"] == 1
    assert link["probe"]["default"] == [] and link["currency"]["default"] == "EUR"
    common = client.get("/api/v1/links/form?section=globals").json["properties"]
    assert set(common) == set(RoutingOptions().fields) and common["enabled"]["default"] is False
    assert client.get("/api/v1/links/form?section=policy").status_code == 422


def test_flows_and_rings_of_links_that_are_off_are_none(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    _router, client, _path = parts
    assert client.get("/api/v1/links/rings").json == {"rings": []}
    assert client.get("/api/v1/links/flows?limit=5&policy=&host=10.0.0.1").json["total"] == 0
    assert client.get("/api/v1/links/flows?limit=0").status_code == 422


def test_wrong_values_of_a_file_are_in_its_overview(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    _router, client, path = parts
    path.write_text("config link 'lte'\n\toption device 'wwan0'\n\toption weight 'much'\n")
    shown = client.get("/api/v1/links/config").json
    assert "remsim_routing, line 3" in shown["problems"][0] and shown["types"][:2] == ["routing", "link"]
    assert client.get("/api/v1/links/lte").json["wrong"] == {"weight": "is not a whole number from 1 to 1000"}


def test_mwan3_is_looked_at_first_and_then_taken_over(
    parts: tuple[SmallRouter, FlaskClient, Path], tmp_path: Path
) -> None:
    router, client, path = parts
    assert client.post("/api/v1/links/import/mwan3", json={"dry_run": True}).json["links"] == []
    assert client.post("/api/v1/links/import/mwan3", json={"dry_run": False}).status_code == 409
    (tmp_path / "mwan3").write_text(OTHER)
    client.post("/api/v1/links", json={"name": "wanb", "device": "eth5", "title": "mine"})
    looked = client.post("/api/v1/links/import/mwan3").json
    assert [one["name"] for one in looked["links"]] == ["wan"] and "policy https" in looked["policies"]
    assert "the link wanb is here already, and stays" in looked["warnings"] and not looked["is_applied"]
    assert "config link 'wan'" not in path.read_text()
    done = client.post("/api/v1/links/import/mwan3", json={"dry_run": False}).json
    assert done["is_applied"] and [one.name for one in router.routing.settings.links] == ["wanb", "wan"]
    assert router.routing.settings.globals.algorithm == "weighted" and not router.routing.settings.globals.enabled
    assert "policy https" in client.get("/api/v1/policies").json["text"]


def test_mptcp_is_set_and_its_password_is_never_told(parts: tuple[SmallRouter, FlaskClient, Path]) -> None:
    router, client, path = parts
    body = {"enabled": True, "server": "203.0.113.7", "user": "me", "password": "a word of mine", "ports": ["443"]}
    assert client.put("/api/v1/links/mptcp/settings", json=body).status_code == 200
    assert router.routing.settings.mptcp.password == "a word of mine"
    shown = client.get("/api/v1/links/mptcp/settings").json
    assert shown["values"]["server"] == "203.0.113.7" and shown["kept"] == ["password"]
    assert "a word of mine" not in client.get("/api/v1/links/config").text
    del body["password"]
    assert client.put("/api/v1/links/mptcp/settings", json=body | {"port": 8443}).status_code == 200
    assert router.routing.settings.mptcp.password == "a word of mine" and "8443" in path.read_text()
    refused = client.put("/api/v1/links/mptcp/settings", json={"server": "vpn.example.com"})
    assert refused.status_code == 422 and "server" in str(refused.json)
    assert client.get("/api/v1/links/mptcp").json["proxy"]["state"] == "off"


def test_a_token_may_not_show_the_password_of_mptcp_to_another_server(
    parts: tuple[SmallRouter, FlaskClient, Path],
) -> None:
    _router, client, _path = parts
    address, mine = "/api/v1/links/mptcp/settings", {"server": "203.0.113.7", "user": "me"}
    client.put(address, json=mine | {"password": "a word of mine"})
    secret = client.post("/api/v1/tokens", json={"name": "app", "scopes": ["write"]}).json["secret"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.put(address, json=mine | {"fallback": False}, headers=headers).status_code == 200
    stolen = client.put(address, json=mine | {"server": "198.51.100.1"}, headers=headers)
    assert stolen.status_code == 403 and stolen.json["code"] == "untrusted"
    anew = mine | {"server": "198.51.100.1", "password": "another"}
    assert client.put(address, json=anew, headers=headers).status_code == 200
