"""``/api/v1/layouts``: how people have arranged the dashboard and the walls."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.errors import NotFound, RemsimError
from remsim.web.auth import identity, not_audited, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import body_content
from remsim.web.layout_files import DEFAULT, MINE, LayoutFiles, loaded
from remsim.web.layout_schema import LayoutForm

bp = Blueprint("layouts", __name__)

BUILT_IN = "built-in"


def files() -> LayoutFiles:
    """The layouts as who asks sees them."""
    return LayoutFiles(services().router.state_dir / "layouts", identity().user)


@bp.get("/layouts")
@requires_scope("read", "wall")
@describes("The layouts there are: names, titles, sizes; `mine` says whether who asks has one of their own")
def layouts() -> dict[str, Any]:
    """One that cannot be used is there too, with why."""
    here = files()
    return {"mine": here.has_own(), "layouts": [_row(here, name) for name in here.names()]}


def _row(here: LayoutFiles, name: str) -> dict[str, Any]:
    row = {"name": name, "title": "", "pages": None, "widgets": None, "problem": None}
    try:
        layout = here.read(name)
    except RemsimError as error:
        return row | {"problem": error.message}
    count = sum(len(page["widgets"]) for page in layout["pages"])
    return row | {"title": layout["title"], "pages": len(layout["pages"]), "widgets": count}


@bp.get("/layouts/<name>")
@requires_scope("read", "wall")
@describes("A layout; `mine` is that of who asks, else the default, `null` where the pages' own is meant", fails=(507,))
def layout(name: str) -> dict[str, Any]:
    """``name`` in the answer says which one it is."""
    here = files()
    for one in (MINE, DEFAULT) if name == MINE else (name,):
        try:
            return {"name": one, "layout": here.read(one)}
        except NotFound:
            if name != MINE and name != DEFAULT:
                raise
    return {"name": BUILT_IN, "layout": None}


@bp.put("/layouts/<name>")
@requires_scope("write")
@describes(
    "Save a layout: `mine`, `default` (for everybody), or one for walls by its name",
    body=LayoutForm,
    fails=(507,),
)
def save_layout(name: str) -> dict[str, Any]:
    """Checked as a whole; the error names the place."""
    return {"name": name, "layout": files().write(name, body_content())}


@bp.delete("/layouts/<name>")
@requires_scope("write")
@describes("Forget a layout; without `mine` the default is shown, without `default` the pages' own", fails=(507,))
def delete_layout(name: str) -> dict[str, Any]:
    """What is shown instead is asked for anew."""
    files().delete(name)
    return {"name": name, "layout": None}


@bp.post("/layouts/check")
@requires_scope("write")
@describes("Check a layout, as saving would, and give it back with its defaults; nothing is saved", body=LayoutForm)
def check_layout() -> dict[str, Any]:
    """What an import is looked at with before it is saved."""
    not_audited()
    return {"name": None, "layout": loaded(body_content())}
