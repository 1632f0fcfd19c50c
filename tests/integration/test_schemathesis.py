"""Schemathesis sends what nobody would to every operation of the OpenAPI document, of a service with virtual modems.

An error has to be one the document names for its operation; a 500 is none of them. A short run is part of the tests;
``REMSIM_FUZZ_S=600`` makes it one of ten minutes that also walks every bound and follows what it has made.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from remsim.web.auth import SCOPES
from running import RunningService, running_service
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

LONG_S = int(os.environ.get("REMSIM_FUZZ_S", "0"))
CHECKS = ("status_code_conformance", "content_type_conformance", "response_schema_conformance", "unsupported_method")
LEFT_OUT = ("stream", "service/restart")
"""One never ends, the other ends the service."""


@pytest.fixture
def service(tmp_path: Path):
    with running_service(tmp_path, "--simulate=3", "--backfill", "0") as running:
        running.wait_for("modems", lambda answer: all(one["state"] == "online" for one in answer["modems"]))
        yield running


@pytest.mark.timeout(LONG_S * 2 + 400)
def test_no_request_breaks_the_service_or_gets_an_answer_it_does_not_tell_of(
    service: RunningService, tmp_path: Path
) -> None:
    document = service.get("openapi.json")
    OPENAPI_31_VALIDATOR.validate(document)
    status, made = service.request("tokens", method="POST", body={"name": "fuzz", "scopes": list(SCOPES)})
    assert status == 201, made
    phases = ["--phases", "coverage,fuzzing,stateful", "--max-time", str(LONG_S)] if LONG_S else ["--phases", "fuzzing"]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.base}/api/v1/openapi.json"]
    command += ["-H", f"Authorization: Bearer {made['secret']}", "-c", ",".join(CHECKS), *phases]
    command += [part for path in LEFT_OUT for part in ("--exclude-path", f"/api/v1/{path}")]
    command += ["--seed", "5", "-n", "5", "--no-shrink", "--warnings", "off", "--request-timeout", "30"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONG_S * 2 + 300)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert "unforeseen error" not in service.log() and "Traceback" not in service.log()
    assert service.get("modems")["modems"], "it still answers"
