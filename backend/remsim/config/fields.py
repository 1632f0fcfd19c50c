"""What sections of ``/etc/config/remsim_console`` are made of: field types of options, and a row a section type.

One schema reads UCI's texts, checks what the API is given, and describes the form. Values as JSON: numbers, booleans,
lists and texts; what may be a number or ``off`` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from marshmallow import ValidationError
from marshmallow import fields as ma

from remsim.core.forms import Form, Text
from remsim.core.small_dataclass import dataclass

PERIOD = r"off|0|(0?[1-9]|[1-5][0-9])(\.[0-9]{1,3})?|60(\.0{1,3})?"
LISTEN = r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}"
IPV6 = r"\[([0-9A-Fa-f:.]+)\]|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
TARGET = re.compile(rf"(icmp|tcp|dns):(?:([0-9.]+)|{IPV6})(?::([0-9]{{1,5}}))?\Z")
PLACE = r"[0-9]+-[0-9]+(\.[0-9]+)*|pci-[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
PATH = "/.*"
LONGEST_TEXT = 256
MOST_TARGETS = 8


class Options(Form):
    """Options of a section type. Metadata: label, help, unit, advanced, secret, live (needs no restart), warning, stays
    (one who changes the section and does not name it leaves it)."""


@dataclass(frozen=True, slots=True)
class SectionType:
    """One UCI section type: its options' schema, and the dataclass that ``Settings.<place>`` holds one or many of.

    Where there are ``many``, ``named_by`` is the field of the dataclass that the section's UCI name fills (None: the
    sections may be anonymous), ``inherits`` maps fields to options of section ``service`` they are taken from when
    absent, and ``most`` is how many there may be; one without a required option counts for nothing. ``page`` is the
    page of its own that edits it; None: Settings. ``live``: all of it is in force without a restart. ``section`` is the
    UCI name of the only one where that is not its type's.
    """

    name: str
    schema: type[Options]
    kind: Callable[..., Any]
    place: str
    label: str
    help: str = ""
    many: bool = False
    named_by: str | None = None
    inherits: Mapping[str, str] | None = None
    most: int = 1
    page: str | None = None
    live: bool = False
    section: str | None = None


class Period(ma.Field[float | None]):
    """Seconds from 1 to 60, or ``off`` (None); as JSON a text."""

    told = "is 1 to 60 seconds, or off"
    json = {"type": "string", "pattern": f"^(?:{PERIOD})$", "x-told": told, "maxLength": 6}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float | None:
        if value in ("off", "0"):
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:g}"
        if isinstance(value, str) and re.fullmatch(r"\d{1,2}(\.\d{1,3})?", value, re.ASCII) and 1 <= float(value) <= 60:
            return float(value)
        raise ValidationError(self.told)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return "off" if value is None else f"{value:g}"


class Lines(ma.Field[tuple[str, ...]]):
    """A list of texts, each checked by ``check``; a UCI list, a JSON array, or lines."""

    def __init__(self, check: Callable[[str], None], most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check, self.most = check, most

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"type": "array", "items": {"type": "string", "maxLength": LONGEST_TEXT}, "maxItems": self.most}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise ValidationError("is not a list of texts")
        if len(value) > self.most:
            raise ValidationError(f"has more than {self.most} entries")
        for one in value:
            if len(one) > LONGEST_TEXT:
                raise ValidationError(f"has an entry of more than {LONGEST_TEXT} characters")
            self.check(one)
        return tuple(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return list(value)


class Limits(ma.Field[tuple[float, float, float]]):
    """Three rising numbers: from where a value is fair, good, excellent; as JSON a text with blanks."""

    told = "is not three rising numbers"
    FORM = r"-?[0-9]{1,3}(\.[0-9])?( +-?[0-9]{1,3}(\.[0-9])?){2}"
    json = {
        "type": "string",
        "pattern": f"^(?:{FORM})$",
        "x-told": told,
        "maxLength": 40,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[float, float, float]:
        if isinstance(value, str) and re.fullmatch(self.FORM, value.strip(), re.ASCII):
            fair, good, excellent = (float(one) for one in value.split())
            if fair < good < excellent:
                return fair, good, excellent
        raise ValidationError(self.told)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return " ".join(f"{one:g}" for one in value)


def check_target(text: str) -> None:
    """A probe's target: an address, and a port where the method has one."""
    match = TARGET.match(text)
    try:
        if match is None:
            raise ValueError(text)
        method, ipv4, in_brackets, ipv6, port = match.groups()
        ip_address(in_brackets or ipv4 or ipv6)
        if {"icmp": port is not None, "tcp": port is None, "dns": False}[method] or not 1 <= int(port or 1) <= 65535:
            raise ValueError(text)
    except ValueError as error:
        raise ValidationError("is not icmp:IP, tcp:IP:PORT or dns:IP[:PORT]") from error


def check_listen(text: str) -> None:
    """An address to listen on; its form is checked already."""
    if int(text.rpartition(":")[2]) > 65535:
        raise ValidationError("is not HOST:PORT")


def Targets(**kwargs: Any) -> Lines:
    """A list of probe targets."""
    return Lines(check_target, MOST_TARGETS, **kwargs)


def Listen(**kwargs: Any) -> Text:
    """An address to listen on."""
    return Text(1, 80, pattern=LISTEN, told="is not HOST:PORT", validate=check_listen, **kwargs)


def Folder(**kwargs: Any) -> Text:
    """An absolute path."""
    return Text(1, LONGEST_TEXT, pattern=PATH, told="is not an absolute path", **kwargs)


def GpioLine(**kwargs: Any) -> Text:
    """A GPIO line of the board: ``20``, ``!20`` (active low) or ``gpiochip0:20``."""
    form = r"!?(gpiochip[0-9]{1,3}:)?[0-9]{1,4}"
    return Text(1, 20, pattern=form, told="is not a GPIO line like 20, !20 or gpiochip0:20", **kwargs)


def json_values(schema: Options, values: Mapping[str, Any]) -> dict[str, Any]:
    """Loaded values as JSON has them."""
    made = {name: schema.fields[name]._serialize(value, name, values) for name, value in values.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in made.items()}


def uci_texts(value: Any) -> str | list[str]:
    """A JSON value as UCI writes it."""
    if isinstance(value, list):
        return [str(uci_texts(one)) for one in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
