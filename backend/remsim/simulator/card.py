"""A SIM card as a modem sees it: who it is, and its PIN with the tries that are left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from remsim.core.small_dataclass import dataclass
from remsim.simulator.encode.errors import INCORRECT_PASSWORD, NOT_ALLOWED, PUK_REQUIRED

if TYPE_CHECKING:
    from remsim.simulator.euicc.card import VirtualEuicc

PIN, PUK = "1234", "12345678"
PIN_TRIES, PUK_TRIES = 3, 10


@dataclass(slots=True)
class Card:
    """One card; ``is_empty_euicc`` has no profile. All of it is on the card but ``is_open``, until a reset.

    One that is an eUICC is who its enabled profile was when it was last read. ``network`` is how the
    network takes it: ``home``, ``denied``, or ``none`` that is never found; ``operator`` the network's name where it is
    not the drive's.
    """

    iccid: str
    imsi: str
    is_empty_euicc: bool = False
    pin: str = PIN
    is_locked: bool = False
    is_open: bool = False
    pin_tries: int = PIN_TRIES
    puk_tries: int = PUK_TRIES
    network: str = "home"
    operator: str | None = None
    make_euicc: Callable[[], VirtualEuicc] | None = None
    made_euicc: VirtualEuicc | None = None

    @property
    def euicc(self) -> VirtualEuicc | None:
        """The eUICC it is, if it is one; made when first asked for, as that takes ``cryptography``."""
        if self.made_euicc is None and self.make_euicc is not None:
            self.made_euicc = self.make_euicc()
        return self.made_euicc

    @property
    def is_gone(self) -> bool:
        """Whether it is an eUICC that was taken out in the middle of something."""
        return self.made_euicc is not None and self.made_euicc.faults.is_removed

    @property
    def status(self) -> str:
        """The word of +CPIN."""
        if self.is_empty_euicc:
            return "EMPTY_EUICC"
        if self.pin_tries == 0:
            return "SIM PUK"
        return "SIM PIN" if self.is_locked and not self.is_open else "READY"

    def reset(self) -> None:
        """The modem or the slot was restarted: the PIN is asked for again, an eUICC is read anew."""
        self.is_open = False
        self.read_anew()

    def read_anew(self) -> None:
        """An eUICC loses its channels and is who its enabled profile is from now on."""
        if self.made_euicc is not None:
            self.made_euicc.reset()
            self._look(self.made_euicc)

    def enter(self, secret: str, new_pin: str | None = None) -> int | None:
        """+CPIN=: the PIN, or the PUK and a new PIN; the error's number when it is refused."""
        if self.status == "READY":
            return NOT_ALLOWED
        if self.status == "SIM PUK":
            return self._unblock(secret, new_pin)
        error = self._check(secret)
        self.is_open = error is None
        return error

    def lock(self, wanted: bool, pin: str) -> int | None:
        """+CLCK="SC": ask for the PIN from the next reset on, or no more."""
        if self.pin_tries == 0:
            return PUK_REQUIRED
        error = self._check(pin)
        if error is None:
            self.is_locked, self.is_open = wanted, True
        return error

    def change(self, old: str, new: str) -> int | None:
        """+CPWD="SC": only while the PIN is asked for, as 31.102 has it."""
        if self.pin_tries == 0:
            return PUK_REQUIRED
        if not self.is_locked or not is_pin(new):
            return NOT_ALLOWED
        error = self._check(old)
        if error is None:
            self.pin, self.is_open = new, True
        return error

    def _look(self, euicc: VirtualEuicc) -> None:
        """Become who the enabled profile is."""
        profile = euicc.enabled
        self.is_empty_euicc = profile is None
        self.iccid = "" if profile is None else profile.iccid
        self.imsi = "" if profile is None else profile.imsi
        self.network = "home" if profile is None else profile.network
        self.operator = None if profile is None else profile.operator

    def _check(self, pin: str) -> int | None:
        if pin == self.pin:
            self.pin_tries = PIN_TRIES
            return None
        self.pin_tries -= 1
        return INCORRECT_PASSWORD if self.pin_tries else PUK_REQUIRED

    def _unblock(self, puk: str, new_pin: str | None) -> int | None:
        if new_pin is None or not is_pin(new_pin):
            return PUK_REQUIRED
        if puk != PUK or self.puk_tries == 0:
            self.puk_tries = max(self.puk_tries - 1, 0)
            return INCORRECT_PASSWORD
        self.pin, self.pin_tries, self.puk_tries, self.is_open = new_pin, PIN_TRIES, PUK_TRIES, True
        return None


def is_pin(text: str) -> bool:
    """Four to eight digits."""
    return 4 <= len(text) <= 8 and text.isascii() and text.isdigit()
