"""What LuCI's pages call over ``/ubus``: JSON-RPC, single and in batches, with the rights checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luci.host import LuciHost
    from luci.rights import Session

NOT_FOUND, DENIED = 4, -32002
CHANGES = ("uci set", "uci add", "uci delete", "uci order")


def answer(host: LuciHost, message: Any) -> Any:
    """The answer to one message or to a batch."""
    if isinstance(message, list):
        return [answer(host, one) for one in message]
    frame = {"jsonrpc": "2.0", "id": message.get("id")}
    if message["method"] == "list":
        return {**frame, "result": {}}
    sid, name, function, arguments = message["params"]
    session = host.sessions.get(sid)
    if session is None or not session.alive or not session.may("ubus", name, function):
        return {**frame, "error": {"code": DENIED, "message": "Access denied"}}
    arguments.pop("ubus_rpc_session", None)
    return {**frame, "result": _call(host, session, f"{name} {function}", arguments)}


def staged(host: LuciHost, config: str, section: str, option: str) -> str | None:
    """What a session has saved and not applied."""
    found = None
    for what, given in host.calls:
        if what == "uci set" and (given["config"], given["section"]) == (config, section):
            found = given["values"].get(option, found)
    return found


def _call(host: LuciHost, session: Session, what: str, given: dict[str, Any]) -> list[Any]:
    host.calls.append((what, given))
    if what == "session access":
        if "object" not in given:
            return [0, session.rights]
        return [0, {"access": session.may(given.get("scope", "ubus"), given["object"], given["function"])}]
    if what == "uci get":
        config = host.uci.get(given["config"])
        if config is None:
            return [NOT_FOUND]
        if not session.may("uci", given["config"], "read"):
            return [6]
        sections = config.items()
        return [0, {"values": {name: {**one, ".name": name, ".anonymous": False} for name, one in sections}}]
    if what in CHANGES:
        if not session.may("uci", given["config"], "write"):
            return [6]
        return [0, {"section": given.get("name", "cfg99")}]
    if what == "file exec":
        line = " ".join([given["command"], *given.get("params", [])])
        if not (session.may("file", given["command"], "exec") or session.may("file", line, "exec")):
            return [6]
        return [0, host.execute(line)]
    if what == "file list":
        folders = [folder / given["path"].removeprefix("/www/") for folder in host.folders]
        names = sorted({path.name for folder in folders if folder.is_dir() for path in folder.iterdir()})
        return [0, {"entries": [{"name": name, "type": "file"} for name in names]}]
    known: dict[str, Any] = {"uci changes": {"changes": {}}, "luci getFeatures": {}}
    return [0, known[what]] if what in known else [NOT_FOUND]
