"""What a view says about itself for OpenAPI: one line, its input and its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from remsim.core.forms import Form
from remsim.core.small_dataclass import dataclass
from remsim.web.fields import Query

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Description:
    """An operation's line of documentation, its schemas and the type of its answer."""

    summary: str
    query: type[Query] | None = None
    body: type[Form] | None = None
    answer: str = "application/json"
    status: int = 200
    fails: tuple[int, ...] = ()
    body_schema: Callable[[], dict[str, Any]] | None = None


def describes(
    summary: str,
    *,
    query: type[Query] | None = None,
    body: type[Form] | None = None,
    answer: str = "application/json",
    status: int = 200,
    fails: tuple[int, ...] = (),
    body_schema: Callable[[], dict[str, Any]] | None = None,
) -> Callable[[View], View]:
    """Attach a ``Description`` to a view; a test fails for an API view without one.

    ``fails`` are the statuses from 500 on it may answer: 502 of what asks a modem, 503 of what has a cap, 507 of what
    needs the disk. ``body_schema`` makes the JSON Schema of a body that no one ``Form`` describes.
    """

    def mark(view: View) -> View:
        told = Description(summary, query, body, answer, status, fails, body_schema)
        view.description = told  # type: ignore[attr-defined]
        return view

    return mark
