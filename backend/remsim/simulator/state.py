"""The state of one virtual modem: what the drive, faults and commands made of it.

What a device keeps over a reset is a plain field; what it forgets is set anew by ``boot``.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from remsim.core.small_dataclass import dataclass
from remsim.simulator.card import Card
from remsim.simulator.drive import MCC, MNC, Scene
from remsim.simulator.encode.errors import NO_SIM, PIN_REQUIRED, PUK_REQUIRED, SIM_BUSY
from remsim.simulator.messages import Messages
from remsim.simulator.models import Model
from remsim.simulator.profiles import Profile
from remsim.simulator.radio import CellLock, Radio, neighbours
from remsim.simulator.usb import Composition

if TYPE_CHECKING:
    from remsim.simulator.euicc.card import VirtualEuicc
    from remsim.simulator.euicc.cards import Cards

CONNECTED_MBPS = 0.05
WARM_C, HOT_C = 97, 109
REFRESH_S = 1.0
"""A card that wants to be read anew is, so long after it said that."""
CONTEXT = ("IPV4V6", "internet")
PREFERENCES = ("selrat", "profile", "profiles", "nwscanmode", "iotopmode", "masks", "gtact_preferred", "xact_preferred")
"""Settings of the radio beside ``radio``, in the words of a family's commands."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does besides its answer, after a while of a real device's time.

    ``reset`` and ``off`` leave the bus, ``slot`` takes another card, ``sim`` starts the card in use anew, ``opened``
    goes on with it after its PIN, ``retune`` looks for a cell, ``report`` tells the registration, ``urc`` says lines on
    the port that asked.
    """

    kind: str
    delay_s: float = 0.0
    lines: tuple[str, ...] = ()
    slot: int = 0
    away_s: float | None = None


@dataclass(slots=True)
class ModemState:
    """What the virtual modem knows of itself. ``air`` is what the drive found, ``scene`` what the modem sees of it."""

    number: int
    profile: Profile
    air: Scene
    scene: Scene = field(init=False)

    # Kept over a reset.
    cards: list[Card | None] = field(init=False)
    remote_card: Card = field(init=False)
    leads_to_remote: bool = False
    is_remote: bool = False  # what the SIM lines led to when it last looked for its card
    slot: int = 0
    radio: Radio = field(init=False)
    composition: str = field(init=False)
    contexts: dict[int, tuple[str, str]] = field(default_factory=lambda: {1: CONTEXT})
    users: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    messages: Messages = field(default_factory=Messages)
    operator: str | None = None  # chosen by hand; "" is none at all
    settings: dict[str, Any] = field(default_factory=dict)

    # Lost at a reset.
    functionality: int = 1
    searching: bool = False
    sim_busy: bool = False
    message_format: int = 0
    notify: bool = False
    active: set[int] = field(default_factory=lambda: {1})
    cell_lock_waits: tuple[CellLock, ...] | None = None  # for the next reset
    radio_lock_waits: tuple[CellLock, ...] | None = None  # for the radio to go off and on
    next_composition: str | None = None
    menu_open: bool = False
    uptime_s: int = 0
    effects: list[Effect] = field(default_factory=list)
    answer_late_s: float = 0.0  # how much later than usual the answer under way is given: the card takes its time

    # Faults.
    denied: bool = False
    faults: set[str] = field(default_factory=set)
    out: set[int] = field(default_factory=set)
    covered: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        model = self.model
        self.radio = default_radio(model)
        self.composition = model.composition
        self.cards = [Card(f"89{MCC}{MNC}00000000000{self.number:02d}", f"{MCC}{MNC}00000000{self.number:02d}")]
        self.remote_card = Card(f"89{MCC}{MNC}00000000020{self.number:02d}", f"{MCC}{MNC}00000002{self.number:02d}")
        if model.slots > 1:
            card = Card(f"89{MCC}{MNC}00000000010{self.number:02d}", f"{MCC}{MNC}00000001{self.number:02d}")
            card.is_empty_euicc = model.has_euicc
            self.cards.append(card)
        self.see(self.air)

    @property
    def model(self) -> Model:
        """The product."""
        return self.profile.model

    @property
    def usb(self) -> Composition:
        """What it shows on USB now."""
        return self.model.compositions[self.composition]

    def see(self, air: Scene) -> None:
        """The next second of the drive, through this modem's preferences."""
        self.air = air
        seen = None if "no_service" in self.faults else self.radio.tune(air)
        self.covered = seen is not None
        scene = seen or air
        carriers = self.radio.carriers(scene, self.model.most_carriers)
        operator = scene.operator if self.card is None else self.card.operator or scene.operator
        self.scene = replace(scene, carriers=carriers, neighbours=neighbours(scene), operator=operator)

    def prefer(self, **changes: Any) -> None:
        """Change preferences of the radio; it looks for a cell again."""
        self.radio = replace(self.radio, **changes)
        self.see(self.air)
        self.effects.append(Effect("retune"))

    def prefer_bands(self, **changes: frozenset[int]) -> None:
        """Change the bands of a technology."""
        self.prefer(bands=replace(self.radio.bands, **changes))

    def boot(self) -> None:
        """What a reset makes of it."""
        fresh = ModemState(self.number, self.profile, self.air)
        for name in ("functionality", "searching", "sim_busy", "message_format", "notify", "active", "menu_open"):
            setattr(self, name, getattr(fresh, name))
        self.uptime_s = 0
        self.is_remote = self.leads_to_remote
        self.effects.clear()
        if self.model.family == "fm350":
            self.radio_lock_waits = None
            self.settings.pop("cell_lock", None)
        self.composition, self.next_composition = self.next_composition or self.composition, None
        locks = self.radio.locks if self.settings.get("locks_saved") else ()
        if self.cell_lock_waits is not None:
            locks, self.cell_lock_waits = self.cell_lock_waits, None
            self.settings["locks_saved"] = bool(locks)
        self.radio = replace(self.radio, locks=locks)
        if "bands" in self.model.forgets or "forgets_bands" in self.faults:
            self.radio = replace(fresh.radio, locks=locks)
            for name in PREFERENCES:
                self.settings.pop(name, None)
        for card in (*self.cards, self.remote_card):
            if card is not None:
                card.reset()
        self.see(self.air)

    def insert_euiccs(self, cards: Cards) -> None:
        """Of the first modem the card in the first slot is an eUICC; so is what is soldered in as the second slot."""
        first = self.cards[0]
        if self.number == 1 and first is not None:
            filled = partial(cards.filled, self.number, first.iccid, first.imsi)
            first.make_euicc = lambda: self._joined(filled())
        if self.model.has_euicc and self.cards[1] is not None:
            self.cards[1].make_euicc = lambda: self._joined(cards.empty(self.number))

    def put_in(self, euicc: VirtualEuicc) -> None:
        """Put an eUICC into the slot in use instead of what is there."""
        card = self.cards[self.slot] = Card("", "")
        card.made_euicc = self._joined(euicc)
        card.read_anew()
        self.see(self.air)

    def _joined(self, euicc: VirtualEuicc) -> VirtualEuicc:
        euicc.on_refresh = lambda: self.effects.append(Effect("sim", REFRESH_S))
        return euicc

    @property
    def imei(self) -> str:
        """The serial number is masked with zeros but for the modem's number, so no device has it."""
        return f"{self.model.tac}00000{self.number:02d}"

    @property
    def sim_present(self) -> bool:
        """Whether a card is in the slot in use; the remote one always is."""
        card = self.cards[self.slot]
        return self.is_remote or self.slot not in self.out and card is not None and not card.is_gone

    @sim_present.setter
    def sim_present(self, present: bool) -> None:
        (self.out.discard if present else self.out.add)(self.slot)

    @property
    def card(self) -> Card | None:
        """The card in the slot in use, or the remote one."""
        if self.is_remote:
            return self.remote_card
        return self.cards[self.slot] if self.sim_present else None

    @property
    def imsi(self) -> str:
        """Of the card in use."""
        return self.card.imsi if self.card else ""

    @property
    def iccid(self) -> str:
        """Of the card in use."""
        return self.card.iccid if self.card else ""

    def sim_error(self, *, open_needed: bool = True) -> int | None:
        """The +CME ERROR of a command that needs the card, or None when it can be had."""
        if self.functionality == 0 or self.card is None or self.card.is_empty_euicc:
            return NO_SIM
        if self.sim_busy or "sim_busy" in self.faults:
            return SIM_BUSY
        if open_needed and self.card.status != "READY":
            return PUK_REQUIRED if self.card.status == "SIM PUK" else PIN_REQUIRED
        return None

    @property
    def temperature_c(self) -> int:
        """Each device stands a little warmer or cooler."""
        if "hot" in self.faults:
            return HOT_C
        return WARM_C if "warm" in self.faults else self.scene.temperature_c + self.number % 3

    @property
    def low_power(self) -> bool:
        """Whether the radio is off, by command or by what a fault says."""
        return self.functionality != 1 or "low_power" in self.faults

    @property
    def registered(self) -> bool:
        """Whether the network lets it in."""
        is_let_in = self.sim_error() is None and not self.is_denied
        return self.camped is not None and is_let_in and self.operator != ""

    @property
    def is_denied(self) -> bool:
        """Whether the network refuses the card."""
        return self.denied or self.card is not None and self.card.network == "denied"

    @property
    def stat(self) -> int:
        """The registration state of 27.007."""
        if self.registered:
            return 1
        if self.low_power or self.operator == "" or self.sim_error() is not None:
            return 0
        return 3 if self.is_denied and self.camped is not None else 2

    @property
    def camped(self) -> Scene | None:
        """The cell it is on, perhaps for emergency calls only; None while it looks for one or its radio is off."""
        is_lost = self.card is not None and self.card.network == "none"
        return None if self.searching or self.low_power or not self.covered or is_lost else self.scene

    @property
    def connected(self) -> bool:
        """Whether data flows right now."""
        return self.registered and bool(self.active) and (self.scene.dl_mbps or 0) > CONNECTED_MBPS


def default_radio(model: Model) -> Radio:
    """Everything the product can do."""
    return Radio(model.modes, model.bands)


def number_of(text: str) -> int | None:
    """A decimal argument of a command."""
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None
