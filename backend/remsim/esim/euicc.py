"""An eUICC: every function of ES10 (SGP.22 §5.7) as a method, over its ISD-R."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from remsim.core import tlv
from remsim.core.tlv import TlvError
from remsim.esim.apdu import TIMEOUT_S, Isdr
from remsim.esim.errors import EsimError
from remsim.esim.es10 import codes, replies, requests
from remsim.esim.es10.info import Addresses, EuiccInfo2
from remsim.esim.es10.notifications import InstallResult, Notification
from remsim.esim.es10.profiles import Profile
from remsim.esim.es10.replies import Refused
from remsim.esim.refusals import trouble

SLOW_S = 60.0
"""Checking and making signatures, and whatever writes to the card, may take it many seconds."""
NOT_FOUND, NOTHING_TO_DELETE = 1, 1

PROFILE_CODES = {1: "profile_not_found", 3: "profile_policy", 4: "profile_reenabling", 5: "profile_busy"}


class Change(NamedTuple):
    """A function whose answer is a number: its tag, SGP.22's names of the numbers, and our codes."""

    tag: int
    names: dict[int, tuple[str, str]]
    codes: Mapping[int, str]


ENABLE = Change(requests.ENABLE, codes.ENABLE, PROFILE_CODES | {2: "profile_not_disabled"})
DISABLE = Change(requests.DISABLE, codes.DISABLE, PROFILE_CODES | {2: "profile_not_enabled"})
DELETE = Change(requests.DELETE, codes.DELETE, PROFILE_CODES | {2: "profile_not_disabled"})
NICKNAME = Change(requests.NICKNAME, codes.NICKNAME, PROFILE_CODES)
ADDRESS = Change(requests.SET_DEFAULT_ADDRESS, codes.PLAIN, {})
RESET = Change(requests.MEMORY_RESET, codes.RESET, {5: "profile_busy"})
SENT = Change(requests.NOTIFICATION_SENT, codes.SENT, {})

Read = TypeVar("Read")


class Euicc:
    """One card, as long as its channel is open. All methods block; one thread uses it at a time.

    ``StatusWord`` when the card refuses a command, ``EsimError`` with a code of ``refusals`` when it refuses what the
    command says, or ``euicc_reply`` when its answer makes no sense; ``ModemError`` when there is no answer.
    """

    def __init__(self, isdr: Isdr) -> None:
        self._isdr = isdr

    def __enter__(self) -> Euicc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the channel go; never raises."""
        self._isdr.close()

    def call(self, request: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
        """The answer to any request, as it is."""
        return self._isdr.store_data(request, timeout_s=timeout_s)

    # --- what it is ---

    def eid(self) -> str:
        """32 digits."""
        return self._ask(requests.eid(), replies.eid)

    def info1(self) -> bytes:
        """EUICCInfo1 as octets, which a server is sent."""
        return self.call(requests.info1())

    def info2(self) -> EuiccInfo2:
        """What it tells of itself."""
        return self._ask(requests.info2(), replies.info2)

    def addresses(self) -> Addresses:
        """Where it is to ask for profiles."""
        return self._ask(requests.configured_addresses(), replies.configured_addresses)

    def set_default_address(self, address: str) -> None:
        """The SM-DP+ that it asks without a code; an empty one takes it away."""
        self._change(ADDRESS, requests.set_default_address(address))

    def rat(self) -> bytes:
        """The table of who may make rules, as octets."""
        return self.call(requests.rat())

    def certs(self) -> bytes | None:
        """The certificates of a card for SGP.32, as octets; None where it is none."""
        return self._if_known(requests.certificates())

    def eim_configuration(self) -> bytes | None:
        """Which eIM manages a card for SGP.32, as octets; None where it is none."""
        return self._if_known(requests.eim_configuration())

    # --- profiles ---

    def profiles(self, *, icons: bool = True) -> list[Profile]:
        """All profiles with all that the card tells of them; without icons the answer is short."""
        data = self.call(requests.profiles(requests.DETAILS if icons else requests.BRIEF))
        try:
            return self._read(data, replies.profiles)
        except Refused as refused:  # an old card knows fewer tags, and says what it has without them
            if refused.number != 1:
                raise self._trouble(refused, {}) from refused
        return self._ask(requests.profiles(), replies.profiles)

    def enable(self, profile: Profile, *, refresh: bool = True) -> None:
        """Have it be the SIM. ``refresh``: the card has the modem read it anew, so the channel may be gone."""
        self._on(profile, ENABLE, lambda name: requests.enable(name, refresh))

    def disable(self, profile: Profile, *, refresh: bool = True) -> None:
        """Have it be the SIM no more."""
        self._on(profile, DISABLE, lambda name: requests.disable(name, refresh))

    def delete(self, profile: Profile) -> None:
        """Take it off the card, for good."""
        self._on(profile, DELETE, requests.delete)

    def set_nickname(self, profile: Profile, text: str) -> None:
        """Call it by a name; an empty one takes the name away. ``InvalidInput`` beyond 64 octets."""
        if profile.iccid_raw is None:
            raise trouble("profile_not_found", why="it has no number")
        self._change(NICKNAME, requests.nickname(profile.iccid_raw, text))

    def reset_memory(self, *, operational: bool = False, test: bool = False, smdp: bool = False) -> bool:
        """Delete all profiles of these kinds, and the default address; False when there was nothing of that kind."""
        request = requests.memory_reset(operational=operational, test=test, smdp=smdp)
        return self._change(RESET, request, unless=NOTHING_TO_DELETE)

    # --- what operators are to learn ---

    def notifications(self, operation: str | None = None) -> list[Notification]:
        """Those that wait, in their order; of one operation if it is named."""
        found = self._ask(requests.list_notifications(operation), replies.notifications)
        return sorted(found, key=lambda one: one.seq)

    def retrieve(self, seq: int) -> bytes | None:
        """What an operator is sent of a notification; None when the card does not have it any more."""
        found = self._ask(requests.retrieve_notification(seq), replies.pending, timeout_s=SLOW_S)
        return next((one.raw for one in found if one.seq == seq), None)

    def retrieve_all(self, operation: str | None = None) -> list[bytes]:
        """What operators are sent of all that waits, in its order."""
        found = self._ask(requests.retrieve_notifications(operation), replies.pending, timeout_s=SLOW_S)
        return [one.raw for one in sorted(found, key=lambda one: one.seq) if one.raw is not None]

    def remove_notification(self, seq: int) -> bool:
        """Have the card forget it; False when it has."""
        return self._change(SENT, requests.notification_sent(seq), unless=NOTHING_TO_DELETE)

    # --- a download ---

    def challenge(self) -> bytes:
        """A number that a server is to sign."""
        return self._ask(requests.challenge(), replies.challenge)

    def authenticate_server(self, request: bytes) -> bytes:
        """The whole answer to BF38, whether it says yes or no."""
        return self.call(request, timeout_s=SLOW_S)

    def prepare_download(self, request: bytes) -> bytes:
        """The whole answer to BF21, whether it says yes or no."""
        return self.call(request, timeout_s=SLOW_S)

    def cancel_session(self, transaction: bytes, reason: int) -> bytes:
        """The whole answer to BF41, which its server is sent."""
        return self._ask(requests.cancel_session(transaction, reason), replies.cancelled, timeout_s=SLOW_S)

    def load(self, segments: Iterable[bytes], *, on_progress: Callable[[int], None] | None = None) -> InstallResult:
        """Load a package: the card's word on how it ended. Not to be ended early, whoever asks for that.

        ``on_progress`` is told how many octets the card has taken. An error that is raised says nothing of the
        profile: the card may have it all the same, so ask for its profiles.
        """
        done = 0
        for segment in segments:
            begun = done

            def told(octets: int, begun: int = begun) -> None:
                if on_progress is not None:
                    on_progress(begun + octets)

            answer = self._isdr.store_data(segment, is_load=True, on_block=told)
            done += len(segment)
            if answer:
                return self._read(answer, replies.installed)
        raise trouble("load_failed", raw="no result")

    # --- inside ---

    def _ask(self, request: bytes, read: Callable[[bytes], Read], *, timeout_s: float = TIMEOUT_S) -> Read:
        """An answer as a value."""
        data = self.call(request, timeout_s=timeout_s)
        try:
            return self._read(data, read)
        except Refused as refused:
            raise self._trouble(refused, {}) from refused

    def _change(self, change: Change, request: bytes, *, unless: int | None = None) -> bool:
        """Have something done; False when the card says the number ``unless`` instead."""
        data = self.call(request, timeout_s=SLOW_S)
        try:
            self._read(data, lambda octets: replies.result(octets, change.tag, change.names))
        except Refused as refused:
            if refused.number == unless:
                return False
            raise self._trouble(refused, change.codes) from refused
        return True

    def _on(self, profile: Profile, change: Change, request: Callable[[bytes], bytes]) -> None:
        """Do something to a profile, named by its number as the card told it, else by its application."""
        number, application = profile.iccid_raw, profile.aid
        if number and self._change(change, request(tlv.encode(requests.ICCID, number)), unless=NOT_FOUND):
            return
        if not application or not self._change(
            change, request(tlv.encode(requests.AID, application)), unless=NOT_FOUND
        ):
            raise trouble("profile_not_found", raw=codes.ENABLE[NOT_FOUND][0])

    def _if_known(self, request: bytes) -> bytes | None:
        """The answer to what only some cards know."""
        try:
            return self.call(request) or None
        except EsimError:
            return None

    @staticmethod
    def _read(data: bytes, read: Callable[[bytes], Read]) -> Read:
        try:
            return read(data)
        except TlvError as error:
            raise trouble("euicc_reply", why=error.message) from error

    @staticmethod
    def _trouble(refused: Refused, ours: Mapping[int, str]) -> EsimError:
        """The error of a number, with its name in SGP.22."""
        return trouble(ours.get(refused.number, "profile_refused"), raw=refused.detail)
