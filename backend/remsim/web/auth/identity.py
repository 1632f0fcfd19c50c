"""Who asks, and the scopes that views need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import g, request

from remsim.core.small_dataclass import dataclass

PUBLIC = "public"
SCOPES = ("read", "write", "metrics", "wall", "at-console", "identifiers")
LOCAL = "local"
"""The user who holds this router's own key: its shell."""

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from: by which ``way`` he proves it, his name, and what he may.

    ``way`` is ``key`` (this router's own), ``luci`` (LuCI's login), ``token``, ``cookie``, ``app`` or ``ticket``.
    ``user`` is LuCI's login, the token's name or ``local``. ``credential`` is the id of the token, session or device
    that was shown, None for those that have none.
    """

    way: str
    user: str
    scopes: frozenset[str]
    credential: str | None = None

    def may(self, *any_of: str) -> bool:
        """Whether he has one of these scopes."""
        return not self.scopes.isdisjoint(any_of)

    def issuable(self) -> frozenset[str]:
        """The scopes he may hand on: those he has. Who reads all may hand on the parts of it."""
        return self.scopes | {"metrics", "wall"} if "read" in self.scopes else self.scopes


def requires_scope(*any_of: str) -> Callable[[View], View]:
    """Declare what a view needs: one of these scopes; ``PUBLIC`` is none."""

    def mark(view: View) -> View:
        view.required_scopes = any_of  # type: ignore[attr-defined]  # read by ``Guard``
        return view

    return mark


def identity() -> Identity:
    """Who this request comes from. For views that need a scope: nobody else gets there."""
    found: Identity = g.identity
    return found


def actor() -> str:
    """Who asks, as the journal names him."""
    who: Identity | None = g.get("identity")
    if who is None:
        return f"nobody from {request.remote_addr}"
    if who.way == "luci":
        return f"{who.user} through LuCI"
    how = "" if who.way == "key" else f" ({'browser' if who.way == 'cookie' else who.way})"
    return f"{who.user}{how} from {request.remote_addr}"


def not_audited() -> None:
    """This request changes nothing, whatever its method: the audit log need not have it. A refused one is in it."""
    g.is_audited = False


def sorted_scopes(scopes: frozenset[str] | set[str]) -> list[str]:
    """In their own order."""
    return [scope for scope in SCOPES if scope in scopes]
