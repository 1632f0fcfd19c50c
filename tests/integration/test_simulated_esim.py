"""The servers of profiles beside the virtual modems, in the simulator's own process."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from esim_lpa import ES9, Lpa, Refused, call
from remsim.core.errors import InvalidInput
from remsim.options import EsimSimulation
from remsim.simulator.control import ESIM_FAULTS, ESIM_NAME
from remsim.simulator.euicc import credentials, pki
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.room import CA_NAME
from remsim.simulator.euicc.scene import CERTIFICATES, SMDP_HOST, SMDS_HOST
from remsim.simulator.main import ESIM_VARIABLE
from remsim.simulator.process import SimulatorProcess
from web_support import wait_until

ROOT = Path(__file__).parents[2]
STEP = "authenticateClient"
SERVE = [sys.executable, "-m", "remsim.simulator.euicc", "serve"]
NOBODY = {"transactionId": "00"}
TROUBLE = (OSError, http.client.HTTPException, ValueError, AssertionError, TypeError)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulation"), 1)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def servers(simulator: SimulatorProcess) -> Iterator[Any]:
    """What the helpers want to know of servers, of those in the other process."""
    assert simulator.esim is not None
    ci = pki.read_certificate(simulator.esim.ca_file.read_bytes())
    yield SimpleNamespace(hosts=simulator.esim.hosts, ci=SimpleNamespace(der=pki.der_of(ci)))
    simulator.control.fault(None, "esim_clear")


def asked(servers: Any, host: str = SMDP_HOST) -> None:
    """Ask for something that nobody can answer but with a refusal."""
    with pytest.raises(Refused, match=r"^8.10.1/3.9$"):
        call(servers, host, ES9 + STEP, NOBODY)


def test_the_simulation_says_where_its_servers_are_and_what_there_is_to_scan(simulator: SimulatorProcess) -> None:
    esim = simulator.esim
    assert isinstance(esim, EsimSimulation)
    assert esim.codes[0] == ("Example Mobile, 5 GB for travel", f"LPA:1${SMDP_HOST}$EXAMPLE-MOBILE-5GB")
    assert {code.split("$")[1] for _label, code in esim.codes} <= set(esim.hosts)


def test_its_card_and_its_servers_are_under_one_root(servers: Any) -> None:
    asked(servers)
    asked(servers, SMDS_HOST)
    stranger = Lpa(VirtualEuicc(credentials.make(pki.make_ci())), servers)
    with pytest.raises(Refused, match=r"^8.8.2/3.1$"):
        stranger.authenticate(SMDP_HOST, "ANY")


@pytest.mark.parametrize("host", CERTIFICATES)
def test_hosts_with_bad_certificates_are_there(servers: Any, host: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        call(servers, host, ES9 + STEP, NOBODY)


def test_the_host_that_is_down_refuses_connections(servers: Any) -> None:
    address, port = servers.hosts["down.example.com"].split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)), 2)


@pytest.mark.parametrize("fault", [fault for fault in ESIM_FAULTS if fault not in ("smdp_silent", "smdp_slow")])
def test_every_fault_can_be_done_and_undone(simulator: SimulatorProcess, servers: Any, fault: str) -> None:
    simulator.control.fault(None, fault)
    simulator.control.fault(None, fault, step=STEP)
    simulator.control.fault(None, "esim_clear")
    asked(servers)
    asked(servers, SMDS_HOST)


@pytest.mark.parametrize(
    "fault", ["smdp_lost", "smdp_cut", "smdp_half", "smdp_http_500", "smdp_html", "smdp_wrong_json", "smdp_untrusted"]
)
def test_a_fault_is_seen_and_ends_by_itself(simulator: SimulatorProcess, servers: Any, fault: str) -> None:
    simulator.control.fault(None, fault, seconds=0.3)
    with pytest.raises(TROUBLE):
        call(servers, SMDP_HOST, ES9 + STEP, NOBODY)
    wait_until(lambda: answers(servers))


def test_a_fault_at_a_step_is_at_no_other(simulator: SimulatorProcess, servers: Any) -> None:
    simulator.control.fault(None, "smdp_cut", step="getBoundProfilePackage")
    asked(servers)
    with pytest.raises(TROUBLE):
        call(servers, SMDP_HOST, ES9 + "getBoundProfilePackage", NOBODY)


def answers(servers: Any) -> bool:
    try:
        asked(servers)
    except TROUBLE:
        return False
    return True


@pytest.mark.parametrize(("fault", "step", "field"), [("smdp_none", None, "fault"), ("smdp_cut", "someday", "step")])
def test_what_is_no_fault_says_why(simulator: SimulatorProcess, fault: str, step: str | None, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        simulator.control.fault(None, fault, step=step)
    assert caught.value.field == field


def test_the_documentation_names_every_fault_and_code(simulator: SimulatorProcess) -> None:
    text = (ROOT / "docs" / "esim.md").read_text()
    assert [fault for fault in ESIM_FAULTS if f"`{fault}`" not in text] == []
    assert simulator.esim is not None
    parts = [code.removeprefix("LPA:1$").split("$") for _label, code in simulator.esim.codes]
    assert [one for host, token, *_ in parts for one in (host, token) if f"`{one}`" not in text] == []


def test_modems_alone_can_be_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ESIM_VARIABLE, "0")
    process = SimulatorProcess(tmp_path, 1)
    process.start()
    try:
        assert process.esim is None
        with pytest.raises(InvalidInput, match="no eSIM"):
            process.control.fault(None, "smdp_cut")
    finally:
        process.stop()


def test_without_cryptography_the_simulation_has_no_esim_and_says_so(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from pathlib import Path\n"
        "from remsim.simulator.main import Simulation\n"
        "from remsim.simulator.profiles import profiles_of\n"
        "simulation = Simulation(Path(sys.argv[1]), profiles_of(3, []))\n"
        "print(simulation.esim)\n"
        "simulation.remove()"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, "None\n")
    assert done.stderr == "the simulation has no eSIM: cryptography is not installed (pip install 'remsim[demo]')\n"


def test_nothing_is_left_of_servers_that_ended(tmp_path: Path) -> None:
    process = SimulatorProcess(tmp_path, 1)
    process.start()
    assert (tmp_path / ESIM_NAME).exists() and (tmp_path / CA_NAME).exists()
    process.stop()
    assert not (tmp_path / ESIM_NAME).exists() and not (tmp_path / CA_NAME).exists()


def test_the_servers_alone_are_a_program(tmp_path: Path) -> None:
    command = [*SERVE, "--dir", str(tmp_path), "--host", "rsp.example.org"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            ci = pki.read_certificate(Path(told["ca"]).read_bytes())
            servers = SimpleNamespace(hosts=told["hosts"], ci=SimpleNamespace(der=pki.der_of(ci)))
            card = VirtualEuicc(credentials.from_directory(Path(told["credentials"])))
            host, token = told["codes"][0]["code"].split("$")[1:]
            lpa = Lpa(card, servers)
            lpa.install(token, host=host)
            assert (host, card.profiles[0].name) == ("rsp.example.org", "Travel 5 GB")
            assert told["environment"]["REMSIM_ESIM_HOSTS"].split(",")[0] == f"{host}={told['address']}"
            process.stdin.write("fault smdp_cut\norders\ncalls\nnonsense\n")
            process.stdin.flush()
            done, orders, calls, wrong = (json.loads(process.stdout.readline()) for _ in range(4))
            assert done == {"ok": True} and orders["orders"][0]["state"] == "downloaded"
            assert calls["calls"][-1] == ["getBoundProfilePackage", "success"] and "smdp_cut" in wrong["error"]
            with pytest.raises(TROUBLE):
                lpa.authenticate(host, token)
        finally:
            process.terminate()
            process.wait(60)
    assert process.returncode == 0
    before = (tmp_path / "ci.pem").read_bytes()
    again = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with again:
        assert again.stdout is not None and json.loads(again.stdout.readline())["ready"]
        again.terminate()
    assert (tmp_path / "ci.pem").read_bytes() == before, "the same PKI the next time"


@pytest.mark.parametrize(
    "words",
    [[], ["--dir"], ["--dir", "/dev/null/x"], ["--nonsense"], ["--dir", "d", "--port", "x"]],
)
def test_a_wrong_call_says_how(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*SERVE, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "usage: serve --dir DIR" in done.stderr
