"""Sierra Wireless: which decoder reads which answer, and the few that belong to no other module.

These commands answer with labelled lines or tables, some without the prefix.
"""

from __future__ import annotations

from remsim.modems.decode import sierra_bands, sierra_device, sierra_power
from remsim.modems.decode.sierra_cells import decode_lteinfo, decode_nrpci
from remsim.modems.decode.sierra_status import decode_gstatus, decode_nrinfo
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    expand_ranges,
    field,
    split_fields,
    to_int,
    unreadable,
)
from remsim.modems.decode.tgpp_data import decode_contexts


def decode_uims(asked: Asked, record: Record) -> Values:
    """!UIMS: slot from 0; ``sim_slot`` counts from 1. On automatic (3) the second number is the slot in use."""
    if asked.command.endswith("=?"):
        return {"sim_slot_indexes": expand_ranges(record.body)}
    numbers = [to_int(text) for text in split_fields(record.body)]
    index = numbers[0]
    used = numbers[1] if len(numbers) > 1 else index
    if index is None:
        raise unreadable(asked, record.body)
    values: Values = {"sim_slot_index": index, "sim_slot": used + 1 if used in (0, 1) else None}
    if index == 3:
        values["sim_slot_auto"] = True
    return values


def decode_cnti(asked: Asked, record: Record) -> Values:
    """*CNTI: the technology in use, or the list of supported ones."""
    return {"cnti": field(split_fields(record.body), 1)}


RECORDS: dict[str, Decoder] = {
    **sierra_bands.RECORDS,
    **sierra_device.RECORDS,
    **sierra_power.RECORDS,
    "!GSTATUS": decode_gstatus,
    "!LTEINFO": decode_lteinfo,
    "!NRINFO": decode_nrinfo,
    "!NRPCI": decode_nrpci,
    "!UIMS": decode_uims,
    "!SCACT": decode_contexts,
    "*CNTI": decode_cnti,
}

TEXT_FORMS = frozenset(
    ("!GSTATUS", "!LTEINFO", "!NRINFO", "!PCTEMP", "!PCVOLT", "!PCTEMPLIMITS", "!PCVOLTLIMITS", "!PCINFO", "!PCOFFEN",
     "!IMPREF", "!USBPID", "!USBINFO", "!USBSPEED", "!PRIID", "!IMAGE", "!USBCOMP", "!SELRAT", "!BAND", "!LTECA",
     "!CUSTOM", "!HWID")
)  # fmt: skip
"""Commands whose answers may come without their prefix."""
