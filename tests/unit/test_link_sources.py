"""What links are told of the rest of the router."""

from __future__ import annotations

from pathlib import Path

from remsim.core.clock import FakeClock
from remsim.link_sources import LEASES, LOOK_S, LeaseNames, lease_file

LEASED = """\
1790000000 00:00:5e:00:53:01 192.168.1.20 kitchen-tv 01:00:00:5e:00:53:01
1790000000 00:00:5e:00:53:02 192.168.1.21 * *
damaged
duid 00:01:00:01:2b:00:00:00:00:00:5e:00:53:03
1790000000 291 fd00::20 laptop 00:01:00:01
"""


def test_devices_are_called_what_their_leases_say(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "leases"
    names = LeaseNames(None, clock, path)
    assert names.name_of("192.168.1.20") is None
    path.write_bytes(LEASED.encode() + b"1 m 192.168.1.22 \xff\x00 *\n")
    assert names.name_of("192.168.1.20") is None  # the file is not read for each flow
    clock.advance(LOOK_S)
    assert names.name_of("192.168.1.20") == "kitchen-tv"
    assert names.name_of("fd00::20") == "laptop"
    assert [names.name_of(one) for one in ("192.168.1.21", "192.168.1.22", "01:00")] == [None, None, None]


def test_leases_are_where_the_configuration_says(tmp_path: Path) -> None:
    assert str(lease_file(None)) == str(lease_file(tmp_path)) == LEASES
    (tmp_path / "dhcp").write_text("config dnsmasq\n\toption leasefile '/tmp/run/leases'\n")
    assert str(lease_file(tmp_path)) == "/tmp/run/leases"
    (tmp_path / "dhcp").write_text("config 'dnsmasq\n")
    assert str(lease_file(tmp_path)) == LEASES
