"""Sierra's !GSTATUS (three layouts: 9x30, 9x50, SDX55) and !LTEINFO."""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, coded
from remsim.modems.decode.text import Asked, Record, Values, in_range, to_float, to_hex, to_int, unreadable

MODES = {
    "LTE": ("LTE", "LTE"),
    "ENDC": ("NSA", "LTE"),
    "NR5G": ("SA", "NR"),
    "WCDMA": ("UMTS", "UMTS"),
    "UMTS": ("UMTS", "UMTS"),
    "GSM": ("GSM", "GSM"),
}
# A label starts a line or stands behind two blanks or a tab; flattened replies have a single blank before known words.
LABEL = re.compile(r"(?:^|\n|\t|  +)\s*([A-Za-z][A-Za-z0-9]*(?:[ /_-][A-Za-z0-9()]+)*(?: \(dBm?\))?) ?:")
KNOWN = re.compile(
    r" (?=(?:Temperature|Reset Counter|Mode|System mode|PS state|LTE band|LTE bw|LTE [RT]x chan|LTE CA state|EMM state|"
    r"RRC state|IMS reg state|PCC Rx[MD]|RSRP \(dBm\)|Tx Power|TAC|RSRQ \(dB\)|Cell ID|SINR \(dB\)) ?:)"
)


def pairs(text: str) -> list[tuple[str, str]]:
    """Labels and values in their order; a label may come twice (RSRP of each branch)."""
    if text.count("\n") < 3:
        text = KNOWN.sub("\n", text)
    found = list(LABEL.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        (match[1].lower(), re.split(r"\t|\n| {2,}", text[match.end() : end].strip())[0])
        for match, end in zip(found, ends, strict=True)
    ]


def decode_gstatus(asked: Asked, record: Record) -> Values:
    """!GSTATUS with its prefix."""
    values = decode_status_text(record.body)
    if not values:
        raise unreadable(asked, record.body)
    return values


def decode_status_text(text: str) -> Values:
    """!GSTATUS's label-value table."""
    table = pairs(text)
    if not table:
        return {}
    labels: dict[str, str] = {}
    for label, value in table:
        labels.setdefault(label, value)
    word = labels.get("system mode", "")
    mode, rat = MODES.get(word, (None, None))
    values: Values = {
        "temperature_c": to_int(labels.get("temperature")),
        "mode": mode,
        "rat": rat,
    }
    if "mode" in labels:
        values["mode_state"] = labels["mode"]
    if "ps state" in labels:
        values["ps_attached"] = labels["ps state"] == "Attached"
    if "emm state" in labels:
        values["registered"] = labels["emm state"].startswith("Registered")
    if rat == "NR":
        return values | nr_block(labels) | {"registered": True}
    if rat == "LTE" or "lte band" in labels:
        values |= lte_block(labels) | branch_levels(table)
    if "nr5g band" in labels or "nr5g rsrp (dbm)" in labels:
        nr = nr_block(labels)
        values["nr"] = nr if nr.get("rsrp_dbm") is not None or nr.get("band") is not None else None
    return values


def lte_block(labels: dict[str, str]) -> Values:
    """The LTE half of the table; TAC and cell identity as ``HEX (dec)``."""
    values: Values = {
        "band": digits(labels.get("lte band")),
        "bw_dl_mhz": megahertz(labels.get("lte bw")),
        "earfcn": to_int(labels.get("lte rx chan")),
        "ul_earfcn": to_int(labels.get("lte tx chan")),
        "tx_power_dbm": to_float(labels.get("tx power")),
        "tac": bracketed(labels.get("tac")),
        "cell_id": bracketed(labels.get("cell id")),
        "rsrq_db": in_range(to_float(labels.get("rsrq (db)")), -50, 10),
        "sinr_db": in_range(to_float(labels.get("sinr (db)")), -40, 50),
    }
    states = [value for label, value in labels.items() if re.fullmatch(r"lte (ca|s[sc]c\d) state", label)]
    if states:
        values["ca_active"] = any(state.upper() == "ACTIVE" for state in states)
    return values


def branch_levels(table: list[tuple[str, str]]) -> Values:
    """RSSI and RSRP of each receive branch of the primary carrier, and the best of them."""
    values: Values = {}
    branch = ""
    for label, text in table:
        match = re.fullmatch(r"pcc (rx[md]\d?) (rssi|rsrp)", label)
        if match:
            branch = match[1]
            values[f"{match[2]}_{branch}_dbm"] = in_range(to_int(text), -160, -1)
        elif label == "rsrp (dbm)" and branch:
            values[f"rsrp_{branch}_dbm"] = in_range(to_int(text), -160, -1)
        elif label.startswith("scc"):
            branch = ""
    for kind in ("rsrp", "rssi"):
        levels = [value for name, value in values.items() if name.startswith(f"{kind}_rx") and value is not None]
        if levels:
            values[f"{kind}_dbm"] = max(levels)
    return values


def nr_block(labels: dict[str, str]) -> Values:
    """The 5G half: the whole cell on SA, the second leg in EN-DC."""
    mcc, _, mnc = labels.get("nr5g mcc-mnc", "").partition("-")
    values: Values = {
        "band": digits(labels.get("nr5g band")),
        "bw_dl_mhz": megahertz(labels.get("nr5g dl bw", labels.get("nr5g bw"))),
        "arfcn": to_int(labels.get("nr5g rx chan")),
        "rsrp_dbm": in_range(to_int(labels.get("nr5g rsrp (dbm)")), -160, -20),
        "rsrq_db": whole_db(labels.get("nr5g rsrq (db)")),
        "sinr_db": in_range(to_float(labels.get("nr5g sinr (db)")), -40, 50),
    }
    if "nr5g tac" in labels:
        values["tac"] = to_hex(labels["nr5g tac"].split(" ")[0])
    if "nr5g cell id" in labels:
        values["cell_id"] = bracketed(labels["nr5g cell id"])
    if mcc.isdigit() and mnc.isdigit():
        values |= {"mcc": mcc, "mnc": mnc}
    return values


def digits(text: str | None) -> int | None:
    """The band number in ``B8`` or ``n41``."""
    match = re.fullmatch(r"[BbNn]?(\d{1,3})", text or "")
    return int(match[1]) if match else None


def megahertz(text: str | None) -> float | None:
    """``5 MHz`` as a number."""
    match = re.match(r"(\d+(?:\.\d+)?) ?MHz", text or "", re.IGNORECASE)
    if match is None:
        return None
    value = float(match[1])
    return int(value) if value.is_integer() else value


def bracketed(text: str | None) -> int | None:
    """The decimal of ``E2EA (58090)``, else the hex before it."""
    match = re.search(r"\((\d+)\)", text or "")
    return int(match[1]) if match else to_hex(text)


def whole_db(text: str | None) -> float | None:
    """A ratio as printed: an integer where no decimals stand."""
    integer = to_int(text)
    return integer if integer is not None else to_float(text)


SERVING = ("earfcn", "mcc", "mnc", "tac", "cid", "bd", "d", "u", "snr", "pci", "rsrq", "rsrp", "rssi", "rxlv")
INTRA = ("pci", "rsrq", "rsrp", "rssi", "rxlv")
INTER = ("earfcn", "low", "high", "priority", "pci", "rsrq", "rsrp", "rssi", "rxlv")
SECTION = re.compile(r"(Serving|IntraFreq|InterFreq|WCDMA|GSM|CDMA 1x|CDMA HRPD)\s*:", re.IGNORECASE)


def decode_lteinfo(asked: Asked, record: Record) -> Values:
    """!LTEINFO: a table each of serving, intra- and inter-frequency cells, read by header order.

    TAC is decimal, CID hex. Some software joins the lines, so rows are counted out, not taken from lines.
    """
    parts = SECTION.split(record.body)
    sections = {name.lower(): text for name, text in zip(parts[1::2], parts[2::2], strict=False)}
    rows = table_rows(sections.get("serving", ""), SERVING)
    if not rows:
        raise unreadable(asked, record.body)
    serving = rows[0]
    values: Values = {
        "mode": "LTE",
        "rat": "LTE",
        "earfcn": to_int(serving["earfcn"]),
        "mcc": serving["mcc"],
        "mnc": serving["mnc"],
        "tac": to_int(serving["tac"]),
        "cell_id": to_hex(serving["cid"]),
        "band": to_int(serving["bd"]),
        "bw_dl_mhz": coded(LTE_BW_CODE, serving["d"]),
        "bw_ul_mhz": coded(LTE_BW_CODE, serving["u"]),
        "pci": to_int(serving["pci"]),
    }
    values |= cell_levels(serving)
    if to_int(serving["rxlv"]) is not None:
        values["rxlev"] = to_int(serving["rxlv"])
    snr = to_float(serving["snr"])
    # A strong and clean cell cannot have a negative SNR: some firmware prints a constant there.
    plausible = snr is not None and not (snr < -5 and (values["rsrq_db"] or -20) > -13)
    if plausible:
        values["sinr_db"] = to_int(serving["snr"]) if to_int(serving["snr"]) is not None else snr
    cells = [
        {"kind": "intra", "pci": to_int(row["pci"])} | cell_levels(row)
        for row in table_rows(sections.get("intrafreq", ""), INTRA)
        if to_int(row["pci"]) != values["pci"]
    ]
    cells += [
        {"kind": "inter", "earfcn": to_int(row["earfcn"]), "pci": to_int(row["pci"])} | cell_levels(row)
        for row in table_rows(sections.get("interfreq", ""), INTER)
    ]
    return values | ({"neighbours": cells} if cells else {})


def cell_levels(row: dict[str, str]) -> Values:
    """RSRQ, RSRP and RSSI of a row."""
    return {
        "rsrq_db": in_range(to_float(row["rsrq"]), -50, 10),
        "rsrp_dbm": in_range(to_float(row["rsrp"]), -160, -20),
        "rssi_dbm": in_range(to_float(row["rssi"]), -130, -1),
    }


def table_rows(text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a table whose header has ``columns``; words of the header are skipped."""
    tokens = text.split()
    start = next((at + 1 for at, token in enumerate(tokens) if token.upper() == "RXLV"), len(tokens))
    cells = tokens[start:]
    width = len(columns)
    return [dict(zip(columns, cells[at : at + width], strict=True)) for at in range(0, len(cells) - width + 1, width)]
