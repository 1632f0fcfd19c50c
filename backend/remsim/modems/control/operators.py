"""Which network: what the modem sees of them, and which one it is to use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from marshmallow import ValidationError, validates_schema

from remsim.core.errors import CommandRefused
from remsim.core.forms import Choice, Text
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.change import Change, ChangeForm, has_service
from remsim.modems.control.target import Target
from remsim.modems.modem import Modem
from remsim.modems.operators import name_of_plmn

SCAN_S = 315.0
SELECT_S = 180.0
BACK_S = 60.0
REMEMBERED_S = 3600.0
FORBIDDEN = "the last search called this network forbidden: it does not take this SIM"
ORDER = ("current", "available", "unknown", "forbidden")
TECHNOLOGIES = {"any": "Any", "GSM": "2G (GSM)", "UMTS": "3G (UMTS)", "LTE": "4G (LTE)", "NR": "5G (NR)"}
ACT = {"GSM": 0, "UMTS": 2, "LTE": 7, "NR": 11}
TECHNOLOGY_OF_ACT = {
    **dict.fromkeys((0, 1, 3), "GSM"),
    **dict.fromkeys((2, 4, 5, 6), "UMTS"),
    **dict.fromkeys((7, 8, 9, 10, 13), "LTE"),
    **dict.fromkeys((11, 12), "NR"),
}
"""27.007 §7.3; 13 is an LTE anchor that may have a 5G leg."""
IN_THE_WAY = (3, 4, 14, 100, None)

_scans: WeakKeyDictionary[Modem, tuple[float, list[dict[str, Any]]]] = WeakKeyDictionary()
"""The networks of each modem's last search, and when that was (monotonic)."""


class Scan(Action):
    """AT+COPS=?; polling waits meanwhile."""

    name = "scan"
    label = "Search for networks"
    group = "radio"
    help = "Takes up to 5 minutes. Some modems search only while no data connection is up."
    cuts = "Data may stop until the search has ended, up to 5 minutes."

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """The networks, and whether the modem is still online after it."""
        was_online, begun = target.is_online, target.clock.monotonic()
        try:
            reply = target.send_long("AT+COPS=?", job, timeout_s=SCAN_S, step="searching for networks")
        except CommandRefused as error:
            raise CommandRefused(error.command, error.cause, number=error.number, hint=why_not(error)) from error
        finally:
            target.hasten("COPS", "REG?")
        found = networks(target.driver.decode("AT+COPS=?", reply.text).get("operators", []))
        _scans[target.modem] = (target.clock.monotonic(), found)
        result = {"networks": found, "took_s": round(target.clock.monotonic() - begun, 1)}
        if was_online:
            job.report(None, "waiting for service", can_abort=True)
            if not has_service(target, BACK_S, job):
                result["note"] = f"The modem has found no service again within {BACK_S:.0f} s after the search."
        return {**result, "state": target.modem.state}


def why_not(error: CommandRefused) -> str | None:
    """What may help when a modem refuses to search."""
    if error.number in IN_THE_WAY:
        return "disconnect its data connection first, or switch its radio off and on, and search again"
    return error.hint


def networks(operators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The networks of a search: the current one first, the forbidden last, named where the modem has digits only."""
    found = []
    for one in operators:
        plmn, long_name, short_name = (str(one[name] or "").strip() for name in ("plmn", "long", "short"))
        if not (plmn.isdigit() and len(plmn) in (5, 6)):
            continue
        names = [name for name in (long_name, short_name) if name and not name.replace(" ", "").isdigit()]
        found.append(
            {
                "plmn": plmn,
                "name": names[0] if names else name_of_plmn(plmn),
                "short_name": names[-1] if names else None,
                "status": one["status"] or "unknown",
                "technology": TECHNOLOGY_OF_ACT.get(one["act"]),
                "act": one["act"],
            }
        )
    return sorted(found, key=lambda one: (ORDER.index(one["status"]), one["plmn"]))


def last_scan(target: Target) -> list[dict[str, Any]]:
    """The networks of the last search, unless that is long ago."""
    at, found = _scans.get(target.modem, (0.0, []))
    return found if target.clock.monotonic() - at < REMEMBERED_S else []


class Plmn(Text):
    """MCC and MNC in one; ``suggestions`` are what the last search has found."""

    def __init__(self, suggestions: Mapping[str, str], **kwargs: Any) -> None:
        told = "is not the 5 or 6 digits of MCC and MNC"
        super().__init__(0, 6, pattern=r"[0-9]{5,6}", told=told, load_default="", **kwargs)
        self.suggestions = dict(suggestions)

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema; ``x-suggestions`` has the form of choices, but other values are possible."""
        options = [{"const": plmn, "title": label} for plmn, label in self.suggestions.items()]
        return {**super().json, "x-suggestions": options}


class OperatorForm(ChangeForm):
    """Automatic, or a network by its number."""

    @validates_schema
    def has_network(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """A choice by hand names one."""
        if data["mode"] == "manual" and not data["plmn"]:
            raise ValidationError("is needed: 5 or 6 digits", "plmn")


def operator_form(suggestions: Mapping[str, str]) -> ChangeForm:
    """The form with what the last search found."""
    mode = Choice(
        {"automatic": "Let the modem choose", "manual": "This network only"},
        required=True,
        metadata={"label": "Network"},
    )
    plmn = Plmn(suggestions, metadata={"label": "MCC and MNC", "help": "Of the last search, or 5 to 6 digits"})
    technology = Choice(TECHNOLOGIES, load_default="any", metadata={"label": "Technology", "advanced": True})
    made = OperatorForm.from_dict({"mode": mode, "plmn": plmn, "technology": technology}, name="OperatorFormOf")()
    assert isinstance(made, ChangeForm)
    return made


class Operator(Change):
    """AT+COPS; without service it goes back to what was before."""

    name = "operator"
    label = "Choose the network"
    group = "radio"
    help = "Search first to see which networks there are. A forbidden one does not take this SIM."
    cuts = "The connection is gone until the modem is registered again, up to 3 minutes."
    remembers = True
    read_back_s = 30.0  # some modems say OK before they are registered

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> ChangeForm:
        """Automatic, or one of those found or typed."""
        labels: dict[str, str] = {}
        for one in last_scan(target):
            words = " (forbidden)" if one["status"] == "forbidden" else ""
            labels.setdefault(one["plmn"], f"{one['name'] or one['plmn']}{words}")
        return operator_form(labels)

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """With the network's number where it is chosen."""
        is_chosen = values["mode"] == "manual"
        return f"Choose network {values['plmn']}" if is_chosen else "Let the modem choose its network"

    def preset(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Automatic has neither network nor technology."""
        wanted = super().preset(values)
        return wanted if wanted["mode"] == "manual" else {"mode": "automatic", "plmn": "", "technology": "any"}

    def read(self, target: Target) -> dict[str, Any]:
        """+COPS? in digits; the form of its answer is put back to names, which polling reads."""
        with target.modem.polling_held():
            target.send("AT+COPS=3,2")
            try:
                found = decoded(target, "AT+COPS?")
            finally:
                target.send("AT+COPS=3,0")
        if found.get("cops_mode") in (1, 4):
            technology = TECHNOLOGY_OF_ACT.get(found.get("act") or -1, "any")
            return {"mode": "manual", "plmn": found.get("plmn") or "", "technology": technology}
        mode = "off" if found.get("cops_mode") == 2 else "automatic"
        return {"mode": mode, "plmn": "", "technology": "any"}

    def current(self, target: Target) -> Mapping[str, Any]:
        """What is in force; a modem that was told to stay off every network is to choose anew."""
        found = self.read(target)
        return {} if found["mode"] == "off" else found

    def is_taken(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """Mode and network; the technology where one was wanted."""
        is_same = all(found.get(name) == value for name, value in wanted.items() if name != "technology")
        return is_same and wanted.get("technology", "any") in ("any", found.get("technology"))

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Up to 3 minutes; what the family forgets by it is written again."""
        if values["mode"] == "automatic" or not values["plmn"]:
            kept = [as_it_is(target, command) for command in target.driver.forgotten_by_automatic]
            command = "AT+COPS=2" if values["mode"] == "off" else "AT+COPS=0"
            target.send_long(command, job, timeout_s=SELECT_S, step="registering")
            for write in kept:
                target.send(write)
        else:
            self._choose(target, values, job)
        target.hasten("COPS", "REG?")

    def _choose(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """One network, by the number of its technology that the search has told."""
        plmn, technology = values["plmn"], values["technology"]
        scanned = [one for one in last_scan(target) if one["plmn"] == plmn]
        command = f'AT+COPS=1,2,"{plmn}"'
        if technology != "any":
            acts = [one["act"] for one in scanned if one["technology"] == technology]
            command += f",{acts[0] if acts else ACT[technology]}"
        try:
            target.send_long(command, job, timeout_s=SELECT_S, step=f"registering with {plmn}")
        except CommandRefused as error:
            forbidden = any(one["status"] == "forbidden" for one in scanned)
            hint = FORBIDDEN if forbidden else error.hint
            raise CommandRefused(error.command, error.cause, number=error.number, hint=hint) from error


def as_it_is(target: Target, command: str) -> str:
    """The command that writes what ``command`` reads: the answer behind its colon are the parameters."""
    name, _, body = target.send(command).text.partition("\n")[0].partition(":")
    return f"AT{name.strip()}={body.strip()}"


def decoded(target: Target, command: str) -> dict[str, Any]:
    """An answer with all it says: polling's decoder leaves out what would mislead beside other answers."""
    from remsim.modems.decode import decode_reply

    driver = target.driver
    return decode_reply(driver.vendor, driver.module, driver.platform, command, target.send(command).text)
