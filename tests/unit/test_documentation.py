"""What a user reads must not lag behind what there is."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
from remsim.cli import parser
from remsim.config.fields import json_values, uci_texts
from remsim.config.settings import SECTIONS, Settings, setting_names
from remsim.modem_cli import OTHERS
from remsim.modems.control.verbs import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def written_default(name: str) -> str:
    """The second column of a setting's row."""
    row = re.search(rf"^\| `{re.escape(name)}` \| ([^|]*) \|", README, re.MULTILINE)
    assert row is not None, f"README.md has no row for {name}"
    return row[1]


@pytest.mark.parametrize("name", setting_names())
def test_readme_names_every_setting(name: str) -> None:
    assert written_default(name).strip()


@pytest.mark.parametrize("name", [name for name in setting_names() if not SECTIONS[name.partition(".")[0]].many])
def test_readme_tells_the_default(name: str) -> None:
    section, option = name.split(".")
    value = getattr(getattr(Settings(), section), option)
    schema = SECTIONS[section].schema()
    shown = uci_texts(json_values(schema, {option: value})[option])
    shown = shown if isinstance(shown, list) else [shown]
    assert re.findall(r"`([^`]*)`", written_default(name)) == shown


def test_readme_has_no_setting_that_is_gone() -> None:
    rows = re.findall(rf"^\| `((?:{'|'.join(SECTIONS)})\.\w+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(setting_names())


def test_every_folder_and_script_in_the_readme_is_there() -> None:
    folders = "backend|htdocs|luci-app-remsim|rrd|openwrt-feed|tests|script|monitoring"
    named = set(re.findall(rf"`((?:{folders})/[\w/.-]*)`", README))
    assert named
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing
    scripts = {path.name for path in (ROOT / "script").iterdir() if path.is_file()}
    assert {name for name in scripts if f"`{name}`" in README or f"script/{name}" in README} == scripts


def test_every_command_in_the_readme_is_one() -> None:
    section = README.partition("## On the shell\n")[2].partition("\n## ")[0]
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^    remsim (.*)$", section, re.MULTILINE)]
    assert len(commands) > 5
    for words in commands:
        arguments = vars(parser().parse_args(words))
        action = arguments["values"][0] if arguments.get("action") == "form" else arguments.get("action")
        assert arguments.get("modem") == "record" or action in (None, *OTHERS, *ACTIONS), words


def test_ci_runs_what_the_readme_tells() -> None:
    assert "    ./script/test\n" in README
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec script/test")


def test_every_runtime_requirement_is_a_package_of_the_router() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = re.findall(r"^[A-Za-z0-9-]+", setup["options"]["install_requires"], re.MULTILINE)
    makefile = (ROOT / "openwrt-feed" / "remsim" / "Makefile").read_text()
    assert wanted
    assert [name for name in wanted if f"+python3-{name.lower()}" not in makefile] == []


def test_every_development_tool_is_pinned() -> None:
    """A new release of a linter must not turn main red."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    tools = setup["options.extras_require"]["dev"].split()
    assert tools
    assert [tool for tool in tools if not re.fullmatch(r"[a-z-]+==\d+\.(\d+\.)?\*", tool)] == []


@pytest.mark.parametrize("document", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
def test_what_a_document_links_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []
