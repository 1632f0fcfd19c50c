"""What a family can be made to do, and by which commands: pure knowledge, nothing here is sent.

A driver has one of each, or None where the family cannot. ``answers`` given to the methods are the decoded answers of
``asks``, by command; a command that the firmware refused has None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.core.small_dataclass import dataclass

Values = Mapping[str, Any]
Answers = Mapping[str, Values | None]

BAND_FIELDS = {
    "umts_bands": "3G bands",
    "lte_bands": "LTE bands",
    "nbiot_bands": "NB-IoT bands",
    "nr_bands": "5G bands",
    "nsa_nr5g_bands": "5G bands beside LTE (NSA)",
    "nr5g_bands": "5G bands alone (SA)",
}
"""Fields of band lists with their labels; ``nr_bands`` where the family has one list for both kinds of 5G."""

MODES = {
    "auto": "Automatic",
    "gsm": "2G only",
    "umts": "3G only",
    "lte": "LTE only",
    "nr": "5G only (standalone)",
    "gsm_umts": "2G and 3G",
    "gsm_lte": "2G and LTE",
    "umts_lte": "3G and LTE",
    "umts_nr": "3G and 5G",
    "lte_nr": "LTE and 5G",
    "gsm_umts_lte": "2G, 3G and LTE",
    "umts_lte_nr": "3G, LTE and 5G",
}
"""Every choice of technologies that some family has."""

NR5G_MODES = {"sa_nsa": "Both kinds", "nsa": "Beside LTE only (NSA)", "sa": "Alone only (SA)"}
IOT_MODES = {"lte-m": "LTE-M only", "nb-iot": "NB-IoT only", "both": "LTE-M and NB-IoT"}
SELECTIONS = {"mode": MODES, "nr5g_mode": NR5G_MODES, "iot_mode": IOT_MODES}
"""Fields with one choice each, and the labels of their choices."""


def mode_of(rats: Any) -> str:
    """The choice that names these technologies (GSM, UMTS, LTE, NR)."""
    return "_".join(rat.lower() for rat in ("GSM", "UMTS", "LTE", "NR") if rat in rats)


@dataclass(frozen=True, slots=True)
class SlotSwitch:
    """Choosing the SIM slot. ``first`` is what commands call slot 1.

    ``password`` opens the command where the modem refuses it without. ``refresh`` makes the modem read the card when it
    does not by itself. ``restarts``: it leaves USB for up to ``away_s`` and its OK may never come.
    """

    ask: str
    choose: str
    first: int
    labels: Mapping[int, str]
    offered: str | None = None
    password: str | None = None
    refresh: tuple[str, ...] = ()
    restarts: bool = False
    away_s: float = 180.0
    help: str = ""

    def command(self, slot: int) -> str:
        """The command that takes the card in ``slot``, which is counted from 1."""
        return self.choose.format(slot - 1 + self.first)

    def slots(self, values: Values | None) -> dict[int, str]:
        """The slots of this very modem, from the answer to ``offered``."""
        indexes = (values or {}).get("sim_slots") or (values or {}).get("sim_slot_indexes") or ()
        told = {int(index) - self.first + 1 for index in indexes} & set(self.labels)
        return {slot: label for slot, label in self.labels.items() if not told or slot in told}


@dataclass(frozen=True, slots=True)
class SimDetection:
    """Noticing that a card comes or goes, kept in the modem. ``has_level``: the level that means "inserted"."""

    ask: str
    on: tuple[str, ...]
    off: tuple[str, ...]
    has_level: bool = False
    needs_restart: bool = False


class RadioPreferences:
    """Technologies and bands; a change takes effect at once. ``password`` opens the commands, reading included.

    The answers to ``steady`` commands are the same throughout a session.
    """

    asks: ClassVar[tuple[str, ...]] = ()
    steady: ClassVar[frozenset[str]] = frozenset()
    password: ClassVar[str | None] = None

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """The choices of each field of ``SELECTIONS`` that this modem has."""
        raise NotImplementedError

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """The bands this modem has, by field of ``BAND_FIELDS``."""
        raise NotImplementedError

    def state(self, answers: Answers) -> dict[str, Any]:
        """What is in force, by field; a field that is not known is absent."""
        raise NotImplementedError

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """What makes it so; of ``wanted`` only what differs is given, and an empty list of bands means all of them."""
        raise NotImplementedError

    def allowed(self, answers: Answers) -> dict[str, list[int]]:
        """The bands that the carrier's profile allows, where the modem tells."""
        return {}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to be tied to. As text it is ``EARFCN:PCI`` on LTE, ``ARFCN:PCI:SCS:BAND`` on 5G."""

    rat: str
    channel: int
    pci: int
    scs_khz: int | None = None
    band: int | None = None

    def __str__(self) -> str:
        numbers = [self.channel, self.pci] if self.rat == "LTE" else [self.channel, self.pci, self.scs_khz, self.band]
        return ":".join(str(number) for number in numbers if number is not None)

    @classmethod
    def parse(cls, rat: str, text: str) -> Cell:
        """The cell a text names; ``ValueError``."""
        numbers = [int(part) for part in text.split(":")]
        if rat == "LTE" and len(numbers) == 2:
            return cls(rat, *numbers)
        if rat == "NR" and len(numbers) == 4:
            return cls(rat, *numbers)
        raise ValueError(text)


class CellLock:
    """Tying the modem to cells: ``most_lte`` of LTE at once, ``has_nr`` one of 5G; ``one_only``: one of either.

    ``restart`` is what makes it take effect: nothing, the ``radio`` off and on, or the whole ``modem``.
    """

    asks: ClassVar[tuple[str, ...]] = ()
    most_lte: ClassVar[int] = 1
    has_nr: ClassVar[bool] = False
    one_only: ClassVar[bool] = False
    restart: ClassVar[str] = ""
    help: ClassVar[str] = ""

    def state(self, answers: Answers) -> dict[str, list[Cell]]:
        """The cells it is tied to, by ``LTE`` and ``NR``."""
        found: dict[str, list[Cell]] = {"LTE": [], "NR": []}
        for command in self.asks:
            for cell in (answers.get(command) or {}).get("locked_cells") or ():
                rat = "NR" if cell.get("rat") == "NR" else "LTE"
                channel = cell.get("arfcn" if rat == "NR" else "earfcn")
                if channel is not None and cell.get("pci") is not None:
                    found[rat].append(Cell(rat, channel, cell["pci"], cell.get("scs_khz"), cell.get("band")))
        return found

    def commands(self, wanted: Mapping[str, list[Cell]], held: Mapping[str, list[Cell]]) -> list[str]:
        """What ties it to the ``wanted`` cells of LTE and NR, or frees it where there are none; ``held`` are now."""
        raise NotImplementedError
