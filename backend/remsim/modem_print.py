"""What ``remsim modem`` prints: for people, or as JSON."""

from __future__ import annotations

import json
import re
import sys
from typing import Any


def show_modems(modems: list[dict[str, Any]], as_json: bool) -> int:
    """A line a modem."""
    if as_json:
        return print_json(modems)
    for modem in modems:
        name = f"{modem['vendor']} {modem['model']}"
        operation = f"; {modem['operation']}" if modem.get("operation") else ""
        print(f"{modem['id']:8}  {modem['usb_path']:14}  {name:28}  {modem['state']}{operation}")
        if modem["problem"]:
            print(f"          {modem['problem']}")
    if not modems:
        print("no modem; `remsim detect` tells what is on USB", file=sys.stderr)
    return 0


def show_actions(actions: list[dict[str, Any]], as_json: bool) -> int:
    """A line an action."""
    if as_json:
        return print_json(actions)
    for action in actions:
        missing = f" (not here: {action['missing']})" if action["missing"] else ""
        print(f"{action['name']:16}  {action['label']}{missing}")
    return 0


def show_messages(inbox: dict[str, Any], as_json: bool) -> int:
    """A block a message, the newest first."""
    if as_json:
        return print_json(inbox)
    for one in inbox["messages"]:
        number, news = printable(one["number"] or "unknown"), " (new)" if one["is_unread"] else ""
        print(f"{one['id']}  {one['at'] or 'at an unknown time'}  {number}{news}")
        for line in (one["text"] or "").splitlines():
            print(f"    {printable(line)}")
    used, total = inbox["storage"]["used"], inbox["storage"]["total"]
    print(inbox["problem"] or f"{used} of {total} places are used", file=sys.stderr)
    return 0


def show_form(form: dict[str, Any], as_json: bool) -> int:
    """A line a field, with its choices and the value in force."""
    if as_json:
        return print_json(form)
    print(form["title"])
    for text in (form.get("description"), form.get("x-cuts")):
        if text:
            print(f"  {text}")
    for name, field in form["properties"].items():
        is_required = " (required)" if name in form["required"] else ""
        print(f"  {name}={shown_type(field)}{is_required}  {field.get('title', '')}")
        if field.get("description"):
            print(f"      {field['description']}")
    return 0


def shown_type(field: dict[str, Any]) -> str:
    """What a field takes, in short."""
    choices = field.get("oneOf") or field.get("items", {}).get("oneOf")
    now = f" [now {json.dumps(field['default'])}]" if "default" in field else ""
    if choices is not None:
        return "|".join(str(one["const"]) for one in choices) + now
    bounds = f" {field['minimum']} to {field['maximum']}" if "minimum" in field else ""
    return f"<{field.get('type', 'text')}{bounds}>{now}"


def print_json(content: Any) -> int:
    """Indented, as people and programs read it; a list of plain values stays on its line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    text = re.sub(r"[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text)  # terminals obey some of those
    print(re.sub(r"\[[^][{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text))
    return 0


def show_reply(result: dict[str, Any], as_json: bool) -> int:
    """A modem's answer as it came; an error of the modem is one of the command too."""
    if as_json:
        return print_json(result)
    for line in result["reply"].split("\n"):
        print(printable(line))
    return 0 if result["ok"] else 1


def printable(text: str) -> str:
    """A line that somebody else wrote, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
