"""Strategies of scenes for the encoders' property tests."""

from __future__ import annotations

from hypothesis import strategies as st
from remsim.simulator.drive import LTE_CHANNELS, SA_CHANNEL, UMTS_CHANNEL, Carrier, Cell, Neighbour, Scene


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


def carriers() -> st.SearchStrategy[tuple[Carrier, ...]]:
    """Secondary carriers with every level measured, as a modem lists them."""
    one = st.builds(
        Carrier,
        channel=st.sampled_from(LTE_CHANNELS),
        pci=st.integers(0, 503),
        rsrp_dbm=st.integers(-140, -44),
        rsrq_db=st.integers(-20, -3),
        rssi_dbm=st.integers(-113, -25),
        sinr_db=st.integers(-20, 30),
    )
    return st.lists(one, max_size=2).map(tuple)


def neighbours(mode: str) -> st.SearchStrategy[tuple[Neighbour, ...]]:
    """Neighbours on the channels of LTE, or on that of the standalone network."""
    channels = (SA_CHANNEL,) if mode == "SA" else LTE_CHANNELS
    one = st.builds(
        Neighbour,
        rat=st.just("NR" if mode == "SA" else "LTE"),
        number=st.sampled_from([channel.number for channel in channels]),
        pci=st.integers(0, 503),
        rsrp_dbm=st.integers(-140, -44),
        rsrq_db=st.integers(-19, -3),
        rssi_dbm=st.integers(-113, -25),
    )
    return st.just(()) if mode == "UMTS" else st.lists(one, max_size=4).map(tuple)


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
            carriers=carriers() if mode in ("LTE", "NSA") else st.just(()),
            neighbours=neighbours(mode),
        )
    )
