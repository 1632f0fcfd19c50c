"""The translations are complete and say what the pages say now; ``script/po`` collects the texts."""

from __future__ import annotations

import importlib.util
import struct
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=1)
def po() -> Any:
    loader = SourceFileLoader("script_po", str(ROOT / "script" / "po"))
    spec = importlib.util.spec_from_loader("script_po", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@lru_cache(maxsize=1)
def texts() -> dict[str, set[str]]:
    found: dict[str, set[str]] = po().collect()
    return found


def test_the_template_has_every_text_of_the_pages_and_no_other() -> None:
    template = set(po().read(po().POT))
    assert (template - texts().keys(), texts().keys() - template) == (set(), set()), "run script/po --write"


def test_no_text_has_blanks_around_it_which_a_catalogue_does_not_keep() -> None:
    modules = sorted((ROOT / "htdocs" / "remsim").glob("*.js"))
    found = {text for path in modules for text in po().texts_of_js(path.read_text("utf-8")) if text != text.strip()}
    assert found == set()


@pytest.mark.parametrize("language", ["de", "es", "fr", "zh_Hans"])
def test_a_language_is_complete_and_keeps_the_placeholders(language: str) -> None:
    path = po().APP / "po" / language / "remsim.po"
    known = po().read(path)
    if not any(known.values()):
        pytest.skip("nothing is translated into this language yet")
    assert po().faults(language, texts(), known) == []
    assert "Made by a machine" in path.read_text("utf-8")


@pytest.mark.parametrize(("module", "name"), [("links-words.js", "REASONS"), ("policies-explained.js", "NOTES")])
def test_what_pages_translate_of_the_service_is_what_the_service_says(module: str, name: str) -> None:
    listed = (ROOT / "htdocs" / "remsim" / module).read_text("utf-8").partition(f"export const {name} = [")[2]
    said = "".join(path.read_text("utf-8") for path in (ROOT / "backend" / "remsim").rglob("*.py"))
    sentences = list(po().texts_of_js(listed.partition("];")[0]))
    assert sentences and [one for one in sentences if f'"{one}"' not in said] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("t('one')", ["one"]),
        ("this._ctx.t('it’s %s', a.b('no'))", ["it’s %s"]),
        ("t(a === 'x' ? 'b' : 'c', 'd')", ["b", "c"]),
        ("t('x' === a ? 'b' : 'c')", ["b", "c"]),
        ("t(WORDS['x'] || f('y') || 'z')", ["z"]),
        ("msg('a'), t(variable), _('c\\'d')", ["a", "c'd"]),
        ("// t('comment')\nt('code')", ["code"]),
        ("/** Marks `t('comment')`.\n * t('more') */", []),
        ("start('no'); el('no'); at('no'); get_('no')", []),
        ("t(/* why */ 'a')", ["a"]),
        ("t(x.replace(/['(]/g, '') ? 'a' : 'b')", ["a", "b"]),
    ],
)
def test_texts_are_found_in_javascript(source: str, found: list[str]) -> None:
    assert list(po().texts_of_js(source)) == found


def test_texts_of_actions_forms_pages_and_the_menu_are_among_them() -> None:
    assert {"History", "Remote SIM", "APN", "IPv4 and IPv6", "poor", "Latency", "asking the card"} <= texts().keys()


def test_a_catalogue_that_is_written_reads_the_same(tmp_path: Path) -> None:
    entries = {'a "quoted" %s': 'ein „Zitat" %s', "b\\c": "d\\e", "ü": ""}
    path = tmp_path / "remsim.po"
    path.write_text(po().po_text("de", {text: set() for text in entries}, entries), "utf-8")
    assert po().read(path) == entries


@pytest.mark.parametrize(
    ("translated", "wrong"),
    [
        ("%s ok %s", []),
        ("", ["not translated"]),
        ("%s %d", ["other placeholders"]),
        (" %s %s", ["blanks around or a line's end in it"]),
    ],
)
def test_what_is_wrong_with_a_translation_is_said(translated: str, wrong: list[str]) -> None:
    told = po().faults("de", {"%s of %s": set()}, {"%s of %s": translated})
    assert [part.split(": ")[1] for part in told] == wrong


def test_a_text_that_is_gone_is_said() -> None:
    assert po().faults("de", {}, {"old": "alt"}) == ["de: gone from the pages: 'old'"]


def test_luci_finds_texts_by_their_keys_in_the_order_of_the_index() -> None:
    content = po().lmo({"Save": "Speichern", "same": "same", "%s ago": "vor %s"}, "nplurals=2; plural=(n != 1);")
    start = struct.unpack(">I", content[-4:])[0]
    rows = [struct.unpack_from(">4I", content, at) for at in range(start, len(content) - 4, 16)]
    found = {key: content[offset : offset + length].decode() for key, _kind, offset, length in rows}
    assert [row[0] for row in rows] == sorted(found)
    plurals = "nplurals=2; plural=(n != 1);"
    assert found == {0: plurals, po().key_of("Save"): "Speichern", po().key_of("%s ago"): "vor %s"}


@pytest.mark.parametrize(
    ("text", "key"),
    [("Save", 0x219966C7), ("Status", 0x663359C9), ("Überschrift", 0xD100CF14), ("abc", 0xD2BE198A), ("a", 0x115EA782)],
)
def test_keys_are_what_luci_computes(text: str, key: int) -> None:
    """Taken from the function sfh of luci-base's cbi.js."""
    assert po().key_of(text) == key
