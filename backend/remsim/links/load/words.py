"""Why a link has its slots, in words an admin can check."""

from __future__ import annotations

from remsim.core.routes import LinkView
from remsim.links.load.scores import Candidate

STATE_WORDS = {
    "degraded": "it loses or delays too much",
    "portal": "something stands between it and the Internet",
    "down": "it is down",
    "starting": "it was not probed long enough yet",
    "no_device": "its device is not there",
    "off": "it is switched off",
}
CAP_WORDS = {"slow": "slowed at its data cap", "soft": "its data cap is used up", "hard": "its data cap is used up"}


def ms(value: float) -> str:
    """``38 ms``."""
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def rate(bps: float) -> str:
    """Megabits with no more digits than mean something: ``14``, ``2.5``, ``0.12``."""
    value = bps / 1e6
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def flows(count: int) -> str:
    """``3 busy flows``."""
    return f"{count} busy flow{'' if count == 1 else 's'}"


def page(one: Candidate) -> str:
    """What an interactive flow meets."""
    return f"{latency_of(one.view)}, {free_of(one.view)}: a page in {one.page_s():.2f} s{ramped(one)}"


def load(one: Candidate) -> str:
    """What a bulk flow meets."""
    share = f"{rate(one.share_bps())} Mbit/s for one more"
    return f"{free_of(one.view)}, {flows(one.busy)}: {share}{ramped(one)}{kept(one)}"


def ramped(one: Candidate) -> str:
    """A link that is just back has half of what it could have."""
    return "" if one.ramp == 1 else "; just back"


def kept(one: Candidate) -> str:
    """Bulk flows leave a link to pages."""
    return "; left to pages" if one.is_kept else ""


def price(link: LinkView) -> str:
    """``5.00 EUR a GB``."""
    if link.cost_per_gb_minor is None:
        return "price unknown" if link.is_metered else "no price a GB"
    return f"{link.cost_per_gb_minor / 100:.2f} {link.currency} a GB"


def overage(link: LinkView) -> str:
    """What a gigabyte costs when the cap is used up."""
    if link.overage_per_gb_minor is None:
        return price(link)
    return f"{link.overage_per_gb_minor / 100:.2f} {link.currency} a GB above its cap"


def data_left(link: LinkView) -> str:
    """``12.3 GB left for 9 days``."""
    if link.remaining_bytes is None:
        return "no data cap"
    left = f"{max(0, link.remaining_bytes) / 1e9:.1f} GB left"
    return left if link.reset_s is None else f"{left} for {max(1, round(link.reset_s / 86400))} days"


def latency_of(link: LinkView) -> str:
    """``38 ms``."""
    return "round trip unknown" if link.latency_ms is None else ms(link.latency_ms)


def uptime(link: LinkView) -> str:
    """``99.8 % of probes answered``."""
    if link.uptime_percent is None:
        return "not probed long enough yet"
    return f"{link.uptime_percent:.2f} % of probes answered"


def loss(link: LinkView) -> str:
    """``2 % of probes lost``."""
    return "loss unknown" if link.loss_percent is None else f"{link.loss_percent:.0f} % of probes lost"


def free_of(link: LinkView) -> str:
    """``14 of 20 Mbit/s free``."""
    if link.down_bps is None:
        return "not measured yet"
    return f"{rate(max(0.0, link.down_bps - (link.rx_bps or 0.0)))} of {rate(link.down_bps)} Mbit/s free"


def not_used(link: LinkView) -> str | None:
    """Why a link takes no new flows, or not the first; None when nothing speaks against it."""
    if link.cap_state == "hard" and link.state == "down":
        return CAP_WORDS["hard"]
    return STATE_WORDS.get(link.state) or CAP_WORDS.get(link.cap_state)
