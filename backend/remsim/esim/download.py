"""A profile from a server onto a card, in SGP.22's order (§3.1.3), with what is to be done when it does not go on.

The server is asked who it is, the card checks it, the server checks the card, somebody agrees, and the package goes
into the card piece by piece. From the card's first word to the server on there is a session that both hold open: what
ends early is told to both, with its reason. Once the package loads nothing may stop it, and what is said of its end is
what the card lists afterwards.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import field, replace
from typing import TYPE_CHECKING, NamedTuple

from remsim.core.errors import Aborted, ModemError, RemsimError
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import TlvError
from remsim.esim import refusals
from remsim.esim.authentication import authenticate
from remsim.esim.bpp import segments
from remsim.esim.errors import EsimError, StatusWord
from remsim.esim.es9 import Entry, SmdpClient, Started
from remsim.esim.es10 import requests
from remsim.esim.es10.profiles import Profile
from remsim.esim.loading import CUT, Loading, same
from remsim.esim.offer import check_card, check_package, code_hash, is_allowed, needs_code, read_metadata, said_of
from remsim.esim.refusals import SmdpRefused, trouble

if TYPE_CHECKING:
    from remsim.esim.activation import Activation
    from remsim.esim.euicc import Euicc

log = logging.getLogger(__name__)

Metadata = Profile
"""What a server says of a profile before it is on the card: the same, without a place on the card."""

ASKING, CHECKING, REQUESTING = "asking the server who it is", "the card checks the server", "asking for the profile"
CONSENTING, PREPARING = "waiting for your consent", "preparing the card"
FETCHING, LOADING = "fetching the profile", "loading the profile"
STEPS = (ASKING, CHECKING, REQUESTING, CONSENTING, PREPARING, FETCHING, LOADING)

REJECTED, POSTPONED, TIMEOUT, RULES, MISMATCH, LOAD = range(6)
REASONS = {
    "declined": REJECTED,
    "consent_timeout": TIMEOUT,
    "policy_not_allowed": RULES,
    "metadata_mismatch": MISMATCH,
}
"""Of a cancelled session, by what went wrong; all else can be tried again with the same code: it is postponed."""
SESSION_LOST = ("session_lost", "card_session")
MOST_WRONG_CODES = 10

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody says to a profile that is offered; ``reason`` is SGP.22's, for a no."""

    accept: bool
    confirmation_code: str | None = field(default=None, repr=False)
    reason: int = REJECTED


class Installed(NamedTuple):
    """A profile that is on the card, disabled; ``notifications`` are the numbers of those that wait there."""

    profile: Profile
    metadata: Metadata
    notifications: list[int]


class Download:
    """One download to one card.

    ``consent(metadata, needs_code, wrong_code)`` asks somebody, None when nobody answers. ``progress(step, fraction)``
    has a fraction while the package loads. ``reopened`` opens the card anew when its channel is lost.
    """

    def __init__(
        self,
        euicc: Euicc,
        client: Callable[[str], SmdpClient],
        activation: Activation,
        *,
        imei: str | None = None,
        confirmation_code: str | None = None,
        consent: Callable[[Metadata, bool, bool], Consent | None],
        progress: Progress,
        is_aborted: Callable[[], bool],
        nickname: str | None = None,
        reopened: Callable[[], Euicc],
        sleep: Callable[[float], None],
    ) -> None:
        self._euicc = euicc
        self._client = client
        self._address, self._matching_id = activation.smdp_address, activation.matching_id
        self._oid = activation.oid or None
        self._was_sent_on = self._was_begun_anew = self._is_loading = False
        self._agreed_to: tuple[Metadata, Consent] | None = None
        self._imei = imei
        self._given_code = confirmation_code
        self._consent = consent
        self._progress = progress
        self._is_aborted = is_aborted
        self._nickname = nickname
        self._reopened = reopened
        self._sleep = sleep

    def run(self) -> Installed:
        """The profile, on the card; ``EsimError`` or ``Aborted`` when it is not."""
        log.info("downloading from %s with code %s", self._address, mask(self._matching_id) or "none")
        wrong_codes = 0
        while True:
            try:
                return self._try(is_wrong=wrong_codes > 0)
            except SmdpRefused as refused:
                if refused.code == "confirmation_wrong" and wrong_codes < MOST_WRONG_CODES:
                    wrong_codes += 1
                    self._agreed_to = None
                else:
                    self._begin_anew(refused)
            except (EsimError, ModemError) as error:
                self._begin_anew(error)
            except Redirected as other:
                self._address, self._matching_id = other.entry.smdp_address, other.entry.event_id
                self._oid, self._was_sent_on = None, True

    def _begin_anew(self, error: RemsimError) -> None:
        """Raise an error, but where server or card lost the session while somebody made up his mind: try once more."""
        is_lost = error.code in SESSION_LOST or isinstance(error, (ModemError, StatusWord))
        if self._agreed_to is None or self._was_begun_anew or self._is_loading or not is_lost:
            raise error
        log.info("the session was lost, it is begun anew: %s", error.message)
        self._was_begun_anew = True
        try:
            self._euicc = self._reopened()
        except RemsimError:
            raise error from None

    def _try(self, *, is_wrong: bool) -> Installed:
        """One session, from its beginning."""
        self._step(ASKING)
        client = self._client(self._address)
        session, answer = authenticate(
            self._euicc,
            client,
            self._matching_id,
            imei=self._imei,
            oid=self._oid,
            on_started=lambda: self._step(CHECKING),
        )
        self._step(REQUESTING)
        with self._cancelling(client, session):
            offered = client.authenticate_client(session, answer)
            if isinstance(offered, list):
                raise self._elsewhere(offered)
            wants_code = needs_code(offered, session)
            metadata = read_metadata(offered.metadata)
            self._check_card_takes(metadata)
            code = self._agreed(metadata, wants_code=wants_code, is_wrong=is_wrong)
            self._step(PREPARING)
            hashed = code_hash(code, session.transaction_id) if wants_code and code else None
            prepared = self._euicc.prepare_download(
                requests.prepare_download(offered.signed, offered.signature, hashed, offered.certificate)
            )
            check_card(prepared, requests.PREPARE_DOWNLOAD, refusals.PREPARE)
            self._step(FETCHING)
            package = client.get_bound_profile_package(session, prepared)
            check_package(package, session, metadata)
            try:
                pieces = segments(package)
            except TlvError as error:
                raise trouble("server_reply", why=error.message) from error
            self._heed()
        return self._load(client, session, metadata, pieces)

    def _elsewhere(self, entries: list[Entry]) -> RemsimError:
        """An SM-DS was asked, and names where the profile is; one that names another SM-DS is followed once."""
        if not entries:
            return trouble("no_event")
        if self._was_sent_on:
            return trouble("server_reply", why="one discovery server sends to the next")
        return Redirected(entries[0])

    def _check_card_takes(self, metadata: Metadata) -> None:
        """It does not have the profile yet, and allows its operator's rules."""
        if any(same(one, metadata) for one in self._euicc.profiles(icons=False)):
            raise trouble("already_installed")
        if metadata.policy:
            try:
                rat = self._euicc.rat()
            except EsimError as error:  # an old card has no table, and decides when the profile loads
                log.debug("the card's rules cannot be read: %s", error.message)
                return
            if not is_allowed(rat, metadata):
                raise trouble("policy_not_allowed")

    def _agreed(self, metadata: Metadata, *, wants_code: bool, is_wrong: bool) -> str | None:
        """The confirmation code of somebody who agrees, if one is wanted."""
        self._step(CONSENTING)
        given = None if is_wrong else self._given_code
        said: Consent | None
        if self._agreed_to is not None and said_of(self._agreed_to[0]) == said_of(metadata):
            said = self._agreed_to[1]
        else:
            said = self._consent(metadata, wants_code and given is None, is_wrong)
        self._heed()
        if said is None:
            raise trouble("consent_timeout")
        if not said.accept:
            raise Declined(said.reason)
        code = (said.confirmation_code or given or "").strip() or None
        if wants_code and code is None:
            raise trouble("confirmation_needed")
        self._agreed_to = (metadata, said)
        return code

    def _load(self, client: SmdpClient, session: Started, metadata: Metadata, pieces: list[bytes]) -> Installed:
        """The package into the card, without a way back."""
        self._is_loading = True
        loading = Loading(
            self._euicc,
            progress=lambda fraction: self._progress(LOADING, fraction),
            reopened=self._reopened,
            sleep=self._sleep,
        )
        try:
            profile = loading.load(pieces, metadata)
        except EsimError as error:
            self._euicc = loading.euicc
            if error.code == CUT:
                self._cancel(client, session, LOAD)
            raise
        self._euicc = loading.euicc
        return self._finished(profile, metadata)

    def _finished(self, profile: Profile, metadata: Metadata) -> Installed:
        """Name it, and see what its operator is to learn; neither makes a profile that is there a failure."""
        waiting: list[int] = []
        try:
            if self._nickname:
                self._euicc.set_nickname(profile, self._nickname)
                profile = replace(profile, nickname=self._nickname)
            waiting = sorted(one.seq for one in self._euicc.notifications())
        except RemsimError as error:
            log.warning("the profile is on the card, but: %s", error.message)
        return Installed(profile, metadata, waiting)

    @contextlib.contextmanager
    def _cancelling(self, client: SmdpClient, session: Started) -> Iterator[None]:
        """What ends early is told to card and server; what went wrong is raised all the same."""
        try:
            yield
        except Redirected:
            raise
        except RemsimError as error:
            reason = error.reason if isinstance(error, Declined) else REASONS.get(error.code, POSTPONED)
            self._cancel(client, session, reason)
            raise

    def _cancel(self, client: SmdpClient, session: Started, reason: int) -> None:
        """Best effort: a server that refused has forgotten the session, and some say so with status 500."""
        try:
            client.cancel_session(session, self._euicc.cancel_session(session.transaction_id, reason))
        except RemsimError as error:
            log.info("the session could not be cancelled: %s", error.message)

    def _step(self, step: str) -> None:
        self._heed()
        self._progress(step, None)

    def _heed(self) -> None:
        """End where somebody asked for it."""
        if self._is_aborted():
            raise Aborted("the download was aborted", hint="nothing was changed; the activation code can be used later")


class Declined(EsimError):
    """Somebody does not want the profile."""

    http_status = 409

    def __init__(self, reason: int) -> None:
        sentence, hint = refusals.MEANINGS["declined"]
        super().__init__(sentence, hint=hint, code="declined")
        self.reason = reason


class Redirected(RemsimError):
    """The profile is at another server: for ``Download`` alone."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"the profile is at {entry.smdp_address}")
        self.entry = entry
