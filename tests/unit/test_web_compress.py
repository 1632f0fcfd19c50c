"""Large JSON answers are compressed for who asks for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from web_support import client_of, small_app

GZIP = {"Accept-Encoding": "gzip, br"}


def test_a_large_answer_is_compressed_for_who_takes_it_so(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    client = client_of(app)
    plain = client.get("/api/v1/openapi.json")
    small = client.get("/api/v1/openapi.json", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 3
    assert json.loads(gzip.decompress(small.data)) == plain.get_json()


def test_what_is_small_or_refused_or_no_json_stays_as_it_is(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    client = client_of(app)
    assert "Content-Encoding" not in client.get("/api/v1/healthz", headers=GZIP).headers
    refused = client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in refused.headers
    exported = client.get("/api/v1/export.csv?range=1h", headers=GZIP)
    assert "Content-Encoding" not in exported.headers
