"""Downloads by lpac: by what stands for it here, and by the real one where ``REMSIM_TEST_LPAC`` names it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from remsim.config.esim import EsimSettings
from remsim.core.clock import SystemClock
from remsim.core.errors import Aborted, RemsimError
from remsim.esim import download
from remsim.esim.activation import Activation
from remsim.esim.download import Consent, Installed, Metadata
from remsim.esim.engine import Engine, opened
from remsim.esim.lpac import find_program
from remsim.esim.lpac_run import error_of
from remsim.esim.trust import Trust
from remsim.simulator.euicc import credentials, pki, scene
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.faults import Fault
from remsim.simulator.euicc.servers import Servers
from remsim.simulator.euicc.way import VirtualWay

STAND_IN = Path(__file__).resolve().parents[1] / "lpac_program.py"


class Bench:
    """A card, servers, and an engine that downloads by lpac."""

    def __init__(self, directory: Path, program: str) -> None:
        ci = pki.make_ci()
        self.servers = Servers(ci, scene.orders(scene.codes()))
        self.card = VirtualEuicc(credentials.make(ci))
        self.hosts = self.servers.start()
        self.settings = EsimSettings(engine="lpac", lpac_path=program)
        self.trust = Trust((), ci.certificate.public_bytes(Encoding.PEM).decode())
        self.asked: list[tuple[bool, bool]] = []
        self.steps: list[str] = []

    def engine(self) -> AbstractContextManager[Engine]:
        ways = [VirtualWay(self.card)]
        return opened(ways, settings=self.settings, trust=self.trust, hosts=self.hosts, clock=SystemClock(), imei=None)

    def download(
        self,
        matching_id: str,
        *answers: Consent | None,
        code: str | None = None,
        is_aborted: Callable[[], bool] = lambda: False,
    ) -> Installed:
        left = list(answers)

        def consent(metadata: Metadata, needs_code: bool, wrong_code: bool) -> Consent | None:
            self.asked.append((needs_code, wrong_code))
            return left.pop(0)

        def progress(step: str, fraction: float | None) -> None:
            self.steps.append(step)

        with self.engine() as engine:
            found: Installed = engine.download(
                Activation(scene.SMDP_HOST, matching_id),
                confirmation_code=code,
                consent=consent,
                progress=progress,
                is_aborted=is_aborted,
                nickname="Trip",
            )
            return found


@pytest.fixture(params=["stand-in", "real"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    real = os.environ.get("REMSIM_TEST_LPAC")
    if request.param == "real" and not real:
        pytest.skip("REMSIM_TEST_LPAC names no lpac (Debian 12 has none)")
    program = tmp_path / "lpac"
    program.write_text(f"#!{sys.executable}\nimport runpy\nrunpy.run_path({str(STAND_IN)!r}, run_name='__main__')\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    made = Bench(tmp_path, real if request.param == "real" and real else str(program))
    yield made
    made.servers.stop()


def good() -> str:
    return scene.codes()[0].activation_code.split("$")[2]


def test_a_profile_comes_with_its_name_and_tells_its_steps(bench: Bench) -> None:
    found = bench.download(good(), Consent(True))
    assert found.profile.nickname == "Trip" and found.profile.state == "disabled" and found.notifications
    assert list(dict.fromkeys(bench.steps)) == list(download.STEPS)
    assert bench.asked == [(False, False)]


def test_what_is_there_already_is_not_loaded_again(bench: Bench) -> None:
    bench.download(good(), Consent(True))
    with pytest.raises(RemsimError) as error:
        bench.download(good(), Consent(True))
    assert error.value.code in ("already_installed", "code_unknown")
    assert len(bench.card.profiles) == 1


@pytest.mark.parametrize(("said", "code"), [(Consent(False), "declined"), (None, "consent_timeout")])
def test_without_a_yes_nothing_is_loaded(bench: Bench, said: Consent | None, code: str) -> None:
    with pytest.raises(RemsimError) as error:
        bench.download(good(), said)
    assert error.value.code == code and not bench.card.profiles


def test_a_code_nobody_knows_is_told_in_the_servers_words(bench: Bench) -> None:
    with pytest.raises(RemsimError) as error:
        bench.download("NOTHING-HERE")
    assert error.value.code == "code_unknown" and "8.2.6/3.8" in error.value.message


def test_a_confirmation_code_makes_it_begin_anew(bench: Bench) -> None:
    found = bench.download("EXAMPLE-MOBILE-1234", Consent(True, "0000"), Consent(True, scene.CONFIRMATION_CODE))
    assert found.profile.nickname == "Trip"
    assert bench.asked == [(True, False), (True, True)]


@pytest.mark.parametrize(
    ("kind", "step", "code"),
    [
        ("wrong_challenge", "initiateAuthentication", "wrong_challenge"),
        ("wrong_address", "initiateAuthentication", "address_mismatch"),
        ("wrong_transaction", "authenticateClient", "wrong_transaction"),
        ("wrong_iccid", "getBoundProfilePackage", "metadata_mismatch"),
        ("html", "authenticateClient", "server_reply"),
        ("http_500", "getBoundProfilePackage", "server_fault"),
    ],
)
def test_what_a_server_signs_is_looked_at_here_too(bench: Bench, kind: str, step: str, code: str) -> None:
    bench.servers.faults.add(Fault(kind, step))
    with pytest.raises(RemsimError) as error:
        bench.download(good(), Consent(True))
    assert error.value.code == code and not bench.card.profiles


def test_blocks_are_as_large_as_the_settings_say(bench: Bench) -> None:
    bench.settings = replace(bench.settings, block_size=30)
    sizes: list[int] = []
    transmit = bench.card.transmit

    def seen(apdu: bytes) -> bytes:
        sizes.append(len(apdu) - 5)
        return transmit(apdu)

    bench.card.transmit = seen  # type: ignore[method-assign]
    bench.download(good(), Consent(True))
    assert max(sizes) == 30


def test_an_abort_ends_it_before_the_load(bench: Bench) -> None:
    with pytest.raises(Aborted):
        bench.download(good(), Consent(True), is_aborted=lambda: bool(bench.steps))
    assert not bench.card.profiles


def test_a_program_that_is_not_there_or_says_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RemsimError) as missing:
        find_program(str(tmp_path / "nothing"))
    assert missing.value.code == "lpac_missing"
    mute = Bench(tmp_path, "/bin/true")
    with pytest.raises(RemsimError) as failed:
        mute.download(good(), Consent(True))
    mute.servers.stop()
    assert failed.value.code == "lpac_failed"


def test_the_cards_reason_is_read_from_lpacs_words() -> None:
    words = "load_profile_elements,install_failed_due_to_insufficient_memory_for_profile"
    assert error_of("es10b_load_bound_profile_package", words).code == "no_memory"
    assert error_of("es10b_load_bound_profile_package", "x,unheard_of").code == "load_failed"
    assert error_of("euicc_init", None).code == "lpac_failed"


def test_a_program_that_talks_nonsense_without_end_is_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "lpac"
    program.write_text(f"#!{sys.executable}\nwhile True: print('nonsense')\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    made = Bench(tmp_path, str(program))
    try:
        with pytest.raises(RemsimError, match="no JSON") as failed:
            made.download("EXAMPLE-MOBILE-5GB", Consent(True))
    finally:
        made.servers.stop()
    assert failed.value.code == "lpac_failed" and len(caplog.messages) < 20
