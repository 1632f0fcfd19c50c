"""A package into a card. Nothing may stop it, and what is said of its end is what the card lists afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from remsim.core.errors import RemsimError
from remsim.esim import refusals
from remsim.esim.errors import EsimError
from remsim.esim.es10.profiles import Profile
from remsim.esim.refusals import trouble

if TYPE_CHECKING:
    from remsim.esim.es10.notifications import InstallResult
    from remsim.esim.euicc import Euicc

log = logging.getLogger(__name__)

CUT, UNKNOWN = "load_cut", "load_unknown"
WAITS_S = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Before each look at a card after a load: a modem may be restarting."""


class Loading:
    """One load. ``euicc`` is the card as it is open now: ``reopened`` opens it anew when its channel is lost.

    ``progress`` is told each hundredth, from 0 to 1.
    """

    def __init__(
        self,
        euicc: Euicc,
        *,
        progress: Callable[[float], None],
        reopened: Callable[[], Euicc],
        sleep: Callable[[float], None],
    ) -> None:
        self.euicc = euicc
        self._progress = progress
        self._reopened = reopened
        self._sleep = sleep

    def load(self, pieces: list[bytes], metadata: Profile) -> Profile:
        """The profile, on the card. ``EsimError`` when it is not there: ``load_cut`` when the card did not say why,
        ``load_unknown`` when it cannot be asked any more."""
        try:
            result = self.euicc.load(pieces, on_progress=self._counting(sum(map(len, pieces))))
        except RemsimError as error:
            failed = trouble(CUT, why=error.message)
            failed.__cause__ = error
        else:
            if result.ok:
                return self._listed_at_last(metadata)
            failed = install_error(result)
        log.warning("the load did not end well: %s", failed.message)
        try:
            profile = self._listed(metadata)
        except RemsimError as error:
            raise trouble(UNKNOWN, why=failed.message) from error
        if profile is None or failed.code == "already_installed":
            raise failed
        log.warning("the card has the profile all the same")
        return profile

    def _counting(self, total: int) -> Callable[[int], None]:
        self._progress(0.0)
        told = 0

        def count(octets: int) -> None:
            nonlocal told
            if (now := 100 * octets // total) > told:
                told = now
                self._progress(octets / total)

        return count

    def _listed(self, metadata: Profile) -> Profile | None:
        """The profile as the card lists it now, None when it does not; the last error when it cannot be asked."""
        failed: RemsimError | None = None
        for wait_s in WAITS_S:
            try:
                if failed is not None:
                    self._sleep(wait_s)
                    self.euicc = self._reopened()
                return next((one for one in self.euicc.profiles() if same(one, metadata)), None)
            except RemsimError as error:
                failed = error
        assert failed is not None
        raise failed

    def _listed_at_last(self, metadata: Profile) -> Profile:
        """As above; what the server said of it, when a card that took it does not list it now."""
        try:
            return self._listed(metadata) or metadata
        except RemsimError as error:
            log.warning("the card took the profile, but does not list it: %s", error.message)
            return metadata


def same(one: Profile, other: Profile) -> bool:
    """Whether two have the same number."""
    return one.iccid is not None and one.iccid == other.iccid


def install_error(result: InstallResult) -> EsimError:
    """Why a card did not install a package."""
    return trouble(refusals.INSTALL.get(result.reason or 0, "load_failed"), raw=result.detail)
