"""``/etc/config/remsim``, the file of the client's own package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.config.remote_sim import IonMeshOptions, RemoteClientOptions
from remsim.config.uci import UciFile
from remsim.core.errors import Conflict, InvalidInput
from remsim.remotesim.client_file import (
    DEAD,
    ClientFile,
    client_of_file,
    end_service,
    service_slot,
    taken_over,
)
from remsim.web.app import create_app
from web_support import SmallRouter, client_of, small_app

# As osmo-remsim-client 0.4.1 (GPL-2.0-or-later) installs it.
SHIPPED = {
    "service.enabled": "0", "client.client_id": "", "client.client_slot": "0", "server.host": "remsim.example.com",
    "server.port": "9998", "server.atr": "", "server.atr_ignore_rspro": "0", "modems.dual_modem": "0",
    "modems.device": "/dev/ttyUSB2", "modems.sim_switch_gpio": "20", "modems.reset_gpio": "21",
    "modem1.device": "/dev/ttyUSB2", "modem1.sim_switch_gpio": "20", "modem1.reset_gpio": "21",
    "modem2.device": "/dev/ttyUSB5", "modem2.sim_switch_gpio": "22", "modem2.reset_gpio": "23",
    "ionmesh.enabled": "0", "ionmesh.host": "ionmesh.example.com", "ionmesh.port": "5000", "ionmesh.tenant_id": "1",
    "ionmesh.mapping_mode": "KI_PROXY_SWSIM", "ionmesh.mcc_mnc": "", "logging.debug": "0",
    "logging.log_categories": "DMAIN:DPCU", "logging.syslog": "1", "routing.force_iot_routing": "1",
    "routing.iot_interface": "wwan1", "advanced.event_script": "/etc/remsim/event-script.sh",
    "advanced.keep_running": "1", "heartbeat.interval": "60", "heartbeat.timeout": "10", "security.use_tls": "0",
    "security.ca_cert": "/etc/ssl/certs/ca-certificates.crt", "security.client_cert": "", "security.client_key": "",
}  # fmt: skip
GOOD = {**SHIPPED, "client.client_id": "5", "client.client_slot": "1", "server.host": "10.0.0.5"}


def uci(values: dict[str, str]) -> str:
    """The file's text."""
    sections: dict[str, list[str]] = {}
    for name, value in values.items():
        section, _, option = name.partition(".")
        quoted = value.replace("'", "'\\''")
        sections.setdefault(section, []).append(f"\toption {option} '{quoted}'\n")
    return "".join(f"\nconfig {name} '{name}'\n{''.join(lines)}" for name, lines in sections.items())


def file_of(values: dict[str, str], service: Path | None = None) -> ClientFile:
    return ClientFile(UciFile.parse(uci(values), "remsim"), service)


def faults(values: dict[str, str]) -> dict[str, bool]:
    """What is wrong: whether it cannot be used at all, by the option."""
    return {one.option: one.is_fatal for one in file_of(values).faults()}


def test_the_file_as_it_is_installed_names_the_field_that_is_missing() -> None:
    found = faults(SHIPPED)
    assert found.pop("client.client_id") is True
    assert set(found) == {"server.host", "modems.dual_modem", "advanced.event_script"}
    with pytest.raises(InvalidInput) as caught:
        taken_over(file_of(SHIPPED))
    assert caught.value.field == "client.client_id"
    assert "C0:0" in caught.value.message


def test_what_works_is_taken_over_and_what_does_not_is_left() -> None:
    values, ionmesh = taken_over(file_of(GOOD))
    assert values == {
        "client_id": "5", "client_slot": "1", "server_host": "10.0.0.5", "server_port": "9998",
        "atr_ignore_rspro": "0", "program": "openwrt",
    }  # fmt: skip
    assert ionmesh is None
    RemoteClientOptions().load(values)


def test_gpios_count_with_two_modems_only_and_categories_only_if_they_help() -> None:
    dual = {**GOOD, "modems.dual_modem": "1", "modem1.reset_gpio": "7"}
    assert taken_over(file_of(dual))[0].items() >= {"sim_switch_gpio": "20", "reset_gpio": "7"}.items()
    debug = {**GOOD, "logging.debug": "1"}
    assert "log_categories" not in taken_over(file_of(debug))[0]
    assert "logging.log_categories" in faults(debug)
    debug["logging.log_categories"] = "DMAIN,3:DRSPRO,3"
    assert taken_over(file_of(debug))[0]["log_categories"] == "DMAIN,3:DRSPRO,3"
    assert "logging.log_categories" not in faults(debug)


def test_ionmesh_is_taken_over_where_it_is_on() -> None:
    values = {**GOOD, "ionmesh.enabled": "1", "ionmesh.host": "10.0.0.9", "ionmesh.mcc_mnc": "310410"}
    ionmesh = taken_over(file_of(values))[1]
    assert ionmesh == {
        "enabled": True, "url": "http://10.0.0.9:5000", "tenant_id": "1", "mapping_mode": "KI_PROXY_SWSIM",
        "mcc_mnc": "310410",
    }  # fmt: skip
    IonMeshOptions().load(ionmesh)
    assert "ionmesh.enabled" in faults(values), "the switch alone does not switch it on"


@pytest.mark.parametrize(
    ("option", "value", "is_fatal"),
    [
        ("client.client_id", "1024", True),
        ("client.client_slot", "-1", True),
        ("server.port", "0", True),
        ("server.host", "a b", True),
        ("server.atr", "3B0", True),
        ("ionmesh.mapping_mode", "ANY", None),
        ("advanced.event_script", "/etc/remsim/event script.sh", False),
        ("advanced.event_script", "/etc/remsim/x;reboot", False),
        ("advanced.event_script", "/etc/remsim/ionmesh-event-script.sh", False),
        ("server.host", "remsim.example.com", False),
    ],
)
def test_what_is_wrong_is_named(option: str, value: str, is_fatal: bool | None) -> None:
    assert faults({**GOOD, option: value}).get(option) is is_fatal


def test_what_has_no_effect_is_named_with_its_value() -> None:
    found = {one["option"]: one for one in file_of({**SHIPPED, "security.use_tls": "1"}).dead()}
    assert set(found) == {name for name in DEAD if {**SHIPPED, "security.use_tls": "1"}.get(name)}
    assert found["security.use_tls"]["value"] == "1"
    assert "VPN" in found["security.use_tls"]["why"]


def test_the_slot_of_the_package_s_own_service(tmp_path: Path) -> None:
    init = tmp_path / "init"
    (tmp_path / "remsim").write_text(uci({**GOOD, "service.enabled": "1"}))
    assert service_slot(tmp_path, init) is None, "without its init script it does not run"
    init.write_text("")
    assert service_slot(tmp_path, init) == (5, 1)
    (tmp_path / "remsim").write_text(uci({**SHIPPED, "service.enabled": "1"}))
    assert service_slot(tmp_path, init) == (0, 0), "an empty id is 0"
    (tmp_path / "remsim").write_text(uci(GOOD))
    assert service_slot(tmp_path, init) is None
    (tmp_path / "remsim").write_text("config service 'x\n")
    assert service_slot(tmp_path, init) is None
    assert service_slot(None) is None


def test_its_service_is_ended_for_good(tmp_path: Path) -> None:
    init = tmp_path / "init"
    init.write_text(f'#!/bin/sh\necho "$*" >"{tmp_path}/asked"\n')
    init.chmod(0o755)
    text = uci({**GOOD, "service.enabled": "1"})
    (tmp_path / "remsim").write_text(f"# mine\n{text}")
    end_service(tmp_path, init)
    assert (tmp_path / "asked").read_text() == "stop\n"
    assert (tmp_path / "remsim").read_text() == f"# mine\n{text}".replace("enabled '1'", "enabled '0'", 1)
    init.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(Conflict):
        end_service(tmp_path, init)


words = st.dictionaries(st.sampled_from(list(SHIPPED)), st.text(st.characters(exclude_characters="\0"), max_size=20))


@settings(max_examples=60)
@given(words)
def test_no_value_breaks_it_and_what_is_not_fatal_can_be_loaded(values: dict[str, str]) -> None:
    found = file_of({**GOOD, **values})
    assert found.dead() is not None
    if not any(one.is_fatal for one in found.faults()):
        RemoteClientOptions().load(found.client())
        IonMeshOptions().load(found.ionmesh() or {})


def test_the_client_of_the_file_can_be_tried_as_far_as_it_goes(tmp_path: Path) -> None:
    assert client_of_file(tmp_path) is None
    (tmp_path / "remsim").write_text(uci({**SHIPPED, "server.port": "70000"}))
    found = client_of_file(tmp_path)
    assert found is not None
    assert (found.server_host, found.server_port, found.client_id) == ("remsim.example.com", 9998, 0)


@pytest.fixture
def router(tmp_path: Path) -> SmallRouter:
    (tmp_path / "remsim").write_text(uci(GOOD))
    return small_app(tmp_path)[0]


def asked(router: SmallRouter, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    app = create_app(router, static_dir=router.state_dir)  # type: ignore[arg-type]
    answer = client_of(app).open(f"/api/v1/remote-sim/{path}", method=method, json=body)
    return answer.status_code, answer.json


def test_it_is_shown_and_taken_over_by_the_api(router: SmallRouter) -> None:
    status, shown = asked(router, "GET", "client-file")
    assert (status, shown["present"], shown["runs"]) == (200, True, False)
    assert (shown["client_slot"], shown["here"]) == ("5:1", None)
    assert [one["option"] for one in shown["dead"]][:1] == ["modems.device"]
    status, made = asked(router, "POST", "client-file/import", {"modem": "1-1.1"})
    assert (status, made) == (201, {"name": "client1", "service_ended": False})
    (client,) = router.config.settings.remote_clients
    assert (client.name, client.client_id, client.client_slot, client.program) == ("client1", 5, 1, "openwrt")
    assert (client.server_host, client.modem) == ("10.0.0.5", "1-1.1")
    assert asked(router, "GET", "client-file")[1]["here"] == "client1"
    status, refused = asked(router, "POST", "client-file/import", {})
    assert (status, refused["code"]) == (409, "taken_over")


def test_without_the_file_there_is_nothing_to_take_over(router: SmallRouter) -> None:
    (router.config_dir / "remsim").unlink()
    assert asked(router, "GET", "client-file") == (200, {"present": False})
    assert asked(router, "POST", "client-file/import", {})[0] == 409
    (router.config_dir / "remsim").write_text(uci(SHIPPED))
    status, refused = asked(router, "POST", "client-file/import", {})
    assert (status, refused["field"]) == (422, "client.client_id")
    assert router.config.settings.remote_clients == ()
