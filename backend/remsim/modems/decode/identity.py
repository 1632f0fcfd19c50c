"""Who the modem is: answers without a prefix, or with one, in every vendor's spelling."""

from __future__ import annotations

import re

from remsim.modems.decode.text import RECORD, Asked, Decoder, Record, Values, field, split_fields

ATI_LABEL = re.compile(
    r"(?:^|\s)(Manufacturer|Model|Revision|SVN|MEID|ESN|IMEI SV|IMEI|FSN|SubEdition|Authors|VERSION|\+GCAP)\s?:\s*",
    re.IGNORECASE,
)


def decode_ati(lines: list[str]) -> Values:
    """ATI: labelled lines (or one joined line), or maker, model and revision one below the other."""
    text = "\n".join(lines)
    found = list(ATI_LABEL.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    values: Values = {}
    for match, end in zip(found, ends, strict=False):
        name, value = match[1].lower(), text[match.end() : end].split("\n")[0].strip()
        if name in ("manufacturer", "model", "revision", "imei") and (known := clean(name, value)):
            values[name] = known
    before = text[: found[0].start() if found else len(text)].split("\n")
    bare = [line for line in before if line.strip() and not RECORD.match(line)]
    if len(bare) == 1 and bare[0].startswith("Quectel "):
        bare = bare[0].split(None, 1)  # two lines that were joined
    cinterion = re.fullmatch(r"(\S+(?: \S+)?) (\S+) REVISION (\S+)", " ".join(" ".join(bare).split()), re.IGNORECASE)
    if cinterion:
        return dict(zip(("manufacturer", "model", "revision"), cinterion.groups(), strict=True)) | values
    if len(bare) > 1:  # one alone may be anything: an Intel module tells when its firmware was built
        for name, line in zip(("manufacturer", "model"), bare, strict=False):
            values.setdefault(name, line.strip())
    return values


def clean(name: str, text: str) -> str | None:
    """A revision without the build information behind it, an IMEI's digits only."""
    if name == "imei":
        return digits(text)
    if name == "revision":
        text = text.split()[0] if text else ""
    return text.strip('"') or None


def digits(text: str) -> str | None:
    """The first run of 14 to 20 digits."""
    match = re.search(r"(?<!\d)\d{14,22}(?!\d)", text)
    return match[0] if match else None


def iccid(text: str) -> str | None:
    """An ICCID's digits; a trailing F fills the last half byte."""
    match = re.search(r"(?<![0-9A-Fa-f])(\d{17,20})F?(?![0-9A-Fa-f])", text)
    return match[1] if match else None


def identity_value(name: str, text: str) -> str | None:
    """One identity value out of one answer."""
    text = text.strip()
    if name in ("imei", "imsi"):
        return digits(text)
    if name == "iccid":
        return iccid(text)
    if name == "revision":
        word = re.sub(r"^REVISION\b ?:?", "", text.strip('"'), flags=re.IGNORECASE).split()  # Cinterion says the word
        return word[0].strip('"') if word else None
    if name == "model" and re.search(r'" *, *"', text):
        long, short = (split_fields(text) + [""])[:2]
        return short if short and long.startswith(f"{short} ") else long or None
    if name == "manufacturer" and text.count('"') != 2:
        return text.strip('"') or None
    return field(split_fields(text), 0) if text.startswith('"') else text or None


COMMANDS = {
    "+CGMI": "manufacturer",
    "+GMI": "manufacturer",
    "+CGMM": "model",
    "+GMM": "model",
    "+FMM": "model",
    "+CGMR": "revision",
    "+GMR": "revision",
    "+QGMR": "revision",
    "+CGSN": "imei",
    "+GSN": "imei",
    "+EGMR": "imei",
    "+CIMI": "imsi",
    "+ICCID": "iccid",
    "+CCID": "iccid",
    "+QCCID": "iccid",
    "^ICCID": "iccid",
    "^SCID": "iccid",
    "!ICCID": "iccid",
    "+GTPKGVER": "package_version",
    "+EID": "eid",
}


def decoder(name: str) -> Decoder:
    """A decoder for the prefixed form."""

    def decode(asked: Asked, record: Record) -> Values:
        return {name: identity_value(name, record.body.split("\n")[0])}

    return decode


RECORDS: dict[str, Decoder] = {prefix: decoder(name) for prefix, name in COMMANDS.items()}


def decode_text(prefixes: list[str], command: str, lines: list[str]) -> Values:
    """Answers without a prefix, given to the commands of the line that may answer so, in their order."""
    if not lines:
        return {}
    if re.match(r"ATI\d?(;|$)", command, re.IGNORECASE):
        return decode_ati(lines)
    names = [COMMANDS[prefix] for prefix in prefixes if prefix in COMMANDS]
    if not names:
        return {}
    return {name: identity_value(name, line) for name, line in zip(names, lines, strict=False)}
