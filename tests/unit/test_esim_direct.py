"""``remsim esim direct``: the LPA on a card without any service, here a virtual one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from remsim.cli import main
from remsim.simulator.euicc import pki, scene
from remsim.simulator.euicc.servers import Servers


@pytest.fixture
def card(tmp_path: Path) -> list[str]:
    """The words that name a card; it is made with the first of them."""
    words = ["esim", "direct", "--virtual", str(tmp_path / "card"), "--card-state", str(tmp_path / "state")]
    assert main([*words, "list"]) == 0
    return words


def test_a_profile_comes_is_used_and_goes(card: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ci = pki.load_identity(tmp_path / "card" / "ci.pem", tmp_path / "card" / "ci_key.pem")
    servers = Servers(ci, scene.orders(scene.codes()))
    hosts = [f"--host={name}={place}" for name, place in servers.start().items()]
    words = [*card, *hosts, "--ca", str(tmp_path / "card" / "ci.pem")]
    try:
        assert main([*words, "download", scene.codes()[0].activation_code, "--yes", "--nickname", "Trip"]) == 0
        out, steps = capsys.readouterr()
        assert "loading the profile: 100 %" in steps and "Found: " in steps
        iccid = json.loads(out[out.index("{") :])["iccid"]
        for verb in (["enable", "trip"], ["rename", iccid, "Tour"], ["disable", "TOUR"], ["delete", iccid], ["tell"]):
            assert main([*words, *verb]) == 0, verb
        capsys.readouterr()
        assert main([*words, "list"]) == 0 and main([*words, "notifications"]) == 0
        assert capsys.readouterr().out.split() == ["[]", "[]"]
    finally:
        servers.stop()


def test_what_a_card_tells_of_itself(card: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([*card, "info"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["eid"]) == 32 and told["free_bytes"] > 0 and told["way"] == "a virtual card"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["enable", "nothing"], "there is no one profile"),
        (["--block-size", "5", "list"], "6 to 255"),
        (["--host", "smdp.example.com", "list"], "is not like host=127.0.0.1:8443"),
        (["download", "LPA:1$$", "--yes"], "address"),
    ],
)
def test_what_is_wrong_is_told(
    card: list[str], words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*card, *words]) == 1
    assert told in capsys.readouterr().err


def test_a_virtual_card_needs_cryptography(
    card: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [one for one in sys.modules if one.startswith("remsim.simulator.euicc")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert main([*card, "list"]) == 1
    assert "needs the package cryptography" in capsys.readouterr().err
