"""The virtual eUICCs of a simulation, all under one CI: one with profiles to switch between, others empty."""

from __future__ import annotations

from pathlib import Path

from remsim.simulator.drive import PLMN
from remsim.simulator.euicc import credentials, pki
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.profiles import EVENTS, CardProfile
from remsim.simulator.euicc.scene import CARRIED_ICCID, SMDP_HOST, SMDS_HOST, disc

CARRIED_IMSI = "001019990000999"


class Cards:
    """Each is made anew when asked for; ``directory``: where they keep their state over restarts, None nowhere."""

    def __init__(self, ci: pki.Identity | None = None, directory: Path | None = None) -> None:
        self.ci = ci or pki.make_ci()
        self._eum = pki.make_eum(self.ci)
        self._directory = directory

    def filled(self, number: int, iccid: str, imsi: str) -> VirtualEuicc:
        """A card to put into the first slot of a modem: the profile in use, and another one."""
        return self._made(f"{number}-1", pki.make_eid(10 * number), demonstration(iccid, imsi))

    def empty(self, number: int) -> VirtualEuicc:
        """The one soldered into a modem, as its second slot; it has the functions of SGP.32, and no eIM yet."""
        return self._made(f"{number}-2", pki.make_eid(10 * number + 1), [], Personality(is_iot=True))

    def _made(
        self, name: str, eid: str, profiles: list[CardProfile], personality: Personality | None = None
    ) -> VirtualEuicc:
        file = None if self._directory is None else self._directory / f"euicc-{name}.json"
        own = credentials.make(self.ci, eid, self._eum)
        made = VirtualEuicc(own, profiles, state_file=file, personality=personality)
        made.memory.root_smds = SMDS_HOST
        return made


def demonstration(iccid: str, imsi: str) -> list[CardProfile]:
    """Two profiles: one enabled, at home in the drives' network, and one of another operator."""
    told = [(frozenset(EVENTS), SMDP_HOST)]
    home = CardProfile(iccid, "Operator A", "Home", imsi=imsi, owner=PLMN, is_enabled=True, notify=list(told))
    home.icon = disc(30, 90, 180)
    abroad = CardProfile(
        CARRIED_ICCID, "Example Mobile", "Abroad", imsi=CARRIED_IMSI, owner=CARRIED_IMSI[:5], notify=list(told)
    )
    abroad.operator = abroad.provider
    return [home, abroad]
