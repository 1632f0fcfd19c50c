"""UCI files keep everything we do not touch, and say where they are broken."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from remsim.config.settings import (
    DEFAULT_PROBES,
    Settings,
    WebSettings,
    load_settings,
    save_modem_period,
    settings_of,
    usable_settings,
)
from remsim.config.uci import UciError, UciFile
from remsim.core.errors import InvalidInput, StorageError
from remsim.outbound.target import parse_target

REAL = """# a comment
package remsim_console

config service 'service'
\toption data_dir '/tmp/a b'   # behind
\toption\tperiod_s 5

config modem
\toption usb_path "1-1.2"
\tlist probe_targets 'icmp:1.1.1.1'
\tlist probe_targets dns:9.9.9.9:53
\toption name 'it'\\''s "mine"'
"""


def test_an_untouched_file_is_written_back_as_it_was() -> None:
    assert UciFile.parse(REAL).dumps() == REAL


def test_values_are_read_as_libuci_reads_them() -> None:
    file = UciFile.parse(REAL)
    service = file.section("service")
    assert service is not None
    assert service.get("data_dir") == "/tmp/a b"
    assert service.get("period_s") == "5"
    modem = file.sections("modem")[0]
    assert modem.name is None
    assert modem.get_list("probe_targets") == ["icmp:1.1.1.1", "dns:9.9.9.9:53"]
    assert modem.get("name") == 'it\'s "mine"'


def test_a_change_touches_its_own_lines_only() -> None:
    file = UciFile.parse(REAL)
    service = file.section("service")
    assert service is not None
    service.set("period_s", "2")
    service.set("log_level", "debug")
    expected = REAL.replace("\toption\tperiod_s 5\n", "\toption period_s '2'\n\toption log_level 'debug'\n")
    assert file.dumps() == expected


@pytest.mark.parametrize(
    ("text", "line", "option"),
    [
        ("config a\n\toption x 'open\n", 2, "x"),
        ("config a\n\toption x 'open\n\toption y 'closed'\n", 2, "x"),
        ("config 'a\n\toption x '1'\n", 1, None),
        ("config a\n\toption x one two\n", 2, "x"),
        ("option x 1\n", 1, "x"),
        ("config a\n\noptoin x 1\n", 3, None),
        ("config\n", 1, None),
        ("config a 'b c'\n", 1, None),
        ("config a\n\toption bad-name 1\n", 2, "bad-name"),
    ],
)
def test_a_broken_file_is_told_with_line_and_option(text: str, line: int, option: str | None) -> None:
    with pytest.raises(UciError) as told:
        UciFile.parse(text, "remsim_console")
    assert (told.value.line, told.value.option) == (line, option)
    assert f"remsim_console, line {line}" in told.value.message


values = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)


@given(st.lists(st.tuples(names, st.one_of(values, st.lists(values, min_size=1, max_size=3))), max_size=6))
@example([("a", "'"), ("b", '\\"'), ("c", "two\nlines"), ("d", "#")])
def test_what_is_written_is_read_again(options: list[tuple[str, str | list[str]]]) -> None:
    file = UciFile()
    section = file.add("modem", "one")
    wanted = dict(options)
    for name, value in wanted.items():
        section.set(name, value) if isinstance(value, str) else section.set_list(name, value)
    again = UciFile.parse(file.dumps()).section("one")
    assert again is not None
    for name, value in wanted.items():
        assert again.get_list(name) == ([value] if isinstance(value, str) else value)


@given(st.text(max_size=200))
def test_any_text_is_a_file_that_stays_as_it_is_or_an_error_with_its_place(text: str) -> None:
    try:
        assert UciFile.parse(text).dumps() == text
    except UciError as error:
        assert 1 <= error.line <= text.count("\n") + 1


def test_saving_is_atomic_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "remsim_console"
    path.write_text(REAL)
    path.chmod(0o640)
    save_modem_period(tmp_path, "1-1.2", None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "# behind" in path.read_text()
    assert load_settings(tmp_path).modem_at("1-1.2").period_s is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["remsim_console"]


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "remsim_console").write_bytes(b"config web\n\n\t# caf\xe9\n")
    with pytest.raises(UciError) as told:
        load_settings(tmp_path)
    assert told.value.line == 3


def test_a_disk_that_takes_half_of_it_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "remsim_console"
    path.write_text(REAL)
    file, write = UciFile.load(path), os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) < len(REAL):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[: len(data) // 2])

    monkeypatch.setattr("remsim.config.uci.os.write", full)
    with pytest.raises(StorageError, match="No space left") as told:
        file.save(path)
    assert told.value.hint == "free space or check the disk"
    assert path.read_text() == REAL
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".new")] == []


def test_periods_saved_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    paths = [f"1-{number}" for number in range(1, 13)]
    threads = [Thread(target=save_modem_period, args=(tmp_path, path, 5.0)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settings = load_settings(tmp_path)
    assert [settings.modem_at(path).period_s for path in paths] == [5.0] * 12


def test_without_a_configuration_everything_has_a_default(tmp_path: Path) -> None:
    assert load_settings(None) == load_settings(tmp_path) == Settings()
    assert Settings().modem_at("1-1").period_s == 1.0


def test_a_modem_inherits_what_it_does_not_say() -> None:
    text = "config service\n\toption period_s off\nconfig modem\n\toption usb_path 1-1\n"
    settings = settings_of(UciFile.parse(text))
    assert settings.modem_at("1-1").period_s is None
    assert settings.modem_at("2-2").period_s is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_streams", "many"), ("max_streams", "-1"), ("threads", "2"), ("listen", "nowhere"), ("max_streams", "32")],
)
def test_a_wrong_value_is_told_with_its_uci_path_and_line(option: str, value: str) -> None:
    with pytest.raises(UciError) as told:
        settings_of(UciFile.parse(f"config web\n\toption {option} '{value}'\n"))
    assert f"remsim_console.web.{option}" in told.value.message
    assert told.value.line == 2


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("service", "probe_targets", "icmp:999.1.1.1"),
        ("service", "probe_targets", "icmp:[1:2"),
        ("service", "probe_targets", "icmp:1.1.1.1:7"),
        ("service", "probe_targets", "tcp:1.2.3.4"),
        ("service", "probe_targets", "tcp:1.2.3.4:0"),
        ("service", "probe_targets", "dns:9.9.9.9:99999"),
        ("service", "probe_targets", "icmp:1.1.1.1\n"),
        ("service", "data_dir", "/tmp/x\n\toption state_dir /etc/remsim"),
        ("web", "listen", "0.0.0.0:70000"),
    ],
)
def test_what_could_not_be_used_later_is_refused_here(section: str, option: str, value: str) -> None:
    with pytest.raises(UciError, match=f"{section}.{option}"):
        settings_of(UciFile.parse(f"config {section}\n\toption {option} '{value}'\n"))


@pytest.mark.parametrize("text", [*DEFAULT_PROBES, "tcp:[2001:db8::1]:443", "dns:9.9.9.9", "icmp:2001:db8::1"])
def test_every_target_that_is_accepted_can_be_probed(text: str) -> None:
    settings = settings_of(UciFile.parse(f"config service\n\tlist probe_targets '{text}'\n"))
    assert [parse_target(one).host for one in settings.service.probe_targets]


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("enabled", True), ("off", False), ("disabled", False)])
def test_a_flag_is_written_in_uci_s_words(word: str, meant: bool) -> None:
    text = f"config modem\n\toption usb_path 1-1\n\toption enabled {word}\n"
    assert settings_of(UciFile.parse(text)).modem_at("1-1").enabled is meant


def test_a_wrong_value_costs_that_value_only_and_each_is_told(tmp_path: Path) -> None:
    (tmp_path / "remsim_console").write_text(
        "config service\n\toption period_s 0.1\n\toption log_level debug\n"
        "config web\n\toption listen 192.168.1.1:8090\n\toption threads 8\n\toption max_streams 12\n"
        "config modem\n\toption usb_path 1-1\n\toption period_s off\n\toption enabled perhaps\n"
        "config modem\n\toption usb_path nowhere\n\toption period_s 5\n"
    )
    settings, problems = usable_settings(tmp_path)
    assert settings.service == replace(Settings().service, log_level="debug")
    assert settings.web == WebSettings("192.168.1.1:8090", max_streams=7, threads=8)
    assert settings.modems == (settings.modem_at("1-1"),)
    assert settings.modem_at("1-1").period_s is None
    assert [(one.line, one.option) for one in problems] == [
        (2, "period_s"), (11, "enabled"), (13, "usb_path"), (7, "max_streams"),
    ]  # fmt: skip
    with pytest.raises(UciError):
        load_settings(tmp_path)


def test_a_file_that_cannot_be_parsed_leaves_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "remsim_console").write_text("config web\n\toption listen '192.168.1.1:8090\n")
    settings, problems = usable_settings(tmp_path)
    assert settings == Settings()
    assert [str(one) for one in problems] == ["remsim_console, line 2, option listen: the quote ' is not closed"]


@pytest.mark.parametrize("value", ["0.5", "61", "-1", "1e1", "fast", "²"])
def test_a_period_is_1_to_60_seconds_or_off(value: str) -> None:
    with pytest.raises(UciError, match="period_s"):
        settings_of(UciFile.parse(f"config service\n\toption period_s '{value}'\n"))


def test_a_section_cannot_be_given_a_name_that_breaks_the_file() -> None:
    with pytest.raises(InvalidInput):
        UciFile().add("modem", "a b")
    with pytest.raises(InvalidInput):
        UciFile().add("modem", "a").set("x y", "1")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("reset_gpio", "20\n"), ("reset_gpio", "٢٠"), ("sim_gpio", "../20"), ("power_gpio", "gpiochip:1")),
        *(("interface", "wwan0\n"), ("interface", "../wwan0"), ("network", "wan1\n"), ("network", "wan 1")),
    ],
)
def test_a_lines_or_interfaces_name_is_nothing_more(option: str, value: str) -> None:
    with pytest.raises(UciError, match=option):
        settings_of(UciFile.parse(f"config modem\n\toption usb_path 1-1\n\toption {option} '{value}'\n"))
