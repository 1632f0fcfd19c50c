"""Who else leads packets on a router, and what a kernel that lacks something is told to get."""

from __future__ import annotations

from pathlib import Path

import pytest
from remsim.core.routes import Flow
from remsim.links.kernel.capabilities import RULES, probed
from remsim.links.kernel.conntrack import Words, parse_flows
from remsim.links.kernel.crowd import crowding
from remsim.links.kernel.cutting import bare_ack, checksum, cut_elements, to_reset
from remsim.links.kernel.neighbours import (
    check_alone,
    firewall_masquerades,
    foreign_bits,
    has_flowtables,
    is_configured,
    offloading,
)
from remsim.links.kernel.nft import NftError
from remsim.links.kernel.plane import check_rights, lacking
from remsim.links.plane import PlaneRefused

OLD = "ipv4     2 tcp      6 {} src=192.168.77.10 dst=198.51.100.1 sport=40000 dport=443 packets=9 bytes=900 "
BACK = "src=198.51.100.1 dst=10.64.2.2 sport=443 dport=40000 packets=12 bytes=15000 [ASSURED] mark={} zone=0 use=2"


class Spoken:
    """nft that answers what a test says."""

    def __init__(self, fw4: str | None = "", flowtables: str = "", refused: tuple[str, ...] = ()) -> None:
        self.texts = {"list table inet fw4": fw4, "list flowtables": flowtables}
        self.refused = refused

    def run(self, commands: str, **_: bool) -> str:
        said = self.texts[commands]
        if said is None:
            raise NftError("Error: No such file or directory")
        return said

    def takes(self, commands: str) -> bool:
        return not any(word in commands for word in self.refused)


class Forgetful:
    """Flows that can be read and not deleted."""

    def is_readable(self) -> bool:
        return True

    def can_forget(self) -> bool:
        return False


def test_without_the_right_to_change_the_network_it_says_so(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tremsim\nCapPrm:\t0000000000001000\nCapEff:\t0000000000000000\n")
    with pytest.raises(PlaneRefused, match="may not change the network") as refused:
        check_rights(status)
    assert "CAP_NET_ADMIN" in (refused.value.hint or "")
    status.write_text("CapEff:\t0000000000001000\n")
    check_rights(status)


@pytest.mark.parametrize("name", ["mwan3", "mwan4"])
def test_a_rival_that_is_enabled_is_named_with_what_ends_it(tmp_path: Path, name: str) -> None:
    check_alone(tmp_path)
    (tmp_path / "etc/rc.d").mkdir(parents=True)
    (tmp_path / "etc/rc.d" / f"S19{name}").touch()
    with pytest.raises(PlaneRefused, match=f"{name} is enabled") as refused:
        check_alone(tmp_path)
    assert f"/etc/init.d/{name} disable" in (refused.value.hint or "")


def test_flow_offloading_is_warned_of(tmp_path: Path) -> None:
    assert offloading(Spoken(), tmp_path) is None  # type: ignore[arg-type]
    (tmp_path / "etc/config").mkdir(parents=True)
    firewall = tmp_path / "etc/config/firewall"
    firewall.write_text("config defaults\n\toption flow_offloading '1'\n")
    assert is_configured(tmp_path)
    warning = offloading(Spoken(), tmp_path)  # type: ignore[arg-type]
    assert warning is not None
    assert "flow_offloading=0" in (warning["hint"] or "")
    firewall.write_text("config defaults\n\toption flow_offloading '0'\n")
    assert not is_configured(tmp_path)
    firewall.write_text("config defaults 'unfinished\n")
    assert not is_configured(tmp_path)
    assert has_flowtables(Spoken(flowtables='table inet fw4 { flowtable ft { devices = { "wan" } } }'))  # type: ignore[arg-type]


def test_only_the_firewall_masquerades_for_links_and_others_for_their_own_networks() -> None:
    fw4 = "table inet fw4 {\n\tchain srcnat_wan {\n\t\tmeta nfproto ipv4 masquerade\n\t}\n}\n"
    assert firewall_masquerades(Spoken(fw4))  # type: ignore[arg-type]
    assert not firewall_masquerades(Spoken(fw4.replace("masquerade", "accept")))  # type: ignore[arg-type]
    assert not firewall_masquerades(Spoken(None))  # type: ignore[arg-type]


def test_flows_of_pbr_are_left_to_it_unless_it_needs_the_same_bits(tmp_path: Path) -> None:
    assert foreign_bits(tmp_path) == 0
    (tmp_path / "etc/rc.d").mkdir(parents=True)
    (tmp_path / "etc/rc.d/S99pbr").touch()
    assert foreign_bits(tmp_path) == 0x00FF0000
    (tmp_path / "etc/config").mkdir()
    config = tmp_path / "etc/config/pbr"
    config.write_text("config pbr 'config'\n\toption fw_mask '000f0000'\n")
    assert foreign_bits(tmp_path) == 0x000F0000
    config.write_text("config pbr 'config'\n\toption fw_mask '0000ff00'\n")
    with pytest.raises(PlaneRefused, match="fw_mask 0000ff00") as refused:
        foreign_bits(tmp_path)
    assert "uci set pbr.config.fw_mask=00ff0000" in (refused.value.hint or "")


def test_a_kernel_that_lacks_a_feature_is_told_the_package() -> None:
    spoken = Spoken(refused=("jhash", "fib"))
    found = {one.name: one for one in probed(spoken, Forgetful(), mptcp=Path("/none"))}  # type: ignore[arg-type]
    assert len(found) == len(RULES) + 3
    assert not found["ends of flows"].is_there
    assert not found["persistence"].is_there
    assert not found["MPTCP"].is_there
    missing = [one for one in found.values() if one.is_needed and not one.is_there]
    refused = lacking(missing)
    assert "local addresses" in refused.message
    assert "kmod-nft-fib" in (refused.hint or "")


def test_a_flow_is_read_with_link_policy_and_class() -> None:
    line = OLD.format("431999 ESTABLISHED") + BACK.format(0x05001200)
    (flow,) = parse_flows([line])
    assert (flow.link, flow.policy, flow.klass, flow.state) == (2, 5, "interactive", "ESTABLISHED")
    assert (flow.tx_bytes, flow.rx_bytes, flow.nat_source) == (900, 15000, "10.64.2.2")
    assert flow.is_established
    assert flow.is_forwarded
    assert not next(parse_flows([line], own={"192.168.77.10"})).is_forwarded


def test_addresses_of_ipv6_are_written_short() -> None:
    long = "fd77:0000:0000:0000:0000:0000:0000:0010", "2001:0db8:0000:0000:0000:0000:0000:0001"
    line = OLD.format("9 ESTABLISHED") + BACK.format(0x200)
    line = line.replace("ipv4 ", "ipv6 ").replace("192.168.77.10", long[0]).replace("198.51.100.1", long[1])
    (flow,) = parse_flows([line], own={"2001:db8::1"})
    assert (flow.source, flow.destination) == ("fd77::10", "2001:db8::1")
    assert not flow.is_forwarded


def test_what_flows_have_alike_is_kept_once() -> None:
    lines = [OLD.format("9 ESTABLISHED") + BACK.format(0x200), OLD.format("8 ESTABLISHED") + BACK.format(0x100)]
    words = Words()
    one, other = *parse_flows(lines[:1], words=words), *parse_flows(lines[1:], words=words)
    for name in ("protocol", "source", "destination", "state", "nat_source"):
        assert getattr(one, name) is getattr(other, name)


ODD = ("", "ipv4", OLD.format("1"), "a b c d e mark=512 x", OLD.format("") + BACK.format("x"))


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_are_left_out(line: str) -> None:
    assert list(parse_flows([line])) == []


def test_flows_of_no_link_are_left_out() -> None:
    assert list(parse_flows([OLD.format("9 ESTABLISHED") + BACK.format(0)])) == []
    assert list(parse_flows([OLD.format("9 ESTABLISHED") + BACK.format(0x10000)])) == []


def flow(source: str = "192.168.77.10", state: str = "ESTABLISHED", **more: object) -> Flow:
    server = "198.51.100.1" if "." in source else "2001:db8::1"
    known = {"state": state, "is_established": True} | more
    return Flow("tcp", source, 40000, server, 443, 2, **known)  # type: ignore[arg-type]


def test_clients_of_the_lan_are_told_and_nobody_else() -> None:
    told = flow()
    others = [flow(state="TIME_WAIT"), flow(is_established=False), flow(is_forwarded=False)]
    assert to_reset([told, *others]) == [told]


def test_cut_flows_go_into_the_set_of_their_family() -> None:
    assert cut_elements([flow(), flow("fd77::10")]) == {
        "cut4": ["192.168.77.10 . 40000 . 198.51.100.1 . 443"],
        "cut6": ["fd77::10 . 40000 . 2001:db8::1 . 443"],
    }


@pytest.mark.parametrize("source", ["192.168.77.10", "fd77::10"])
def test_the_packet_in_the_servers_name_is_sound(source: str) -> None:
    packet = bare_ack(flow(source), 7)
    header = 20 if "." in source else 40
    tcp, sizes = packet[header:], (12, 20) if "." in source else (8, 40)
    pseudo = packet[sizes[0] : sizes[1]] + (b"\0\x06" + b"\0\x14" if header == 20 else b"\0\0\0\x14\0\0\0\x06")
    assert checksum(pseudo + tcp) == 0
    assert header == 40 or checksum(packet[:20]) == 0
    assert tcp[13] == 0x10


@pytest.mark.parametrize(
    ("count", "is_told", "says"),
    [
        (100, False, None),
        (14_745, False, None),
        (14_746, False, "is 90 % full, with 14746 of 16384"),
        (16_384, False, "is full: new connections fail"),
        (13_200, True, "is 80 % full"),
        (13_000, True, None),
    ],
)
def test_a_table_of_connections_without_much_room_is_told(
    tmp_path: Path, count: int, is_told: bool, says: str | None
) -> None:
    folder = tmp_path / "proc/sys/net/netfilter"
    folder.mkdir(parents=True)
    (folder / "nf_conntrack_max").write_text("16384\n")
    (folder / "nf_conntrack_count").write_text(f"{count}\n")
    found = crowding(tmp_path, is_told=is_told)
    assert (found is None) == (says is None)
    if found is not None and says is not None:
        assert says in (found["message"] or "") and "nf_conntrack_max=32768" in (found["hint"] or "")


def test_a_kernel_that_does_not_tell_of_its_table_is_left_alone(tmp_path: Path) -> None:
    assert crowding(tmp_path) is None
