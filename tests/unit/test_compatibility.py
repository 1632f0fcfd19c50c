"""The documents about modems say what the fixtures, the drivers and the simulator have."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import evidence
import poll_rounds
import pytest
from compatibility import DOCUMENT, TABLES, markdown, written
from evidence import MODULES, Module, Topic, has, is_capture, is_of, platform_of, proof
from remsim.modems import ports, wwan
from remsim.modems.decode.text import command_prefixes
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.record import is_read
from remsim.simulator.models import ROWS as MODELS
from replies import judge

ROOT = DOCUMENT.parents[1]
ADDING = DOCUMENT.with_name("adding-a-module.md")
PACKAGE = ROOT / "backend" / "remsim"
FOLDERS = {"ports": PACKAGE / "modems", "drivers": PACKAGE / "modems", "simulator": PACKAGE, "tests": ROOT}
NAMES = [module.name for module in MODULES]


def blocks(document: Path) -> list[tuple[str, str]]:
    """(information behind the fence, content) of each block of code."""
    return re.findall(r"^```(\w+(?: [\w/]+)?)\n(.*?)\n```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


# --- the tables ---


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_of_a_table_says_what_the_data_say(name: str) -> None:
    told, known = written(DOCUMENT.read_text("utf-8"), name), TABLES[name]()
    assert [row[0] for row in told] == [row[0] for row in known], "run python tests/compatibility.py --write"
    wrong = [
        f"{row[0]}, {title}: the document says {cell}, the data say {wanted}"
        for row, wanted_row in zip(told, known, strict=True)
        for title, cell, wanted in zip(known[0], row, wanted_row, strict=True)
        if cell != wanted
    ]
    assert wrong == [], "run python tests/compatibility.py --write"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_as_it_is_written(name: str) -> None:
    rows = TABLES[name]()
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any("|" in cell for row in rows for cell in row)
    assert written(f"before\n<!-- {name} -->\n\n{markdown(rows)}\n\n<!-- end -->\nafter", name) == rows


def test_a_cell_that_lags_behind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "REPLIES", [row for row in evidence.REPLIES if "FM350" not in row["module"]])
    with pytest.raises(AssertionError, match="FM350-GL, signal: the document says capture, the data say vendor"):
        test_every_cell_of_a_table_says_what_the_data_say("readings")


def test_every_module_of_the_tables_is_found_and_has_a_virtual_kin() -> None:
    for module in MODULES:
        assert module.vendor == "generic" or any(row.module == module.row for row in ports.ROWS), module.name
        assert module.kin.vendor == module.vendor


def test_every_virtual_modem_has_a_row() -> None:
    assert [model.name for model in MODELS if not any(one.kin is model or one.model is model for one in MODULES)] == [
        "FM160-MBIM"  # FM160 again, in the composition without an AT port
    ]


def test_a_virtual_modem_is_called_proven_when_there_is_a_reply_of_its_module() -> None:
    tables = zip(MODULES, TABLES["readings"]()[1:], TABLES["controls"]()[1:], strict=True)
    for module, told, set_ in tables:
        if module.model is not None and module.vendor != "thales":  # of which no whole session was captured
            is_proven = "capture" in (*told[1:-1], *set_[1:-1])
            assert (module.model.proven == "capture") == is_proven, module.name


def test_every_id_that_is_known_stands_in_the_document() -> None:
    text = DOCUMENT.read_text("utf-8")
    named = [row for row in (*ports.ROWS, *wwan.ROWS) if f"`{row.usb_id}`" not in text and row.module not in text]
    assert named == []


# --- what counts as proven ---


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("EM7455", "EM7455"), ("EM7455B (Dell DW5811e)", "EM7455"), ("RM520N-GL RM520NGLAAR03A01M4G", "RM520N-GL"),
        ("EC25-AF", "EC25"), ("EM7455/MC7455", None), ("MC7455 class", None), ("EP06/EG06 (2c7c:0306)", None),
        ("L850-GL/L860-GL", None), ("EM919x (Digi, lab cell)", None), ("RM5xxQ (vendor document)", None), ("", None),
    ],
)  # fmt: skip
def test_a_reply_is_of_a_module_only_when_its_name_is_certain(name: str, module: str | None) -> None:
    assert [one.name for one in MODULES if is_of(one, name)] == ([module] if module else [])


@pytest.mark.parametrize(
    ("vendor", "name", "chip", "platform"),
    [
        ("quectel", "RG500Q", None, "nr"), ("quectel", "RG801H", "hisilicon", "hisilicon"),
        ("quectel", "EC20", None, "lte"),
        ("quectel", "Quectel 5G module (EN-DC)", None, None), ("sierra", "Sierra (any)", None, None),
        ("sierra", "EM9191", "SDX55", "SDX"), ("sierra", "EM7411", None, "MDM9x50"), ("thales", "MV31-W", None, "MV"),
        ("thales", "TC65", None, "classic"), ("fibocom", "", "mediatek", "mediatek"), ("fibocom", "", None, None),
    ],
)  # fmt: skip
def test_platforms_are_those_the_drivers_tell_apart(
    vendor: str, name: str, chip: str | None, platform: str | None
) -> None:
    assert platform_of(vendor, name, chip) == platform


def reply(module: str, *, vendor: str = "sierra", kind: str | None = None, command: str = "AT!GSTATUS?") -> dict:
    return {"vendor": vendor, "module": module, "kind": kind, "command": command, "expected": {"rsrp_dbm": -97}}


@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("capture", [reply("MC7455", kind="capture"), reply("EM7565")]),
        ("family", [reply("EM7430"), reply("EM7565")]),
        ("vendor", [reply("EM7565"), reply("EM9191")]),
        ("vendor", [reply("Sierra (any)")]),
        ("document", [reply("MC7455", kind="unit_test_fixture"), reply("MC7455", kind="vendor_doc_example")]),
        ("document", [reply("MC7455", command="AT!PCTEMP?"), reply("FM350-GL", vendor="fibocom", command="AT+CESQ")]),
        ("document", []),
    ],
)
def test_the_nearest_reply_counts(monkeypatch: pytest.MonkeyPatch, word: str, rows: list[dict]) -> None:
    monkeypatch.setattr(evidence, "REPLIES", rows)
    signal = Topic("signal", has("rsrp_dbm"), frozenset({"!GSTATUS"}))
    assert proof(Module("sierra", "MC7455", "MC7455", "MC7455"), signal) == word


def test_what_no_command_can_tell_is_a_dash() -> None:
    limits = next(topic for topic in evidence.READINGS if topic.title == "limits")
    assert proof(next(one for one in MODULES if one.name == "RM520N-GL"), limits) == "–"


def test_lte_modules_have_no_5g() -> None:
    head, *rows = TABLES["readings"]()
    for module, row in zip(MODULES, rows, strict=True):
        cells = dict(zip(head, row, strict=True))
        assert (cells["SA"] != "–") == (cells["EN-DC"] != "–") == ("NR" in module.kin.modes), module.name


def test_what_is_called_a_capture_is_decoded_right() -> None:
    rows = [row for row in evidence.REPLIES if is_capture(row) and "id" in row]
    assert [what for row in rows for verdict, what in judge(row) if verdict != "right"] == []


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others, as an IMEI's and an ICCID's are."""
    doubled = (divmod(2 * int(digit), 10) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(tens + ones for tens, ones in doubled)) % 10 == 0


def test_no_reply_names_a_device_or_a_card() -> None:
    texts = [row["reply"] for row in evidence.REPLIES] + [row["output"] for row in evidence.OUTPUTS]
    numbers = re.findall(r"(?<![0-9A-F])(?:[1-9]\d{14}|89\d{17,18})(?![0-9A-F])", "\n".join(texts))
    assert len(numbers) > 5
    assert [number for number in numbers if luhn(number) and not number.endswith("0000")] == []
    assert luhn("490154203237518") and not luhn("490154203237519")


FORMATS = ("AT+CREG=2", "AT+CGREG=2", "AT+COPS=3,", "AT+QCAINFO=", "AT+XCCINFO=1")
READS = ("AT+CGPADDR=", "AT+CGCONTRDP=", "AT*CNTI=0", "AT+XMCI=", "AT+GTSENRDTEMP=", "AT+MTSM=1")


def test_of_commands_that_change_something_only_those_named_have_captures() -> None:
    """The document says so."""
    chains = [row["command"].split(";") for row in evidence.REPLIES if is_capture(row) and "=" in row["command"]]
    commands = [re.sub("^(?:AT|\\s)*", "AT", part) for chain in chains for part in chain]
    changing = {
        command_prefixes(command)[0]
        for command in commands
        if "=" in command and not is_read(command) and not command.startswith((*FORMATS, *READS))
    }
    assert changing == {"+GTDUALSIM", "+CUSD"}
    assert "FM350's slot switch and of USSD codes only" in DOCUMENT.read_text("utf-8")


# --- rounds ---


@pytest.fixture(params=[module.driver for module in MODULES], ids=NAMES)
def driver(request: pytest.FixtureRequest) -> Driver:
    return request.param


def test_a_steady_round_is_two_or_three_exchanges_at_most(driver: Driver) -> None:
    counts = poll_rounds.steady_round_trips(driver)
    assert len(counts) == 60 * poll_rounds.MINUTES
    assert max(counts) <= len(driver.fast_commands) + 1 <= 3
    in_turn = len(driver.slow_commands) * 60 / driver.slow_every_s
    assert poll_rounds.a_minute(driver) == 60 * len(driver.fast_commands) + in_turn


def test_every_polled_command_has_a_reason_and_no_reason_is_left_over() -> None:
    drivers = [driver_for(row.vendor, row.module, row.platform) for row in ports.ROWS]
    drivers += [module.driver for module in MODULES]
    assert {name for driver in drivers for name in poll_rounds.asked_names(driver)} == set(poll_rounds.WHY)


# --- what a reader can try ---


def test_the_examples_of_adding_a_module_are_what_the_tree_has() -> None:
    seen = []
    for info, content in blocks(ADDING):
        language, _, place = info.partition(" ")
        if language != "python":
            continue
        folder = FOLDERS[place.split("/")[0]]
        source = (folder / f"{place}.py").read_text("utf-8")
        assert content in source, place
        seen.append(place)
    assert seen == ["ports", "drivers/quectel", "simulator/models", "tests/evidence"]


def test_the_row_of_the_example_is_found_and_read() -> None:
    row = next(row for row in ports.ROWS if row.module == "EP06")
    assert ports.BY_ID[row.usb_id] is row
    assert driver_for(row.vendor, row.module, row.platform).slot_switch is not None


def test_the_fixture_of_the_example_is_in_the_file_and_means_what_it_says() -> None:
    lines = (ROOT / "tests" / "fixtures" / "at" / "captures.jsonl").read_text("utf-8").splitlines()
    examples = [json.loads(content) for info, content in blocks(ADDING) if info == "json captures"]
    assert len(examples) == 1
    assert examples[0] in [json.loads(line) for line in lines]
    assert {verdict for verdict, _ in judge(examples[0])} == {"right"}


@pytest.mark.parametrize("document", [DOCUMENT, ADDING], ids=lambda document: document.name)
def test_a_line_for_the_decoder_answers_what_the_document_says(document: Path) -> None:
    content = [text for _, text in blocks(document)]
    at = next(at for at, text in enumerate(content) if text.endswith("| remsim at decode"))
    python = shlex.quote(sys.executable)
    command = content[at].replace("| remsim", f"| {python} -m remsim")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == content[at + 1] + "\n"


def test_adding_a_module_is_short() -> None:
    assert len(ADDING.read_text("utf-8").splitlines()) <= 150
