"""The relay controller for the test host: an equal in Python, and the real one where an ucode interpreter is.

Both take the environment that uhttpd gives to a script and answer with what the script writes, so the same tests
hold for both.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APP = Path(__file__).parents[2] / "luci-app-remsim"
CONTROLLER = APP / "ucode" / "controller" / "remsim.uc"
STUB = Path(__file__).parent / "stub"
GROUP = "luci-app-remsim"
# What of a modem needs a right besides: its group, and of what level.
OWN_RIGHTS = {
    "at": ("luci-app-remsim-console", "write", "no_console"),
    "record": ("luci-app-remsim-console", "write", "no_console"),
    "identifiers": ("luci-app-remsim-identifiers", "read", "no_identifiers"),
}
OWN_RIGHTS_WORDS = {
    "at": "This login may not use the AT console.",
    "record": "This login may not use the AT console.",
    "identifiers": "This login may not see identifiers in full.",
}
READERS = {
    "tickets": ("POST",),
    "sms/preview": ("POST",),
    "alert-rules/preview": ("POST",),
    "esim/parse": ("POST",),
    "esim/rules/preview": ("POST",),
    "layouts/mine": ("PUT", "DELETE"),
}
"""What a login that may only look sends too."""
BODY_LIMIT = 100 * 1024
METHODS = {"GET": "read", "HEAD": "read", "POST": "write", "PUT": "write", "PATCH": "write", "DELETE": "write"}
ASKED = ("accept", "accept-encoding", "accept-language", "if-match", "if-none-match", "idempotency-key")
ANSWERED = ("content-type", "content-disposition", "content-length", "cache-control", "etag", "last-modified")
ANSWERED += ("retry-after", "content-encoding")


@dataclass
class Call:
    """A request as the dispatcher hands it on: its decoded path segments, environment, body and session."""

    segments: list[str]
    env: dict[str, Any]
    body: bytes = b""
    token: str | None = None
    user: str | None = None
    acl: dict[str, list[str]] = field(default_factory=dict)
    uci: dict[str, dict[str, str]] = field(default_factory=dict)  # section type -> options of remsim_console


@dataclass
class Answer:
    """What the script wrote."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def problem(status: int, code: str, detail: str, hint: str | None = None) -> Answer:
    """An error as the relay writes it."""
    content = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code, "hint": hint}
    return Answer(status, {"content-type": "application/problem+json"}, json.dumps({**content, "field": None}).encode())


class Emulated:
    """The controller's rules in Python."""

    def __call__(self, call: Call) -> Answer:
        method, query = call.env["REQUEST_METHOD"], call.env.get("QUERY_STRING", "")
        if method not in METHODS:
            return problem(405, "method_not_allowed", "This method is not relayed.")
        names = call.segments
        if not names or any(not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.:-]*", name) for name in names):
            return problem(404, "not_found", "There is nothing at this address.")
        if len(query) > 4096 or not re.fullmatch(r"[!-~]*", query):
            return problem(400, "bad_query", "The query is too long or holds characters that must be encoded.")
        if names[0] == "stream":
            return problem(404, "no_stream", "The live stream does not pass through LuCI.")
        if names[0] == "modems" and len(names) > 2 and names[2] in OWN_RIGHTS and not self._has(call, names[2]):
            return problem(403, OWN_RIGHTS[names[2]][2], OWN_RIGHTS_WORDS[names[2]])
        body = b""
        if METHODS[method] == "write":
            refused, body = self._body(call, method)
            if refused is not None:
                return refused
        return self._relay(call, method, "/api/v1/" + "/".join(names) + (f"?{query}" if query else ""), body)

    def _has(self, call: Call, name: str) -> bool:
        """Whether the login has a right of its own, and what that goes with."""
        group, level, _code = OWN_RIGHTS[name]
        return all(level in call.acl.get(one, ()) for one in (GROUP, group))

    def _body(self, call: Call, method: str) -> tuple[Answer | None, bytes]:
        may_write = "write" in call.acl.get(GROUP, ())
        if not may_write and method not in READERS.get("/".join(call.segments), ()):
            return problem(403, "read_only", "This login may look but change nothing."), b""
        if not call.token or header(call, "authorization") != f"Bearer {call.token}":
            return problem(403, "no_page_token", "The request does not come from a page of this session."), b""
        length = int(call.env.get("CONTENT_LENGTH") or 0)
        if length > BODY_LIMIT:
            return problem(413, "too_large", "More than 100 kB cannot be sent through LuCI."), b""
        if length and not re.match(r"application/json *(;|$)", call.env.get("CONTENT_TYPE") or ""):
            return problem(415, "not_json", "The body has to be JSON."), b""
        return None, call.body[:length]

    def _scopes(self, call: Call) -> str:
        found = [level for level in ("read", "write") if level in call.acl.get(GROUP, ())]
        own = {"at-console": "at", "identifiers": "identifiers"}
        return " ".join([*found, *(scope for scope, name in own.items() if self._has(call, name))])

    def _relay(self, call: Call, method: str, path: str, body: bytes) -> Answer:
        listen = call.uci.get("web", {}).get("listen", "127.0.0.1:8090")
        found = re.fullmatch(r"\[?([A-Za-z0-9.:-]+)\]?:([0-9]+)", listen)
        if not found:
            return problem(502, "bad_gateway", "remsim_console.web.listen is not HOST:PORT.")
        token = Path(call.uci.get("service", {}).get("state_dir", "/etc/remsim")) / "token"
        if not token.exists():
            return problem(503, "service_down", "The remsim service has not been started on this router yet.", "start")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found[1], found[1])
        asks_modem = call.segments[0] == "modems" and len(call.segments) > 2
        upstream = http.client.HTTPConnection(host, int(found[2]), timeout=50 if asks_modem else 10)
        headers = {name: value for name in ASKED if (value := header(call, name))}
        headers["Authorization"] = f"Bearer {token.read_text().strip()}"
        headers["X-Remsim-Scopes"] = self._scopes(call)
        if call.user and re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", call.user):
            headers["X-Remsim-User"] = call.user
        if body:
            headers["Content-Type"] = "application/json"
        try:
            upstream.request(method, path, body or None, headers)
            answer = upstream.getresponse()
            content = answer.read()
        except ConnectionRefusedError:
            return problem(503, "service_down", "The remsim service does not answer.", "start the service")
        except OSError:
            return problem(502, "bad_gateway", "The remsim service did not answer in time, or not with HTTP.")
        finally:
            upstream.close()
        if answer.status == 401:
            return problem(502, "bad_gateway", "The remsim service refuses the token of this page.")
        passed = {name: value for name in ANSWERED if (value := answer.headers.get(name)) is not None}
        passed.setdefault("content-type", "application/octet-stream")
        return Answer(answer.status, passed, content)


class Interpreted:
    """The controller itself, run by ucode with stand-ins for LuCI's http object and for the uci module."""

    def __init__(self) -> None:
        found = shutil.which("ucode")
        assert found
        self._ucode = found

    def __call__(self, call: Call) -> Answer:
        context = {"authtoken": call.token, "authuser": call.user, "authacl": {"access-group": call.acl}}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"env": call.env, "ctx": context, "uci": call.uci, "segments": call.segments}, file)
            file.flush()
            command = [self._ucode, "-S", "-L", f"{STUB}/*.uc", str(STUB / "run.uc"), file.name, str(CONTROLLER)]
            done = self._run(command, call.body, {**os.environ, "STUB_CALL": file.name})
        assert done.returncode == 0 and not done.stderr, done.stderr.decode()
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        # Exactly three digits, a blank and a text, else uhttpd sends 200.
        found = re.fullmatch(r"Status: ([0-9]{3}) .+", status)
        assert found, status
        return Answer(int(found[1]), dict(line.split(": ", 1) for line in lines), body)


    def _run(self, command: list[str], body: bytes, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        """As uhttpd does with a request that had to wait for its slot: without a body its stdin is never closed."""
        if body:
            return subprocess.run(command, input=body, capture_output=True, timeout=60, env=env)
        reading, writing = os.pipe()
        try:
            return subprocess.run(command, stdin=reading, capture_output=True, timeout=60, env=env)
        finally:
            os.close(reading)
            os.close(writing)


def header(call: Call, name: str) -> str | None:
    """A request header: all of them under a ucode prefix, a few as variables under CGI."""
    value = call.env.get("headers", {}).get(name)
    return value if value is not None else call.env.get("HTTP_" + name.upper().replace("-", "_"))
