"""How clients are started, and why one is not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from remsim.config.remote_sim import IonMeshSettings, RemoteClientOptions, RemoteClientSettings
from remsim.remotesim.assignment import Assignment
from remsim.remotesim.procd import arguments_of, lines_of, link_name
from remsim.remotesim.programs import PROGRAMS, Ground, Instance, instances_of, refusals

MESH = IonMeshSettings(enabled=True, url="http://10.0.0.9:5000", tenant_id=3, mcc_mnc="310410")


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """All programs are installed."""
    for name in PROGRAMS.values():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.touch(0o755)
    return Ground(Path("/etc/remsim"), Path("/var/run/remsim"), Path("/usr/share/remsim/event.sh"), tmp_path / "bin")


def client(name: str = "wan1", client_id: int = 5, **more: object) -> RemoteClientSettings:
    return replace(RemoteClientSettings(name, client_id, server_host="10.0.0.5"), **more)  # type: ignore[arg-type]


def only(ground: Ground, **more: object) -> Instance:
    (found,) = instances_of(client(**more), ground)  # type: ignore[arg-type]
    return found


def option(instance: Instance, name: str) -> str:
    return instance.command[instance.command.index(name) + 1]


def test_an_st2_client_has_its_ids_its_board_and_its_script(ground: Ground) -> None:
    found = only(ground, client_slot=2, usb_path="1-1.2", atr="3B00", atr_ignore_rspro=True)
    assert found.command == (
        str(ground.programs / "osmo-remsim-client-st2"),  # type: ignore[operator]
        *("-i", "10.0.0.5", "-p", "9998", "-c", "5", "-n", "2", "-a", "3B00", "-r", "-H", "1-1.2"),
        *("-e", "REMSIM_STATE=/etc/remsim REMSIM_CLIENT_NAME=wan1 /usr/share/remsim/event.sh"),
        *("-L", "-d", "DMAIN,3:DRSPRO,3"),
    )
    assert found.environment == {}


def test_both_ids_are_there_when_they_are_zero(ground: Ground) -> None:
    found = only(ground, client_id=0)
    assert (option(found, "-c"), option(found, "-n")) == ("0", "0")


def test_client_openwrt_never_gets_a_port_nor_a_gpio_that_nobody_named(ground: Ground) -> None:
    environment = only(ground, program="openwrt").environment
    assert environment == {
        "OPENWRT_DUAL_MODEM": "1",
        "MODEM1_DEVICE": "/dev/no-modem-for-osmo-remsim",
        "MODEM1_SIM_GPIO": "-1",
        "MODEM1_RESET_GPIO": "-1",
        "MODEM2_DEVICE": "/dev/no-modem-for-osmo-remsim",
        "MODEM2_SIM_GPIO": "0",
        "MODEM2_RESET_GPIO": "-1",
        "OPENWRT_SIGNAL_INTERVAL": "0",
    }
    assert not Path(environment["MODEM1_DEVICE"]).exists()
    named = only(ground, program="openwrt", sim_switch_gpio=20, reset_gpio=0).environment
    assert (named["MODEM1_SIM_GPIO"], named["MODEM1_RESET_GPIO"]) == ("20", "0")


def test_gpios_are_of_one_program_only() -> None:
    RemoteClientOptions().load({"client_id": "1", "program": "openwrt", "reset_gpio": "4"})
    with pytest.raises(ValidationError, match="client-openwrt only"):
        RemoteClientOptions().load({"client_id": "1", "program": "st2", "reset_gpio": "4"})


@pytest.mark.parametrize("atr", ["3", "3B0", "3B00F", "3x00", "3B", "00" * 56])
def test_an_atr_that_would_end_the_client_is_refused(atr: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RemoteClientOptions().load({"client_id": "1", "atr": atr})
    assert list(caught.value.messages_dict) == ["atr"]


def test_client_openwrt_registers_with_ionmesh_by_the_word_in_its_script(ground: Ground) -> None:
    found = only(replace(ground, ionmesh=MESH), program="openwrt")
    assert "ionmesh" in option(found, "-e")
    told = {name: text for name, text in found.environment.items() if name.startswith("IONMESH_")}
    assert told == {
        "IONMESH_HOST": "10.0.0.9", "IONMESH_PORT": "5000", "IONMESH_TENANT_ID": "3",
        "IONMESH_MAPPING_MODE": "ONE_TO_ONE_SWSIM", "IONMESH_MCC_MNC": "310410",
    }  # fmt: skip


@pytest.mark.parametrize(
    "mesh",
    [
        IonMeshSettings(),
        replace(MESH, enabled=False),
        replace(MESH, url="https://10.0.0.9"),
        replace(MESH, api_key="secret"),
        replace(MESH, url="http://10.0.0.9/behind"),
    ],
)
def test_what_it_cannot_do_by_itself_it_does_not_try(ground: Ground, mesh: IonMeshSettings) -> None:
    given_slot = {"wan1": Assignment(1, 42, server_host="10.0.0.6")}
    found = only(replace(ground, ionmesh=mesh, assignments=given_slot), program="openwrt")
    assert "ionmesh" not in option(found, "-e")
    assert not any(name.startswith("IONMESH") for name in found.environment)
    assert (option(found, "-c"), option(found, "-n"), option(found, "-i")) == ("1", "42", "10.0.0.6")


def test_a_secret_is_nowhere_in_what_is_started(ground: Ground) -> None:
    mesh = replace(MESH, api_key="topsecret")
    for program in PROGRAMS:
        for one in instances_of(client(program=program, relay=True), replace(ground, ionmesh=mesh)):
            assert "topsecret" not in " ".join((*one.command, *one.environment.values()))


names = st.from_regex(r"[A-Za-z0-9_]{1,32}", fullmatch=True) | st.just("ionmesh1")
folders = st.text(st.characters(codec="ascii", exclude_characters="\0\n\r"), max_size=30).map(lambda text: f"/x{text}")


@settings(max_examples=30)
@given(names, folders | st.just("/a ionmesh'ionmesh\"$(id)"))
def test_a_shell_reads_the_script_s_words_as_they_are_and_no_name_switches_ionmesh_on(name: str, folder: str) -> None:
    ground = Ground(Path(folder), Path("/d"), Path("/bin/true"))
    call = option(only(ground, name=name), "-e")
    assert "ionmesh" not in call
    call = call.removesuffix("/bin/true") + """/bin/sh -c 'printf "%s\\n" "$REMSIM_STATE" "$REMSIM_CLIENT_NAME"'"""
    printed = subprocess.run(["/bin/sh", "-c", call], capture_output=True, text=True, check=True).stdout
    assert printed == f"{Path(folder)}\n{name}\n"


def test_a_relay_stands_before_its_client_which_goes_through_it(ground: Ground) -> None:
    given_slot = {"wan1": Assignment(1, 42, server_host="10.0.0.6")}
    relay, own = instances_of(client(relay=True), replace(ground, assignments=given_slot))
    assert (relay.name, relay.client, relay.is_relay) == ("wan1-relay", "wan1", True)
    assert relay.command[relay.command.index("--server") + 1] == "10.0.0.6:9998"
    listens = relay.command[relay.command.index("--listen") + 1]
    assert f"{option(own, '-i')}:{option(own, '-p')}" == listens == "127.64.20.0:9988"
    assert (option(own, "-c"), option(own, "-n")) == ("1", "42")
    assert len(instances_of(client(relay=True, program="openwrt"), ground)) == 1


@pytest.mark.parametrize(
    ("others", "field", "told"),
    [
        ({"client_id": 5}, "client_slot", "client wan1 is C5:0, too"),
        ({"modem": "1-1"}, "modem", "client wan1 has this modem already"),
        ({"usb_path": None}, "usb_path", "no place of its SIMtrace2 board either"),
        ({"usb_path": None, "program": "openwrt"}, None, ""),
        ({"usb_path": None, "program": "openwrt", "client_slot": 1}, None, ""),
    ],
)
def test_two_clients_in_each_others_way(
    ground: Ground, others: dict[str, object], field: str | None, told: str
) -> None:
    second = {"client_id": 6, **others}
    found = refusals([client(modem="1-1"), client("wan2", **second)], ground)  # type: ignore[arg-type]
    assert ("wan2" in found) == (field is not None)
    if field is not None:
        assert found["wan2"].field == field
        assert told in found["wan2"].message


def test_the_same_board_twice_and_one_that_is_off_counts_for_nothing(ground: Ground) -> None:
    both = [client(usb_path="1-1.2"), client("wan2", 6, usb_path="1-1.2")]
    assert refusals(both, ground)["wan2"].field == "usb_path"
    assert refusals([replace(both[0], enabled=False), both[1]], ground) == {}


def test_ionmesh_tells_routers_and_slots_apart_only(ground: Ground) -> None:
    both = [client(program="openwrt"), client("wan2", 6, program="openwrt")]
    assert refusals(both, replace(ground, ionmesh=MESH))["wan2"].field == "client_slot"
    assert refusals([both[0], replace(both[1], client_slot=1)], replace(ground, ionmesh=MESH)) == {}


def test_a_client_that_the_package_s_own_service_runs_is_not_started(ground: Ground) -> None:
    found = refusals([client(), client("wan2", 6, usb_path="1-1")], replace(ground, theirs=(5, 0)))
    assert list(found) == ["wan1"]
    assert "/etc/init.d/remsim" in found["wan1"].message


def test_a_program_that_is_not_installed_or_cannot_be_a_service(ground: Ground, tmp_path: Path) -> None:
    missing = refusals([client()], replace(ground, programs=tmp_path / "empty"))
    assert (missing["wan1"].field, missing["wan1"].message) == ("program", "osmo-remsim-client-st2 is not installed")
    assert refusals([client(program="shell")], ground) == {}
    assert refusals([client(program="shell")], replace(ground, by_procd=True))["wan1"].field == "program"


def test_procd_gets_a_program_whose_name_tells_its_slot(ground: Ground) -> None:
    found = only(ground, client_slot=3, program="openwrt")
    assert link_name(found) == "osmo-remsim-client-openwrt-5.3"
    assert arguments_of(found)[0] == "/var/run/remsim-clients/osmo-remsim-client-openwrt-5.3"
    lines = lines_of([found])
    assert lines[:3] == ["instance wan1", f"program {found.command[0]}", f"link {arguments_of(found)[0]}"]
    assert [line[4:] for line in lines if line.startswith("arg ")] == list(arguments_of(found))
    assert lines[-1] == "end"
    assert all("\n" not in line for line in lines)
