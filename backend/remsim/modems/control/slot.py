"""Choosing the SIM slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import CommandRefused, Conflict, ModemError, NotTaken
from remsim.core.forms import Choice, Flag, Form
from remsim.core.jobs import Job
from remsim.core.masking import mask
from remsim.modems.control.change import Change, ChangeForm, service_field
from remsim.modems.control.target import Target
from remsim.modems.drivers.abilities import SlotSwitch

SERVICE_S = 240
TAKEN_S = 30.0
CARD_S = 20.0
RENEWED_S = 60.0
LOOK_S = 1.0
LOOK_TIMEOUT_S = 3.0
NO_CARD = {
    "NOT_INSERTED": "no SIM is in it",
    "EMPTY_EUICC": "its eSIM has no profile",
}
HINTS = {
    "NOT_INSERTED": "insert a SIM there, or choose the other slot",
    "EMPTY_EUICC": "load and enable a profile: stay there without one until then, or choose the other slot",
    "SIM PIN": "enter the PIN of the card in this slot",
    "SIM PUK": "enter the PUK of the card in this slot",
}
WITHOUT_PROFILE = {
    "label": "Stay there without service",
    "help": "For a built-in eSIM that has no profile yet: the first one can be loaded only while its slot is chosen",
}


class SimSlot(Change):
    """Slots count from 1, as boards print them. The modem keeps the choice by itself."""

    name = "sim-slot"
    label = "Choose the SIM slot"
    group = "sim"
    help = "The modem reads the other card and registers anew. Without service there it goes back by itself."
    cuts = "Its connection is gone for 10 to 120 seconds."
    read_back_s = TAKEN_S

    def missing(self, target: Target) -> str | None:
        """Takes a family that can, and an AT port."""
        if target.driver.slot_switch is None:
            return "This modem has one SIM slot, or no known command for another."
        return target.without_at

    def form(self, target: Target) -> Form:
        """The slots of this very modem."""
        switch = switch_of(target)
        offered = target.offered(switch.offered) if switch.offered else None
        slots = switch.slots(offered)
        metadata = {"label": "Slot", "help": switch.help}
        fields: dict[str, Any] = {"slot": Choice(slots, required=True, metadata=metadata)}
        if target.driver.euicc_slot is not None:
            fields["without_profile"] = Flag(load_default=False, metadata=WITHOUT_PROFILE)
        fields["service_s"] = service_field(SERVICE_S)
        form: Form = ChangeForm.from_dict(fields, name="SlotForm")()  # type: ignore[assignment]
        return form

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """With the slot."""
        return f"Choose SIM slot {values['slot']}"

    def words(self, name: str, value: Any) -> str:
        """The slot."""
        return f"slot {value}"

    def read(self, target: Target) -> dict[str, Any]:
        """The slot in use, from 1."""
        return {"slot": target.driver.sim_slot(target.ask(switch_of(target).ask))}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Switch, wait for the card, and have the modem set up anew: its settings may belong to the card."""
        switch, slot = switch_of(target), int(values["slot"])
        seen = target.modem.identifications
        job.report(0.2, f"switching to slot {slot}")
        self._send(target, switch, slot)
        if switch.restarts:
            job.report(0.3, "waiting for the modem to come back")
            if not target.wait_identified(seen, switch.away_s, job):
                raise NotTaken(f"{target.id} did not come back within {switch.away_s:.0f} s", hint="restart it")
            return
        job.report(0.3, "waiting for the card")
        if not self._is_taken_soon(target, slot, job):
            return  # whoever reads back says so
        if switch.refresh and not has_card(target, job, CARD_S / 2):
            job.report(0.4, "having the modem read the card")
            for command in switch.refresh:
                target.send(command, timeout_s=CARD_S)
        has_card(target, job, CARD_S)
        target.renew()
        target.wait_identified(seen, RENEWED_S, job)

    def preset(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The slot; whether it may be without service is no state of the modem."""
        return {"slot": values["slot"]}

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """Not where the first profile is yet to be loaded."""
        return not values.get("without_profile")

    def check(self, target: Target, found: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """An empty slot gives no service, however long one waits."""
        state = card_state(target)
        if state in NO_CARD and self.expects_service(values):
            raise NotTaken(f"{target.id} has no card in slot {found['slot']}: {NO_CARD[state]}", hint=HINTS[state])

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """As every change; with the card that is in use now."""
        result = super().run(target, values, job)
        state = card_state(target)
        told = {"sim_state": state, "iccid": mask(target.modem.identity.get("iccid"))}
        hint = HINTS.get(state or "")
        return {**result, **told} | ({"hint": hint} if hint else {})

    def _send(self, target: Target, switch: SlotSwitch, slot: int) -> None:
        """The family's command; once more with its password where the modem wants that."""
        try:
            target.send_last(switch.command(slot))
        except CommandRefused:
            if switch.password is None:
                raise
            target.unlock(switch.password)
            target.send_last(switch.command(slot))

    def _is_taken_soon(self, target: Target, slot: int, job: Job) -> bool:
        """Whether the modem says the slot within a while; the answer may lag behind, or the modem be silent."""
        deadline = target.clock.monotonic() + TAKEN_S
        while target.clock.monotonic() < deadline:
            try:
                if self.read(target)["slot"] == slot:
                    return True
            except (ModemError, Conflict):
                pass  # it is busy with the card, or gone for a moment
            target.pause(LOOK_S, job)
        return False


def switch_of(target: Target) -> SlotSwitch:
    """The ability of a modem that has it."""
    switch = target.driver.slot_switch
    assert switch is not None
    return switch


def card_state(target: Target) -> str | None:
    """The SIM's state in a word; None while the modem does not say."""
    try:
        state = target.said("AT+CPIN?", timeout_s=LOOK_TIMEOUT_S).get("sim_state")
    except (ModemError, Conflict):
        return None
    return None if state is None else str(state)


def has_card(target: Target, job: Job, within_s: float) -> bool:
    """Whether the modem has read a card within the time; PIN or not."""
    deadline = target.clock.monotonic() + within_s
    while card_state(target) in (None, "BUSY", "FAILURE", "NOT_INSERTED"):
        if target.clock.monotonic() >= deadline:
            return False
        target.pause(LOOK_S, job)
    return True
