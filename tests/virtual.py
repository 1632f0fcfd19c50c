"""A virtual modem without its terminals: a state and the interpreter of one port."""

from __future__ import annotations

from typing import Any

from remsim.modems.decode import decode_reply
from remsim.modems.ports import BY_ID
from remsim.simulator.profiles import profile_of, scene_at
from remsim.simulator.session import Session
from remsim.simulator.state import ModemState


class Bench:
    """One modem; ``say`` gives what stands before OK, or the final line of a refusal."""

    def __init__(self, model: str, second: int = 0, *, position: int = 0) -> None:
        profile = profile_of(model, position)
        self.state = ModemState(1, profile, scene_at(profile, second))
        self.session = Session(self.state)
        self.session.execute("AT+CMEE=1")
        row = BY_ID.get(self.state.usb.usb_id)
        self.platform = row.platform if row else None

    def say(self, command: str) -> str:
        answer = self.session.execute(command)
        assert answer is not None
        return answer.strip().removesuffix("OK").strip() or "OK"

    def decoded(self, command: str) -> dict[str, Any]:
        model = self.state.model
        return decode_reply(model.vendor, model.name, self.platform, command, self.session.execute(command) or "")

    def reset(self) -> None:
        """As a reset does it, with a port of its own afterwards."""
        self.state.boot()
        self.session = Session(self.state)
        self.session.execute("AT+CMEE=1")

    def kinds(self) -> list[str]:
        """What the commands so far made it do."""
        effects, self.state.effects = self.state.effects, []
        return [effect.kind for effect in effects]
