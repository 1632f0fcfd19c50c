"""The relay behind LuCI: who may send what, and what comes back. The real controller too, where ucode is installed."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from luci.relay import Answer, Call, Emulated, Interpreted
from running import free_port

TOKEN = "T" * 43
BOTH = {"luci-app-remsim": ["read", "write"]}
LOOK = {"luci-app-remsim": ["read"]}
CONSOLE = {**BOTH, "luci-app-remsim-console": ["write"]}
NAMES = {**LOOK, "luci-app-remsim-identifiers": ["read"]}


class Service(ThreadingHTTPServer):
    """Answers like the service where the relay's handling differs, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, body))  # type: ignore[attr-defined]
        if self.path.startswith("/api/v1/refuses"):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"{}")
        elif self.path.startswith("/api/v1/injects"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nETag: a\nSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\n<b>")
        elif self.path.startswith("/api/v1/nothing"):
            self._answer(204, {}, b"")
        elif self.path.startswith("/api/v1/export"):
            self._answer(200, {"Content-Disposition": 'attachment; filename="a.csv"'}, b"a;b\r\n" * 100_000)
        else:
            self._answer(200, {"Set-Cookie": "a=b", "X-Own": "1", "ETag": '"e"'}, b'{"ok":true}')

    do_POST = do_PATCH = do_DELETE = do_HEAD = do_PUT = do_GET

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            if b"ok" in body:
                self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["emulated", *(["ucode"] if shutil.which("ucode") else [])])
def ask(request: pytest.FixtureRequest, service: Service, tmp_path: Path) -> Callable[..., Answer]:
    """One request through the relay to ``service``."""
    relay = Emulated() if request.param == "emulated" else Interpreted()
    (tmp_path / "token").write_text(TOKEN + "\n")

    def ask(
        *segments: str,
        method: str = "GET",
        body: bytes = b"",
        acl: dict[str, list[str]] = BOTH,
        token: str | None = "page",
        kind: str = "application/json",
        query: str = "",
        headers: dict[str, str] | None = None,
        uci: dict[str, dict[str, str]] | None = None,
        user: str | None = None,
    ) -> Answer:
        env: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "headers": headers or {}}
        if token:
            env["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        if body:
            env |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind}
        place = {"web": {"listen": f"0.0.0.0:{service.server_port}"}, "service": {"state_dir": str(tmp_path)}}
        return relay(Call(list(segments), env, body, "page", user, acl, place if uci is None else {**place, **uci}))

    return ask


def test_a_request_gets_the_services_token_and_nothing_of_the_browsers_login(
    ask: Callable[..., Answer], service: Service
) -> None:
    answer = ask("modems", "modem1", query="a=b&c=%20", headers={"cookie": "sysauth_http=x", "if-none-match": '"e"'})
    assert (answer.status, answer.json()) == (200, {"ok": True})
    method, path, headers, _body = service.asked[0]
    assert (method, path) == ("GET", "/api/v1/modems/modem1?a=b&c=%20")
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["if-none-match"] == '"e"'
    assert "cookie" not in headers
    assert answer.headers["etag"] == '"e"'
    assert not {"set-cookie", "x-own", "server"} & answer.headers.keys()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("acl", [LOOK, {}, {"luci-app-other": ["read", "write"]}])
def test_a_login_without_the_right_to_write_changes_nothing(
    ask: Callable[..., Answer], service: Service, method: str, acl: dict[str, list[str]]
) -> None:
    answer = ask("modems", "modem1", method=method, body=b'{"period_s":2}', acl=acl)
    assert (answer.status, answer.json()["code"]) == (403, "read_only")
    assert service.asked == []


@pytest.mark.parametrize("token", [None, "other", ""])
def test_a_foreign_page_with_the_cookie_changes_nothing(
    ask: Callable[..., Answer], service: Service, token: str | None
) -> None:
    answer = ask("modems", "modem1", method="PATCH", body=b'{"period_s":2}', token=token)
    assert (answer.status, answer.json()["code"]) == (403, "no_page_token")
    assert service.asked == []


def test_a_login_with_the_right_changes(ask: Callable[..., Answer], service: Service) -> None:
    assert ask("modems", "modem1", method="PATCH", body=b'{"period_s":2}').status == 200
    assert service.asked[0][0] == "PATCH"
    assert json.loads(service.asked[0][3]) == {"period_s": 2}
    assert service.asked[0][2]["content-type"] == "application/json"
    assert ask("modems", "modem1", method="DELETE").status == 200


def test_a_reading_login_asks_for_tickets_with_no_more_than_its_scopes(
    ask: Callable[..., Answer], service: Service
) -> None:
    assert ask("tickets", method="POST", body=b'{"purpose":"browser"}', acl=LOOK).status == 200
    assert service.asked[0][2]["x-remsim-scopes"] == "read", "the service refuses it"
    assert ask("tickets", "x", method="POST", acl=LOOK).status == 403
    assert ask("tickets", method="DELETE", acl=LOOK).status == 403
    assert ask("layouts", "mine", method="PUT", body=b"{}", acl=LOOK).status == 200
    assert ask("layouts", "default", method="PUT", body=b"{}", acl=LOOK).status == 403


@pytest.mark.parametrize(
    "segments", [[], ["..", "healthz"], ["modems\r\nX: y"], ["modems\n"], ["modems\0\r\nX: y"], ["a b"], ["ä"], [""]]
)
def test_an_address_of_odd_characters_goes_nowhere(
    ask: Callable[..., Answer], service: Service, segments: list[str]
) -> None:
    assert ask(*segments).status == 404
    assert service.asked == []


@pytest.mark.parametrize("query", ["a=\n", "a\0\r\nX: y", "a b", "ä", "a" * 5000])
def test_a_query_of_odd_characters_goes_nowhere(ask: Callable[..., Answer], service: Service, query: str) -> None:
    assert (answer := ask("modems", query=query)).status == 400
    assert answer.json()["detail"]
    assert service.asked == []


def test_the_stream_does_not_take_a_script_slot(ask: Callable[..., Answer], service: Service) -> None:
    assert (ask("stream").status, service.asked) == (404, [])


def test_what_is_too_large_or_no_json_is_refused(ask: Callable[..., Answer], service: Service) -> None:
    assert ask("tickets", method="POST", body=b" " * 102_401).status == 413
    assert ask("tickets", method="POST", body=b"a=b", kind="application/x-www-form-urlencoded").status == 415
    assert ask("tickets", method="POST", body=b"a=b", kind="").status == 415
    assert ask("modems", method="TRACE").status == 405
    assert service.asked == []


def test_an_answer_brings_no_other_headers_and_is_no_page(ask: Callable[..., Answer]) -> None:
    answer = ask("injects")
    assert (answer.status, answer.body) == (200, b"<b>")
    assert "set-cookie" not in answer.headers
    assert not [value for value in answer.headers.values() if "\n" in value]
    assert answer.headers["content-type"] == "application/octet-stream", "LuCI would call it text/html"


def test_an_export_comes_whole_with_its_file_name(ask: Callable[..., Answer]) -> None:
    answer = ask("export.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="a.csv"'
    assert answer.body == b"a;b\r\n" * 100_000


def test_answers_without_a_body_stay_without(ask: Callable[..., Answer], service: Service) -> None:
    assert (ask("nothing").status, ask("nothing").body) == (204, b"")
    assert ask("modems", method="HEAD").body == b""
    assert service.asked[-1][0] == "HEAD"


def test_a_refused_token_is_the_routers_problem_not_the_browsers(ask: Callable[..., Answer]) -> None:
    answer = ask("refuses")
    assert (answer.status, answer.json()["code"]) == (502, "bad_gateway")
    assert "www-authenticate" not in answer.headers


def test_a_service_that_is_down_is_said_with_what_to_do(ask: Callable[..., Answer]) -> None:
    answer = ask("state", uci={"web": {"listen": f"127.0.0.1:{free_port()}"}})
    assert (answer.status, answer.json()["code"]) == (503, "service_down")
    assert "start" in answer.json()["hint"]
    assert ask("state", uci={"service": {"state_dir": "/nonexistent"}}).json()["code"] == "service_down"
    assert ask("state", uci={"web": {"listen": "nonsense"}}).json()["code"] == "bad_gateway"


@pytest.mark.parametrize(
    "segments", [["modems", "modem1", "at"], ["modems", "modem1", "at", "form"], ["modems", "modem1", "record"]]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "acl", [BOTH, LOOK, {**LOOK, "luci-app-remsim-console": ["write"]}, {**BOTH, "luci-app-remsim-console": ["read"]}]
)
def test_the_console_needs_its_own_right_besides_writing(
    ask: Callable[..., Answer], service: Service, segments: list[str], method: str, acl: dict[str, list[str]]
) -> None:
    body = b'{"command":"ATI"}' if method == "POST" else b""
    answer = ask(*segments, method=method, body=body, acl=acl)
    assert (answer.status, answer.json()["code"]) == (403, "no_console")
    assert "console" in answer.json()["detail"]
    assert service.asked == []


def test_a_login_with_the_console_uses_it(ask: Callable[..., Answer], service: Service) -> None:
    assert ask("modems", "modem1", "at", method="POST", body=b'{"command":"ATI"}', acl=CONSOLE).status == 200
    assert ask("modems", "modem1", "at", "form", acl=CONSOLE).status == 200
    assert [path for _method, path, _headers, _body in service.asked] == [
        "/api/v1/modems/modem1/at",
        "/api/v1/modems/modem1/at/form",
    ]


@pytest.mark.parametrize("acl", [BOTH, LOOK, CONSOLE, {"luci-app-remsim-identifiers": ["read"]}])
def test_identifiers_in_full_need_their_own_right_besides_reading(
    ask: Callable[..., Answer], service: Service, acl: dict[str, list[str]]
) -> None:
    answer = ask("modems", "modem1", "identifiers", acl=acl)
    assert (answer.status, answer.json()["code"]) == (403, "no_identifiers")
    assert service.asked == []
    assert ask("modems", "modem1", "identifiers", acl=NAMES).status == 200


def test_the_service_is_told_what_the_login_may_and_never_by_the_browser(
    ask: Callable[..., Answer], service: Service
) -> None:
    alone = {"luci-app-remsim-console": ["write"], "luci-app-remsim-identifiers": ["read"]}
    for acl in ({}, alone, LOOK, BOTH, CONSOLE, NAMES, {**NAMES, **CONSOLE}):
        assert ask("modems", acl=acl, headers={"x-remsim-scopes": "read write"}).status == 200
    told = [headers["x-remsim-scopes"] for _method, _path, headers, _body in service.asked]
    assert told == [
        "",
        "",
        "read",
        "read write",
        "read write at-console",
        "read identifiers",
        "read write at-console identifiers",
    ]


@pytest.mark.parametrize(
    "segments",
    [
        ["modems", "modem1", "band-lock", "form"],
        ["modems", "modem1", "sms"],
        ["jobs", "7"],
        ["detection"],
        ["modems", "modem1", "at-x"],
        ["remote-sim", "slotmaps", "1:2"],
    ],
)
def test_a_modems_forms_messages_and_jobs_are_read_by_everyone(
    ask: Callable[..., Answer], service: Service, segments: list[str]
) -> None:
    assert ask(*segments, acl=LOOK).status == 200
    assert service.asked[0][1] == "/api/v1/" + "/".join(segments)


@pytest.mark.parametrize(
    ("method", "segments"),
    [
        ("POST", ["modems", "modem1", "sim-slot"]),
        ("POST", ["jobs", "7", "abort"]),
        ("POST", ["jobs", "7", "confirm"]),
        ("DELETE", ["modems", "modem1"]),
        ("DELETE", ["modems", "modem1", "desired"]),
    ],
)
def test_actions_and_jobs_are_for_logins_that_may_write(
    ask: Callable[..., Answer], service: Service, method: str, segments: list[str]
) -> None:
    assert ask(*segments, method=method, acl=LOOK).json()["code"] == "read_only"
    assert service.asked == []
    assert ask(*segments, method=method, headers={"idempotency-key": "a1"}).status == 200
    how, path, headers, body = service.asked[0]
    assert (how, path, body) == (method, "/api/v1/" + "/".join(segments), b"")
    assert headers["idempotency-key"] == "a1"
    assert headers.get("content-length", "0") == "0"


def test_the_service_is_told_who_is_logged_in_and_never_by_the_browser(
    ask: Callable[..., Answer], service: Service
) -> None:
    ask("modems", user="anna.b", headers={"x-remsim-user": "root"})
    ask("modems", headers={"x-remsim-user": "root"})
    for odd in ("a b", "ä", "", "a" * 33, "a\r\nX: y", "a\n", "a\0b"):
        ask("modems", user=odd)
    told = [headers.get("x-remsim-user") for _method, _path, headers, _body in service.asked]
    assert told == ["anna.b", *[None] * 8]
