"""The application: parts put together, errors in one shape, headers on every answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g
from werkzeug.routing import Rule

from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.web import (
    access,
    alert_channels,
    alert_rules,
    alerts,
    config,
    control,
    detection,
    diagnostics,
    errors,
    esim,
    esim_bulk,
    esim_codes,
    esim_iot,
    esim_orders,
    esim_rules,
    events,
    history,
    ionmesh,
    jobs,
    layouts,
    links,
    links_config,
    links_import,
    login,
    messages,
    metrics,
    modems,
    openapi,
    outputs,
    pages,
    policies,
    policy_countries,
    remote_clients,
    remote_sim,
    series,
    simulation,
    state,
    stream,
    usage,
)
from remsim.web.annotations import bp as annotations_bp
from remsim.web.auth import LOCAL, SCOPES, Accounts, Guard, Identity, Ticket, Tickets
from remsim.web.auth.recorder import record
from remsim.web.auth.rpcd import UBUS, LuciSessions
from remsim.web.auth.throttle import Throttle
from remsim.web.broker import Broker, InProcessBroker, feed
from remsim.web.compress import compress
from remsim.web.context import Services, services
from remsim.web.errors import Forbidden, TooManyAttempts, Unauthorized, of_remsim_error
from remsim.web.streams import Streams
from remsim.web.takeover import KEY

if TYPE_CHECKING:
    from remsim.router import Router

API = "/api/v1"
LARGEST_BODY = 64 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
API_PARTS = (
    modems.bp,
    detection.bp,
    control.bp,
    remote_sim.bp,
    remote_clients.bp,
    ionmesh.bp,
    esim_codes.bp,
    esim_rules.bp,
    esim_bulk.bp,
    esim_orders.bp,
    esim.bp,
    esim_iot.bp,
    messages.bp,
    state.bp,
    series.bp,
    history.bp,
    annotations_bp,
    events.bp,
    usage.bp,
    alerts.bp,
    alert_rules.bp,
    alert_channels.bp,
    outputs.bp,
    layouts.bp,
    links.bp,
    links_import.bp,
    links_config.bp,
    policies.bp,
    policy_countries.bp,
    config.bp,
    jobs.bp,
    stream.bp,
    simulation.bp,
    openapi.bp,
    diagnostics.bp,
    login.api,
    access.bp,
)


class Address(Rule):
    """An address that is only looked up: the functions that make it of its parts are compiled when one is asked for.

    For each of 280 addresses at start they took nine tenths of the time in which the application is made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(_rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(self, **values)

        return build


def create_app(
    router: Router,
    *,
    static_dir: Path,
    broker: Broker | None = None,
    first_ticket: str | None = None,
    ubus: Path = UBUS,
) -> Flask:
    """The WSGI application of one router. ``broker`` is the in-process one unless another is given.

    ``ubus`` is the program that knows LuCI's sessions.
    """
    app = Flask("remsim", static_folder=None)
    app.url_rule_class = Address
    app.url_map.merge_slashes = False  # no redirects, which would repeat whatever host the request names
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_PARTS"] = 100
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider, which this is
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    broker = broker if broker is not None else InProcessBroker()
    feed(router.bus, broker)
    tickets = Tickets(router.clock)
    if first_ticket is not None:
        tickets.issue("browser", Identity("key", LOCAL, frozenset(SCOPES)), ticket=first_ticket)
    accounts = Accounts(router.state_dir / "accounts.db", clock=router.clock, key=router.token)

    def tell_locked(address: str, wait_s: float) -> None:
        words = f"too many wrong log-ins from {address}: what is wrong from there has to wait {wait_s:.0f} s"
        router.emit(Event("access", "remsim", router.clock.now(), words, "warning", {"address": address}))

    luci = LuciSessions(router.clock, ubus)
    guard = Guard(router.token, tickets, accounts, Throttle(router.clock), luci, tell_locked)
    web = router.settings.web
    cap = min(web.max_streams, web.threads - 1)
    streams = Streams(broker, router.journal, cap)
    router.metrics.stream_clients = lambda: streams.open
    app.extensions[KEY] = Services(router, broker, streams, tickets, guard, accounts, static_dir)

    errors.install(app)
    metrics.install(app)
    app.before_request(login.wall_link)
    guard.install(app)
    for refusal in (Unauthorized, Forbidden, TooManyAttempts):
        app.register_error_handler(refusal, refuse)
    app.after_request(add_headers)
    app.after_request(compress)
    app.after_request(finish)
    for part in API_PARTS:
        app.register_blueprint(part, url_prefix=API)
    app.register_blueprint(metrics.bp)
    app.register_blueprint(login.pages)
    app.register_blueprint(pages.bp)
    return app


def refuse(error: RemsimError) -> Response:
    """A person gets a page that says how to get in, a program the usual error."""
    answer = of_remsim_error(error)
    if not pages.wants_page():
        return answer
    words = f"{error.message[:1].upper()}{error.message[1:]}."
    if isinstance(error, Unauthorized):
        words = "This page is for those who have a link to it."
    page = pages.refusal_page(words, answer.status_code)
    if "Retry-After" in answer.headers:
        page.headers["Retry-After"] = answer.headers["Retry-After"]
    return page


def finish(response: Response) -> Response:
    """Write down who wanted to change something, and let a browser keep its cookie."""
    login.keep_cookie(response)
    record(services().accounts, response)
    return response


def add_headers(response: Response) -> Response:
    """What every answer carries."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cache-Control", "no-store")
    ticket: Ticket | None = g.get("ticket")
    if ticket is not None and ticket.origin is not None:
        # The page at another port (LuCI's) that the ticket was asked for; nothing else is readable from there.
        headers["Access-Control-Allow-Origin"] = ticket.origin
        headers.add("Vary", "Origin")
    return response
