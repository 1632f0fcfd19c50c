"""The HTTP interface of an IonMesh orchestrator as its documents describe it; every optional field may be absent.

Source: documents of terminills/osmo-remsim e06089c. Webhooks, policies and its audit log are tables there without any
route, so they are not asked for.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from remsim.config.remote_sim import IonMeshSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import RemsimError
from remsim.core.masking import masked
from remsim.outbound.reach import connect, tls_context, words_of
from remsim.outbound.timed import TimedSocket, TooLong
from remsim.outbound.way import Undelivered, one_line
from remsim.remotesim.assignment import Assignment, assignment_of

PREFIX = "/api/backend/v1"
TIMEOUT_S = 10.0
LARGEST_ANSWER = 1024 * 1024
LONGEST_RETRY_AFTER_S = 3600.0
NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME."""
CARD_FIELDS = (
    *("metadata_id", "bank_id", "slot_id", "tenant_id", "physical_iccid", "physical_imsi", "carrier", "mcc_mnc"),
    *("card_type", "ki_pool_name", "ki_pool_priority", "created_at", "updated_at"),
)
"""Of a SIM card. Not ``card_metadata``: it may hold anything, a card's keys too."""
POOL_FIELDS = (
    *("pool_id", "tenant_id", "pool_name", "carrier", "mcc_mnc", "bank_id", "slot_range_start", "slot_range_end"),
    *("slot_range", "routing_mode", "max_virtual_sims", "current_virtual_sims", "enabled", "utilization_percent"),
    *("created_at", "updated_at"),
)


class IonMeshError(RemsimError):
    """The orchestrator did not do what was asked; ``status`` of HTTP, None when there was no answer.

    ``code`` is ionmesh_unreachable, ionmesh_unauthorized, ionmesh_busy, ionmesh_refused, ionmesh_error or
    ionmesh_nonsense; ``retry_after_s`` is what it asked for.
    """

    code = "ionmesh_unreachable"
    http_status = 502

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.status = status
        self.retry_after_s = retry_after_s


class IonMeshApi:
    """The orchestrator of some settings. Each request has a connection of its own; from any thread."""

    def __init__(self, settings: IonMeshSettings, clock: Clock, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(settings.url)
        self._settings = settings
        self._clock = clock
        self._timeout_s = timeout_s
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._prefix = parts.path.rstrip("/").removesuffix(PREFIX) + PREFIX
        self.clock_skew_s: float | None = None
        """How far the orchestrator's clock is ahead of ours, by its last answer."""

    def register(self, client_id: str) -> Assignment:
        """Ask for a slot; asking again gives the same one."""
        body: dict[str, Any] = {
            "client_id": client_id,
            "mapping_mode": self._settings.mapping_mode,
            "tenant_id": self._settings.tenant_id,
        }
        if self._settings.mcc_mnc:
            body["mcc_mnc"] = self._settings.mcc_mnc
        answer = self._ask("POST", "/remsim/register-client", body)
        found = assignment_of(answer)
        if found is None:
            raise self._nonsense("it registers a client, but gives it no bank_id and slot_id from 0 to 1023")
        return found

    def heartbeat(self, client_id: str, beat: Mapping[str, Any]) -> dict[str, Any]:
        """Say that a client lives; what it answers, with ``commands`` of any form."""
        return self._ask("POST", "/remsim/heartbeat", {"client_id": client_id, **beat})

    def unregister(self, client_id: str) -> None:
        """Give a client's slot back; one that is not known has none."""
        try:
            self._ask("DELETE", f"/remsim/unregister/{quote(client_id, safe='')}")
        except IonMeshError as error:
            if error.status != 404:
                raise

    def discover(self) -> dict[str, Any]:
        """What the orchestrator says about itself."""
        names = ("service", "version", "api_endpoint", "capabilities", "supported_mapping_modes")
        return picked(self._ask("GET", "/remsim/discover"), (*names, "heartbeat_interval", "max_swsims_per_slot"))

    def sim_cards(self, **filters: str) -> list[dict[str, Any]]:
        """The cards it knows; filters are carrier, ki_pool_name, card_type."""
        query = urlencode({name: value for name, value in filters.items() if value})
        return self._list("/sim-cards" + (f"?{query}" if query else ""), "cards", CARD_FIELDS)

    def put_sim_card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """Tell it of a card, or change what it knows of one."""
        answer = self._ask("POST", "/sim-cards", {"tenant_id": self._settings.tenant_id, **card})
        return picked(answer.get("card"), CARD_FIELDS)

    def drop_sim_card(self, bank_id: int, slot_id: int) -> None:
        """Have it forget a card."""
        self._ask("DELETE", f"/sim-cards/{bank_id}/{slot_id}")

    def pools(self) -> list[dict[str, Any]]:
        """The KI-proxy pools."""
        return self._list("/ki-proxy-pools", "pools", POOL_FIELDS)

    def pool(self, pool_id: str) -> dict[str, Any]:
        """One pool with its cards and how far it is used."""
        answer = self._ask("GET", f"/ki-proxy-pools/{quote(pool_id, safe='')}")
        cards = answer.get("physical_sims")
        use = ("current_virtual_sims", "max_virtual_sims", "usage_percent")
        return {
            **picked(answer.get("pool"), POOL_FIELDS),
            "physical_sims": [picked(card, CARD_FIELDS) for card in (cards if isinstance(cards, list) else [])],
            "utilization": picked(answer.get("utilization"), use),
        }

    def add_pool(self, pool: Mapping[str, Any]) -> dict[str, Any]:
        """Make a pool."""
        answer = self._ask("POST", "/ki-proxy-pools", {"tenant_id": self._settings.tenant_id, **pool})
        return picked(answer.get("pool"), POOL_FIELDS)

    def drop_pool(self, pool_id: str) -> None:
        """Remove a pool; refused while it is in use."""
        self._ask("DELETE", f"/ki-proxy-pools/{quote(pool_id, safe='')}")

    def _list(self, path: str, name: str, fields: tuple[str, ...]) -> list[dict[str, Any]]:
        entries = self._ask("GET", path).get(name)
        if not isinstance(entries, list):
            raise self._nonsense(f"its answer has no list of {name}")
        return [picked(entry, fields) for entry in entries]

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object it answers with, or ``IonMeshError``."""
        status, headers, content = self._exchange(method, path, body)
        self._compare_clocks(headers.get("date"))
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        told = answer if isinstance(answer, dict) else {}
        if not 200 <= status < 300 or told.get("status") == "error":
            raise self._refusal(status, headers, told)
        if not isinstance(answer, dict):
            what = "a web page" if content.lstrip()[:1] == b"<" else "something that is not an object of JSON"
            raise self._nonsense(f"it answers with {what}")
        return answer

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, str], bytes]:
        deadline = time.monotonic() + self._timeout_s
        connection = HTTPConnection(self._host, self._port)
        connection.auto_open = 0
        headers = {"Accept": "application/json", "User-Agent": "remsim", "Connection": "close"}
        if self._settings.api_key:
            headers["X-API-Key"] = self._settings.api_key
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        try:
            timed = TimedSocket(self._connected())
            connection.sock = timed
            timed.allow(deadline, LARGEST_ANSWER)
            connection.request(method, self._prefix + path, data, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except Undelivered as error:
            raise IonMeshError(f"IonMesh: {error.message}", hint=error.hint) from error
        except TooLong as error:
            raise self._nonsense(f"it answers with more than {LARGEST_ANSWER // 1024} kB") from error
        except OSError as error:
            raise IonMeshError(f"IonMesh: {self._where}: {words_of(error)}") from error
        except (HTTPException, ValueError) as error:
            raise self._nonsense("its answer is cut or is not HTTP") from error
        finally:
            connection.close()

    @property
    def _where(self) -> str:
        return f"{self._host} port {self._port}"

    def _connected(self) -> socket.socket:
        sock = connect(self._host, self._port, allow_private=True, timeout_s=self._timeout_s)
        if not self._is_tls:
            return sock
        context = tls_context(verify=self._settings.verify_tls)
        if self._clock.now() < FIRST_TRUSTED:
            # Until the clock is set every certificate is of the future. Who signed it and for whom is looked at still.
            context.verify_flags |= NO_CHECK_TIME
        try:
            made: socket.socket = context.wrap_socket(sock, server_hostname=self._host)
            return made
        except OSError:
            sock.close()
            raise

    def _compare_clocks(self, date: str | None) -> None:
        theirs = epoch_of(date)
        if theirs is not None:
            self.clock_skew_s = round(theirs - self._clock.now(), 1)

    def _refusal(self, status: int, headers: Mapping[str, str], told: Mapping[str, Any]) -> IonMeshError:
        """Its answer in our words."""
        own = told.get("message")
        said = f": {self._shown(own)}" if isinstance(own, str) and own else ""
        if status in (401, 403):
            return IonMeshError(
                f"IonMesh does not take the API key (status {status})",
                code="ionmesh_unauthorized",
                hint="check the API key and the tenant in the settings",
                status=status,
            )
        if 300 <= status < 400:
            error = self._nonsense(f"it answers with a redirect ({status}), which is not followed")
        elif status == 429:
            error = IonMeshError(f"IonMesh is asked too often{said}", code="ionmesh_busy")
        elif status >= 500:
            error = IonMeshError(f"IonMesh fails with status {status}{said}", code="ionmesh_error")
        else:
            error = IonMeshError(f"IonMesh refuses it with status {status}{said}", code="ionmesh_refused")
        error.status = status
        if status in (404, 409):
            error.http_status = status
        error.retry_after_s = self._retry_after_s(headers)
        return error

    def _retry_after_s(self, headers: Mapping[str, str]) -> float | None:
        """What it asks to wait. A time of day counts from its own clock, as ours may be unset."""
        text = headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", text, re.ASCII):
            return min(float(text), LONGEST_RETRY_AFTER_S)
        until, now = epoch_of(text), epoch_of(headers.get("date"))
        if until is None:
            return None
        if now is None:
            now = self._clock.now()
        return min(max(until - now, 0.0), LONGEST_RETRY_AFTER_S)

    def _nonsense(self, what: str) -> IonMeshError:
        hint = "check that the address is that of an IonMesh orchestrator"
        return IonMeshError(f"IonMesh: {self._where}: {what}", code="ionmesh_nonsense", hint=hint)

    def _shown(self, text: str) -> str:
        """Words of the orchestrator as they may stand in a log: no identifiers, nor the key it may repeat."""
        if self._settings.api_key:
            text = text.replace(self._settings.api_key, "…")
        return masked(one_line(text))[:200]


def picked(found: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """What of an object is known and of a plain kind."""
    if not isinstance(found, dict):
        return {}
    return {name: plain(found[name]) for name in fields if name in found}


def plain(value: Any) -> Any:
    """A value that can be shown: a list of short texts, a number, a short text; None for anything else."""
    if isinstance(value, list):
        return [plain(one) for one in value[:64] if isinstance(one, str)]
    if isinstance(value, str):
        return one_line(value)[:256]
    return value if isinstance(value, int | float) else None


def epoch_of(text: str | None) -> float | None:
    """An HTTP date; None when it is none."""
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
