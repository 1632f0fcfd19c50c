"""The virtual modems in their order: which product is plugged in where, and which drive it replays."""

from __future__ import annotations

from collections.abc import Sequence

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass
from remsim.simulator import drive
from remsim.simulator.drive import Scene
from remsim.simulator.models import MODELS, Model, model_named


@dataclass(frozen=True, slots=True)
class Profile:
    """A virtual modem: a product on a drive that it enters at a second of its own."""

    model: Model
    drive: str
    drive_offset_s: int


PROFILES = (
    Profile(MODELS["RM520N-GL"], "ucc-car-05", 60),
    Profile(MODELS["EM7565"], "ucc-car-01", 300),
    Profile(MODELS["FM350-GL"], "ucc-static-13", 30),
    Profile(MODELS["EC25"], "ucc-car-08", 120),
    Profile(MODELS["RM520N-GL"], "rural-rtt-01", 0),
    Profile(MODELS["EM7565"], "ucc-car-08", 900),
    Profile(MODELS["FM350-GL"], "ucc-car-01", 1400),
    Profile(MODELS["EC25"], "ucc-car-10", 200),
)
"""In the order in which they are plugged in; the first three show three vendors, city and standstill."""

DRIVES = (("ucc-car-05", 60), ("ucc-car-01", 300), ("ucc-static-13", 30), ("ucc-car-08", 120))
SA_DRIVE = ("rural-rtt-01", 0)


def profiles_of(count: int, models: Sequence[str] = ()) -> tuple[Profile, ...]:
    """The modems of a simulation: those named, then the usual ones up to ``count``."""
    chosen = tuple(profile_of(name, position) for position, name in enumerate(models))
    return (chosen + PROFILES[len(chosen) :])[: max(count, len(chosen))]


def profile_of(name: str, position: int) -> Profile:
    """A product on a drive that shows what it can; ``InvalidInput`` names those there are."""
    model = model_named(name)
    if model is None:
        known = ", ".join(MODELS)
        raise InvalidInput(f"there is no virtual {name!r:.40}", field="simulate", hint=f"there are {known}")
    route = SA_DRIVE if model.family == "unisoc" else DRIVES[position % len(DRIVES)]
    return Profile(model, *route)


def scene_at(profile: Profile, second: int) -> Scene:
    """The scene of a drive at a second, around and around."""
    scenes = drive.load(profile.drive)
    return scenes[(second + profile.drive_offset_s) % len(scenes)]
