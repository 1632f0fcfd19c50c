"""What of an orchestrator is shown: its cards without identifiers, and what an admin should mend."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from remsim.config.remote_sim import IonMeshSettings
from remsim.core.clock import FIRST_TRUSTED
from remsim.core.masking import mask

LARGE_SKEW_S = 120.0


def masked_card(card: dict[str, Any]) -> dict[str, Any]:
    """A card whose identifiers nobody can read."""
    hidden = ("physical_iccid", "physical_imsi")
    return {name: mask(str(value)) if name in hidden and value else value for name, value in card.items()}


def warnings_of(
    settings: IonMeshSettings, skew_s: float | None, orchestrator: dict[str, Any] | None, now: float
) -> list[dict[str, str]]:
    """What an admin should mend."""
    found = []
    if settings.api_key and urlsplit(settings.url).scheme == "http" and not is_near(urlsplit(settings.url).hostname):
        text = "IonMesh's API key travels over the network where everybody on the way can read it"
        found.append({"code": "ionmesh_key_in_the_clear", "message": text, "hint": "use https"})
    if skew_s is not None and abs(skew_s) > LARGE_SKEW_S and now >= FIRST_TRUSTED:
        text = f"IonMesh's clock and this router's differ by {abs(skew_s):.0f} s"
        found.append({"code": "ionmesh_clock", "message": text, "hint": "let both set their clocks by NTP"})
    modes = (orchestrator or {}).get("supported_mapping_modes")
    if isinstance(modes, list) and modes and settings.mapping_mode not in modes:
        text = f"IonMesh does not name the mapping mode {settings.mapping_mode} among those it knows"
        found.append({"code": "ionmesh_mode", "message": text, "hint": f"it knows {', '.join(map(str, modes))}"})
    return found


def is_near(host: str | None) -> bool:
    """Whether an address is this machine's or a private network's; a name may be anywhere."""
    try:
        return ipaddress.ip_address(host or "").is_private
    except ValueError:
        return host == "localhost"
