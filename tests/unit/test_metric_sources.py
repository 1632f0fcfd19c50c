"""What metrics are taken from: the owners' truth, of now, and no more of it than can be kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from metric_views import NOW, SIM, Router, reading, remote, view
from remsim.config.metrics import MetricsSettings
from remsim.core.clock import iso_utc
from remsim.core.events import KINDS, Event
from remsim.metric_sources.host import add_host, add_process
from remsim.telemetry.metrics.draft import Draft
from remsim.telemetry.metrics.families import FAMILIES


@pytest.fixture
def router(tmp_path: Path) -> Router:
    return Router(tmp_path)


def values(draft: Draft, name: str) -> dict[str, float]:
    """A family's samples: labels as text, without the modem's, and values."""
    rows = next((rows for family, rows in draft.families() if family.name == name), {})
    return {
        ",".join(f"{label}={text}" for label, text in labels if label != "modem"): value
        for (sample, labels), value in rows.items()
        if not sample.endswith("_created")
    }


def value(draft: Draft, name: str) -> float | None:
    """The value of the only sample of a family."""
    found = values(draft, name)
    assert len(found) <= 1, found
    return next(iter(found.values()), None)


def test_every_name_but_the_later_ones_has_a_sample_once_its_source_has(router: Router) -> None:
    whole = router.metrics.draft()
    router.views = [{}]
    failed = router.metrics.draft()
    found = {family.name for draft in (whole, failed) for family, _ in draft.families()}
    assert found == {one.name for one in FAMILIES.values() if not one.is_later}


def test_samples_have_the_labels_of_the_table_only(router: Router) -> None:
    for family, rows in router.metrics.draft().families():
        for sample, labels in rows:
            assert {label for label, _ in labels} - {"le"} <= set(family.labels), sample


def test_a_router_without_anything_has_samples_of_itself_only(router: Router) -> None:
    router.views, router.remote, router.esim = [], {}, {}
    names = [family.name for family, _ in router.metrics.draft().families()]
    assert "remsim_build_info" in names
    assert not [name for name in names if name.startswith(("remsim_modem", "remsim_client", "remsim_tpdu"))]
    assert "remsim_scrape_errors_total" not in names


def test_units_are_base_units(router: Router) -> None:
    draft = router.metrics.draft()
    assert values(draft, "remsim_connection_latency_seconds") == {"connection=wwan0": 0.035}
    assert values(draft, "remsim_connection_packet_loss_ratio") == {"connection=wwan0": 0.5}
    assert values(draft, "remsim_connection_throughput_bytes_per_second") == {
        "connection=wwan0,direction=receive": 1e6,
        "connection=wwan0,direction=transmit": 250_000.0,
    }
    text = router.metrics.text().decode()
    assert 'remsim_connection_latency_ms{router_id=' in text
    assert 'remsim_connection_throughput_mbps{' in text
    assert text.split("remsim_connection_throughput_mbps{")[1].split("} ")[1].startswith("10\n")


def test_what_is_not_known_has_no_sample(router: Router) -> None:
    unknown = replace(reading(), rsrp_dbm=None, latency_ms=None, sim_state=None, operator=None)
    router.views = [view(last=unknown, effective_period_s=None)]
    draft = router.metrics.draft()
    for name in ("signal_rsrp_dbm", "connection_latency_seconds", "sim_state", "modem_poll_period_seconds"):
        assert values(draft, f"remsim_{name}") == {}
    assert "operator" not in next(iter(values(draft, "remsim_modem_network_info")))
    router.views = [view(reading=None)]
    assert value(router.metrics.draft(), "remsim_connection_status") == 1


def test_a_reading_that_is_old_has_no_samples(router: Router) -> None:
    router.clock.advance(29)
    assert value(router.metrics.draft(), "remsim_signal_rssi_dbm") == 7
    router.clock.advance(2)
    draft = router.metrics.draft()
    assert value(draft, "remsim_signal_rssi_dbm") is None
    assert values(draft, "remsim_data_rx_bytes_total") == {}
    assert value(draft, "remsim_modem_reading_timestamp_seconds") == NOW
    router.views = [view(effective_period_s=20.0)]
    assert value(router.metrics.draft(), "remsim_signal_rssi_dbm") == 7


def test_a_modem_that_is_gone_keeps_its_state_for_an_hour(router: Router) -> None:
    router.views = [view(state="gone", state_since=iso_utc(NOW))]
    router.clock.advance(3599)
    draft = router.metrics.draft()
    assert values(draft, "remsim_modem_state") == {"state=gone": 1}
    assert value(draft, "remsim_connection_status") == 0
    assert values(draft, "remsim_sim_slot_active") == {}
    router.clock.advance(2)
    assert values(router.metrics.draft(), "remsim_modem_state") == {}


def test_of_states_there_is_the_one_that_is(router: Router) -> None:
    router.views = [view(state="no_sim", last=reading(sim_state="NOT_INSERTED", registration="searching"))]
    router.remote = {}
    draft = router.metrics.draft()
    assert values(draft, "remsim_modem_state") == {"state=no_sim": 1}
    assert values(draft, "remsim_modem_registration") == {"registration=searching": 1}
    assert values(draft, "remsim_sim_slot_active") == {"slot=1,mode=local": 0}


def test_either_the_local_or_the_remote_card_serves(router: Router) -> None:
    assert values(router.metrics.draft(), "remsim_sim_slot_active") == {"slot=1,mode=remote": 1, "slot=1,mode=local": 0}
    router.remote["clients"][0]["state"] = "local"
    assert values(router.metrics.draft(), "remsim_sim_slot_active") == {"slot=1,mode=remote": 0, "slot=1,mode=local": 1}


def test_cells_are_bounded_and_their_places_are_free_again_after_a_day(tmp_path: Path) -> None:
    router = Router(tmp_path, metrics=MetricsSettings(cells=3))

    def drive(cells: range) -> int:
        seen = 0
        for cell in cells:
            router.views = [view(last=reading(at=router.clock.now(), cell_id=cell))]
            seen += bool(values(router.metrics.draft(), "remsim_modem_cell_info"))
        return seen

    assert drive(range(100)) == 3
    assert drive(range(3)) == 3
    router.clock.advance(86401)
    assert drive(range(200, 300)) == 3
    router.metrics.configure(replace(router.settings, metrics=MetricsSettings(cells=0)))
    router.clock.advance(86401)
    assert drive(range(300, 310)) == 0


def test_a_source_that_fails_costs_its_own_samples_only(router: Router, caplog: pytest.LogCaptureFixture) -> None:
    router.views = [{"id": "modem1"}]
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            draft = router.metrics.draft()
    assert values(draft, "remsim_scrape_errors_total")["source=modems"] == 3
    assert value(draft, "remsim_uptime_seconds") is not None
    assert values(draft, "remsim_server_up") == {"server=main": 1}
    assert len([one for one in caplog.records if "metrics of modems" in one.message]) == 1


def test_events_are_counted_by_kind_from_zero_on(router: Router) -> None:
    before = values(router.metrics.draft(), "remsim_events_total")
    assert before == {f"kind={kind}": 0 for kind in KINDS}
    for _ in range(2):
        router.bus.publish(Event("reboot", "modem1", NOW, "it restarted"))
    assert values(router.metrics.draft(), "remsim_events_total")["kind=reboot"] == 2


def test_counters_of_the_service_say_when_they_began(router: Router) -> None:
    text = router.metrics.text(openmetrics=True).decode()
    began = [line for line in text.splitlines() if line.startswith("remsim_series_write_errors_created{")]
    assert began[0].endswith(f" {NOW - 1000:.0f}")
    assert "remsim_data_rx_bytes_created" not in text  # the kernel's: nobody knows


def test_alerts_stores_and_outputs(router: Router) -> None:
    draft = router.metrics.draft()
    assert values(draft, "remsim_alerts_firing") == {"severity=info": 0, "severity=warning": 0, "severity=critical": 1}
    assert value(draft, "remsim_alerts_pending") == 2
    assert values(draft, "remsim_store_working") == {"store=series": 0, "store=journal": 1}
    assert values(draft, "remsim_output_sent_samples_total") == {"output=office": 5}


def test_a_server_cannot_make_up_labels(router: Router) -> None:
    router.remote["slotmaps"] = [
        {"server": "main", "desired": False, "state": f"MADE UP {at}", "conflict": None, "held": None}
        for at in range(9)
    ]
    assert values(router.metrics.draft(), "remsim_slot_maps") == {"server=main,state=other": 9}


def test_remote_sims(router: Router) -> None:
    draft = router.metrics.draft()
    assert values(draft, "remsim_client_state") == {"client=roof,state=remote": 1}
    assert values(draft, "remsim_bankd_connection_duration_seconds") == {"client=roof,bank_id=1": 90}
    assert values(draft, "remsim_bankd_reconnects_total") == {"client=roof,bank_id=1": 2}
    assert values(draft, "remsim_slot_maps") == {"server=main,state=ACTIVE": 1, "server=main,state=NEW": 1}
    for kind, count in {"desired": 3, "missing": 2, "conflicting": 1, "held": 1}.items():
        assert value(draft, f"remsim_slot_maps_{kind}") == count
    assert values(draft, "remsim_sim_authentication_failure_total") == {"client=roof,source=relay": 3}
    assert values(draft, "remsim_sim_authentication_status_word_total") == {
        "client=roof,source=relay,status_word=6985": 1,
        "client=roof,source=relay,status_word=9862": 2,
    }
    assert values(draft, "remsim_tpdu_rx_total") == {"source=gsmtap": 1, "client=roof,source=relay": 1234}


def test_what_nobody_counts_is_absent_not_zero(router: Router) -> None:
    client = {"name": "roof", "state": "unknown", "server_link": {"up": None}, "bankd_link": None, "process": None}
    router.remote = remote(clients=[client], gsmtap=None, spool=None, ionmesh={"state": "off"}, servers=[], slotmaps=[])
    names = {family.name for family, _ in router.metrics.draft().families()}
    assert "remsim_client_state" in names
    for name in FAMILIES:
        if name.startswith(("remsim_tpdu", "remsim_sim_auth", "remsim_bankd", "remsim_spool", "remsim_ionmesh")):
            assert name not in names


def test_what_an_euicc_does_not_tell_has_no_sample(router: Router) -> None:
    draft = router.metrics.draft()
    assert values(draft, "remsim_esim_profiles") == {"state=enabled": 1, "state=disabled": 2}
    assert value(draft, "remsim_esim_free_bytes") == 320_000
    assert value(draft, "remsim_esim_notifications_waiting") == 1
    router.esim["holders"][0]["free_bytes"] = None
    assert value(router.metrics.draft(), "remsim_esim_free_bytes") is None


def test_a_sims_cycle_is_looked_at_once_a_minute(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    query = router.usage.query
    monkeypatch.setattr(router.usage, "query", lambda *given, **named: asked.append(given) or query(*given, **named))
    for _ in range(20):
        draft = router.metrics.draft()
    first = len(asked)
    assert 0 < first <= 3
    assert values(draft, "remsim_sim_cycle_used_bytes") == {f"sim={SIM}": 1000}
    assert values(draft, "remsim_sim_cycle_cap_bytes") == {f"sim={SIM}": 1e9}
    router.clock.advance(61)
    router.metrics.draft()
    assert len(asked) == 2 * first


def test_nothing_tells_who_somebody_is(router: Router) -> None:
    router.views = [view(imei="490154203237518", imsi="262011234567890", iccid="8949020000000000001", eid="8904")]
    text = router.metrics.text().decode()
    assert not any(number in text for number in ("490154203237518", "262011234567890", "8949020000000000001"))


def test_the_router_and_its_process_from_proc(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "self" / "fd").mkdir(parents=True)
    (proc / "uptime").write_text("86400.5 1\n")
    (proc / "loadavg").write_text("0.00 0.01 0.05 1/99 7\n")
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n")
    stat = ["S", "1", *["0"] * 9, "150", "50", *["0"] * 4, "9", "0", "0", "1048576", "10"]
    (proc / "self" / "stat").write_text(f"7 (a) b) {' '.join(stat)} 0 0\n")
    (proc / "self" / "fd" / "0").touch()
    draft = Draft()
    add_host(draft, NOW, {"data": tmp_path, "gone": tmp_path / "nowhere"}, proc)
    add_process(draft, NOW, proc)
    assert value(draft, "remsim_uptime_seconds") == 86400.5
    assert value(draft, "remsim_router_memory_available_bytes") == 400 * 1024
    assert set(values(draft, "remsim_storage_free_bytes")) == {"storage=data"}
    assert value(draft, "process_threads") == 9
    assert value(draft, "process_virtual_memory_bytes") == 1048576
    assert value(draft, "process_open_fds") == 1
    bare = Draft()
    add_host(bare, NOW, {}, tmp_path / "nowhere")
    add_process(bare, NOW, tmp_path / "nowhere")
    assert {family.name for family, _ in bare.families()} == {"remsim_router_clock_set", "process_start_time_seconds"}


def test_a_link_without_a_modem_tells_of_its_own_probes(router: Router) -> None:
    router.links["links"][1] |= {"latency_ms": 12.0, "loss_percent": 1.0, "rx_bps": 8000.0}
    draft = router.metrics.draft()
    assert values(draft, "remsim_connection_latency_seconds")["connection=eth1"] == 0.012
    assert values(draft, "remsim_connection_packet_loss_ratio")["connection=eth1"] == 0.01
    rates = values(draft, "remsim_connection_throughput_bytes_per_second")
    assert rates["connection=eth1,direction=receive"] == 1000
    assert "connection=eth1,direction=transmit" not in rates


def test_a_link_of_a_modem_is_not_measured_twice(router: Router) -> None:
    draft = router.metrics.draft()
    assert list(values(draft, "remsim_connection_latency_seconds")) == ["connection=wwan0"]
    assert values(draft, "remsim_connection_active_sessions") == {"connection=wwan0": 42}
    assert values(draft, "remsim_link_up") == {"link=cable": 0, "link=wan1": 1}
