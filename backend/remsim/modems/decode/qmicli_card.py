"""What qmicli prints about the device and its SIM: ``--dms-…`` and ``--uim-…``."""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.modems.decode.identity import iccid
from remsim.modems.decode.outline import Entry, flat, outline
from remsim.modems.decode.text import Values

SIM_OF_APPLICATION = {
    "ready": "READY",
    "detected": "BUSY",
    "pin1-or-upin-pin-required": "SIM PIN",
    "puk1-or-upin-puk-required": "SIM PUK",
    "pin1-blocked": "SIM PUK",
    "check-personalization-state": "PH-NET PIN",
    "illegal": "WRONG",
}
"""The state of the SIM in the words of +CPIN."""
LOW_POWER = ("low-power", "persistent-low-power", "mode-only-low-power", "offline", "factory-test")
MOST_TRIES = 20
MOST_SLOTS = 8


def decode_card(text: str) -> Values:
    """uim-get-card-status: the SIM in use and the tries left for its PIN and PUK.

    Slots are ``Slot [1]``, before libqmi 1.24 ``Card [0]``; the provisioning line counts as they do.
    """
    root = outline(text)
    session = root.first("Provisioning applications").first("Primary GW").value
    used = re.match(r"slot '(\d+)', application '(\d+)'", session)
    cards = {card.name.strip("]").partition("[")[2]: card for word in ("Slot [", "Card [") for card in root.each(word)}
    card = cards.get(used[1]) if used else next(iter(cards.values()), None)
    if card is None:
        return {"sim_state": None}
    state = card.word("Card state") or ""
    if state != "present":
        return {"sim_state": sim_of_card(state)}  # without tries: they would be another card's
    application = application_of(card, used[2] if used else None)
    return {"sim_state": SIM_OF_APPLICATION.get(application.word("Application state") or "")} | tries(card, application)


def sim_of_card(state: str) -> str | None:
    """The state of a card that cannot be used; a card that was taken out may be called an error."""
    if state == "absent" or "possibly-removed" in state:
        return "NOT_INSERTED"
    return "FAILURE" if state.startswith("error") else None


def application_of(card: Entry, number: str | None) -> Entry:
    """The application in use, or the first USIM or SIM."""
    named = list(card.each("Application ["))
    for application in named:
        if number is not None and application.name == f"Application [{number}]":
            return application
    kinds = ("usim", "sim")
    usable = (one for one in named if (one.word("Application type") or "").startswith(kinds))
    return next(usable, Entry())


def tries(card: Entry, application: Entry) -> Values:
    """Tries left; a universal PIN that replaces PIN1 has its own."""
    if application.word("UPIN replaces PIN1") == "yes":
        pin = card.first("UPIN state")
        return {
            "pin_tries_left": pin.count("UPIN retries", MOST_TRIES),
            "puk_tries_left": pin.count("UPUK retries", MOST_TRIES),
        }
    pin1, pin2 = application.first("PIN1 state"), application.first("PIN2 state")
    return {
        "pin_tries_left": pin1.count("PIN1 retries", MOST_TRIES),
        "puk_tries_left": pin1.count("PUK1 retries", MOST_TRIES),
        "pin2_tries_left": pin2.count("PIN2 retries", MOST_TRIES),
        "puk2_tries_left": pin2.count("PUK2 retries", MOST_TRIES),
        "pin_enabled": {"disabled": False}.get(pin1.value, True if pin1.value.startswith("enabled") else None),
    }


def decode_slots(text: str) -> Values:
    """uim-get-slot-status: the physical slot in use from 1, and the number of its card."""
    slots: list[Values] = []
    for entry in flat(text).inner:
        match = re.fullmatch(r"Physical slot (\d{1,2})", entry.name)
        if match:
            slots.append({"slot": int(match[1])})
        elif slots:
            slots[-1].setdefault(entry.name, entry.value)
    values: Values = {"slot_cards": [slot_values(slot) for slot in slots[:MOST_SLOTS]]}
    active = next((slot for slot in values["slot_cards"] if slot["active"]), None)
    if active:
        values["sim_slot"] = active["slot"]
        values |= {"iccid": active["iccid"]} if active["iccid"] else {}
    eid = next((slot["eid"] for slot in [active or {}, *values["slot_cards"]] if slot.get("eid")), None)
    return values | ({"eid": eid} if eid else {})


def slot_values(slot: Values) -> Values:
    """One slot: whether it is in use and holds a card, and the card's numbers."""
    eid = re.fullmatch(r"\d{32}", slot.get("EID", ""))
    return {
        "slot": slot["slot"],
        "active": slot.get("Slot status") == "active",
        "present": {"present": True, "absent": False}.get(slot.get("Card status", "")),
        "iccid": iccid(slot.get("ICCID", "")),
        "is_euicc": {"yes": True, "no": False}.get(slot.get("Is eUICC", "")),
        "eid": eid[0] if eid else None,
    }


def decode_mode(text: str) -> Values:
    """dms-get-operating-mode: whether the radio is on, and what keeps it off."""
    root = flat(text)
    mode = root.word("Mode")
    values: Values = {"mode_state": "LOW POWER MODE" if mode in LOW_POWER else mode and mode.upper()}
    reasons = (root.word("Reason") or "").split(", ")
    if mode in LOW_POWER and root.word("HW restricted") == "yes":
        reasons.append("hardware switch")
    told = [reason for reason in reasons if reason not in ("", "none")]
    return values | ({"low_power_reasons": told} if told else {})


def one_of(label: str, name: str, pattern: str) -> Callable[[str], Values]:
    """A decoder for an output that is one value."""

    def decode(text: str) -> Values:
        match = re.fullmatch(pattern, flat(text).word(label) or "")
        return {name: match[1]} if match else {}

    return decode


DECODERS: dict[str, Callable[[str], Values]] = {
    "uim-get-card-status": decode_card,
    "uim-get-slot-status": decode_slots,
    "dms-get-operating-mode": decode_mode,
    "dms-get-ids": one_of("IMEI", "imei", r"(\d{14,16})"),
    "dms-get-manufacturer": one_of("Manufacturer", "manufacturer", r"(.+)"),
    "dms-get-model": one_of("Model", "model", r"(.+)"),
    "dms-get-revision": one_of("Revision", "revision", r"(\S+).*"),
    "dms-uim-get-imsi": one_of("IMSI", "imsi", r"(\d{6,15})"),
    "dms-uim-get-iccid": one_of("ICCID", "iccid", r"(\d{17,20})F?"),
}
