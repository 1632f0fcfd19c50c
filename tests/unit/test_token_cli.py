"""``remsim token``: against the real API, without a server between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from remsim.cli import main
from remsim.client import ServiceClient
from remsim.core.errors import RemsimError
from web_support import client_of, small_app


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The API as the command reaches it with the router's key."""
    _router, app = small_app(tmp_path)

    class Client:
        address = "0.0.0.0:8090"

        def get(self, path: str) -> Any:
            return self.request("GET", path)

        def post(self, path: str, body: Any) -> Any:
            return self.request("POST", path, body)

        def request(self, method: str, path: str, body: Any = None) -> Any:
            answer = client_of(app).open(f"/api/v1/{path}", method=method, json=body)
            if answer.status_code >= 400:
                raise RemsimError(answer.json["detail"], hint=answer.json["hint"])
            return answer.json

    monkeypatch.setattr(ServiceClient, "of_router", lambda *_: Client())
    return app


def test_a_token_is_made_used_listed_and_revoked(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "Prometheus", "--scope", "read", "--scope", "metrics", "--expires", "2w"]) == 0
    said = capsys.readouterr()
    secret = said.out.strip()
    assert secret.startswith("rsm_") and "\n" not in secret and secret not in said.err
    assert "may read, metrics and ends 2026-01-15" in said.err
    proof = {"Authorization": f"Bearer {secret}"}
    assert client_of(service, token=False).get("/api/v1/state", headers=proof).status_code == 200
    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "Prometheus  [read metrics]  ends 2026-01-15 00:00 UTC, used 2026-01-01 00:00 UTC" in listed
    assert main(["token", "revoke", "Prometheus"]) == 0
    assert client_of(service, token=False).get("/api/v1/state", headers=proof).status_code == 401
    capsys.readouterr()
    assert main(["token", "list"]) == 0
    assert "revoked" in capsys.readouterr().out


def test_a_walls_token_comes_with_its_link(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "Hall TV", "--scope", "wall", "--expires", "never"]) == 0
    said = capsys.readouterr()
    assert f"http://ROUTER:8090/wall?token={said.out.strip()}" in said.err and "never ends" in said.err


def test_mistakes_are_told_in_a_line(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "x", "--scope", "everything"]) == 1
    assert "read, write, metrics" in capsys.readouterr().err
    assert main(["token", "revoke", "x"]) == 1
    assert "there are: none" in capsys.readouterr().err
    for words in (["token"], ["token", "create", "x"], ["token", "create", "x", "--scope", "read", "--expires", "x"]):
        with pytest.raises(SystemExit):
            main(words)
