"""InfluxDB's line protocol over HTTP: InfluxDB 1.8 and later, Telegraf, VictoriaMetrics, QuestDB take it.

One line for all values with the same labels: the labels are tags, the names are fields. Source: docs.influxdata.com,
"Line protocol".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from remsim.config.outputs import OutputSettings
from remsim.outbound.http import post
from remsim.outputs.queue import Row

MEASUREMENT = "remsim"
IN_TAG = str.maketrans({",": "\\,", "=": "\\=", "\\": "/"} | dict.fromkeys(" \n\r\t", "\\ "))


def send(output: OutputSettings, rows: Sequence[Row]) -> None:
    """Post rows in one request; ``Refused`` and ``Undelivered`` as ``outbound.http.post``."""
    extra = output.extra_labels()
    body = "\n".join(line for row in rows for line in lines_of(row, extra)) + "\n"
    headers = {"Content-Type": "text/plain; charset=utf-8"} | output.authorization(scheme="Token")
    post(output, in_milliseconds(output.url or ""), body.encode("utf-8", "replace"), headers)


def lines_of(row: Row, extra: Mapping[str, str]) -> Iterator[str]:
    """The lines of one moment. A value that is no number is left out: the protocol has none."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, labels, value in row.samples:
        if math.isfinite(value):
            tags = tuple(sorted(({**extra, **dict(labels)}).items()))
            groups.setdefault(tags, []).append(f"{escaped(name)}={value!r}")
    for tags, values in groups.items():
        named = "".join(f",{escaped(name)}={escaped(value)}" for name, value in tags if value)
        yield f"{MEASUREMENT}{named} {','.join(values)} {row.at_ms}"


def escaped(text: str) -> str:
    """A tag's or field's name, or a tag's value. The protocol cannot escape a backslash, which would escape more."""
    return text.translate(IN_TAG) or "_"


def in_milliseconds(url: str) -> str:
    """The address with the precision of our times, unless it says another one itself."""
    parts = urlsplit(url)
    if "precision=" in parts.query:
        return url
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, "precision=ms")))))
