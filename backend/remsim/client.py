"""The running service as the command line's verbs see it: requests to its API, its errors as ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, BinaryIO

from remsim.core.errors import InvalidInput, RemsimError

ANSWER_LIMIT = 8 << 20
TIMEOUT_S = 90.0
"""Longer than an AT command may take, and the one before it."""


class ServiceClient:
    """A service at ``HOST:PORT``; asked directly, so that no proxy sees the token."""

    def __init__(self, address: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._token = token
        self._timeout_s = timeout_s

    @classmethod
    def of_router(cls, state: Path | None, listen: str | None, config: Path | None) -> ServiceClient:
        """The service of this router, found by its settings; ``InvalidInput`` names the option at fault."""
        from remsim.config.settings import usable_settings
        from remsim.serve import DEFAULT_CONFIG_DIR

        settings, _problems = usable_settings(config or DEFAULT_CONFIG_DIR)
        path = (state or Path(settings.service.state_dir)) / "token"
        try:
            token = path.read_text("ascii").strip()
        except OSError as error:
            hint = "is the service running?"
            raise InvalidInput(f"{path} cannot be read: {error.strerror}", field="--state", hint=hint) from error
        except UnicodeDecodeError:
            token = ""
        if re.fullmatch(r"[!-~]+", token) is None:
            raise InvalidInput(f"{path} holds no token", field="--state")
        return cls(listen or settings.web.listen, token)

    def get(self, path: str) -> Any:
        """The answer to a GET below ``/api/v1/``."""
        return self.request("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a POST below ``/api/v1/``."""
        return self.request("POST", path, body)

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One exchange; an error of the service is raised with its own words."""
        return self._exchange(method, path, None if body is None else json.dumps(body), "application/json")

    def upload(self, path: str, file: Path, mimetype: str = "application/octet-stream") -> Any:
        """POST a file as it is, without having it in memory."""
        try:
            with file.open("rb") as content:
                return self._exchange("POST", path, content, mimetype, file.stat().st_size)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}", field="FILE") from error

    def _exchange(
        self, method: str, path: str, body: str | BinaryIO | None, mimetype: str, length: int | None = None
    ) -> Any:
        from http.client import HTTPConnection, HTTPException

        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": mimetype}
        if length is not None:
            headers["Content-Length"] = str(length)
        base = f"http://{self.address}"
        try:
            connection = HTTPConnection(self.address, timeout=self._timeout_s)
            connection.request(method, f"/api/v1/{path}", body, headers)
            answer = connection.getresponse()
            content = answer.read(ANSWER_LIMIT)
        except (OSError, HTTPException, ValueError) as error:
            raise InvalidInput(f"{base} does not answer: {error}", field="--listen", hint="is it running?") from error
        if answer.status == 401:
            raise InvalidInput(f"{base} refuses the token", field="--state", hint="is --state the service's?")
        try:
            found = json.loads(content) if content else {}
        except ValueError as error:
            raise self._stranger() from error
        if answer.status >= 400:
            raise self._refusal(answer.status, found)
        return found

    def _stranger(self) -> InvalidInput:
        return InvalidInput(f"what answers at http://{self.address} is not remsim", field="--listen")

    def _refusal(self, status: int, found: Any) -> RemsimError:
        if not isinstance(found, dict) or "detail" not in found:
            return InvalidInput(f"http://{self.address} answers {status}", field="--listen")
        told = {name: found.get(name) for name in ("field", "hint", "code")}
        return RemsimError(str(found["detail"]), **told)
