"""Others on this router that lead or shorten the way of packets: mwan3 and its kind, flow offloading."""

from __future__ import annotations

from pathlib import Path

from remsim.config.uci import UciFile
from remsim.core.errors import RemsimError
from remsim.core.routes import CLASS_MASK, LINK_MASK, POKE
from remsim.links.kernel.nft import Nft, NftError
from remsim.links.plane import PlaneRefused

RIVALS = ("mwan3", "mwan4")
"""Both mark packets with the bits that we do."""
PBR_MASK = 0x00FF0000
"""Its default."""


def check_alone(root: Path = Path("/")) -> None:
    """``PlaneRefused`` beside an enabled program that does the same."""
    for name in RIVALS:
        if any(root.glob(f"etc/rc.d/S[0-9][0-9]{name}")):
            raise PlaneRefused(
                f"{name} is enabled and would lead the same traffic",
                code="routing_rival",
                hint=f"Take its configuration over (Links, import), then run: /etc/init.d/{name} stop; "
                f"/etc/init.d/{name} disable",
            )


def firewall_masquerades(nft: Nft) -> bool:
    """Whether fw4 masquerades. Others' rules are for their own networks (containers), and ours do no harm beside them:
    the first that translates a flow decides."""
    try:
        return "masquerade" in nft.run("list table inet fw4", is_terse=True)
    except NftError:
        return False


def foreign_bits(root: Path = Path("/")) -> int:
    """The bits of a packet's mark by which pbr says that it chose the way; 0 where it is not enabled."""
    if not any(root.glob("etc/rc.d/S[0-9][0-9]pbr")):
        return 0
    path = root / "etc/config/pbr"
    text = None
    try:
        sections = UciFile.load(path).sections("pbr") if path.exists() else []
        text = next((one.get("fw_mask") for one in sections if one.get("fw_mask")), None)
        mask = int(text, 16) if text else PBR_MASK
    except (RemsimError, ValueError):
        mask = PBR_MASK
    ours = mask & (LINK_MASK | CLASS_MASK | POKE)
    if ours:
        raise PlaneRefused(
            f"pbr marks packets with bits that links need (fw_mask {mask:08x})",
            code="routing_rival",
            hint="Run: uci set pbr.config.fw_mask=00ff0000; uci commit pbr; service pbr restart",
        )
    return mask


def offloading(nft: Nft, root: Path = Path("/")) -> dict[str, str | None] | None:
    """A warning where packets of flows that run take a shorter way: counters, caps and limits would not see them."""
    if not (is_configured(root) or has_flowtables(nft)):
        return None
    return {
        "code": "flow_offloading",
        "message": "Flow offloading is on: most packets pass by what counts and limits them, so usage, caps and the "
        "weights of links are wrong, and flows of a dead link are not moved.",
        "hint": "uci set firewall.@defaults[0].flow_offloading=0; uci set firewall.@defaults[0].flow_offloading_hw=0; "
        "uci commit firewall; service firewall reload",
    }


def is_configured(root: Path) -> bool:
    """Whether the firewall is to offload flows."""
    path = root / "etc/config/firewall"
    try:
        sections = UciFile.load(path).sections("defaults") if path.exists() else []
    except RemsimError:
        return False
    return any(one.get(name) == "1" for one in sections for name in ("flow_offloading", "flow_offloading_hw"))


def has_flowtables(nft: Nft) -> bool:
    """Whether any table has a flowtable with devices."""
    try:
        return "devices = {" in nft.run("list flowtables")
    except NftError:
        return False
