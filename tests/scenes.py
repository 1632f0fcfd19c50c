"""Strategies of scenes for the encoders' property tests."""

from __future__ import annotations

from hypothesis import strategies as st
from remsim.simulator.drive import LTE_CHANNELS, SA_CHANNEL, UMTS_CHANNEL, Cell, Scene


def maybe(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


def cells(*channels) -> st.SearchStrategy[Cell]:
    return st.builds(
        Cell,
        # All F is how modems say that they do not know.
        cell_id=st.integers(0x1000, 0xFFFFFFE).filter(lambda number: set(f"{number:X}") != {"F"}),
        pci=st.integers(0, 503),
        tac=st.integers(1, 0xFFFD),
        channel=st.sampled_from(channels),
    )


def scenes(*modes: str) -> st.SearchStrategy[Scene]:
    """Scenes of the named modes with every level in the range of 36.133 and 38.133, or unknown."""
    channels = {"LTE": LTE_CHANNELS, "NSA": LTE_CHANNELS, "SA": (SA_CHANNEL,), "UMTS": (UMTS_CHANNEL,)}
    return st.sampled_from(modes).flatmap(
        lambda mode: st.builds(
            Scene,
            mode=st.just(mode),
            cell=cells(*channels[mode]),
            rsrp_dbm=maybe(-140, -44),
            rsrq_db=maybe(-20, -3),
            sinr_db=maybe(-20, 30),
            rssi_dbm=maybe(-113, -25),
            rscp_dbm=maybe(-120, -25),
            cqi=maybe(0, 15),
            dl_mbps=st.just(1.0),
        )
    )
