"""Cards and jobs of eSIM for pages: the API's contract from a small state, for what no simulation comes to."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

AT = "2026-01-01T00:00:00Z"
QUIET = 4
QRCODE = Path(__file__).parent.parent / "htdocs" / "vendor" / "qrcode.js"


def profile(number: int, **more: Any) -> dict[str, Any]:
    """A profile as ``GET esim`` tells it."""
    known: dict[str, Any] = {"id": f"sim-{number:08x}", "iccid": f"••••{number:04d}", "name": f"Profile {number}"}
    known |= {"nickname": None, "provider": "Example Mobile", "profile_name": f"Profile {number}"}
    known |= {"state": "disabled", "class": "operational", "icon": None, "owner": "001-01", "policy": []}
    return known | {"plan": None, "usage": None} | more


def holder(name: str, state: str = "ready", **more: Any) -> dict[str, Any]:
    """A modem with its card."""
    euicc: dict[str, Any] = {"svn": "2.2.2", "firmware": "1.2.3", "free_bytes": 420_000, "free_ram_bytes": 9000}
    euicc |= {"category": "basicEuicc", "capabilities": ["usimSupport"], "roots": ["81370f5125d0b1d4"], "iot": None}
    euicc |= {"default_smdp": None, "root_smds": "smds.example.com", "forbidden_policy": [], "profile_version": "2.3.1"}
    is_ready = state == "ready"
    known: dict[str, Any] = {"id": name, "name": name, "kind": "modem", "state": state, "problem": None, "job": None}
    known |= {"way": "AT+CGLA" if is_ready else None, "eid": "••••1235" if is_ready else None, "read_at": AT}
    known |= {"managed_by": None, "euicc": euicc if is_ready else None, "notifications": []}
    return known | {"profiles": [profile(1, state="enabled"), profile(2)] if is_ready else []} | more


def code(number: str, **more: Any) -> dict[str, Any]:
    """A kept code."""
    known: dict[str, Any] = {"id": number, "label": f"Code {number}", "smdp_address": "rsp.example.com"}
    known |= {"matching_id": "••••-5GB", "confirmation_code_required": False, "holder": None, "added_at": AT}
    return known | {"state": "unused", "problem": None} | more


def job(kind: str, state: str, **more: Any) -> dict[str, Any]:
    """A job of modem1."""
    known: dict[str, Any] = {"id": "fake-1", "kind": kind, "modem": "modem1", "title": kind, "state": state}
    known |= {"progress": None, "step": None, "can_abort": False, "confirm_by": None, "question": None, "result": None}
    known |= {"error": None, "code": None, "hint": None, "field": None, "started_at": AT}
    return known | {"ended_at": None if state in ("running", "asking") else "2099-01-01T00:00:00Z"} | more


class FakeEsim:
    """The state, the job that the next request begins, and the requests that changed something, in ``asked``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.job = job("esim-read", "done", result={})
        self.refusal: dict[str, Any] | None = None
        settings = {"engine": "own", "register_minutes": 5, "notifications": "auto"}
        self.answers: dict[tuple[str, str], Any] = {}
        """What else is answered, by method and path."""
        self.view: dict[str, Any] = {"holders": [holder("modem1")], "codes": [], "settings": settings, "warnings": []}

    def serve(self, page: Page) -> None:
        """Answer in the service's place."""
        page.route(lambda url: "/api/v1/esim" in url, self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        path = request.url.split("/api/v1/")[1].split("?")[0]
        if path == "esim/parse":
            return route.continue_()
        if request.method == "GET" and path == "esim":
            return route.fulfill(json=self.view)
        if request.method == "GET" and ("GET", path) in self.answers:
            return route.fulfill(json=self.answers["GET", path])
        if request.method == "GET" and path.startswith("esim/codes/"):
            return route.fulfill(json={"code": "LPA:1$rsp.example.com$SECRET-5GB"})
        if request.method == "GET":
            return route.fulfill(status=404, json={"detail": "there is none"})
        body = json.loads(request.post_data) if request.post_data else None
        self.asked.append((request.method, path.removeprefix("esim/"), body))
        if self.refusal is not None:
            return route.fulfill(status=self.refusal["status"], json=self.refusal)
        if (request.method, path) in self.answers:
            return route.fulfill(json=self.answers[request.method, path])
        if path.startswith("esim/codes"):
            return route.fulfill(json=code("new"), status=201)
        return route.fulfill(json=self.job, status=202)


def qr_rows(page: Page, text: str) -> list[list[bool]]:
    """A QR code's dark places, made by the library of the pages, with a quiet zone."""
    page.evaluate(f"() => {{ {QRCODE.read_text()}; window.qrcode = qrcode; }}")
    rows: list[list[bool]] = page.evaluate(
        """([text, quiet]) => {
            const code = window.qrcode(0, 'M');
            code.addData(text);
            code.make();
            const size = code.getModuleCount();
            const places = Array.from({ length: size + 2 * quiet }, (_, at) => at - quiet);
            const isWithin = at => at >= 0 && at < size;
            return places.map(y => places.map(x => isWithin(x) && isWithin(y) && code.isDark(y, x)));
        }""",
        [text, QUIET],
    )
    return rows


def png_of(rows: list[list[bool]], scale: int = 6) -> bytes:
    """A picture of it."""
    size = len(rows) * scale
    lines = b"".join((b"\0" + bytes(0 if dark else 255 for dark in row for _ in range(scale))) * scale for row in rows)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def film_of(rows: list[list[bool]], path: Path, width: int = 640, height: int = 480) -> Path:
    """A film for Chromium's false camera (YUV4MPEG2): grey, then the code in the middle of it."""
    scale = height // (len(rows) + 4)
    left, top = (width - len(rows) * scale) // 2, (height - len(rows) * scale) // 2
    grey = bytes([140]) * width
    shown = [bytearray(grey) for _ in range(height)]
    for y, row in enumerate(rows):
        line = b"".join((b"\x10" if dark else b"\xeb") * scale for dark in row)
        for at in range(scale):
            shown[top + y * scale + at][left : left + len(line)] = line
    colours = bytes([128]) * (width * height // 2)
    frames = [grey * height] * 5 + [b"".join(shown)] * 10
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + b"".join(b"FRAME\n" + luma + colours for luma in frames))
    return path
