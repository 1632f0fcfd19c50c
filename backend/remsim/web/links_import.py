"""``/api/v1/links/import``: what another program was told of links, taken over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from remsim.core.errors import Conflict, RemsimError, StorageError
from remsim.core.forms import Flag, Form
from remsim.core.routes import MOST_LINKS
from remsim.web.auth import actor, not_audited, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import body_content

if TYPE_CHECKING:
    from remsim.links.mwan3.importing import Imported

bp = Blueprint("links_import", __name__)

LARGEST_FILE = 512 * 1024


class ImportBody(Form):
    """Whether it is only looked at."""

    dry_run = Flag(load_default=True)


@bp.post("/links/import/mwan3")
@requires_scope("write")
@describes(
    "Links and policies from the configuration of mwan3, which stays as it is; only shown unless dry_run is false",
    body=ImportBody,
    fails=(502, 507),
)
def import_from_mwan3() -> dict[str, Any]:
    """``warnings`` tell what cannot be carried over. Policies come where there are none yet."""
    from remsim.links.mwan3.importing import import_mwan3  # late: needed once, if ever

    is_dry = ImportBody().load(body_content())["dry_run"]
    if is_dry:
        not_audited()
    router = services().router
    path = None if router.config_dir is None else router.config_dir / "mwan3"
    found = import_mwan3(text_of(path))
    known = {one.name for one in router.routing.settings.links}
    links = [one for one in found.links if one["name"] not in known]
    warnings = [f"the link {one['name']} is here already, and stays" for one in found.links if one["name"] in known]
    room = MOST_LINKS - len(known)
    warnings += [f"the link {one['name']} is left out: there are {MOST_LINKS} at most" for one in links[room:]]
    told = found.as_dict() | {"links": links[:room], "warnings": [*warnings, *found.notes]}
    has_policies = bool(router.policies.view().get("text", "").strip())
    if has_policies and found.policies:
        told["warnings"].append("there are policies already: copy from these what you want")
    if is_dry:
        return told | {"is_applied": False}
    if not told["links"]:
        hint = "see warnings of a dry run" if found.links else "no interface of mwan3 is configured"
        raise Conflict("there is nothing to take over", hint=hint, code="nothing")
    g.audit = {"what": f"{len(told['links'])} links of mwan3"}
    router.routing.take_over(told["links"], found.globals, actor())
    if not has_policies:
        told["warnings"] += apply_policies(found)
    return told | {"is_applied": True}


def apply_policies(found: Imported) -> list[str]:
    """Put the policies in force; why not, when that cannot be: the links are there already."""
    try:
        services().router.policies.apply(found.policies, actor=actor())
    except RemsimError as error:
        return [f"the policies are not in force: {error.message}"]
    return []


def text_of(path: Path | None) -> str:
    """The file's text; empty where there is none."""
    try:
        return "" if path is None else path.read_bytes()[:LARGEST_FILE].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
