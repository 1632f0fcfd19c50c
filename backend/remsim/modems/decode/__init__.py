"""Replies of modems as typed values: pure functions, no I/O.

``decode_reply`` is the one way in, for the drivers and for ``remsim at decode`` alike. Keys carry their unit; what a
reply does not say is absent or None, and what neither documents nor captures settle is left out. Carriers are ``pcc``
and ``scc``, the 5G leg of EN-DC is ``nr``, other cells are ``neighbours``.

A result code other than OK is a value too (``{"ok": False, "cme_error": 10, "sim_state": "NOT_INSERTED"}``), for it
is what the modem said: ``decode_line`` answers ``{"ok": true, "values": {"ok": false, …}}``. Its own
``{"ok": false, "error": …}`` is for lines and replies that nobody can read.
"""

from __future__ import annotations

import json
from typing import Any

from remsim.core.errors import AtFormatError
from remsim.modems.decode import (
    fibocom,
    fibocom_xmm,
    identity,
    quectel,
    sierra,
    tgpp,
    tgpp_data,
    thales,
    thales_mv,
)
from remsim.modems.decode.framing import unwrapped
from remsim.modems.decode.plausible import plausible_values
from remsim.modems.decode.text import Asked, Decoder, Record, Values, command_prefixes, cut

LONGEST_REPLY = 1 << 17
LONGEST_COMMAND = 512

RECORDS: dict[str, Decoder] = {
    **tgpp.RECORDS,
    **identity.RECORDS,
    **quectel.RECORDS,
    **sierra.RECORDS,
    **fibocom.RECORDS,
    **thales.RECORDS,
    **thales_mv.RECORDS,
}
"""Which decoder reads which prefix. Vendors' prefixes do not collide, so a module with a foreign name is read too."""

TEXT_FORMS = sierra.TEXT_FORMS | fibocom.TEXT_FORMS | thales_mv.TEXT_FORMS
"""Commands whose answers may come without their prefix."""

TEST_FORMS = frozenset(
    (
        *("+COPS", "+QCSQ", "+QUIMSLOT", "+QUSIMSLOT", "+QNWPREFCFG", "+GTDUALSIM", "+GTUSBMODE"),
        *("+GTACT", "+XACT", "+GTCELLLOCK"),
        *("!UIMS", "!SELRAT", "!BAND", "!USBCOMP"),
    )
)
"""Commands whose answer to ``=?`` (what is possible) is decoded; the others' would be taken for what is."""

LISTS = frozenset(("neighbours", "scc", "carriers", "operators", "counter_bytes", "carrier_profiles"))
TABLES = frozenset(("contexts", "apns", "auth", "facilities", "sensors_c", "nr"))


def decode_reply(
    vendor: str | None, module: str | None, platform: str | None, command: str, reply: str
) -> dict[str, Any]:
    """The values of one reply; ``AtFormatError`` when nothing in it can be read.

    ``reply`` is the raw text: echo, unsolicited lines, result codes, lost newlines and all. ``command`` may be a
    ``;`` chain, or empty for an unsolicited line. ``platform`` ("SDX62", "mediatek", "unisoc" …) settles scales.
    """
    if len(reply) > LONGEST_REPLY or len(command) > LONGEST_COMMAND:
        raise AtFormatError(command[:80], f"{len(reply)} characters")
    asked = Asked((vendor or "").lower(), module or "", platform or "", command.strip())
    parts = cut(asked.command, unwrapped(reply))
    own = command_prefixes(asked.command)
    is_test = asked.command.endswith("=?")
    values: Values = {}
    read = bool(parts.finals)
    for record in parts.records:
        read = True
        decoder = RECORDS.get(record.name)
        if decoder is not None and (not is_test or record.name in TEST_FORMS):
            merge(values, decoder(asked, record))
    is_answered = own[:1] in [[record.name] for record in parts.records]
    if parts.text and not (is_answered and own[0] in TEXT_FORMS):
        found = decode_text(asked, own, parts.text)
        merge(values, found)
        read = read or bool(found)
    if parts.urcs:
        values["urcs"] = parts.urcs
        read = True
    for final in parts.finals:
        values |= tgpp.final_values(asked, final)
    if not values.keys().isdisjoint(("_rsrp", "_rsrq", "_scc")):
        values = fibocom_xmm.settle(values)
    if not read:
        raise AtFormatError(command, next(iter(parts.text), reply[:80]))
    return plausible_values(finished(asked, parts.records, values))


def decode_text(asked: Asked, own: list[str], lines: list[str]) -> Values:
    """Lines without a prefix, by the command they answer."""
    if own and own[0] in TEXT_FORMS:
        return RECORDS[own[0]](asked, Record(own[0], "\n".join(lines)))
    return identity.decode_text(own, asked.command, lines)


def merge(values: Values, found: Values) -> None:
    """Add one record's values: lists and tables grow, the hottest sensor wins, else the later value does.

    A registration URC in the middle of the answer must not win over the answer: it has no ``n``.
    """
    if "stat" in found and "n" in values and "n" not in found:
        return
    for name, value in found.items():
        if name in LISTS and isinstance(value, list):
            values.setdefault(name, []).extend(value)
        elif name == "pdn":
            merge_contexts(values.setdefault(name, {}), value)
        elif name in TABLES and isinstance(value, dict):
            values.setdefault(name, {}).update(value)
        elif name == "temperature_c" and values.get(name) is not None:
            values[name] = values[name] if value is None else max(values[name], value)
        elif name in ("registered", "roaming", "sms_only") and values.get(name) is True:
            continue  # one registered domain is enough
        elif name == "mode" and value == "LTE" and values.get("mode") == "NSA":
            continue
        else:
            values[name] = value


def merge_contexts(contexts: dict[str, Values], found: dict[str, Values]) -> None:
    """Add contexts; the second line of one that has two addresses (IPv4, then IPv6) adds its name servers."""
    for cid, context in found.items():
        known = contexts.setdefault(cid, context)
        if known is not context:
            known["address"] = known["address"] or context["address"]
            known["dns"] = [*known["dns"], *context["dns"]]


def finished(asked: Asked, records: list[Record], values: Values) -> dict[str, Any]:
    """The values with what only the whole reply tells."""
    addresses = [record for record in records if record.name == "+CGPADDR"]
    if addresses and "=" not in asked.command:
        table = {}
        for record in addresses:
            one = tgpp_data.decode_cgpaddr(asked, record)
            table[str(one["cid"])] = {"ipv4": one["ipv4"], "ipv6": one["ipv6"]}
        values = {name: value for name, value in values.items() if name not in ("cid", "ipv4", "ipv6")}
        values["addresses"] = table
    if "neighbours" in values:
        values.setdefault("neighbour_count", len(values["neighbours"]))
    return values


def decode_line(line: str) -> str:
    """Answer one JSON line of ``remsim at decode`` with one JSON line; never raises."""
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("a line must be a JSON object")
        command, reply = asked.get("command"), asked.get("reply")
        if not isinstance(command, str) or not isinstance(reply, str):
            raise ValueError("command and reply must be texts")
        words = [asked.get(name) for name in ("vendor", "module", "platform")]
        vendor, module, platform = (word if isinstance(word, str) else "" for word in words)
        answer: dict[str, Any] = {"ok": True, "values": decode_reply(vendor, module, platform, command, reply)}
    except AtFormatError as error:
        answer = {"ok": False, "error": error.message}
    except (ValueError, RecursionError) as error:
        answer = {"ok": False, "error": str(error)[:200] or "not a JSON line"}
    except Exception as error:  # a decoder's mistake costs this line, not the ones behind it
        answer = {"ok": False, "error": f"cannot be decoded: {type(error).__name__}"}
    return json.dumps(answer)
