"""IonMesh through the router's own API: what pages ask, and what nobody may see or do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from ionmesh_server import ICCID, IMSI, Orchestrator, ionmesh
from web_support import SmallRouter, client_of, small_app, wait_until

CARD = {"bank_id": 1, "slot_id": 3, "carrier": "One", "physical_iccid": ICCID, "physical_imsi": IMSI}
POOL = {"pool_name": "p", "carrier": "One", "bank_id": 1, "slot_range_start": 1, "slot_range_end": 50}


@pytest.fixture
def orchestrator() -> Iterator[Orchestrator]:
    with ionmesh() as made:
        yield made


@pytest.fixture
def router(tmp_path: Path) -> Iterator[SmallRouter]:
    router, app = small_app(tmp_path)
    router.config.subscribe(router.remote_sim.configure)
    router.client = client_of(app)  # type: ignore[attr-defined]
    yield router
    router.stop()


def ask(client: FlaskClient, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    answer = client.open(f"/api/v1/{path}", method=method, json=body)
    return answer.status_code, answer.json or {}


def switched_on(router: SmallRouter, orchestrator: Orchestrator) -> FlaskClient:
    client: FlaskClient = router.client  # type: ignore[attr-defined]
    router.remote_sim.start()
    body = {"enabled": True, "url": orchestrator.url, "api_key": orchestrator.key}
    assert client.put("/api/v1/config/ionmesh/ionmesh", json=body).status_code == 200
    wait_until(lambda: ask(client, "GET", "ionmesh")[1]["state"] == "registered")
    return client


def test_off_it_says_so(router: SmallRouter) -> None:
    client: FlaskClient = router.client  # type: ignore[attr-defined]
    assert ask(client, "GET", "ionmesh") == (200, {"state": "off"})
    assert ask(client, "GET", "remote-sim")[1]["ionmesh"] is None
    status, told = ask(client, "POST", "ionmesh/register")
    assert (status, told["code"]) == (409, "ionmesh_off")


def test_switched_on_in_the_settings_it_registers_at_once(router: SmallRouter, orchestrator: Orchestrator) -> None:
    client = switched_on(router, orchestrator)
    shown = ask(client, "GET", "remote-sim")[1]["ionmesh"]
    assert shown["assignment"]["bank_id"] == 1
    everything = json.dumps([ask(client, "GET", path)[1] for path in ("ionmesh", "remote-sim", "config", "events")])
    assert str(orchestrator.key) not in everything
    assert ICCID not in everything


def test_registering_and_giving_up_by_hand(router: SmallRouter, orchestrator: Orchestrator) -> None:
    client = switched_on(router, orchestrator)
    assert ask(client, "POST", "ionmesh/unregister", {"client": "router"})[1]["state"] == "released"
    assert orchestrator.clients == {}
    assert ask(client, "POST", "ionmesh/register")[1]["state"] == "registered"
    assert ask(client, "POST", "ionmesh/register", {"client": "other"})[0] == 404
    orchestrator.bad = "html"
    status, told = ask(client, "POST", "ionmesh/register")
    assert (status, told["code"]) == (502, "ionmesh_nonsense")


def test_cards_and_pools(router: SmallRouter, orchestrator: Orchestrator) -> None:
    client = switched_on(router, orchestrator)
    assert ask(client, "POST", "ionmesh/sim-cards", CARD)[1]["card"]["carrier"] == "One"
    status, made = ask(client, "POST", "ionmesh/pools", POOL)
    assert status == 201
    pool_id = made["pool"]["pool_id"]
    seen = [ask(client, "GET", f"ionmesh/{path}") for path in ("sim-cards", "pools", f"pools/{pool_id}")]
    assert [status for status, _ in seen] == [200, 200, 200]
    assert ICCID not in json.dumps(seen) and IMSI not in json.dumps(seen)
    assert seen[0][1]["cards"][0]["physical_iccid"].endswith("0001")
    assert ask(client, "GET", "ionmesh/sim-cards?carrier=Two")[1]["cards"] == []
    assert ask(client, "GET", "ionmesh/discover")[1]["version"] == "1.0.0"
    assert ask(client, "DELETE", "ionmesh/sim-cards/1/3")[0] == 200
    assert ask(client, "DELETE", f"ionmesh/pools/{pool_id}")[0] == 200
    assert orchestrator.cards == {} and orchestrator.pools == {}
    assert ask(client, "DELETE", "ionmesh/pools/gone")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "ionmesh/sim-cards", CARD | {"bank_id": 65538}),
        ("POST", "ionmesh/sim-cards", CARD | {"card_metadata": {"ki": "00"}}),
        ("POST", "ionmesh/pools", POOL | {"slot_range_end": 0}),
        ("DELETE", "ionmesh/sim-cards/abc/3", None),
        ("DELETE", "ionmesh/sim-cards/1/1024", None),
        ("DELETE", "ionmesh/sim-cards/1/%D9%A3", None),
        ("DELETE", "ionmesh/pools/" + "x" * 65, None),
        ("POST", "ionmesh/register", {"clients": "x"}),
    ],
)
def test_what_is_wrong_is_never_sent(
    router: SmallRouter, orchestrator: Orchestrator, method: str, path: str, body: Any
) -> None:
    client = switched_on(router, orchestrator)
    before = [one for one in orchestrator.asked if "remsim" not in one[1]]
    assert ask(client, method, path, body)[0] == 422
    assert [one for one in orchestrator.asked if "remsim" not in one[1]] == before


def test_who_may_write_cannot_have_the_key_sent_elsewhere(router: SmallRouter, orchestrator: Orchestrator) -> None:
    client = switched_on(router, orchestrator)
    made = client.post("/api/v1/tokens", json={"name": "writer", "scopes": ["write"]}).json
    assert made is not None
    writer = {"Authorization": f"Bearer {made['secret']}"}
    moved = {"enabled": True, "url": "http://203.0.114.9:5000"}
    path = "/api/v1/config/ionmesh/ionmesh"
    answer = client.put(path, json=moved, headers=writer)
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "untrusted")
    assert client.put(path, json=moved | {"api_key": "another"}, headers=writer).status_code == 200


def test_nor_a_key_that_only_the_environment_has(
    router: SmallRouter, orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = switched_on(router, orchestrator)
    owner_says = {"enabled": True, "url": orchestrator.url, "api_key": ""}
    assert client.put("/api/v1/config/ionmesh/ionmesh", json=owner_says).status_code == 200
    monkeypatch.setenv("REMSIM_IONMESH_KEY", "of-the-environment")
    made = client.post("/api/v1/tokens", json={"name": "writer", "scopes": ["write"]}).json
    assert made is not None
    moved = {"enabled": True, "url": "http://203.0.114.9:5000"}
    headers = {"Authorization": f"Bearer {made['secret']}"}
    answer = client.put("/api/v1/config/ionmesh/ionmesh", json=moved, headers=headers)
    assert (answer.status_code, (answer.json or {}).get("code")) == (403, "untrusted")
