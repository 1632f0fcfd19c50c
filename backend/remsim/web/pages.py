"""The pages and their files: small, compressed once, checked by ETag instead of trusted by age."""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
from collections.abc import Callable
from html import escape
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from remsim.core.small_dataclass import dataclass
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.shell import PAGES, Page, html_of

bp = Blueprint("pages", __name__)

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
COMPRESSED = frozenset((".html", ".js", ".css", ".json", ".svg", ".txt", ".md"))
SMALLEST_COMPRESSED = 600
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Compressed:
    """A file's gzip form, of one version of it."""

    etag: str
    content: bytes


class Compressor:
    """Keeps the gzip form of the files that were asked for: about 100 KB for all of a dashboard."""

    def __init__(self) -> None:
        self._kept: dict[Path, Compressed] = {}
        self._lock = threading.Lock()

    def gzip(self, path: Path, etag: str) -> bytes:
        """The compressed content, made at the first call for this version."""
        kept = self._kept.get(path)
        if kept is None or kept.etag != etag:
            with self._lock:
                kept = Compressed(etag, gzip.compress(path.read_bytes(), 6, mtime=0))
                self._kept[path] = kept
        return kept.content


compressor = Compressor()


def page_view(page: Page) -> Callable[[], Response]:
    """The view of one page."""

    def view() -> Response:
        text = html_of(page, services().static_dir)
        answer = Response(text, content_type=TYPES[".html"], headers={"Cache-Control": "no-cache"})
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    view.__name__ = page.module
    return requires_scope(*page.scopes)(view)


for one in PAGES:
    bp.add_url_rule(f"/{one.path}", one.module, page_view(one))


@bp.get("/ui/<path:name>")
@requires_scope("read", "wall")
def file(name: str) -> Response:
    """A file of the pages."""
    return file_response(name)


def file_response(name: str) -> Response:
    """A file below the static folder: 200, 304 or ``NotFound``."""
    joined = safe_join(str(services().static_dir), name)
    suffix = Path(name).suffix
    if joined is None or "\0" in name or len(name) > LONGEST_NAME or suffix not in TYPES or not Path(joined).is_file():
        raise NotFound
    path = Path(joined)
    status = path.stat()
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_weak(etag):
        answer = Response(status=304, headers=headers)
    elif suffix in COMPRESSED and status.st_size >= SMALLEST_COMPRESSED and request.accept_encodings["gzip"] > 0:
        answer = Response(compressor.gzip(path, etag), headers=headers, content_type=TYPES[suffix])
        answer.headers["Content-Encoding"] = "gzip"
    else:
        answer = Response(path.read_bytes(), headers=headers, content_type=TYPES[suffix])
    answer.set_etag(etag, weak=True)
    return answer


def wants_page() -> bool:
    """Whether a person's browser asks for a page, not a program for data."""
    return (
        request.method == "GET"
        and not request.path.startswith("/api/")
        and "text/html" in request.headers.get("Accept", "")
    )


REFUSAL_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;"
    "font:15px/1.45 system-ui,sans-serif;background:#f6f7f9;color:#1b2430}"
    "main{max-width:34rem;margin:16px;padding:24px;border:1px solid #dde1e7;border-radius:8px;background:#fff}"
    "h1{margin:0 0 8px;font-size:1.3em}p{margin:8px 0 0}code{font-weight:600}"
    "@media(prefers-color-scheme:dark){body{background:#0f1318;color:#e6ebf1}"
    "main{background:#171d24;border-color:#2a323c}}"
)
"""Who is not logged in gets no file: the page carries its lines of style, and its policy names them by their hash."""
STYLE_HASH = base64.b64encode(hashlib.sha256(REFUSAL_STYLE.encode()).digest()).decode()
REFUSAL_POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'self'"
)


def refusal_page(sentence: str, status: int) -> Response:
    """A page that says how to get in."""
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>remsim: not logged in</title><link rel="icon" href="data:,"><style>{REFUSAL_STYLE}</style></head>
<body><main><h1>Not logged in</h1><p>{escape(sentence)}</p>
<p>Run <code>remsim link</code> on the router and open the link it prints. Each link works once.</p>
</main></body></html>
"""
    headers = {"Content-Security-Policy": REFUSAL_POLICY}
    return Response(text, status, headers=headers, content_type="text/html; charset=utf-8")
