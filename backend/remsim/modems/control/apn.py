"""The access point: the modem's context and the router's network interface, kept in step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remsim.config.sims import APN, AUTHS, LOGIN, PDP_TYPES, TOLD_APN, TOLD_LOGIN
from remsim.config.uci import UciFile, UciSection, edited
from remsim.core.errors import InvalidInput, NotTaken, RemsimError, StorageError
from remsim.core.forms import Choice, Form, Text
from remsim.core.jobs import Job
from remsim.core.small_dataclass import dataclass
from remsim.modems import operators
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.connection import network_of, wait_up
from remsim.modems.control.target import Target

CONTEXT = 1
AUTH_NUMBERS = {"none": 0, "pap": 1, "chap": 2}
FIELDS = ("apn", "pdp_type", "auth", "username", "password")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one of netifd's protocols spells these settings; ``auth`` is None where it has none."""

    pdp_option: str
    pdp_words: Mapping[str, str]
    auth_option: str | None = None


LOWER = {"IPV4V6": "ipv4v6", "IP": "ipv4", "IPV6": "ipv6"}
UPPER = {"IPV4V6": "IPV4V6", "IP": "IP", "IPV6": "IPV6"}
SPELLINGS = {
    "qmi": Spelling("pdptype", LOWER, "auth"),
    "mbim": Spelling("pdptype", LOWER, "auth"),
    "ncm": Spelling("pdptype", UPPER),
    "modemmanager": Spelling("iptype", LOWER, "allowedauth"),
}
"""Source: the protocol handlers uqmi, umbim, comgt-ncm and modemmanager, and LuCI's forms for them."""


class ApnForm(ChangeForm):
    """What an operator's letter says."""

    apn = Text(1, 100, pattern=APN, told=TOLD_APN, required=True, metadata={"label": "APN"})
    pdp_type = Choice(PDP_TYPES, load_default="IPV4V6", metadata={"label": "Addresses"})
    auth = Choice(AUTHS, load_default="none", metadata={"label": "Authentication"})
    username = Text(0, 64, pattern=LOGIN, told=TOLD_LOGIN, load_default="", metadata={"label": "User name"})
    password = Text(
        0, 64, pattern=LOGIN, told=TOLD_LOGIN, load_default="", metadata={"label": "Password", "secret": True}
    )


class Apn(Change):
    """Set in ``/etc/config/network`` where an interface there uses this modem, and in the modem's context 1."""

    name = "apn"
    label = "Set the access point (APN)"
    group = "data"
    cuts = "The connection is made anew: it is gone for about 10 to 60 seconds."

    def form(self, target: Target) -> Form:
        """With what is known of this SIM's operator as its help."""
        form = ApnForm()
        if known := suggestions(target):
            form.fields["apn"].metadata = {"label": "APN", "help": f"Known for this operator: {', '.join(known)}"}
        return form

    def current(self, target: Target) -> Mapping[str, Any]:
        """What is in force, without the password."""
        return {name: value for name, value in self.read(target).items() if name in FIELDS and name != "password"}

    def read(self, target: Target) -> dict[str, Any]:
        """The interface's settings, or the modem's where there is no interface; ``in_step`` when both agree."""
        modem = of_modem(target)
        network = of_network(target)
        found = network or modem
        agrees = network is None or all(network[name] == modem[name] for name in ("apn", "pdp_type"))
        return {**found, "in_step": agrees}

    def is_taken(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """The modem does not tell passwords: there only the rest is compared."""
        told = {name: value for name, value in wanted.items() if found.get(name) is not None or name == "apn"}
        return bool(found.get("in_step")) and all(found[name] == told[name] for name in told if name in FIELDS)

    def words(self, name: str, value: Any) -> str:
        """A setting in words; of a password only that it is another."""
        return "another password" if name == "password" else f"{name} {value or 'empty'}"

    def not_taken(self, target: Target, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> NotTaken:
        """What the modem keeps, where the configuration is as wanted already."""
        if found.get("in_step"):
            return super().not_taken(target, wanted, found)
        kept = of_modem(target)
        told = ", ".join(self.words(name, kept[name]) for name in ("apn", "pdp_type"))
        return NotTaken(f"{target.id} said OK, but still has {told}")

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """As every change; the password is not part of the result."""
        result: dict[str, Any] = super().run(target, values, job)
        result.pop("password", None)
        return result

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Write it down, then connect with it."""
        name = begin_connection(target, values, job)
        if name is not None:
            wait_up(target, name, job)


def begin_connection(target: Target, values: Mapping[str, Any], job: Job) -> str | None:
    """Set an access point and have the router dial with it; the interface that may be waited for, where there is one.

    The configuration comes first: it is what comes back after a restart.
    """
    name, path = network_of(target), target.means.network_file()
    if name is not None and path is not None:
        target.means.check_nothing_staged()
        write_network(path, name, values)
    job.report(0.3, "setting the modem's context")
    target.send(f'AT+CGDCONT={CONTEXT},"{values.get("pdp_type") or "IPV4V6"}","{values["apn"]}"')
    set_login(target, values)
    if name is None or not target.means.netifd.is_here:
        register_anew(target, job)
        return None
    job.report(0.6, f"connecting {name} anew")
    target.means.netifd.reload()
    target.means.netifd.up(name)
    return name


def suggestions(target: Target) -> list[str]:
    """The APNs known for the SIM's operator, the internet's first."""
    imsi = target.modem.identity.get("imsi") or ""
    plmns = [(imsi[:3], imsi[3:5]), (imsi[:3], imsi[3:6])] if len(imsi) > 6 else []
    found = [one.apn for mcc, mnc in plmns for one in operators.apns_of(mcc, mnc)]
    return list(dict.fromkeys(found))[:6]


def of_modem(target: Target) -> dict[str, Any]:
    """The modem's context, and its login as far as the modem tells it."""
    context = (target.ask("AT+CGDCONT?").get("apns") or {}).get(str(CONTEXT)) or {}
    return {
        "apn": context.get("apn") or "",
        "pdp_type": context.get("type"),
        "auth": None,
        "username": None,
        "password": None,
    }


def set_login(target: Target, values: Mapping[str, Any]) -> None:
    """User name and password of the context, for modems that know the command (27.007 §10.1.31)."""
    auth = values.get("auth")
    if auth is None or target.offered("AT+CGAUTH?") is None:
        return
    login = f',"{values["username"]}","{values["password"]}"' if auth != "none" else ""
    target.send(f"AT+CGAUTH={CONTEXT},{AUTH_NUMBERS[auth]}{login}")


def register_anew(target: Target, job: Job) -> None:
    """LTE takes an APN at attach: the radio goes off and on."""
    job.report(0.6, "registering anew")
    target.send("AT+CFUN=4", timeout_s=20)
    try:
        target.pause(1.0, job)
    finally:
        target.send("AT+CFUN=1", timeout_s=20)
    target.hasten("REG?", "COPS", "CFUN")


def section_of(file: UciFile, name: str) -> UciSection:
    """The interface's section; ``InvalidInput`` when it is not there or of no kind we know."""
    section = next((one for one in file.sections("interface") if one.name == name), None)
    if section is None:
        raise InvalidInput(f"{file.name} has no interface {name}", field="network")
    if (section.get("proto") or "") not in SPELLINGS:
        known = ", ".join(SPELLINGS)
        raise InvalidInput(f"network.{name} is of protocol {section.get('proto')}, not of {known}", field="network")
    return section


def of_network(target: Target) -> dict[str, Any] | None:
    """The settings of the interface that uses this modem, or None where there is none or its protocol has none."""
    name, path = network_of(target), target.means.network_file()
    if name is None or path is None:
        return None
    section = section_of(UciFile.load(path), name)
    spelling = SPELLINGS[section.get("proto") or ""]
    words = {word.lower(): pdp_type for pdp_type, word in spelling.pdp_words.items()} | {"ip": "IP"}
    auth = section.get(spelling.auth_option) if spelling.auth_option else None
    return {
        "apn": section.get("apn") or "",
        "pdp_type": words.get((section.get(spelling.pdp_option) or "").lower(), "IPV4V6"),
        "auth": auth if auth in AUTHS else "none",
        "username": section.get("username") or "",
        "password": section.get("password") or "",
    }


def write_network(path: Path, name: str, values: Mapping[str, Any]) -> None:
    """Write the interface's section; what it does not set stays as it is."""
    try:
        with edited(path) as file:
            section = section_of(file, name)
            spelling = SPELLINGS[section.get("proto") or ""]
            section.set("apn", str(values["apn"]))
            section.set(spelling.pdp_option, spelling.pdp_words[values.get("pdp_type") or "IPV4V6"])
            if spelling.auth_option and values.get("auth") is not None:
                section.set(spelling.auth_option, str(values["auth"]))
            for option in ("username", "password"):
                if values.get(option) is not None:
                    section.set(option, str(values[option]))
    except RemsimError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
