"""What a virtual eUICC keeps without power: its profiles, its notifications and its settings; in a file if wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc.profiles import AID_BASE, FIRST_ISDP, CardProfile

CAPACITY = 512_000
ROOT_SMDS = "smds.example.com"
PLAIN = ("last_seq", "default_smdp", "root_smds", "capacity", "loading")
AIDS = ("before_test", "fall_back")
OCTETS = ("icon", "gid1", "gid2", "smdp_oid", "aid")


@dataclass(frozen=True, slots=True)
class Notification:
    """Something an operator is to be told; ``raw`` is what is sent to the address.

    The result of a package of an eIM is kept here, too: its event is ``package``, and it has no metadata.
    """

    seq: int
    event: str
    address: str
    metadata: bytes
    raw: bytes


@dataclass(slots=True)
class Memory:
    """``capacity`` is in octets. ``eims`` are the EimConfigurationData of a card for the IoT, without their tag.

    ``before_test`` is the AID of the profile a test profile was enabled over, ``fall_back`` of the one an eIM lets the
    device go back to. ``loading`` is what is kept of a package until its result is there: see ``loading.Loader``.
    """

    profiles: list[CardProfile] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    last_seq: int = 0
    default_smdp: str = ""
    root_smds: str = ROOT_SMDS
    capacity: int = CAPACITY
    before_test: bytes | None = None
    fall_back: bytes | None = None
    eims: list[bytes] = field(default_factory=list)
    loading: dict[str, Any] | None = None
    file: Path | None = None

    @property
    def free(self) -> int:
        """Octets for further profiles."""
        return max(self.capacity - sum(profile.size for profile in self.profiles), 0)

    @property
    def enabled(self) -> CardProfile | None:
        """The profile that is enabled."""
        return next((profile for profile in self.profiles if profile.is_enabled), None)

    def add(self, profile: CardProfile) -> None:
        """Take a profile in; one without an AID gets the next."""
        if not profile.aid:
            numbers = [int.from_bytes(one.aid[-4:]) for one in self.profiles if one.aid.startswith(AID_BASE)]
            profile.aid = AID_BASE + (max([*numbers, FIRST_ISDP - 0x100]) + 0x100).to_bytes(4)
        self.profiles.append(profile)

    def next_seq(self) -> int:
        """The number of the next notification."""
        self.last_seq += 1
        return self.last_seq

    def save(self) -> None:
        """Write the file, where there is one."""
        if self.file is not None:
            write_atomically(self.file, json.dumps(as_json(self)).encode())


def load(file: Path | None, profiles: Iterable[CardProfile]) -> Memory:
    """From a file; where there is none yet, a memory with these profiles. ``InvalidInput`` for a file that is none."""
    if file is not None and file.exists():
        try:
            return from_json(json.loads(file.read_text()), file)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"{file} does not hold a card", field="state") from error
    made = Memory(file=file)
    for profile in profiles:
        made.add(profile)
    made.save()
    return made


def as_json(memory: Memory) -> dict[str, Any]:
    """Octets as hex."""
    plain = {name: getattr(memory, name) for name in PLAIN}
    return plain | {
        **{name: None if (aid := getattr(memory, name)) is None else aid.hex() for name in AIDS},
        "eims": [one.hex() for one in memory.eims],
        "profiles": [_profile_as_json(one) for one in memory.profiles],
        "notifications": [
            asdict(one) | {"metadata": one.metadata.hex(), "raw": one.raw.hex()} for one in memory.notifications
        ],
    }


def from_json(found: dict[str, Any], file: Path | None) -> Memory:
    """The other way."""
    made = Memory(
        profiles=[_profile_from_json(one) for one in found["profiles"]],
        notifications=[
            Notification(**one | {"metadata": bytes.fromhex(one["metadata"]), "raw": bytes.fromhex(one["raw"])})
            for one in found["notifications"]
        ],
        eims=[bytes.fromhex(one) for one in found["eims"]],
        file=file,
    )
    for name in PLAIN:
        setattr(made, name, found[name])
    for name in AIDS:
        setattr(made, name, None if found[name] is None else bytes.fromhex(found[name]))
    return made


def _profile_as_json(profile: CardProfile) -> dict[str, Any]:
    found = asdict(profile)
    for name in OCTETS:
        found[name] = None if found[name] is None else found[name].hex()
    found["policy"] = sorted(profile.policy)
    found["notify"] = [[sorted(events), address] for events, address in profile.notify]
    return found


def _profile_from_json(found: dict[str, Any]) -> CardProfile:
    octets = {name: None if found[name] is None else bytes.fromhex(found[name]) for name in OCTETS}
    notify = [(frozenset(events), address) for events, address in found["notify"]]
    return CardProfile(**found | octets | {"policy": frozenset(found["policy"]), "notify": notify})
