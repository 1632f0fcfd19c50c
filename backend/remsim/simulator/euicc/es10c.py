"""ES10c: the profiles listed, enabled, disabled, deleted and named, the memory reset, the EID (SGP.22 5.7.15-22)."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core import tlv
from remsim.simulator.euicc import der
from remsim.simulator.euicc.chip import Chip, policy_bits
from remsim.simulator.euicc.profiles import CLASSES, EVENTS, CardProfile, iccid_octets, plmn_octets
from remsim.simulator.euicc.rsp import UNDEFINED, WrongData

OK, NOT_FOUND, WRONG_STATE, NOT_ALLOWED, WRONG_REENABLING, CAT_BUSY = range(6)
NOTHING_TO_DELETE = 1
INCORRECT_INPUT = 1
LONGEST_NICKNAME = 64
DEFAULT_TAGS = (0x5A, 0x4F, 0x9F70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95)
OPERATIONAL, TEST, DEFAULT_SMDP, EIMS = 0x80, 0x40, 0x20, 0x10


class ProfileManager:
    """``wants_refresh``: the modem is to read the card anew once the answer is given."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self.wants_refresh = False

    def list_profiles(self, value: bytes) -> bytes:
        """GetProfilesInfo."""
        found = der.parts(value)
        search, tags = der.value(found, 0xA0), der.value(found, 0x5C)
        profiles = list(self._chip.memory.profiles)
        if search is not None:
            wanted = _matching(der.parts(search))
            if wanted is None:
                return tlv.encode(0xBF2D, der.integer(0x81, INCORRECT_INPUT))
            profiles = [one for one in profiles if wanted(one)]
        shown = DEFAULT_TAGS if tags is None else _tags(tags)
        return tlv.encode(0xBF2D, tlv.encode(0xA0, *(listed(one, shown) for one in profiles)))

    def enable(self, value: bytes) -> bytes:
        """EnableProfile."""
        return self._answer(0xBF31, self._switch(value, self._enable))

    def disable(self, value: bytes) -> bytes:
        """DisableProfile."""
        return self._answer(0xBF32, self._switch(value, self._disable))

    def delete(self, value: bytes) -> bytes:
        """DeleteProfile."""
        profile = self._find(der.parts(value))
        if profile is None:
            return self._answer(0xBF33, NOT_FOUND)
        return self._answer(0xBF33, UNDEFINED if self._is_managed() else self._delete(profile))

    def name(self, value: bytes) -> bytes:
        """SetNickname."""
        found = der.parts(value)
        iccid, nickname = der.value(found, 0x5A), der.value(found, 0x90)
        if iccid is None or nickname is None:
            raise WrongData
        profile = self._by_iccid(iccid)
        if profile is None:
            return self._answer(0xBF29, NOT_FOUND)
        try:
            words = nickname.decode()
        except UnicodeDecodeError:
            return self._answer(0xBF29, UNDEFINED)
        if len(nickname) > LONGEST_NICKNAME:
            return self._answer(0xBF29, UNDEFINED)
        profile.nickname = words
        return self._answer(0xBF29, OK)

    def reset(self, value: bytes) -> bytes:
        """EuiccMemoryReset: neither policy nor state saves a profile."""
        options = der.value(der.parts(value), 0x82)
        if options is None:
            raise WrongData
        if self._is_busy():
            return self._answer(0xBF34, CAT_BUSY)
        wanted, memory = der.first_bits(options), self._chip.memory
        doomed = [one for one in memory.profiles if _is_reset(one, wanted)]
        is_address = bool(wanted & DEFAULT_SMDP and memory.default_smdp)
        told = b""
        if self._chip.personality.is_iot and wanted & EIMS:
            told = der.integer(0x81, OK if memory.eims else NOTHING_TO_DELETE)
            memory.eims.clear()
        if not doomed and not is_address:
            return self._answer(0xBF34, NOTHING_TO_DELETE, told)
        self.wants_refresh = any(one.is_enabled for one in doomed)
        for one in doomed:
            memory.profiles.remove(one)
            self._chip.notify("delete", one)
        if is_address:
            memory.default_smdp = ""
        return self._answer(0xBF34, OK, told)

    def eid(self, value: bytes) -> bytes:
        """GetEUICCData."""
        if der.value(der.parts(value), 0x5C) != b"\x5a":
            raise WrongData
        return tlv.encode(0xBF3E, tlv.encode(0x5A, self._chip.credentials.eid_octets))

    def enabled_by_eim(self, iccid: bytes) -> int:
        """An eIM enables a profile."""
        return self._for_eim(iccid, self._enable)

    def disabled_by_eim(self, iccid: bytes) -> int:
        """An eIM disables a profile."""
        return self._for_eim(iccid, self._disable)

    def deleted_by_eim(self, iccid: bytes) -> int:
        """An eIM deletes a profile."""
        return self._for_eim(iccid, self._delete)

    def by_aid(self, aid: bytes) -> CardProfile | None:
        """The profile of an AID."""
        return next((one for one in self._chip.memory.profiles if one.aid == aid), None)

    def _for_eim(self, iccid: bytes, do: Callable[[CardProfile], int]) -> int:
        profile = self._by_iccid(iccid)
        code = NOT_FOUND if profile is None else do(profile)
        self.wants_refresh |= code == OK and do != self._delete
        return UNDEFINED if code > WRONG_STATE else code

    def _is_managed(self) -> bool:
        """Whether an eIM does what others may not."""
        return self._chip.personality.is_managed and bool(self._chip.memory.eims)

    def _switch(self, value: bytes, switch: Callable[[CardProfile], int]) -> int:
        found = der.parts(value)
        which, flag = der.value(found, 0xA0), der.value(found, 0x81)
        if which is None or flag is None or len(flag) != 1:
            raise WrongData
        profile = self._find(der.parts(which))
        if profile is None:
            return NOT_FOUND
        if self._is_managed():
            return UNDEFINED
        if self._is_busy():
            return CAT_BUSY
        if flag != b"\0" and self._chip.faults.refuses_refresh:
            return UNDEFINED
        code = switch(profile)
        self.wants_refresh = code == OK and flag != b"\0"
        return code

    def _enable(self, profile: CardProfile) -> int:
        memory = self._chip.memory
        before = memory.enabled
        if profile.is_enabled:
            return WRONG_STATE
        if before is not None and "cannot_disable" in before.policy:
            return NOT_ALLOWED
        if before is not None and before.profile_class == "test" and memory.before_test not in (None, profile.aid):
            return WRONG_REENABLING
        is_test = profile.profile_class == "test"
        memory.before_test = before.aid if is_test and before is not None else None
        if before is not None:
            before.is_enabled = False
            self._chip.notify("disable", before)
        profile.is_enabled = True
        self._chip.notify("enable", profile)
        self._drop(before)
        return OK

    def _disable(self, profile: CardProfile) -> int:
        if not profile.is_enabled:
            return WRONG_STATE
        if "cannot_disable" in profile.policy:
            return NOT_ALLOWED
        profile.is_enabled = False
        self._chip.notify("disable", profile)
        self._drop(profile)
        return OK

    def _drop(self, disabled: CardProfile | None) -> None:
        """A profile whose operator wants it gone once it is disabled."""
        if disabled is not None and "delete_on_disable" in disabled.policy:
            self._chip.memory.profiles.remove(disabled)
            self._chip.notify("delete", disabled)

    def _delete(self, profile: CardProfile) -> int:
        if profile.is_enabled:
            return WRONG_STATE
        if "cannot_delete" in profile.policy:
            return NOT_ALLOWED
        self._chip.memory.profiles.remove(profile)
        self._chip.notify("delete", profile)
        return OK

    def _find(self, found: list[der.Part]) -> CardProfile | None:
        """The profile of an AID or an ICCID."""
        if len(found) != 1 or found[0].tag not in (0x4F, 0x5A):
            raise WrongData
        if found[0].tag == 0x5A:
            return self._by_iccid(found[0].value)
        return self.by_aid(found[0].value)

    def _by_iccid(self, iccid: bytes) -> CardProfile | None:
        return next((one for one in self._chip.memory.profiles if iccid_octets(one.iccid) == iccid), None)

    def _is_busy(self) -> bool:
        faults = self._chip.faults
        faults.cat_busy, is_busy = max(faults.cat_busy - 1, 0), faults.cat_busy > 0
        return is_busy

    def _answer(self, tag: int, code: int, more: bytes = b"") -> bytes:
        """A code; beside members that have tags of their own, as in SGP.32, its tag is the one of any INTEGER."""
        if code == OK or more:
            self._chip.memory.save()
        return tlv.encode(tag, der.integer(0x02 if more else 0x80, code), more)


def listed(profile: CardProfile, tags: tuple[int, ...]) -> bytes:
    """ProfileInfo with those of the tags it has something for."""
    icon = profile.icon
    owner = _owner(profile)
    notify = [
        tlv.encode(0x30, der.bits(0x80, bytes((sum(EVENTS[name] for name in events),))), der.text(0x81, address))
        for events, address in profile.notify
    ]
    oid = profile.smdp_oid
    values: dict[int, bytes] = {
        0x5A: tlv.encode(0x5A, iccid_octets(profile.iccid)),
        0x4F: tlv.encode(0x4F, profile.aid),
        0x9F70: der.integer(0x9F70, profile.is_enabled),
        0x90: der.text(0x90, profile.nickname) if profile.nickname else b"",
        0x91: der.text(0x91, profile.provider),
        0x92: der.text(0x92, profile.name),
        0x93: b"" if icon is None else der.integer(0x93, profile.icon_type),
        0x94: b"" if icon is None else tlv.encode(0x94, icon),
        0x95: der.integer(0x95, CLASSES.index(profile.profile_class)),
        0xB6: tlv.encode(0xB6, *notify) if notify else b"",
        0xB7: owner,
        0xB8: b"" if oid is None else tlv.encode(0xB8, tlv.encode(0x80, oid)),
        0x99: policy_bits(profile.policy) if profile.policy else b"",
    }
    return tlv.encode(0xE3, *(value for tag, value in values.items() if tag in tags))


def _owner(profile: CardProfile) -> bytes:
    if profile.owner is None:
        return b""
    groups = [(0x81, profile.gid1), (0x82, profile.gid2)]
    found = [tlv.encode(tag, group) for tag, group in groups if group is not None]
    return tlv.encode(0xB7, tlv.encode(0x80, plmn_octets(profile.owner)), *found)


def _matching(found: list[der.Part]) -> Callable[[CardProfile], bool] | None:
    """What a search looks for; None for what is no search."""
    if len(found) != 1:
        return None
    tag, value = found[0].tag, found[0].value
    if tag == 0x5A:
        return lambda one: iccid_octets(one.iccid) == value
    if tag == 0x4F:
        return lambda one: one.aid == value
    if tag == 0x95 and len(value) == 1:
        return lambda one: CLASSES.index(one.profile_class) == value[0]
    return None


def _tags(octets: bytes) -> tuple[int, ...]:
    """Tags one behind the other."""
    found, at = [], 0
    while at < len(octets):
        tag, at = tlv.read_tag(octets, at)
        found.append(tag)
    return tuple(found)


def _is_reset(profile: CardProfile, wanted: int) -> bool:
    if profile.profile_class == "test":
        return bool(wanted & TEST) and not profile.is_preloaded
    return profile.profile_class == "operational" and bool(wanted & OPERATIONAL)
