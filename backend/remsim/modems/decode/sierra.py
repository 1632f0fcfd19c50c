"""Sierra Wireless's own commands: status and cells in sierra_status, the rest here."""

from __future__ import annotations

import re

from remsim.modems.decode import sierra_status
from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, split_fields, to_int
from remsim.modems.decode.tgpp import decode_contexts


def labelled(text: str) -> dict[str, str]:
    """``label: value`` lines, labels in lower case."""
    pairs = (line.split(":", 1) for line in text.split("\n") if ":" in line)
    return {label.strip().lower(): value.strip() for label, value in pairs}


def decode_uims(asked: Asked, record: Record) -> Values:
    """!UIMS: the slot's index from 0; with automatic choice the used one follows. 3 is automatic."""
    if record.body.startswith("("):
        indexes: list[int] = []
        for low, high in re.findall(r"(\d+)(?:-(\d+))?", record.body):
            indexes += range(int(low), int(high or low) + 1)
        return {"sim_slot_indexes": indexes}
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    index = numbers[1] if numbers[0] == 3 and len(numbers) > 1 else numbers[0]
    index = None if index == 3 else index
    return {"sim_slot_index": index, "sim_slot": None if index is None else index + 1}


def decode_impref(asked: Asked, record: Record) -> Values:
    """!IMPREF: preferred and running firmware, carrier and configuration."""
    labels = labelled(record.body)
    values: Values = {}
    for side in ("preferred", "current"):
        for short, name in (("fw", "fw version"), ("carrier", "carrier name"), ("config", "config name")):
            values[f"{side}_{short}"] = labels.get(f"{side} {name}")
    values["mismatch"] = any(
        values[f"preferred_{name}"] != values[f"current_{name}"]
        for name in ("fw", "carrier", "config")
        if values[f"preferred_{name}"] and values[f"current_{name}"]
    )
    return values


def decode_usbpid(asked: Asked, record: Record) -> Values:
    """!USBPID: the product ids of application and boot mode."""
    labels = labelled(record.body)
    return {"pid_app": labels.get("app"), "pid_boot": labels.get("boot")}


def decode_usbcomp(asked: Asked, record: Record) -> Values:
    """!USBCOMP: the possible types and interface bits, or the composition in force."""
    types = dict(re.findall(r"(\d+):([A-Za-z][\w -]*)", record.body.split("<Interface bitmask>", 2)[-2]))
    bits = {name: int(value, 16) for name, value in re.findall(r"(\w+)\s*- (0x[0-9A-Fa-f]+)", record.body)}
    if types and bits:
        return {"config_types": {number: name.strip() for number, name in types.items()}, "bits": bits}
    labels = labelled(record.body)
    kind, mask = labels.get("config type", ""), labels.get("interface bitmask", "")
    return {
        "config_type": to_int(kind.split(" ")[0]),
        "interface_bitmask": int(mask.split(" ")[0], 16) if re.match(r"(0x)?[0-9A-Fa-f]+\b", mask) else None,
    }


def decode_selrat(asked: Asked, record: Record) -> Values:
    """!SELRAT: the list of the test form, or the chosen entry."""
    entries = dict(re.findall(r"^(\d\d),\s*(.+)$", record.body, re.MULTILINE))
    if asked.command.rstrip().endswith("=?"):
        return {"selrat": {code: name.strip() for code, name in entries.items()}}
    code, name = next(iter(entries.items()), (None, None))
    return {"selrat": code, "selrat_name": name}


def decode_band(asked: Asked, record: Record) -> Values:
    """!BAND: the profile in force, or the list of profiles."""
    entries = re.findall(r"^([0-9A-F]{2}),\s*([^,\n]+)", record.body, re.MULTILINE)
    if asked.command.rstrip().endswith("=?"):
        return {"band_profiles": {code: name.strip() for code, name in entries}}
    code, name = entries[0] if entries else (None, None)
    return {"band_profile": code, "band_profile_name": name.strip() if name else None}


def decode_cnti(asked: Asked, record: Record) -> Values:
    """*CNTI: the technology in use in Sierra's words."""
    return {"cnti": field(split_fields(record.body), 1)}


RECORDS: dict[str, Decoder] = {
    "!GSTATUS": sierra_status.decode_gstatus,
    "!LTEINFO": sierra_status.decode_lteinfo,
    "!UIMS": decode_uims,
    "!IMPREF": decode_impref,
    "!USBPID": decode_usbpid,
    "!USBCOMP": decode_usbcomp,
    "!SELRAT": decode_selrat,
    "!BAND": decode_band,
    "!SCACT": decode_contexts,
    "*CNTI": decode_cnti,
}


def decode_priid(text: str) -> Values:
    """!PRIID: part number, revision, customer, carrier PRI."""
    labels = labelled(text)
    return {
        "pri_part_number": labels.get("pri part number"),
        "pri_revision": labels.get("revision"),
        "customer": labels.get("customer"),
        "carrier_pri": labels.get("carrier pri"),
    }


def decode_pcinfo(text: str) -> Values:
    """!PCINFO: power state and who keeps the radio off."""
    labels = labelled(text)
    voters = re.findall(r"(\w+):(\d+)", text.split("voters", 1)[1].split("\n")[0]) if "voters" in text else []
    return {"power_state": labels.get("state"), "lpm_voters": {name: int(vote) for name, vote in voters}}


def decode_image(text: str) -> Values:
    """!IMAGE: firmware and carrier images."""
    active = re.search(r"Active FW image is at slot (\d+)", text)
    return {
        "active_fw_slot": int(active[1]) if active else None,
        "fw_images": len(re.findall(r"^FW\s", text, re.MULTILINE)),
        "pri_images": len(re.findall(r"^PRI\s", text, re.MULTILINE)),
    }


def decode_pctemp(text: str) -> Values:
    """!PCTEMP: degrees Celsius."""
    match = re.search(r"Temperature:\s*(-?\d+(?:\.\d+)?)", text, re.IGNORECASE)
    return {"temperature_c": float(match[1]) if match else None}


def decode_pcvolt(text: str) -> Values:
    """!PCVOLT: millivolts."""
    match = re.search(r"(\d{3,5}) ?mV", text)
    return {"voltage_mv": int(match[1]) if match else None}


TEXTS = {
    "!GSTATUS": sierra_status.decode_status_text,
    "!PRIID": decode_priid,
    "!PCINFO": decode_pcinfo,
    "!IMAGE": decode_image,
    "!PCTEMP": decode_pctemp,
    "!PCVOLT": decode_pcvolt,
}
"""Commands whose answers carry no prefix (or lost it), by the command."""
