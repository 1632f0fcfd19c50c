"""What a layout is: pages of widgets on a grid of twelve columns, and how a wall shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, post_load, validate
from marshmallow import fields as ma

from remsim.core.errors import InvalidInput
from remsim.core.forms import Choice, Flag, Form, Long, Text, Whole, object_schema

VERSION = 1
COLUMNS = 12
MOST_WIDGETS = 100
MOST_PAGES = 12
LONGEST_NOTE = 4000

CHARTS = ("rsrp", "rate", "latency", "quality", "rsrq", "sinr", "rssi", "loss", "temperature")
RANGES = ("", "1h", "6h", "24h", "7d", "30d")
"""Empty: the period of the page."""

WIDGETS: dict[str, tuple[str, ...]] = {
    "cards": ("modems",),
    "signal": ("modems",),
    "chart": ("modems", "measure", "range"),
    "quality": ("modems",),
    "sim": ("modems",),
    "usage": ("modems",),
    "timelines": ("modems", "range"),
    "cells": ("modems", "range"),
    "events": ("modems", "severity", "count"),
    "alerts": (),
    "notes": ("text",),
    "clock": ("seconds", "utc"),
}
"""Every widget there is, with its settings beside the title that all have."""


class Words(Long):
    """What is not printable but a line's end or a tab is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not all(one.isprintable() or one in "\n\t" for one in text):
            raise ValidationError("is not plain text")
        return text


class Rows(ma.List[Any]):
    """A list of ``least`` to ``most`` values of one kind."""

    default_error_messages = {"invalid": "is not a list"}

    def __init__(self, inner: ma.Field[Any], least: int, most: int, schema: dict[str, Any], **kwargs: Any) -> None:
        said = f"has not {least} to {most} entries" if least else f"has more than {most} entries"
        super().__init__(inner, validate=validate.Length(least, most, error=said), **kwargs)
        self.json = {"type": "array", "items": schema, "minItems": least, "maxItems": most}


class SettingsForm(Form):
    """All settings that widgets have; a widget takes those of its row in ``WIDGETS``."""

    title = Text(0, 80)
    modems = Rows(Text(1, 64), 0, 32, {"type": "string"})
    measure = Choice(dict.fromkeys(CHARTS, ""))
    range = Choice(dict.fromkeys(RANGES, ""))
    severity = Choice({"": "", "warning": "", "error": ""})
    count = Whole(1, 100)
    text = Words(LONGEST_NOTE)
    seconds = Flag()
    utc = Flag()


class Settings(ma.Raw):
    """The settings of a widget, checked where its type is known."""

    json = object_schema(SettingsForm())


class WidgetForm(Form):
    """A widget: its place in columns and rows counted from 0, and its settings."""

    id = Text(1, 32, pattern=r"[A-Za-z0-9_-]+", told="is made of letters, digits, - and _", required=True)
    type = Text(1, 32, required=True)
    x = Whole(0, COLUMNS - 1, required=True)
    y = Whole(0, 999, required=True)
    w = Whole(1, COLUMNS, required=True)
    h = Whole(1, 100, required=True)
    settings = Settings()

    @post_load
    def fit(self, widget: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What one field alone cannot tell."""
        kind = widget["type"]
        if kind not in WIDGETS:
            raise ValidationError(f"{kind!r} is no widget that this version knows", "type")
        if widget["x"] + widget["w"] > COLUMNS:
            raise ValidationError(f"is more than the {COLUMNS - widget['x']} columns from column {widget['x']} on", "w")
        try:
            settings = SettingsForm(only=("title", *WIDGETS[kind])).load(widget.get("settings", {}))
        except ValidationError as error:
            raise ValidationError({"settings": error.messages}) from error
        return widget | {"settings": settings}


class PageForm(Form):
    """A page; a dashboard shows its pages as tabs, a wall one after the other."""

    title = Text(0, 80, load_default="")
    widgets = Rows(ma.Nested(WidgetForm), 0, MOST_WIDGETS, object_schema(WidgetForm()), required=True)


class WallForm(Form):
    """How a wall shows the layout: seconds a page (0: it stays), and when it is dimmed, by the clock that it shows."""

    rotate_s = Whole(0, 3600, load_default=30)
    dim_from = Text(0, 5, pattern=r"([01]\d|2[0-3]):[0-5]\d", told="is not a time like 22:30", load_default="")
    dim_to = Text(0, 5, pattern=r"([01]\d|2[0-3]):[0-5]\d", told="is not a time like 06:00", load_default="")

    @post_load
    def both(self, wall: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A night has two ends."""
        for name, other in (("dim_from", "dim_to"), ("dim_to", "dim_from")):
            if wall[other] and not wall[name]:
                raise ValidationError("is needed where the other end of the night is given", name)
        return wall


class Part(ma.Nested):
    """An object with a schema of its own."""

    def __init__(self, form: type[Form], **kwargs: Any) -> None:
        super().__init__(form, **kwargs)
        self.json = object_schema(form())


class LayoutForm(Form):
    """A whole layout."""

    version = Whole(1, VERSION, required=True)
    title = Text(0, 80, load_default="")
    pages = Rows(ma.Nested(PageForm), 1, MOST_PAGES, object_schema(PageForm()), required=True)
    wall = Part(WallForm)

    @post_load
    def count(self, layout: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Limits of the whole, and names that are used once."""
        ids: set[str] = set()
        for page, one in enumerate(layout["pages"]):
            for at, widget in enumerate(one["widgets"]):
                place = f"pages.{page}.widgets.{at}"
                if widget["id"] in ids:
                    raise ValidationError(f"another widget is called {widget['id']!r} too", f"{place}.id")
                ids.add(widget["id"])
                if len(ids) > MOST_WIDGETS:
                    raise ValidationError(f"a layout has {MOST_WIDGETS} widgets at most", place)
        return {**layout, "wall": layout.get("wall") or WallForm().load({})}


def check_version(content: Any) -> None:
    """Raise ``InvalidInput`` for a layout that a newer remsim wrote: what it means is not known here."""
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        raise InvalidInput(
            f"this layout is of version {version}, and this remsim knows layouts up to version {VERSION}",
            field="version",
            hint="update remsim, or export the layout from a remsim of this version",
            code="newer_version",
        )
