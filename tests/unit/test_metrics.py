"""The table of metrics, and samples as text: both formats as their own readers take them, whatever labels hold."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_views import Router
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_classic
from remsim.telemetry.metrics.draft import LONGEST_VALUE, Draft, clean, labels
from remsim.telemetry.metrics.families import FAMILIES
from remsim.telemetry.metrics.text import number, render, samples

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text("utf-8")
PROMISED = (
    *("remsim_connection_status", "remsim_uptime_seconds", "remsim_failover_count"),
    *("remsim_bankd_connection_duration_seconds", "remsim_bankd_reconnect_count"),
    *("remsim_signal_rssi_dbm", "remsim_signal_rsrq_db", "remsim_signal_sinr_db"),
    *("remsim_data_rx_bytes_total", "remsim_data_tx_bytes_total", "remsim_tpdu_rx_total", "remsim_tpdu_tx_total"),
    *("remsim_sim_slot_active", "remsim_sim_authentication_success_total", "remsim_sim_authentication_failure_total"),
    *("remsim_connection_active_sessions", "remsim_connection_latency_ms", "remsim_connection_throughput_mbps"),
    *("remsim_connection_packet_loss_percent", "remsim_healing_attempts_total", "remsim_healing_success_total"),
    *("remsim_healing_failure_total", "remsim_healing_duration_seconds"),
)
ALIASES = {one.alias.name: one for one in FAMILIES.values() if one.alias is not None}
ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.binary().map(
    lambda bytes_: bytes_.decode("utf-8", "surrogateescape")
)


def draft_of_all() -> Draft:
    """A sample of every name there is, those included that nothing measures yet."""
    draft = Draft()
    for family in FAMILIES.values():
        own = labels(**dict.fromkeys(family.labels, "x"))
        if family.type == "histogram":
            draft.add_histogram(family.name, [(0.5, 1), (math.inf, 2)], 1.5, own, since=1.0)
        elif family.type == "summary":
            draft.add_summary(family.name, 1.5, 2, own, since=1.0)
        else:
            draft.add(family.name, 1, own, since=1.0 if family.type == "counter" else None)
    return draft


def test_every_name_that_was_promised_has_a_definition() -> None:
    assert sorted(one.roadmap for one in FAMILIES.values() if one.roadmap) == sorted(PROMISED)
    for family in FAMILIES.values():
        if family.roadmap is not None:
            assert family.roadmap == (family.alias.name if family.alias else family.name)


def test_no_name_is_there_twice() -> None:
    names = [*FAMILIES, *ALIASES]
    assert len(set(names)) == len(names)
    assert len({one.base for one in FAMILIES.values()}) == len(FAMILIES)


def test_docs_have_a_row_for_each_name_and_no_other() -> None:
    rows = re.findall(r"^\| `((?:remsim|process)_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", DOCUMENT, re.MULTILINE)
    assert rows == [
        (
            one.name,
            one.type,
            ", ".join(f"`{label}`" for label in one.labels) or " ",
            one.help + (" (later)" if one.is_later else ""),
        )
        for one in FAMILIES.values()
    ]
    second = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", DOCUMENT, re.MULTILINE)
    assert second == [(name, family.name) for name, family in ALIASES.items()]


GOLDEN = """\
# HELP remsim_build_info Version of the service
# TYPE remsim_build_info gauge
remsim_build_info{router_id="roof \\"7\\"",version="1\\\\2\\n3"} 1
# HELP remsim_events_total Events in the journal since the service started
# TYPE remsim_events_total counter
remsim_events_total{router_id="roof \\"7\\"",kind="error"} 3
# HELP remsim_scrape_duration_seconds Time taken to answer scrapes, this one not counted
# TYPE remsim_scrape_duration_seconds summary
remsim_scrape_duration_seconds_count{router_id="roof \\"7\\""} 2
remsim_scrape_duration_seconds_sum{router_id="roof \\"7\\""} 0.25
# HELP remsim_connection_throughput_bytes_per_second Data rate between the last two readings
# TYPE remsim_connection_throughput_bytes_per_second gauge
remsim_connection_throughput_bytes_per_second{router_id="roof \\"7\\"",connection="wwan0",direction="receive"} 1000000
remsim_connection_throughput_bytes_per_second{router_id="roof \\"7\\"",connection="wwan0",direction="transmit"} 250000.5
# HELP remsim_connection_throughput_mbps Data rate between the last two readings; see \
remsim_connection_throughput_bytes_per_second
# TYPE remsim_connection_throughput_mbps gauge
remsim_connection_throughput_mbps{router_id="roof \\"7\\"",connection="wwan0"} 10.000004
"""
GOLDEN_OPEN = """\
# HELP remsim_build Version of the service
# TYPE remsim_build info
remsim_build_info{router_id="roof \\"7\\"",version="1\\\\2\\n3"} 1
# HELP remsim_events Events in the journal since the service started
# TYPE remsim_events counter
remsim_events_total{router_id="roof \\"7\\"",kind="error"} 3
remsim_events_created{router_id="roof \\"7\\"",kind="error"} 1767225600.5
# HELP remsim_scrape_duration_seconds Time taken to answer scrapes, this one not counted
# TYPE remsim_scrape_duration_seconds summary
# UNIT remsim_scrape_duration_seconds seconds
remsim_scrape_duration_seconds_count{router_id="roof \\"7\\""} 2
remsim_scrape_duration_seconds_sum{router_id="roof \\"7\\""} 0.25
remsim_scrape_duration_seconds_created{router_id="roof \\"7\\""} 1767225600.5
# HELP remsim_connection_throughput_bytes_per_second Data rate between the last two readings
# TYPE remsim_connection_throughput_bytes_per_second gauge
# UNIT remsim_connection_throughput_bytes_per_second bytes_per_second
remsim_connection_throughput_bytes_per_second{router_id="roof \\"7\\"",connection="wwan0",direction="receive"} 1000000
remsim_connection_throughput_bytes_per_second{router_id="roof \\"7\\"",connection="wwan0",direction="transmit"} 250000.5
# EOF
"""


def test_both_formats_to_the_letter() -> None:
    draft, since = Draft(), 1_767_225_600.5
    for direction, rate in (("receive", 1e6), ("transmit", 250000.5)):
        own = labels(connection="wwan0", direction=direction)
        draft.add("remsim_connection_throughput_bytes_per_second", rate, own)
    draft.add("remsim_events_total", 3, labels(kind="error"), since=since)
    draft.add("remsim_build_info", 1, labels(version="1\\2\n3", nothing=None, empty=""))
    draft.add("remsim_signal_rssi_dbm", None, labels(modem="modem1"))
    draft.add_summary("remsim_scrape_duration_seconds", 0.25, 2, since=since)
    assert render(draft, 'roof "7"').decode() == GOLDEN
    assert render(draft, 'roof "7"', openmetrics=True, aliases=False).decode() == GOLDEN_OPEN


def test_outputs_get_the_same_samples_by_their_main_names() -> None:
    draft = Draft()
    draft.add("remsim_failovers_total", 3, since=1.0)
    assert list(samples(draft, "r")) == [("remsim_failovers_total", (("router_id", "r"),), 3)]


@pytest.mark.parametrize(("openmetrics", "read"), [(False, read_classic), (True, read_openmetrics)])
@given(
    router_id=ANY_TEXT,
    values=st.lists(
        st.tuples(ANY_TEXT, ANY_TEXT, st.floats() | st.integers(-(2**60), 2**60) | st.booleans()), max_size=4
    ),
)
def test_whatever_labels_hold_is_read_back(openmetrics, read, router_id, values) -> None:  # type: ignore[no-untyped-def]
    draft = Draft()
    for state, modem, value in values:
        draft.add("remsim_sim_state", value, labels(modem=modem, state=state))
    text = render(draft, clean(router_id), openmetrics=openmetrics).decode()
    found = {
        tuple(sample.labels.items()): float(sample.value)
        for family in read(text)
        for sample in family.samples
        if sample.name == "remsim_sim_state"
    }
    wanted = {
        (("router_id", clean(router_id)), *labels(modem=modem, state=state)): float(value)
        for state, modem, value in values
    }
    assert found.keys() == wanted.keys()
    assert all(found[one] == value or math.isnan(value) for one, value in wanted.items())


@given(ANY_TEXT)
def test_a_labels_value_can_be_shown_and_is_not_long(text: str) -> None:
    value = clean(text)
    assert len(value) <= LONGEST_VALUE
    assert value.encode().decode() == value
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", value)
    assert clean(value) == value


def test_every_family_is_read_in_both_formats() -> None:
    for aliases in (False, True):
        wanted = len(FAMILIES) + aliases * len(ALIASES)
        draft = draft_of_all()
        assert len(list(read_classic(render(draft, "r", aliases=aliases).decode()))) == wanted
        text = render(draft, "r", openmetrics=True, aliases=aliases).decode()
        found = {one.name: one for one in read_openmetrics(text)}
        assert len(found) == wanted
        for family in FAMILIES.values():
            assert (found[family.base].type, found[family.base].unit) == (family.type, family.unit or "")


def test_promtool_finds_fault_with_nothing_but_second_names(tmp_path: Path) -> None:
    def checked(text: bytes) -> tuple[int, str]:
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=20)
        return done.returncode, (done.stdout + done.stderr).decode()

    everything = Router(tmp_path).metrics
    for draft in (draft_of_all(), everything.draft()):
        assert checked(render(draft, "r", aliases=False)) == (0, "")
        status, told = checked(render(draft, "r"))
        assert status in (0, 3), told
        assert {line.split()[0] for line in told.splitlines() if line.strip()} <= set(ALIASES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((1, "1"), (True, "1"), (-75.0, "-75"), (0.1, "0.1"), (1e300, "1e+300"), (2.0**60, "1.152921504606847e+18")),
        *((math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")),
    ],
)
def test_numbers_as_both_formats_write_them(value: float, text: str) -> None:
    assert number(value) == text
