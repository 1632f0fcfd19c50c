from __future__ import annotations

from pathlib import Path

from remsim.modems.traffic import Traffic, TrafficMeter


class Interface:
    def __init__(self, root: Path) -> None:
        self.path = root / "class" / "net" / "wwan0"
        (self.path / "statistics").mkdir(parents=True)

    def counts(self, rx: int, tx: int, index: int = 7) -> None:
        (self.path / "statistics" / "rx_bytes").write_text(f"{rx}\n")
        (self.path / "statistics" / "tx_bytes").write_text(f"{tx}\n")
        (self.path / "ifindex").write_text(f"{index}\n")


def test_rates_are_bits_per_second_since_the_last_look(tmp_path: Path) -> None:
    interface, meter = Interface(tmp_path), TrafficMeter(tmp_path, "wwan0")
    interface.counts(1000, 500)
    assert meter.read(10.0) == Traffic(1000, 500)
    interface.counts(3000, 1000)
    assert meter.read(12.0) == Traffic(3000, 1000, 8000, 2000)


def test_counters_that_went_back_give_no_rate(tmp_path: Path) -> None:
    interface, meter = Interface(tmp_path), TrafficMeter(tmp_path, "wwan0")
    for at, count in enumerate((5000, 10)):
        interface.counts(count, count)
        traffic = meter.read(float(at))
    assert (traffic.rx_bytes, traffic.rx_bits_per_s, traffic.tx_bits_per_s) == (10, None, None)
    interface.counts(20, 20)
    assert meter.read(2.0).rx_bits_per_s == 80


def test_interface_made_anew_gives_no_rate_though_it_counted_further(tmp_path: Path) -> None:
    interface, meter = Interface(tmp_path), TrafficMeter(tmp_path, "wwan0")
    interface.counts(1000, 1000, index=7)
    meter.read(0.0)
    interface.counts(9_000_000, 9_000_000, index=8)
    assert meter.read(1.0) == Traffic(9_000_000, 9_000_000)


def test_interface_that_is_away_is_unknown_not_zero(tmp_path: Path) -> None:
    interface, meter = Interface(tmp_path), TrafficMeter(tmp_path, "wwan0")
    interface.counts(1000, 1000)
    meter.read(0.0)
    (interface.path / "statistics" / "rx_bytes").unlink()
    assert meter.read(1.0) == Traffic()
    interface.counts(2000, 2000)
    assert meter.read(2.0) == Traffic(2000, 2000)
    (interface.path / "statistics" / "rx_bytes").write_text("garbage")
    assert meter.read(3.0) == Traffic()
