"""The engine on an open card, what it costs a router to have it, and the roots it comes with."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from esim_engine import CI, QuickClock, VirtualWay
from remsim.config.esim import EsimSettings
from remsim.core.errors import NoApplication
from remsim.esim.certificate import read_certificate
from remsim.esim.engine import first_eim, opened
from remsim.esim.trust import Trust
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.credentials import make

ROOT = Path(__file__).parents[2]
HEAVY = ("ssl", "_ssl", "urllib.request", "asyncio", "cryptography", "flask", "multiprocessing", "sqlite3")
LIGHT = f"""
import sys
from remsim.web.late_openssl import LateSsl, put_off_openssl
put_off_openssl()
import remsim.config.settings, remsim.core.jobs
before = set(sys.modules)
import remsim.esim.engine
late = isinstance(sys.modules["ssl"], LateSsl)
print(*[one for one in {HEAVY!r} if one in set(sys.modules) - before or one == "ssl" and not late])
"""


def test_nothing_heavy_is_loaded_before_a_server_is_asked() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_a_card_is_let_go_whatever_happens() -> None:
    card = VirtualEuicc(make(CI))
    with pytest.raises(ZeroDivisionError), opened_on(card) as engine:
        assert engine.way == "a virtual card" and engine.euicc.eid() == card.eid
        assert card.open_channels == [1]
        raise ZeroDivisionError
    assert card.open_channels == []


def test_a_card_that_is_no_euicc_is_named() -> None:
    card = VirtualEuicc(make(CI), isdr_aid=bytes.fromhex("A000000087"))
    with pytest.raises(NoApplication), opened_on(card):
        pass


def test_the_settings_name_other_applications() -> None:
    aid = bytes.fromhex("A0000000871234")
    card = VirtualEuicc(make(CI), isdr_aid=aid)
    with opened_on(card, EsimSettings(isdr_aids=(aid.hex(),))) as engine:
        assert engine.euicc.eid() == card.eid


def test_a_card_that_nobody_manages_says_so() -> None:
    for personality in (Personality(), Personality(is_iot=True)):
        with opened_on(VirtualEuicc(make(CI), personality=personality)) as engine:
            assert engine.managed_by() is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("BF5500", None),
        ("BF5502A000", None),
        ("BF5510A00E300C 8003312E32 8105612E636F6D", "a.com"),
        ("BF5509A0073005 8003312E32", "1.2"),
    ],
)
def test_an_eim_is_called_by_its_name_or_its_id(raw: str, expected: str | None) -> None:
    assert first_eim(bytes.fromhex(raw)) == expected


def opened_on(card: VirtualEuicc, settings: EsimSettings | None = None):  # type: ignore[no-untyped-def]
    return opened(
        [VirtualWay(card)],
        settings=settings or EsimSettings(),
        trust=Trust(),
        hosts={},
        clock=QuickClock(),
        imei=None,
    )


# --- script/esim-roots ---


def roots(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "script/esim-roots"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_roots_that_are_committed_are_right() -> None:
    done = roots()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "81370f5125d0b1d408d4c3b232e6d25e795bebfb  GSM Association - RSP2 Root CI1" in done.stdout


def test_new_roots_are_looked_at_before_they_are_taken(tmp_path: Path) -> None:
    good, other = pki.make_ci("An operators' CI"), pki.make_ci("Some Test CI")
    server = pki.make_smdp(good, "smdp.example.com", "2.999.10")
    (tmp_path / "good.pem").write_bytes(b"some words\n" + good.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "test.der").write_bytes(other.der)
    (tmp_path / "server.pem").write_bytes(server.tls.certificate.public_bytes(Encoding.PEM))
    damaged = bytearray(pki.make_ci("Damaged").der)
    damaged[-1] ^= 1
    (tmp_path / "damaged.der").write_bytes(damaged)
    done = roots(str(tmp_path), "--origin", "a test")
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[-1] for line in done.stdout.splitlines() if line.startswith("new")] == [
        f"An operators' CI, until {pki_end(good)}"
    ]
    assert "Some Test CI: it is for tests" in done.stdout
    assert "smdp.example.com: it is no authority" in done.stdout
    assert "Damaged: it did not sign itself" in done.stdout


def pki_end(identity: pki.Identity) -> str:
    """The day on which a certificate ends."""
    return str(datetime.fromtimestamp(read_certificate(identity.der).not_after, UTC).date())


def test_where_roots_come_from_is_to_be_said(tmp_path: Path) -> None:
    (tmp_path / "ci.pem").write_text("nothing")
    done = roots(str(tmp_path / "ci.pem"))
    assert done.returncode == 2 and "--origin" in done.stderr
