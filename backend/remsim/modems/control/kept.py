"""Settings that a modem keeps in its own memory: written only when asked for, and with a tick that it is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import Conflict, InvalidInput, NotTaken
from remsim.core.forms import Choice, Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target

LEVELS = {"low": "Low", "high": "High"}
LEVEL_NUMBERS = {"low": 0, "high": 1}
URC_PORT = 'AT+QURCCFG="urcport"'
URC_PORTS = {"usbat": "The AT port on USB", "usbmodem": "The modem port on USB", "uart1": "The serial line"}


def meant(help: str) -> Flag:
    """The tick before something is written for good."""
    return Flag(load_default=False, metadata={"label": "Write it into the modem", "help": help})


def must_be_meant(values: Mapping[str, Any]) -> None:
    """``InvalidInput`` without the tick."""
    if not values["really"]:
        raise InvalidInput("this stays in the modem for good; tick that you mean it", field="really")


class SimDetection(Action):
    """Whether the modem watches the switch of the card's tray."""

    name = "sim-detection"
    label = "Notice when a SIM comes or goes"
    group = "sim"
    help = "The modem watches its tray's switch. Without a switch, or with the wrong level, it finds no SIM at all."

    def missing(self, target: Target) -> str | None:
        """Others are asked for their SIM now and then anyway."""
        if target.driver.sim_detection is None:
            return "This modem has no known command for it; its SIM is asked for every 30 seconds anyway."
        return target.without_at

    def form(self, target: Target) -> Form:
        """On or off, the level where there is one, and the tick."""
        ability = target.driver.sim_detection
        assert ability is not None
        fields: dict[str, Any] = {"on": Flag(required=True, metadata={"label": "Watch the tray's switch"})}
        if ability.has_level:
            help = "The level of the switch's line while a card is in; it depends on the board."
            fields["level"] = Choice(LEVELS, metadata={"label": "Level with a card", "help": help})
        told = "Kept in the modem until it is changed again."
        fields["really"] = meant(f"{told} It counts from its next restart on." if ability.needs_restart else told)
        form: Form = Form.from_dict(fields, name="SimDetectionForm")()  # type: ignore[assignment]
        return form

    def current(self, target: Target) -> Mapping[str, Any]:
        """What is kept now."""
        return read_detection(target)

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Write what differs, read it back."""
        ability = target.driver.sim_detection
        assert ability is not None
        before = read_detection(target)
        wanted = {"on": values["on"]} | ({"level": values["level"]} if values.get("level") else {})
        if all(before.get(name) == value for name, value in wanted.items()):
            return {"changed": False, **before}
        must_be_meant(values)
        level = wanted.get("level") or before.get("level") or "low"
        for command in ability.on if values["on"] else ability.off:
            target.send(command.format(level=LEVEL_NUMBERS[level]))
        found = read_detection(target)
        if any(found.get(name) != value for name, value in wanted.items()):
            raise NotTaken(f"{target.id} said OK, but still has {found}")
        return {"changed": True, **found, "needs_restart": ability.needs_restart}


def read_detection(target: Target) -> dict[str, Any]:
    """Whether the switch is watched, and its level; ``Conflict`` when this firmware does not tell."""
    ability = target.driver.sim_detection
    assert ability is not None
    found = target.offered(ability.ask) or {}
    if found.get("sim_detection") is None:
        raise Conflict(f"{target.id}: this firmware does not tell whether it watches", code="not_offered")
    told = {"on": found["sim_detection"]}
    return told | ({"level": found["sim_inserted_level"]} if found.get("sim_inserted_level") else {})


class UrcPort(Action):
    """Which port a Quectel writes its unsolicited lines to."""

    name = "urc-port"
    label = "Have the modem report on this port"
    group = "device"
    help = (
        "The modem writes what it reports by itself (registration, messages, SIM) to another port now, so changes are"
        " noticed late. The result names the command that undoes it, for the AT console."
    )

    def missing(self, target: Target) -> str | None:
        """Offered where the port is another one."""
        port = target.values.get("urc_port")
        if port is None:
            return "This modem does not tell where it reports to."
        return "It reports on this port already." if port == "usbat" else target.without_at

    def form(self, target: Target) -> Form:
        """The ports, and the tick."""
        port = Choice(URC_PORTS, load_default="usbat", metadata={"label": "Report on"})
        really = meant("Kept in the modem until it is changed again.")
        form: Form = Form.from_dict({"port": port, "really": really}, name="UrcPortForm")()  # type: ignore[assignment]
        return form

    def current(self, target: Target) -> Mapping[str, Any]:
        """The port in force."""
        return {"port": target.ask(URC_PORT).get("urc_port")}

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Write it, read it back."""
        before = target.ask(URC_PORT).get("urc_port")
        if before == values["port"]:
            return {"changed": False, "port": before}
        must_be_meant(values)
        target.send(f'{URC_PORT},"{values["port"]}"')
        found = target.ask(URC_PORT).get("urc_port")
        if found != values["port"]:
            raise NotTaken(f"{target.id} said OK, but still reports on {found}")
        target.renew()
        return {"changed": True, "port": found, "undo": f'{URC_PORT},"{before}"'}
