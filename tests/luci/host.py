"""A web server that stands for a router's uhttpd with LuCI and this app, for tests in a browser.

Its client runtime is our own small one (``runtime/``), or LuCI's where a checkout is given. What uhttpd and the
dispatcher do to requests is imitated: script slots, lost headers, sessions by cookie, rights by the app's own files.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from luci import ubus
from luci.relay import APP, Answer, Call, Emulated, Interpreted
from luci.rights import Session, menu, resolve
from luci.scripts import ScriptSlots, TimeIsUp, script_environment

RUNTIME = Path(__file__).parent / "runtime"
SCRIPT = "/cgi-bin/luci"
# uhttpd knows no others; a module named .mjs would not load.
TYPES = {".js": "text/javascript", ".json": "application/json", ".css": "text/css", ".svg": "image/svg+xml"}
TYPES |= {".png": "image/png", ".html": "text/html"}
# What a theme's templates print around the page: before it, and after.
FRAMES = {
    "bootstrap": (
        '<header><a class="brand" href="/">Test router</a><ul class="nav" id="topmenu" style="display:none"></ul>'
        '<div id="indicators" class="pull-right"></div></header><div id="maincontent" class="container">',
        '</div><footer><ul class="breadcrumb pull-right" id="modemenu" style="display:none"></ul></footer>',
    ),
    "material": (
        '<header><div class="fill"><div class="container"><span class="showSide"></span>'
        '<a class="brand" href="#">Test router</a><span class="status" id="indicators"></span></div></div></header>'
        '<div class="main"><div class="loading"></div><div class="main-left" id="mainmenu" style="display:none"></div>'
        '<div class="main-right"><div class="modemenu-buttons" style="display:none"><ul id="modemenu"></ul></div>'
        '<div class="darkMask"></div><div id="maincontent"><div class="container">',
        "</div></div></div></div>",
    ),
    "openwrt2020": (
        '<div id="menubar"><h2 class="navigation"><a id="navigation">Navigation</a></h2><span class="hostname">'
        '<a class="brand" href="/">Test router</a></span><span id="indicators"></span></div>'
        '<div id="modemenu" style="display:none"></div><div id="maincontainer"><div id="mainmenu"></div>'
        '<div id="maincontent">',
        "</div></div>",
    ),
}
VERSION = "26.1-1700000000"


class LuciHost:
    """One router's web interface on a free loopback port."""

    def __init__(self, source: Path | None = None) -> None:
        self.source = source
        self.sessions: dict[str, Session] = {}
        self.uci: dict[str, dict[str, dict[str, Any]]] = {"luci": {"main": {".type": "core", "lang": "auto"}}}
        self.slots = ScriptSlots()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.execute: Callable[[str], dict[str, Any]] = lambda line: {"code": 127, "stderr": f"{line}: not found"}
        self.relay: Emulated | Interpreted = Emulated()
        self.theme = "bootstrap"
        self.theme_tells_scheme = True  # as bootstrap does; other themes are light, or dark by themselves
        self.translations: dict[str, str] = {}  # by LuCI's keys: what the browser gets of all catalogues
        self.version = VERSION
        base = [APP / "htdocs"]
        if source is None:
            self.folders = [*base, RUNTIME]
        else:
            themes = sorted((source / "themes").glob("luci-theme-*/htdocs"))
            modules = [source / f"modules/{name}/htdocs" for name in ("luci-base", "luci-mod-status")]
            self.folders = [*base, *modules, *themes]
        self._server = Server(self)
        self.port: int = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.allowed_hosts = {f"127.0.0.1:{self.port}"}

    def __enter__(self) -> LuciHost:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def login(self, write: bool = True, own: bool = True, user: str = "root") -> Session:
        """A new session that may write, with or without the rights of their own, or only read."""
        session = Session(secrets.token_hex(16), secrets.token_hex(16), write, own, user)
        self.sessions[session.id] = session
        return session

    def page(self, session: Session, node: dict[str, Any], path: list[str], asked: list[str]) -> str:
        """The frame around a view, as LuCI's templates print it."""
        media = f"/luci-static/{self.theme}"
        env = {
            "media": media,
            "resource": "/luci-static/resources",
            "scriptname": SCRIPT,
            "pathinfo": "/" + "/".join(asked),
            "documentroot": "/www",
            "requestpath": asked,
            "dispatchpath": path,
            "pollinterval": 5,
            "ubuspath": "/ubus/",
            "sessionid": session.id,
            "token": session.token,
            "nodespec": node,
            "apply_rollback": 90,
            "apply_holdoff": 4,
            "apply_timeout": 5,
            "apply_display": 1.5,
        }
        before, after = FRAMES[self.theme]
        return (
            (RUNTIME / "page.html")
            .read_text()
            .format(
                media=media,
                title=html.escape(node.get("title", "Remote SIM")),
                version=self.version,
                env=json.dumps(env).replace("/", "\\/"),
                view=node["action"]["path"],
                theme=self.theme,
                before=before,
                after=after,
                tells="true" if self.theme_tells_scheme else "false",
            )
        )


class Server(ThreadingHTTPServer):
    """Hands the host to its handlers."""

    daemon_threads = True

    def __init__(self, host: LuciHost) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = host


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        """Any method: a script, an RPC or a file."""
        self.url = urlsplit(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.url.path.startswith(f"{SCRIPT}/"):
            self._script()
        elif self.url.path.startswith("/ubus"):
            self._send(200, json.dumps(ubus.answer(self.server.host, json.loads(self.body))), "application/json")
        else:
            self._file()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def _script(self) -> None:
        try:
            with self.server.host.slots.one():
                answer = self._dispatch([unquote(name) for name in self.url.path[len(SCRIPT) :].split("/") if name])
        except TimeIsUp:
            answer = Answer(502, {"content-type": "text/plain"}, b"")
        kind = answer.headers.pop("content-type", "text/html")
        self._send(answer.status, answer.body, kind, answer.headers)

    def _dispatch(self, names: list[str]) -> Answer:
        host = self.server.host
        if names[:2] == ["admin", "translations"]:
            text = f"window.TR={json.dumps(host.translations)};"
            return Answer(200, {"content-type": "application/javascript"}, text.encode())
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("sysauth_http")
        session = host.sessions.get(cookie.value) if cookie else None
        if session is None or not session.alive:
            return Answer(403, {"x-luci-login-required": "yes", "content-type": "text/html"}, b"<p>Login</p>")
        if names == ["admin", "menu"]:
            return Answer(200, {"content-type": "application/json"}, json.dumps(menu(session)).encode())
        node, path, rest = resolve(menu(session), names)
        if node is None:
            return Answer(404, {}, b"<p>No page</p>")
        if node["action"]["type"] == "view":
            return Answer(200, {"cache-control": "no-cache"}, host.page(session, node, path, names).encode())
        env = script_environment(self.command, self.url.query, self.headers)
        config = {one[".type"]: one for one in host.uci.get("remsim_console", {}).values()}
        groups = session.rights["access-group"]
        return host.relay(Call(rest, env, self.body, session.token, session.user, groups, config))

    def _file(self) -> None:
        """As uhttpd: with ETag and the file's time, without a word on how long it may be kept, never compressed."""
        name = self.url.path.removeprefix("/")
        for folder in self.server.host.folders:
            path = folder / name
            if ".." not in path.parts and path.is_file():
                status = path.stat()
                headers = {
                    "ETag": f'"{status.st_ino:x}-{status.st_size:x}-{int(status.st_mtime):x}"',
                    "Last-Modified": formatdate(status.st_mtime, usegmt=True),
                }
                if headers["ETag"] in re.split(r", *", self.headers.get("If-None-Match", "")):
                    self._send(304, b"", TYPES.get(path.suffix, "application/octet-stream"), headers)
                    return
                self._send(200, path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"), headers)
                return
        self._send(404, "No such file", "text/plain")

    def _send(self, status: int, body: str | bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""
