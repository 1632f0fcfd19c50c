"""The app's files agree with each other: menu, rights, views, controller, modules."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from luci.relay import APP, CONTROLLER, GROUP, OWN_RIGHTS
from luci.rights import ACL_FILE, BASE_RIGHTS, MENU_FILE
from luci.scripts import TIME_LIMIT_S
from remsim.modems.control.verbs import ACTIONS
from remsim.web.shell import PAGES

ROOT = APP.parent
RESOURCES = APP / "htdocs/luci-static/resources"
VIEWS = sorted((RESOURCES / "view").rglob("*.js"))
CLASSES = [*sorted((RESOURCES / "remsim").glob("*.js")), *VIEWS]


def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes a key twice without a word; LuCI then loses the first."""
    names = [name for name, _value in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def load(path: Path) -> Any:
    return json.loads(path.read_text(), object_pairs_hook=no_twins)


def granted(scope: str, name: str, function: str) -> bool:
    """Whether the app's group, or what every login has, allows a call."""
    for rights in (BASE_RIGHTS, *(load(ACL_FILE)[GROUP].get(level, {}) for level in ("read", "write"))):
        objects = rights.get(scope, {})
        if isinstance(objects, list):
            objects = {one: ["read", "write"] for one in objects}
        if any(fnmatchcase(name, pattern) and function in functions for pattern, functions in objects.items()):
            return True
    return False


def needed(name: str) -> set[str]:
    """A class of the app and all of the app's classes that it requires."""
    text = (RESOURCES / f"{name.replace('.', '/')}.js").read_text()
    return {name}.union(*(needed(one) for one in re.findall(r"^'require (remsim\.[\w.]+)", text, re.MULTILINE)))


def test_every_page_needs_the_apps_group_and_leads_somewhere() -> None:
    menu = load(MENU_FILE)
    for path, node in menu.items():
        assert path.startswith("admin/services/remsim")
        assert node["depends"]["acl"] == [GROUP], path
        action = node["action"]
        if action["type"] == "view":
            assert (RESOURCES / "view" / f"{action['path']}.js").is_file()
        elif action["type"] == "function":
            assert action["module"] == f"luci.controller.{CONTROLLER.stem}"
            assert re.search(rf"\b{action['function']}: function\(", CONTROLLER.read_text())
        else:
            assert action["type"] == "firstchild"
            assert any(other.startswith(f"{path}/") and menu[other].get("title") for other in menu)
    assert load(ACL_FILE).keys() == {GROUP, *(group for group, _level, _code in OWN_RIGHTS.values())}


def test_what_needs_more_than_writing_needs_it_in_luci_too() -> None:
    text = CONTROLLER.read_text()
    table = re.search(r"const OWN_RIGHTS = \{\n(.*?)\n\};", text, re.DOTALL)
    assert table
    assert set(re.findall(r"^\t(\w+): ", table[1], re.MULTILINE)) == OWN_RIGHTS.keys()
    assert {one.name for one in ACTIONS.values() if one.scope != "write"} == OWN_RIGHTS.keys() - {"identifiers"}
    console = next(group for group, _level, code in OWN_RIGHTS.values() if code == "no_console")
    assert all(OWN_RIGHTS[one.name][0] == console for one in ACTIONS.values() if one.scope == "at-console")


def test_every_right_is_one_that_rpcd_grants() -> None:
    for name, group in load(ACL_FILE).items():
        assert group["description"], name
        for level in group.keys() - {"description"}:
            assert group[level], f"{name}: rpcd grants a group with its scopes; {level} without any grants nothing"


def test_a_reading_login_is_granted_nothing_that_changes() -> None:
    read = load(ACL_FILE)[GROUP]["read"]
    assert read.keys() <= {"uci", "ubus", "file"}
    assert "exec" not in json.dumps(read)
    assert "write" not in json.dumps(read)


@pytest.mark.parametrize("view", CLASSES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_view_calls_is_granted(view: Path) -> None:
    text = view.read_text()
    for config in re.findall(r"uci\.load\('([^']+)'\)", text):
        assert granted("uci", config, "read"), config
    for command, arguments in re.findall(r"fs\.exec\('([^']+)', \[([^\]]*)\]\)", text):
        line = " ".join([command, *re.findall(r"'([^']*)'", arguments)])
        assert granted("file", line, "exec"), line
        assert granted("ubus", "file", "exec")
    for name, function in re.findall(r"object: '([^']+)',\s*method: '([^']+)'", text):
        assert granted("ubus", name, function), (name, function)
    assert len(re.findall(r"\b(?:fs\.\w+|rpc\.declare|uci\.load)\(", text)) == len(
        re.findall(r"fs\.exec\('[^']+', \[|object: '[^']+',\s*method: '|uci\.load\('", text)
    ), "a call in a form that this test does not read"


@pytest.mark.parametrize("view", CLASSES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_view_is_what_luci_evaluates(view: Path) -> None:
    lines = view.read_text().splitlines()
    assert lines[0] == "'use strict';"
    required = {line.split("'")[1].removeprefix("require ") for line in lines if line.startswith("'require ")}
    assert required, "a class extends another"
    # What a view asks for only so that it comes along with the class that needs it: one round trip less.
    early = {name for name in required if view in VIEWS and name.startswith("remsim.") and " as " not in name}
    assert not early or early == needed("remsim.page") - {"remsim.page"}
    named = {name.split()[-1] for name in required - early}
    for name in named:
        assert re.search(rf"\b{name}\.", view.read_text()), f"{name} is required and not used"
    assert not re.search(r"^(import|export) ", view.read_text(), re.MULTILINE)
    # A bare string as child is markup; in an array it is text.
    assert re.findall(r"\bE\('\w+', (?!\{)[^)]", view.read_text()) == []
    assert re.findall(r"\bE\('\w+', \{[^{}]*\}, (?!\[)[^)]", view.read_text()) == []


def test_the_shared_modules_and_the_chart_library_are_where_the_view_looks() -> None:
    for view in CLASSES:
        text = view.read_text()
        named = re.findall(r"'(remsim/[\w./-]+\.(?:js|css))'", text)
        named += [f"remsim/app/{name}.js" for name in re.findall(r"page\.showing\('([\w-]+)'", text)]
        named += [f"{name.replace('.', '/')}.js" for name in re.findall(r"'require (remsim\.[\w.]+)", text)]
        for name in named:
            assert (RESOURCES / name).is_file(), name
    assert (RESOURCES / "remsim/vendor/chart.umd.js").is_file()
    names = [path.name for path in (RESOURCES / "remsim").rglob("*")]
    assert not [name for name in names if name.endswith((".mjs", ".wasm", ".woff2"))], "uhttpd knows no such type"


def test_a_page_is_the_same_in_luci_as_in_the_service() -> None:
    """Its module and its style sheets, of which what is missing would show only on a router."""
    pages = {page.module: list(page.styles) for page in PAGES}
    for view in VIEWS:
        found = re.search(r"page\.showing\('([\w-]+)'(?:, \[([^\]]*)\])?", view.read_text())
        if found:
            assert re.findall(r"'([\w-]+)'", found[2] or "") == pages[found[1]], view.stem


def test_the_list_of_imports_is_current() -> None:
    done = subprocess.run([ROOT / "script" / "manifest", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_relay_gives_up_before_the_page_does() -> None:
    limits = dict(re.findall(r"const (CONNECT_MS|\w*SILENCE_S) = (\d+);", CONTROLLER.read_text()))
    patience = dict(re.findall(r"const (\w*TIMEOUT_MS) = (\d+);", (RESOURCES / "remsim/service.js").read_text()))
    for silence, page in (("SILENCE_S", "TIMEOUT_MS"), ("MODEM_SILENCE_S", "MODEM_TIMEOUT_MS")):
        longest_ms = int(limits["CONNECT_MS"]) + 1000 * int(limits[silence])
        assert longest_ms < int(patience[page]) - 5000, "the page would tell less than the relay"
        assert longest_ms < 1000 * TIME_LIMIT_S - 5000, "uhttpd would end the relay without a word"


def test_patterns_of_the_controller_match_whole_texts_and_ucode_knows_its_words() -> None:
    text = CONTROLLER.read_text()
    anchored = re.findall(r"/\^(?:\\.|[^/\n])*\$\)?/(\w*)", text)
    assert len(anchored) >= 6
    assert all("s" in flags for flags in anchored), "^ and $ match at every line's ends without the flag s"
    code = re.sub(r"//.*|/(?:\\.|[^/\n ])+/|'[^'\n]*'|`[^`\n]*`", "", text)
    for left, right in ("()", "[]", "{}"):
        assert code.count(left) == code.count(right)
    # JavaScript's words that ucode does not have.
    assert not re.search(r"\b(do|async|await|class|new|of|var|typeof|undefined)\b|(const|let) [{\[]", code)
