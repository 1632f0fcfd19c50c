"""The SIM's PIN: entering it, asking for it at each start or not, changing it, and the PUK.

Three wrong PINs block a card, ten wrong PUKs destroy it. So nothing is ever sent twice, and the last try takes a tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.core.errors import AtTimeout, CommandRefused, Conflict, InvalidInput, ModemError, ModemGone, NotTaken
from remsim.core.forms import Flag, Form, Text
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.slot import card_state
from remsim.modems.control.target import Target

ENTER_S = 30.0
READY_S = 30.0
LOOK_S = 1.0
FOLLOWS_S = 5.0
"""How long polling may take to say the same."""
PIN_ENABLED = 'AT+CLCK="SC",2'
BUSY = 14
"""27.007 §9.2: the card is busy, as for some seconds after its PIN was entered."""
PIN_TRIES, PUK_TRIES = "pin_tries_left", "puk_tries_left"


def digits(label: str, shortest: int, longest: int) -> Text:
    """A secret of digits: nothing else reaches the modem, so nothing can end the command early."""
    told = f"is not {shortest} to {longest} digits" if shortest != longest else f"is not {shortest} digits"
    metadata = {"label": label, "secret": True}
    return Text(shortest, longest, required=True, pattern=r"[0-9]+", told=told, metadata=metadata)


def really(left: int | None) -> Flag:
    """The tick that the last try takes."""
    told = "not known" if left is None else str(left)
    help = f"Tries left: {told}. The last one is used only with this tick."
    return Flag(load_default=False, metadata={"label": "Use the last try too", "help": help})


class PinAction(Action):
    """What the PIN actions share: the tries, and one command that is never repeated."""

    group = "sim"
    tries: ClassVar[str] = PIN_TRIES
    secrets: ClassVar[Mapping[str, tuple[str, int, int]]] = {"pin": ("PIN", 4, 8)}
    wrong_hint: ClassVar[str] = "a wrong PIN was entered"

    def missing(self, target: Target) -> str | None:
        """Takes a card and an AT port."""
        if target.without_at is not None:
            return target.without_at
        state = target.values.get("sim_state")
        if state in ("NOT_INSERTED", "EMPTY_EUICC"):
            return "There is no SIM."
        return self.unfit(state)

    def unfit(self, state: str | None) -> str | None:
        """Why the SIM's state does not want this."""
        return None

    def form(self, target: Target) -> Form:
        """The secrets, the action's own fields, and the tick for the last try, with the tries that are left."""
        fields = {name: digits(*one) for name, one in self.secrets.items()}
        made = {**self.fields(), **fields, "really": really(tries_left(target).get(self.tries))}
        form: Form = Form.from_dict(made, name="PinForm")()  # type: ignore[assignment]
        return form

    def fields(self) -> dict[str, Any]:
        """Fields before the secrets."""
        return {}

    def use_try(self, target: Target, command: str, values: Mapping[str, Any], job: Job) -> None:
        """Send the one command, unless it would be the last try without the tick."""
        left = tries_left(target).get(self.tries)
        if left == 0:
            raise Conflict(f"{target.id}: no try is left", code="blocked", hint="enter the PUK, or get another card")
        if left == 1 and not values["really"]:
            raise InvalidInput("one try is left; tick that it may be used", field="really")
        job.report(0.3, "asking the card")
        try:
            target.send(command, timeout_s=ENTER_S)
        except CommandRefused as error:
            follow(target, card_state(target), job)
            raise self._refused(target, error) from error
        except (AtTimeout, ModemGone) as error:
            hint = "look at the SIM's state before you try again: the card may have taken it"
            raise NotTaken(f"{target.id} did not say whether the card took it", hint=hint) from error
        finally:
            target.hasten("CPIN", target.driver.pin_tries_command or "CPIN")

    def _refused(self, target: Target, error: CommandRefused) -> CommandRefused:
        """The refusal, with the tries that are left."""
        left = tries_left(target).get(self.tries)
        if left is not None:
            error.message += f"; {left} {'try is' if left == 1 else 'tries are'} left"
            error.args = (error.message,)
        return error

    def wait_ready(self, target: Target, job: Job) -> str | None:
        """The SIM's state once it is ready, or what it is after a while."""
        job.report(0.6, "waiting for the card")
        deadline = target.clock.monotonic() + READY_S
        while (state := card_state(target)) in (None, "BUSY") and target.clock.monotonic() < deadline:
            target.pause(LOOK_S, job)
        follow(target, state, job)
        return state


class Pin(PinAction):
    """The PIN that the card asks for."""

    name = "pin"
    label = "Enter the PIN"
    help = "The SIM's PIN, for this start. To have it not asked any more, switch the question off."

    def unfit(self, state: str | None) -> str | None:
        """The card must want it."""
        if state == "SIM PUK":
            return "The SIM is blocked and wants its PUK."
        return None if state in (None, "SIM PIN") else "The SIM wants no PIN now."

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Enter it and wait until the card is ready."""
        wanted(target, "SIM PIN")
        self.use_try(target, f'AT+CPIN="{values["pin"]}"', values, job)
        state = self.wait_ready(target, job)
        if state != "READY":
            raise NotTaken(f"{target.id} said OK, but the SIM's state is {state or 'not told'}")
        return {"sim_state": state}


class PinLock(PinAction):
    """Whether the card asks for its PIN at each start."""

    name = "pin-lock"
    label = "Ask for the PIN at each start"
    help = "Without the question the modem is online by itself after a power cut. The card keeps the choice."

    def fields(self) -> dict[str, Any]:
        """On or off."""
        return {"on": Flag(required=True, metadata={"label": "Ask for the PIN"})}

    def unfit(self, state: str | None) -> str | None:
        """An open card."""
        return None if state in (None, "READY") else "Enter the PIN first."

    def current(self, target: Target) -> Mapping[str, Any]:
        """The choice in force."""
        return {"on": (target.offered(PIN_ENABLED) or {}).get("pin_enabled")}

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """On or off, in words."""
        return f"Switch the question for the PIN {'on' if values['on'] else 'off'}"

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Choose, and read the choice back."""
        if asks_for_pin(target, job) is values["on"]:
            return {"changed": False, "on": values["on"]}
        self.use_try(target, f'AT+CLCK="SC",{int(values["on"])},"{values["pin"]}"', values, job)
        found = asks_for_pin(target, job)
        if found is not values["on"]:
            raise NotTaken(f"{target.id} said OK, but the card {'asks' if found else 'does not ask'} for its PIN")
        return {"changed": True, "on": found}


class PinChange(PinAction):
    """Another PIN."""

    name = "pin-change"
    label = "Change the PIN"
    help = "The card takes a new PIN only while it asks for it at each start."
    secrets = {"pin": ("PIN", 4, 8), "new_pin": ("New PIN", 4, 8), "again": ("New PIN once more", 4, 8)}

    def unfit(self, state: str | None) -> str | None:
        """An open card."""
        return None if state in (None, "READY") else "Enter the PIN first."

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Change it; a card tells of its PIN only that it counts its tries from the beginning again."""
        same(values)
        if asks_for_pin(target, job) is False:
            raise Conflict(f"{target.id}: the card does not ask for its PIN", hint="switch the question on first")
        self.use_try(target, f'AT+CPWD="SC","{values["pin"]}","{values["new_pin"]}"', values, job)
        return {"changed": True, **tries_left(target)}


class Puk(PinAction):
    """A blocked card."""

    name = "puk"
    label = "Unblock the SIM with its PUK"
    help = "The PUK is on the card's letter or with the operator. Ten wrong ones destroy the card."
    tries = PUK_TRIES
    secrets = {"puk": ("PUK", 8, 8), "new_pin": ("New PIN", 4, 8), "again": ("New PIN once more", 4, 8)}

    def unfit(self, state: str | None) -> str | None:
        """The card must want it."""
        return None if state in (None, "SIM PUK") else "The SIM wants no PUK."

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Enter both and wait until the card is ready."""
        same(values)
        wanted(target, "SIM PUK")
        self.use_try(target, f'AT+CPIN="{values["puk"]}","{values["new_pin"]}"', values, job)
        state = self.wait_ready(target, job)
        if state != "READY":
            raise NotTaken(f"{target.id} said OK, but the SIM's state is {state or 'not told'}")
        return {"sim_state": state}


def asks_for_pin(target: Target, job: Job) -> bool | None:
    """Whether the card asks for its PIN at each start; a busy card is asked again, for that costs no try."""
    deadline = target.clock.monotonic() + READY_S
    while True:
        try:
            return target.ask(PIN_ENABLED).get("pin_enabled")
        except CommandRefused as error:
            if error.number != BUSY or target.clock.monotonic() >= deadline:
                raise
        target.pause(LOOK_S, job)


def follow(target: Target, state: str | None, job: Job) -> None:
    """Wait until polling has seen the card's state too: what is offered next goes by that."""
    target.hasten("CPIN", "REG?")
    target.wait_until(lambda: target.values.get("sim_state") == state, FOLLOWS_S, job)


def same(values: Mapping[str, Any]) -> None:
    """Nobody sees what they type, so they type it twice."""
    if values["new_pin"] != values["again"]:
        raise InvalidInput("the new PIN is not the same both times", field="again")


def wanted(target: Target, state: str) -> None:
    """``Conflict`` unless the card is in this state now: a try is not spent on a card that wants something else."""
    if (found := card_state(target)) != state:
        raise Conflict(f"{target.id}: the SIM's state is {found or 'not told'}, not {state}", code="not_wanted")


def tries_left(target: Target) -> dict[str, int]:
    """The tries of PIN and PUK that are left, as far as the modem tells them."""
    command = target.driver.pin_tries_command
    if command is None:
        return {}
    try:
        found = target.said(command)
    except (ModemError, Conflict):
        return {}
    if "tries_left" in found:  # of the one that is asked for now
        found = {PUK_TRIES if card_state(target) == "SIM PUK" else PIN_TRIES: found["tries_left"]}
    return {name: found[name] for name in (PIN_TRIES, PUK_TRIES) if found.get(name) is not None}
