"""``/api/v1/remote-sim``: slot maps over the API, down to a virtual osmo-remsim-server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from remsim.config.remote_sim import RemsimServerSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from virtual_remsim import Parts, virtual_remsim
from web_support import SmallRouter, client_of, small_app

API = "/api/v1/remote-sim"
WANTED = {"bank_id": 1, "bank_slot": 2, "client_id": 5, "client_slot": 0}


@pytest.fixture
def parts() -> Iterator[Parts]:
    with virtual_remsim(1) as made:
        yield made


@pytest.fixture
def router_and_client(tmp_path: Path, parts: Parts) -> Iterator[tuple[SmallRouter, FlaskClient]]:
    router, app = small_app(tmp_path, clock=SystemClock())
    router.remote_sim.configure(Settings(remsim_servers=(RemsimServerSettings("main", parts.url),)))
    yield router, client_of(app)
    router.remote_sim.stop()


@pytest.fixture
def client(router_and_client: tuple[SmallRouter, FlaskClient]) -> FlaskClient:
    return router_and_client[1]


@pytest.fixture
def ticked(router_and_client: tuple[SmallRouter, FlaskClient]) -> Callable[[Callable[[], object]], None]:
    """Look at the server until something is so, as the service's thread does."""
    keeper = router_and_client[0].remote_sim.keeper

    def tick(is_so: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < end, keeper.view()
            time.sleep(min(keeper.tick(), 0.03))

    return tick


def slotmaps(client: FlaskClient) -> list[dict[str, Any]]:
    return client.get(API).json["slotmaps"]


def test_a_map_is_made_changed_and_removed(client: FlaskClient, parts: Parts, ticked: Any) -> None:
    made = client.post(f"{API}/slotmaps", json={**WANTED, "note": "truck"})
    assert made.status_code == 201 and made.json["desired"] and made.json["note"] == "truck"
    ticked(lambda: [row["state"] for row in slotmaps(client)] == ["ACTIVE"])
    view = client.get(API).json
    assert view["server"]["reachable"] is True and view["server"]["url"] == parts.url
    (row,) = view["slotmaps"]
    assert {name: row[name] for name in WANTED} == WANTED and row["state"] == "ACTIVE" and row["desired"]
    changed = client.put(f"{API}/slotmaps/1:2", json={"client_id": 6})
    assert changed.status_code == 200 and changed.json["client_id"] == 6 and changed.json["note"] == "truck"
    assert len(slotmaps(client)) == 2  # the old one is on its way out
    ticked(lambda: parts.slotmaps() == {(1, 2): ((6, 0), "ACTIVE")})
    assert client.delete(f"{API}/slotmaps/1:2").json["removing"]
    ticked(lambda: not parts.slotmaps() and not slotmaps(client))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**WANTED, "bank_id": 65538}, "bank_id"),
        ({**WANTED, "bank_slot": -1}, "bank_slot"),
        ({**WANTED, "client_id": "abc"}, "client_id"),
        ({**WANTED, "client_slot": 1024}, "client_slot"),
        ({**WANTED, "bank_id": True}, "bank_id"),
        ({**WANTED, "note": "two\nlines"}, "note"),
        ({**WANTED, "server": "nowhere"}, "server"),
        ({**WANTED, "unheard": 1}, "unheard"),
        ({"bank_id": 1}, "bank_slot"),
    ],
)
def test_what_cannot_be_is_refused(client: FlaskClient, parts: Parts, body: Any, field: str) -> None:
    answer = client.post(f"{API}/slotmaps", json=body)
    assert answer.status_code == 422 and field in answer.text
    assert slotmaps(client) == [] and parts.slotmaps() == {}


@pytest.mark.parametrize("place", ["abc", "0", "1:2:3", "1:-2", "1024:0", "65538:2", "1:\u0662", "%20", "1:2%00"])
def test_text_is_never_taken_for_slot_0(client: FlaskClient, place: str) -> None:
    for method, path in (("delete", ""), ("put", ""), ("post", "/adopt"), ("post", "/restore")):
        body = {"client_id": 1} if method == "put" else None
        answer = getattr(client, method)(f"{API}/slotmaps/{place}{path}", json=body)
        assert answer.status_code == 422, (method, place)


def test_maps_of_others_are_shown_and_adopted(client: FlaskClient, parts: Parts, ticked: Any) -> None:
    parts.post((1, 3), (9, 0))
    ticked(lambda: slotmaps(client))
    (row,) = slotmaps(client)
    assert row["foreign"] and not row["desired"]
    refused = client.delete(f"{API}/slotmaps/1:3")
    assert refused.status_code == 409 and refused.json["code"] == "foreign_map" and "adopt" in refused.json["hint"]
    assert client.post(f"{API}/slotmaps", json={**WANTED, "bank_slot": 3}).status_code == 409
    assert client.post(f"{API}/slotmaps/1:3/adopt").json["desired"]
    assert client.post(f"{API}/slotmaps/1:3/adopt").status_code == 409
    assert client.post(f"{API}/slotmaps/1:4/adopt").status_code == 404
    assert client.delete(f"{API}/slotmaps/1:3").status_code == 200
    assert client.delete(f"{API}/slotmaps/1:3").status_code in (404, 409)


def test_a_slot_that_is_taken_is_named_or_replaced(client: FlaskClient) -> None:
    client.post(f"{API}/slotmaps", json=WANTED)
    other = {**WANTED, "bank_slot": 4}
    refused = client.post(f"{API}/slotmaps", json=other)
    assert refused.status_code == 409 and "1:2" in refused.json["detail"] and refused.json["field"] == "client_slot"
    assert client.post(f"{API}/slotmaps", json={**other, "replace": True}).status_code == 201
    assert [row["bank_slot"] for row in slotmaps(client) if row["desired"]] == [4]


def test_nothing_to_restore(client: FlaskClient) -> None:
    assert client.post(f"{API}/restore").json == {"restored": 0}
    assert client.post(f"{API}/slotmaps/1:2/restore").status_code == 409


def test_files_go_out_and_in(client: FlaskClient) -> None:
    client.post(f"{API}/slotmaps", json={**WANTED, "note": "truck"})
    answer = client.get(f"{API}/slotmaps.csv")
    assert answer.mimetype == "text/csv"
    assert answer.text == "server,bank_id,bank_slot,client_id,client_slot,note\r\nmain,1,2,5,0,truck\r\n"
    text = answer.text + "main,1,3,6,0,\n"
    for check, there in ((True, 1), (False, 2)):
        found = client.post(f"{API}/slotmaps/import", json={"csv": text, "check": check})
        assert found.json == {"added": 1, "changed": 0, "same": 1, "wrong": []}
        assert len(slotmaps(client)) == there
    bad = text + "main,9,x,1,1,\nmain,7,7,7,7,\n"
    checked = client.post(f"{API}/slotmaps/import", json={"csv": bad, "check": True})
    assert checked.json["wrong"] == [{"line": 4, "message": "bank_slot is not a number from 0 to 1023"}]
    refused = client.post(f"{API}/slotmaps/import", json={"csv": bad})
    assert refused.status_code == 422 and "line 4" in refused.json["detail"] and len(slotmaps(client)) == 2
    assert client.post(f"{API}/slotmaps/import", json={"csv": 5}).status_code == 422
    assert client.post(f"{API}/slotmaps/import", json={"csv": "a" * 70_000}).status_code in (413, 422)


def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)
    client = client_of(app)
    assert client.get(API).json["server"]["reachable"] is None
    refused = client.post(f"{API}/slotmaps", json=WANTED)
    assert refused.status_code == 409 and refused.json["code"] == "no_server"
    assert client.get(f"{API}/slotmaps.csv").text.count("\n") == 1
    router.stop()
