"""The command line's own rules."""

from __future__ import annotations

import argparse

import pytest
from remsim.cli import duration_s, main, parser, simulated_modems
from remsim.serve import login_link


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800)])
def test_durations(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "7w", "d", "1.5d", "9999999d", "7 d", "٣d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        duration_s(text)


@pytest.mark.parametrize("text", ["0", "9", "-1", "²", "", ",", "a,,-1", "A,B,C,D,E,F,G,H,I"])
def test_simulate_takes_one_to_eight(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        simulated_modems(text)


def test_simulate_takes_a_list_of_models_and_a_wrong_one_names_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert simulated_modems("RM520N-GL, EM9190,FM150") == ["RM520N-GL", "EM9190", "FM150"]
    assert main(["serve", "--simulate=ZX81"]) == 1
    told = capsys.readouterr().err
    assert "ZX81" in told and "RM520N-GL" in told


def test_simulate_alone_means_three_modems_with_a_week_behind_them() -> None:
    arguments = parser().parse_args(["serve", "--simulate"])
    assert (arguments.simulate, arguments.backfill) == (3, 7 * 86400)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("remsim ")


def test_a_wrong_call_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--simulate=99"])
    assert ended.value.code == 2
    assert "1 to 8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "host"),
    [("0.0.0.0:80", "localhost:80"), ("[::]:80", "localhost:80"), ("192.0.2.1:81", "192.0.2.1:81")],
)
def test_the_link_leads_somewhere(address: str, host: str) -> None:
    assert login_link(address, "abc") == f"http://{host}/login?ticket=abc"
