"""Takes off what terminals, logs and web pages put around a reply."""

from __future__ import annotations

import re

STAMP = r"\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,:]\d{1,6})?Z?\]?"
ARROW = r"(?:<--|-->|<-|->|<<<?|>>>?|[<>]|\[[RT]X\]:?)(?=[ \t]|$)"
MARGIN = re.compile(rf"[ \t]{{0,8}}(?:{STAMP}(?:[ \t:]{{1,4}}|$))?(?:{ARROW}[ \t]{{0,8}})?")
"""What a terminal program writes before each line: the time, and whether the line was sent or received."""

RECEIVED = re.compile(r"[^\n]{0,300}?<-- '")
SENT = re.compile(r"[^\n]{0,300}?--> '")
LOG_BREAK = re.compile(r"<(?:CR|LF)>", re.IGNORECASE)
COLOUR = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]")
PYTHON = re.compile(r"""^\s*b['"]|(?<=\\[nr])['"]\s*(?:b['"]|$)""")
"""The quotes of bytes as Python prints them, one line or several."""
MMCLI = re.compile(r"^[ \t]{0,8}response:[ \t]{0,8}'", re.MULTILINE)
LOOKALIKES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{ZERO WIDTH NO-BREAK SPACE}": None})
QUOTES = str.maketrans(dict.fromkeys("“”„", '"'))


def unwrapped(reply: str) -> str:
    """The reply as the modem sent it, out of a terminal's, ModemManager's or mmcli's writing, or out of a web page."""
    text = reply if reply.isascii() else reply.translate(LOOKALIKES)
    if '"' not in text and "“" in text:
        text = text.translate(QUOTES)
    if "\x1b" in text:
        text = COLOUR.sub("", text)
    if "<CR>" in text.upper():
        text = out_of_log(text)
    elif "\n" not in text and "\r" not in text and ("\\r" in text or "\\n" in text):
        text = PYTHON.sub("", text).replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t")
    text = without_margin(text)
    if match := MMCLI.search(text):
        text = text[: match.start()] + text[match.end() :].rstrip().removesuffix("'")
    return text


def out_of_log(text: str) -> str:
    """The received parts of a log of ModemManager, that writes ``… <-- '<CR><LF>+CSQ: 20,99<CR><LF>'``."""
    kept: list[str] = []
    for line in text.split("\n"):
        if SENT.match(line):
            continue
        received = RECEIVED.match(line)
        kept.append(line[received.end() :].rstrip().removesuffix("'") if received else line)
    return LOG_BREAK.sub("\n", "\n".join(kept))


def without_margin(text: str) -> str:
    """The lines without what stands before each of them; one line without it, and all stay as they are."""
    first = MARGIN.match(text.lstrip())
    if first is None or not first[0].strip():
        return text
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    margins = [match[0] if (match := MARGIN.match(line)) else "" for line in lines]
    if not all(margin.strip() for margin in margins):
        return text
    return "\n".join(line[len(margin) :] for line, margin in zip(lines, margins, strict=True))
