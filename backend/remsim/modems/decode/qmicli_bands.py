"""What qmicli prints about bands and carriers: ``--nas-get-rf-band-info`` and ``--nas-get-lte-cphy-ca-info``."""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.modems.decode.outline import Entry, outline
from remsim.modems.decode.radio import lte_band_of_earfcn
from remsim.modems.decode.text import Values

WCDMA_BAND = {
    "2100": 1, "pcs-1900": 2, "dcs-1800": 3, "1700-us": 4, "850-us": 5, "850": 5, "800": 6, "2600": 7, "900": 8,
    "1700-japan": 9, "1500-japan": 11, "850-japan": 19,
}  # fmt: skip
MOST_CARRIERS = 16


def band_number(name: str | None) -> int | None:
    """``eutran-3``, ``nr5g-78`` and ``wcdma-2100`` as numbers; GSM's bands have none."""
    match = re.fullmatch(r"(?:eutran|nr5g|ngran)-(\d{1,3})", name or "")
    if match:
        return int(match[1])
    return WCDMA_BAND.get((name or "").removeprefix("wcdma-"))


def bandwidth_mhz(name: str | None) -> float | None:
    """``20``, ``1-4``, ``5gnr-80`` and ``wcdma-5`` in MHz; None for ``(null)``."""
    match = re.fullmatch(r"(?:5gnr-|wcdma-)?(\d{1,3}|1-4)", name or "")
    return None if match is None else 1.4 if match[1] == "1-4" else int(match[1])


def decode_bands(text: str) -> Values:
    """nas-get-rf-band-info: band, channel and bandwidth of each technology in use.

    The extended list has channels of 32 bits. The other's 16 bits hold no 5G channel, and no LTE channel beyond 65535.
    """
    root = outline(text)
    found: dict[str, Values] = {}
    for title, is_wide in (("Band Information", False), ("Band Information (Extended)", True)):
        for rows in groups(root.first(title)):
            radio = rows.word("Radio Interface")
            band = band_number(rows.word("Active Band Class"))
            if radio is not None and band is not None:
                found[radio] = {"band": band} | channel_of(radio, band, rows, is_wide)
    for rows in groups(root.first("Bandwidth")):
        radio, width = rows.word("Radio Interface"), bandwidth_mhz(rows.word("Bandwidth"))
        if radio in found and width is not None:
            found[radio]["bw_dl_mhz"] = width
    lte, nr = found.get("lte"), found.get("5gnr")
    if lte is not None:
        return lte | ({"nr": nr} if nr else {})
    return nr or found.get("umts") or found.get("gsm") or {}


def groups(section: Entry) -> list[Entry]:
    """The rows of a flat list, cut where a new radio interface begins."""
    found: list[Entry] = []
    for entry in section.inner:
        if entry.name == "Radio Interface":
            found.append(Entry())
        if found:
            found[-1].inner.append(entry)
    return found[:MOST_CARRIERS]


def channel_of(radio: str, band: int, rows: Entry, is_wide: bool) -> Values:
    """The channel by its technology's name, unless it cannot be one of the band."""
    channel = rows.count("Active Channel", 3_279_165 if is_wide else 65534)
    if channel is None:
        return {}
    if radio == "lte":
        own = lte_band_of_earfcn(channel)
        return {"earfcn": channel} if own in (band, None) or shares(own, band) else {}
    if radio == "5gnr":
        return {"arfcn": channel} if is_wide else {}
    return {"uarfcn": channel} if radio == "umts" else {"arfcn": channel}


def shares(one: int, other: int) -> bool:
    """Whether a channel of one band may be told as the other's: bands whose numbers overlap in our table."""
    return {one, other} in ({12, 17}, {5, 26}, {38, 41}, {4, 66})


def decode_carriers(text: str) -> Values:
    """nas-get-lte-cphy-ca-info: the primary carrier and the secondary ones that are configured."""
    root = outline(text)
    primary = root.first("Primary Cell Info")
    values: Values = {"scc": []}
    if primary.inner:
        values["pcc"] = carrier(primary)
    for cell in root.each("Secondary Cell"):
        state = cell.word("State")
        if cell.inner and state in ("activated", "deactivated"):
            values["scc"].append(carrier(cell) | {"active": state == "activated"})
    del values["scc"][MOST_CARRIERS:]
    return values


def carrier(cell: Entry) -> Values:
    """One carrier. Its channel has 16 bits, so it is left out where the band says otherwise."""
    band, channel = band_number(cell.word("LTE Band")), cell.count("RX Channel", 65534)
    own = lte_band_of_earfcn(channel)
    fits = band is None or own in (band, None) or shares(own, band)
    return {
        "rat": "LTE",
        "band": band,
        "earfcn": channel if fits else None,
        "bw_dl_mhz": bandwidth_mhz(cell.word("DL Bandwidth")),
        "pci": cell.count("Physical Cell ID", 503),
    }


DECODERS: dict[str, Callable[[str], Values]] = {
    "nas-get-rf-band-info": decode_bands,
    "nas-get-lte-cphy-ca-info": decode_carriers,
}
