"""The page that colours a policy's text cuts it as the parser does: two lexers, one language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from remsim.core.routes import ALGORITHMS, PERSISTENCES, STATES
from remsim.policies.language import words
from remsim.policies.language.lexer import END, STRING, tokens_of

ROOT = Path(__file__).parents[2]
LEXER = ROOT / "htdocs" / "remsim" / "policies-lexer.js"
READ = f"""
import {{ readFileSync }} from 'node:fs';
import {{ tokensOf }} from '{LEXER.as_uri()}';
const texts = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map(text => text.split('\\n').map(line => tokensOf(line).map(one =>
    [one.kind, one.text, [...line.slice(0, one.from)].length + 1])))));
"""
PIECES = (
    *("policy", "set", "match:", "route:", "port", "80/443", "SNI", "*.example.com", "{", "}", "(", ")", ",", ":"),
    *("==", "!=", ">=", "<", "=", "!", '"a b"', '"a\\"b"', '"open', "# why", "fe80::1", "::1", "00:00-06:00", "  "),
    *(
        "\t",
        "\n",
        "\r\n",
        "é",
        "“",
        "𝄞",
        "\u00a0",
        "match:all",
        "port:443",
        "x:",
        ":x",
        "@kids",
        "1MB/s",
        "\x1f",
        "'",
        " ",
    ),
)


def as_page(text: str) -> list[list[tuple[str, str, int]]]:
    """The parser's tokens and comments by line, as the page has them."""
    lines: list[list[tuple[str, str, int]]] = [[] for _ in text.split("\n")]
    lexed = tokens_of(text)
    for token in lexed.tokens:
        if token.kind != END:
            lines[token.line - 1].append((token.kind, token.text, token.column))
    return lines


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the page's lexer")
def test_the_pages_lexer_cuts_any_text_as_the_parsers_does() -> None:
    random = Random(8)
    texts = ["".join(random.choices(PIECES, k=random.randrange(1, 30))) for _ in range(1500)]
    texts += [path.read_text("utf-8") for path in sorted((ROOT / "backend/remsim/policies/presets").glob("*.policy"))]
    command = ["node", "--input-type=module", "-e", READ]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for text, lines in zip(texts, json.loads(done.stdout), strict=True):
        found = [[(kind, part, at) for kind, part, at in line if kind not in ("comment", "bad")] for line in lines]
        assert found == as_page(text), repr(text)


def test_the_page_colours_the_words_of_the_language() -> None:
    text = LEXER.read_text("utf-8")
    tables = {name: re.findall(r"'(\w+)'", table) for name, table in re.findall(r"const (\w+) = \[([^\]]*)\]", text)}
    assert tables["STATEMENTS"] == list(words.STATEMENTS)
    assert sorted(tables["TESTS"]) == sorted(words.TEST_WORDS)
    assert tables["ROUTES"] == list(words.ROUTES)
    assert STRING == "string"


def test_the_page_has_a_word_for_all_that_links_are_and_are_shared_by() -> None:
    text = (ROOT / "htdocs" / "remsim" / "links-words.js").read_text("utf-8")
    tables = {name: re.findall(r"(?:^|[{,])\s*(\w+): (?:\[|msg)", table, re.M) for name, table in
              re.findall(r"const (\w+) = \{(.*?)\n?\};", text, re.S)}  # fmt: skip
    assert tables["LINK_STATES"] == list(STATES)
    assert tables["ALGORITHMS"] == list(ALGORITHMS)
    assert tables["PERSISTENCES"] == list(PERSISTENCES)
