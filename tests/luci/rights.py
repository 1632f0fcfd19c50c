"""Menu and rights of the app, from the files that the package installs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from luci.relay import APP, GROUP, OWN_RIGHTS

MENU_FILE = APP / "root/usr/share/luci/menu.d/luci-app-remsim.json"
ACL_FILE = APP / "root/usr/share/rpcd/acl.d/luci-app-remsim.json"

# What LuCI itself brings along and every login has.
BASE_MENU = {
    "admin": {"title": "Administration", "action": {"type": "firstchild", "recurse": True}},
    "admin/status": {"title": "Status", "order": 10, "action": {"type": "firstchild", "recurse": True}},
    "admin/status/overview": {"title": "Overview", "order": 1, "action": {"type": "view", "path": "status/index"}},
    "admin/services": {"title": "Services", "order": 40, "action": {"type": "firstchild", "recurse": True}},
}
BASE_RIGHTS = {
    "ubus": {
        "session": ["access"],
        "uci": ["get", "changes", "set", "add", "delete", "order"],
        "luci": ["getFeatures"],
        "file": ["list"],
    },
    "uci": {"luci": ["read"], "system": ["read"]},
    "access-group": {"luci-base": ["read"]},
}


@dataclass
class Session:
    """A login: its id, the token of its pages, its user, and what that may; ``own`` are the rights of their own."""

    id: str
    token: str
    write: bool
    own: bool = True
    user: str = "root"
    rights: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    alive: bool = True

    def __post_init__(self) -> None:
        for scope, objects in BASE_RIGHTS.items():
            self.rights[scope] = {name: list(functions) for name, functions in objects.items()}
        files = json.loads(ACL_FILE.read_text())
        self._take(GROUP, files[GROUP], ("read", "write") if self.write else ("read",))
        for group, level, _code in sorted(set(OWN_RIGHTS.values())) if self.write and self.own else ():
            self._take(group, files[group], (level,))

    def _take(self, name: str, group: dict[str, Any], levels: tuple[str, ...]) -> None:
        """As rpcd does: a level without any scope grants nothing, not even the group itself."""
        for level in levels:
            for scope, objects in group.get(level, {}).items():
                self._grant("access-group", name, [level])
                if isinstance(objects, list):
                    objects = {one: [level] for one in objects}
                for one, functions in objects.items():
                    self._grant(scope, one, functions)

    def _grant(self, scope: str, name: str, functions: list[str]) -> None:
        self.rights.setdefault(scope, {}).setdefault(name, []).extend(functions)

    def may(self, scope: str, name: str, function: str) -> bool:
        """As rpcd decides: both names are patterns."""
        return any(
            fnmatchcase(name, pattern) and any(fnmatchcase(function, one) for one in functions)
            for pattern, functions in self.rights.get(scope, {}).items()
        )


def menu(session: Session | None = None) -> dict[str, Any]:
    """The tree of pages, marked with what the session may see and change."""
    root: dict[str, Any] = {"action": {"type": "firstchild"}, "children": {}}
    for path, spec in {**BASE_MENU, **json.loads(MENU_FILE.read_text())}.items():
        node = root
        for name in path.split("/"):
            if name == "*":
                node["wildcard"] = True
                break
            node = node.setdefault("children", {}).setdefault(name, {"satisfied": True})
        node.update(spec)
        groups = spec.get("depends", {}).get("acl", [])
        if session and groups:
            held = [session.rights["access-group"].get(group) for group in groups]
            node["satisfied"] = all(held)
            if all(held) and not any("write" in one for one in held if one):
                node["readonly"] = True
    return root


def resolve(tree: dict[str, Any], names: list[str]) -> tuple[dict[str, Any] | None, list[str], list[str]]:
    """The node of an address, the path it lies at, and what a wildcard leaves over."""
    node, path = tree, []
    for at, name in enumerate(names):
        child = node.get("children", {}).get(name)
        if not child or not child["satisfied"]:
            return None, path, []
        node = child
        path.append(name)
        if node.get("wildcard"):
            return node, path, names[at + 1 :]
    while node["action"]["type"] == "firstchild":
        shown = [(one.get("order", 1000), name) for name, one in node.get("children", {}).items() if one.get("title")]
        if not shown:
            return None, path, []
        name = min(shown)[1]
        node = node["children"][name]
        path.append(name)
    return node, path, []
