"""``/api/v1/remote-sim/clients``, ``…/test`` and ``…/client-file``: the programs of remote SIMs on this router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Flag, Form, Text
from remsim.web.auth import actor, not_audited, requires_scope
from remsim.web.config import trusted
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, load_body

if TYPE_CHECKING:
    from remsim.remotesim.client_file import ClientFile
    from remsim.remotesim.supervisor import Supervisor

bp = Blueprint("remote_clients", __name__)

FIRST_NAME = "client"


class TestForm(Form):
    """What to try the way to: a client's server, a server, or the server in the client package's own file."""

    client = Name(allow_none=True, load_default=None, metadata={"label": "Client"})
    server = Name(allow_none=True, load_default=None, metadata={"label": "Server"})
    file = Flag(load_default=False, metadata={"label": "What /etc/config/remsim says"})


class TakeOverForm(Form):
    """The client's name here, the place of its modem, and whether the package's own service ends."""

    name = Text(1, 32, pattern="[A-Za-z0-9_]+", told="has letters, digits and _ only", metadata={"label": "Name"})
    modem = Text(1, 64, metadata={"label": "Modem"})
    end_service = Flag(load_default=True, metadata={"label": "End the package's own service"})


@bp.post("/remote-sim/clients/<name>/start")
@requires_scope("write")
@describes("Start a client that was stopped", fails=(502,))
def start_client(name: str) -> dict[str, Any]:
    """409 says why it cannot be, and names the setting."""
    supervisor().start_client(name)
    return process_of(name)


@bp.post("/remote-sim/clients/<name>/stop")
@requires_scope("write")
@describes("Stop a client until it is started again, or the router; its modem loses the remote card", fails=(502,))
def stop_client(name: str) -> dict[str, Any]:
    """The others go on."""
    supervisor().stop_client(name)
    return process_of(name)


@bp.post("/remote-sim/clients/<name>/restart")
@requires_scope("write")
@describes("End a client and start it again; resets its modem", fails=(502,))
def restart_client(name: str) -> dict[str, Any]:
    """A stopped one is started."""
    supervisor().restart_client(name)
    return process_of(name)


@bp.get("/remote-sim/clients/<name>/log")
@requires_scope("read")
@describes("The last lines that a client wrote, identifiers masked", fails=(502,))
def show_log(name: str) -> dict[str, Any]:
    """At most 300."""
    return {"lines": supervisor().log(name)}


@bp.post("/remote-sim/test")
@requires_scope("write")
@describes("Try the way of a client to its server, or to a server, step by step; changes nothing", body=TestForm)
def try_connection() -> dict[str, Any]:
    """Takes some seconds where nobody answers."""
    from remsim.remotesim.client_file import client_of_file
    from remsim.remotesim.connection_test import try_client, try_server

    not_audited()
    given = load_body(TestForm())
    if [given["client"] is not None, given["server"] is not None, given["file"]].count(True) != 1:
        raise InvalidInput("name a client or a server", field="client")
    settings = services().router.config.settings
    if given["server"] is not None:
        server = next((one for one in settings.remsim_servers if one.name == given["server"]), None)
        if server is None:
            raise NotFound(f"there is no server {given['server'][:40]!r}", field="server")
        checks = try_server(server)
    elif given["file"]:
        theirs = client_of_file(services().router.config_dir)
        if theirs is None:
            raise Conflict("no server is named in /etc/config/remsim", code="no_client_file", field="server.host")
        checks = try_client(theirs, settings.remsim_servers, None)
    else:
        client = next((one for one in settings.remote_clients if one.name == given["client"]), None)
        if client is None:
            raise NotFound(f"there is no client {given['client'][:40]!r}", field="client")
        checks = try_client(client, settings.remsim_servers, supervisor().refusal(client.name))
    return {"ok": all(one.ok is not False for one in checks), "checks": [one.as_dict() for one in checks]}


@bp.get("/remote-sim/client-file")
@requires_scope("read")
@describes("What the client package's own /etc/config/remsim says: what works, is wrong, has no effect")
def show_client_file() -> dict[str, Any]:
    """``here`` is the client of this router that is the same one."""
    found = client_file()
    if found is None:
        return {"present": False}
    return {
        "present": True,
        "runs": found.runs,
        "client_slot": ":".join(map(str, found.slot)),
        "client": found.client(),
        "ionmesh": found.ionmesh(),
        "faults": [one.as_dict() for one in found.faults()],
        "dead": found.dead(),
        "here": same_client(found),
    }


@bp.post("/remote-sim/client-file/import")
@requires_scope("write")
@describes(
    "Make the client of /etc/config/remsim one of this router's, and end the package's own service",
    body=TakeOverForm,
    status=201,
    fails=(507,),
)
def take_over() -> tuple[dict[str, Any], int]:
    """422 names the option there that cannot be used, 409 what is in the way here."""
    from remsim.remotesim.client_file import end_service, taken_over

    given = load_body(TakeOverForm())
    found, router = client_file(), services().router
    if found is None:
        hint = "is the client's package installed?"
        raise Conflict("there is no /etc/config/remsim", code="no_client_file", hint=hint)
    values, ionmesh = taken_over(found)
    here = same_client(found)
    if here is not None:
        raise Conflict(f"client {here} is the same one already", code="taken_over", field="client_id")
    names = {one.name for one in router.config.settings.remote_clients}
    name = given.get("name") or next(one for n in range(1, 100) if (one := f"{FIRST_NAME}{n}") not in names)
    if name in names:
        raise Conflict(f"there is a client {name} already", field="name")
    if given.get("modem"):
        values["modem"] = given["modem"]
    router.config.put_section("remote_client", name, values, actor(), guard=trusted)
    if ionmesh is not None and not router.config.settings.ionmesh.url:
        router.config.put_section("ionmesh", "ionmesh", ionmesh, actor(), guard=trusted)
    folder = router.config_dir if given["end_service"] and found.runs else None
    if folder is not None:
        end_service(folder)
        supervisor().follow()
    g.audit = {"what": f"client {name} taken over from /etc/config/remsim"}
    return {"name": name, "service_ended": folder is not None}, 201


def client_file() -> ClientFile | None:
    """The file of the client's package; a simulated router has none but its own."""
    from remsim.remotesim.client_file import read_client_file

    return read_client_file(services().router.config_dir)


def same_client(found: ClientFile) -> str | None:
    """The name of this router's client of the same slot."""
    for one in services().router.config.settings.remote_clients:
        if (one.client_id, one.client_slot) == found.slot and found.get("client.client_id"):
            return one.name
    return None


def process_of(name: str) -> dict[str, Any]:
    """How its process is now; that it has started or ended is seen a moment later."""
    return {"name": name, "process": supervisor().processes()[name]}


def supervisor() -> Supervisor:
    """Who runs the clients."""
    return services().router.remote_sim.supervisor
