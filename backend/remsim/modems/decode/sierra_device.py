"""Sierra Wireless's firmware, carrier profile, USB composition and customisations."""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, unreadable


def decode_impref(asked: Asked, record: Record) -> Values:
    """!IMPREF: preferred and current firmware, carrier and configuration."""
    names = {"fw version": "fw", "carrier name": "carrier", "config name": "config"}
    values: Values = {}
    for which, what, text in re.findall(
        r"(preferred|current) (fw version|carrier name|config name)\s*:\s*(\S+)", record.body
    ):
        values[f"{which}_{names[what]}"] = text
    if not values:
        raise unreadable(asked, record.body)
    pairs = [(values.get(f"preferred_{name}"), values.get(f"current_{name}")) for name in names.values()]
    said = re.search(r"mismatch", record.body, re.IGNORECASE) is not None
    values["mismatch"] = said or any(None not in pair and pair[0] != pair[1] for pair in pairs)
    return values


def decode_usbpid(asked: Asked, record: Record) -> Values:
    """!USBPID: product ids of application and boot loader."""
    found = dict(re.findall(r"(APP|BOOT)\s*:\s*([0-9A-Fa-f]{4})", record.body))
    if not found:
        raise unreadable(asked, record.body)
    return {f"pid_{name.lower()}": pid.upper() for name, pid in found.items()}


def decode_usbvid(asked: Asked, record: Record) -> Values:
    """!USBVID: the vendor id."""
    match = re.search(r"\b([0-9A-Fa-f]{4})\b", record.body)
    return {"vid": match[1].upper() if match else None}


def decode_priid(asked: Asked, record: Record) -> Values:
    """!PRIID: the product release instance."""
    patterns = {
        "pri_part_number": r"PRI Part Number\s*:\s*(\S+)",
        "pri_revision": r"Revision\s*:\s*(\S+)",
        "customer": r"Customer\s*:\s*(\S+)",
        "carrier_pri": r"Carrier PRI\s*:\s*(\S+)",
    }
    values = {name: match[1] for name, text in patterns.items() if (match := re.search(text, record.body))}
    if not values:
        raise unreadable(asked, record.body)
    return values


def decode_image(asked: Asked, record: Record) -> Values:
    """!IMAGE: how many slots hold what and which firmware runs."""
    counts = {kind: len(re.findall(rf"(?:^|\s){kind}\s+(?:\d+|FF)\s+\w+", record.body)) for kind in ("FW", "PRI")}
    active = re.search(r"Active FW image is at slot (\d{1,3})(?!\d)", record.body)
    if active is None and not any(counts.values()):
        raise unreadable(asked, record.body)
    values: Values = {"fw_images": counts["FW"], "pri_images": counts["PRI"]}
    if active:
        values["active_fw_slot"] = int(active[1])
    return values


def decode_usbcomp(asked: Asked, record: Record) -> Values:
    """!USBCOMP: the composition, or with ``=?`` the types and bits this model knows."""
    if asked.command.endswith("=?"):
        types = re.search(r"<Config Type>\s*-\s*([^\n<]+)", record.body)
        bits = re.findall(r"\b([A-Z][A-Z0-9_]{1,31})\s*-\s*0x([0-9A-Fa-f]{8})\b", record.body)
        pairs = re.findall(r"(\d):([^,\n]+)", types[1]) if types else []
        return {
            # On 9x30 a sentence about the types follows the last of them, on a line of its own that may be lost.
            "config_types": {number: name.split(" config type")[0].strip() for number, name in pairs},
            "bits": {name: int(mask, 16) for name, mask in bits},
        }
    match = re.search(
        r"Config Index\s*:\s*(\d{1,3})\s+Config Type\s*:\s*(\d{1,3})\s*\(([^)\n]*)\)\s+"
        r"Interface bitmask\s*:\s*([0-9A-Fa-f]{1,16})\b(?:\s*\(([^)\n]*)\))?",
        record.body,
    )
    if match is None:
        raise unreadable(asked, record.body)
    names = [name.strip() for name in (match[5] or "").split(",") if name.strip()]
    return {
        "config_index": int(match[1]),
        "config_type": int(match[2]),
        "config_type_name": match[3],
        "interface_bitmask": int(match[4], 16),
        "interfaces": names,
    }


def decode_usbinfo(asked: Asked, record: Record) -> Values:
    """!USBINFO: vendor and product ids of application and boot loader, the product's name."""
    found = dict(re.findall(r"(VID|APP PID|BOOT PID)\s*:\s*0x([0-9A-Fa-f]{4})\b", record.body))
    if not found:
        raise unreadable(asked, record.body)
    names = {"VID": "vid", "APP PID": "pid_app", "BOOT PID": "pid_boot"}
    values: Values = {names[label]: text.upper() for label, text in found.items()}
    if product := re.search(r"Product\s*:\s*([^\n]+)", record.body):
        values["usb_product"] = product[1].strip()
    return values


def decode_usbspeed(asked: Asked, record: Record) -> Values:
    """!USBSPEED: what the module can and what it does."""
    found = dict(re.findall(r"(SUPPORTED|CURRENT)\s*:\s*([A-Za-z]+-Speed)", record.body))
    if not found:
        raise unreadable(asked, record.body)
    return {"usb_speed_supported": found.get("SUPPORTED"), "usb_speed": found.get("CURRENT")}


def decode_custom(asked: Asked, record: Record) -> Values:
    """!CUSTOM: customisations that are set, by name."""
    pairs = re.findall(r"\b([A-Z][A-Z0-9_]{2,31})\s+0x([0-9A-Fa-f]{1,8})\b", record.body)
    return {"custom": {name: int(text, 16) for name, text in pairs}}


def decode_hwid(asked: Asked, record: Record) -> Values:
    """!HWID: the hardware's revision."""
    match = re.search(r"(?:Revision|HWID|Hardware)[^:\n]*:\s*(\S+)", record.body)
    return {"hardware": match[1] if match else record.body.strip() or None}


RECORDS: dict[str, Decoder] = {
    "!IMPREF": decode_impref,
    "!GOBIIMPREF": decode_impref,
    "!USBPID": decode_usbpid,
    "!USBVID": decode_usbvid,
    "!USBINFO": decode_usbinfo,
    "!USBSPEED": decode_usbspeed,
    "!PRIID": decode_priid,
    "!IMAGE": decode_image,
    "!USBCOMP": decode_usbcomp,
    "!CUSTOM": decode_custom,
    "!HWID": decode_hwid,
}
