"""The configuration is changed whole, checked before, kept in versions, and what nobody touched stays byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from remsim.config.desk import Changed, ConfigDesk
from remsim.config.differences import Change
from remsim.config.document import document_of
from remsim.config.settings import SECTIONS, Settings, load_settings, save_modem_period, settings_of
from remsim.config.uci import UciFile
from remsim.config.versions import KEPT
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError

FILE = """# my router
config service 'service'
\toption period_s '2' # not too often
\toption colour 'green'

config web 'web'
\toption listen 127.0.0.1:8090

# the one on the roof
config modem
\toption usb_path '1-1.2'
\toption name 'roof'

# a plugin's
config plugin 'mine'
\toption key 'abc'

config channel 'mail'
\toption type 'smtp'
\toption host 'mail.example.org'
\toption sender 'router@example.org'
\tlist recipients 'me@example.org'
\toption user 'router'
\toption password 'hunter2'
"""

Make = Callable[..., ConfigDesk]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "remsim_console").write_text(FILE)
    return folder / "remsim_console"


@pytest.fixture
def desk(path: Path) -> ConfigDesk:
    return desk_of(path)


def desk_of(path: Path, **more: Any) -> ConfigDesk:
    running = load_settings(path.parent)
    return ConfigDesk(
        path.parent, path.parent.parent / "state", clock=FakeClock(1_767_225_600.0), running=running, **more
    )


def changes(outcome: Any) -> list[tuple[str, str | None, str | None]]:
    return [(one.path, one.before, one.after) for one in outcome.changes]


def test_a_section_is_given_its_values_and_the_rest_stays_byte_for_byte(desk: ConfigDesk, path: Path) -> None:
    outcome = desk.put_section("service", "service", {"period_s": "5", "log_level": "debug"}, "ann")
    assert changes(outcome) == [("service.period_s", "2", "5"), ("service.log_level", None, "debug")]
    expected = FILE.replace(
        "\toption period_s '2' # not too often\n\toption colour 'green'\n",
        "\toption period_s '5'\n\toption colour 'green'\n\toption log_level 'debug'\n",
    )
    assert path.read_text() == expected
    assert desk.settings.service.period_s == 5


def test_what_is_left_out_has_its_default_again(desk: ConfigDesk, path: Path) -> None:
    desk.put_section("modem", "-0", {"usb_path": "1-1.2", "name": None, "interface": ""}, "ann")
    assert "roof'" not in path.read_text()
    assert "# the one on the roof" in path.read_text()


@pytest.mark.parametrize(
    ("kind", "name", "values", "field"),
    [
        ("service", "service", {"period_s": "0.5"}, "period_s"),
        ("service", "service", {"colour": "red"}, "colour"),
        ("web", "web", {"listen": "nowhere"}, "listen"),
        ("web", "web", {"threads": 4, "max_streams": 9}, "max_streams"),
        ("web", "other", {}, "name"),
        ("modem", "roof", {}, "usb_path"),
        ("modem", "a b", {"usb_path": "1-1"}, "name"),
        ("modem", "mine", {"usb_path": "1-1"}, "name"),
        ("modem", "-7", {"usb_path": "1-1"}, "name"),
        ("service", "service", ["period_s"], "body"),
        ("service", "service", {"probe_targets": "icmp:1.1.1.1\nicmp:8.8.8.8"}, "probe_targets"),
        ("service", "service", {"data_dir": "/tmp\n\toption x '1'"}, "data_dir"),
        ("nothing", "nothing", {}, "type"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field_and_nothing_is_written(
    desk: ConfigDesk, path: Path, kind: str, name: str, values: Any, field: str
) -> None:
    with pytest.raises((InvalidInput, NotFound)) as told:
        desk.put_section(kind, name, values, "ann")
    assert told.value.field == field
    assert path.read_text() == FILE


def test_a_secret_is_not_told_and_stays_until_it_is_emptied(desk: ConfigDesk) -> None:
    view = desk.section("channel", "mail")
    assert view["kept"] == ["password"] and "password" not in view["values"]
    desk.put_section("channel", "mail", {**view["values"], "label": "Mail"}, "ann")
    assert desk.settings.channels[0].password == "hunter2"
    assert "hunter2" not in json.dumps([desk.document(), desk.overview(), desk.versions()])
    assert "hunter2" in json.dumps(desk.document(secrets=True))
    outcome = desk.put_section("channel", "mail", {**view["values"], "user": "", "password": ""}, "ann")
    assert ("channel[mail].password", "set", None) in changes(outcome)


def test_a_changed_secret_is_called_changed(desk: ConfigDesk) -> None:
    outcome = desk.put_section(
        "channel", "mail", {**desk.section("channel", "mail")["values"], "password": "new"}, "ann"
    )
    assert changes(outcome) == [("channel[mail].password", "set", "changed")]
    assert "new" not in desk.versions()[0]["what"][0]


def test_an_export_goes_in_again_without_a_change(desk: ConfigDesk, path: Path) -> None:
    outcome = desk.apply(desk.document(), "ann")
    assert outcome.changes == [] and path.read_text() == FILE


def test_a_document_replaces_its_types_and_nothing_else(desk: ConfigDesk, path: Path) -> None:
    document = {"types": ["modem"], "sections": [{"type": "modem", "values": {"usb_path": "2-1"}}]}
    assert changes(desk.check(document)) == [
        ("modem[2-1]", None, ""),
        ("modem[2-1].usb_path", None, "2-1"),
        ("modem[1-1.2]", "", None),
        ("modem[1-1.2].usb_path", "1-1.2", None),
        ("modem[1-1.2].name", "roof", None),
    ]
    assert path.read_text() == FILE
    desk.apply(document, "ann")
    text = path.read_text()
    assert "# a plugin's\nconfig plugin 'mine'\n\toption key 'abc'\n" in text
    assert [one.usb_path for one in desk.settings.modems] == ["2-1"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "body"),
        ({}, "sections"),
        ({"sections": {}}, "sections"),
        ({"sections": [], "version": 2}, "version"),
        ({"sections": [], "version": True}, "version"),
        ({"sections": [], "format": "other"}, "format"),
        ({"sections": [], "more": 1}, "more"),
        ({"sections": [], "types": ["x"]}, "types"),
        ({"sections": [], "types": [[]]}, "types"),
        ({"sections": [7]}, "sections.0.type"),
        ({"sections": [{"type": ["web"]}]}, "sections.0.type"),
        ({"types": ["web"], "sections": [{"type": "modem"}]}, "sections.0.type"),
        ({"sections": [{"type": "web", "values": []}]}, "sections.0.values"),
        ({"sections": [{"type": "web", "name": 7}]}, "sections.0.name"),
        ({"sections": [{"type": "web"}, {"type": "web"}]}, "sections"),
        ({"sections": [{"type": "web", "values": {"threads": 1}}]}, "sections.0.threads"),
        ({"sections": [{"type": "modem", "values": {"usb_path": {}}}]}, "sections.0.usb_path"),
        ({"sections": [{"type": "alert", "name": "a"}, {"type": "alert", "name": "a"}]}, "sections.1.name"),
    ],
)
def test_a_wrong_document_is_refused_with_its_place(desk: ConfigDesk, path: Path, document: Any, field: str) -> None:
    if document and isinstance(document, dict) and field == "sections.1.name":
        for one in document["sections"]:
            one["values"] = {"measure": "rsrp_dbm", "threshold": -100}
    with pytest.raises(InvalidInput) as told:
        desk.check(document)
    assert told.value.field == field
    assert path.read_text() == FILE


def test_a_full_document_replaces_a_full_file(desk: ConfigDesk, path: Path) -> None:
    most = SECTIONS["channel"].most
    for first in ("a", "b"):
        sections = [{"type": "channel", "name": f"{first}{n}", "values": {"type": "syslog"}} for n in range(most)]
        desk.apply({"types": ["channel"], "sections": sections}, "ann")
        assert [one.name for one in desk.settings.channels] == [one["name"] for one in sections]
    taken = {"type": "alert", "name": "b0", "values": {"threshold": -110}}
    desk.apply({"types": ["alert", "channel"], "sections": [taken]}, "ann")
    assert ([one.name for one in desk.settings.alerts], desk.settings.channels) == (["b0"], ())


def test_ten_thousand_sections_are_refused_at_once(desk: ConfigDesk) -> None:
    rules = [{"type": "alert", "name": f"r{at}", "values": {"threshold": -1}} for at in range(10_000)]
    with pytest.raises(InvalidInput, match="10000 of type alert"):
        desk.check({"sections": rules})


def test_who_changes_what_another_has_changed_is_told(desk: ConfigDesk) -> None:
    etag = desk.overview()["etag"]
    first = desk.put_section("history", "history", {"events_days": 10}, "ann", etag=etag)
    with pytest.raises(Changed) as told:
        desk.put_section("history", "history", {"events_days": 20}, "ben", etag=etag)
    assert told.value.http_status == 412
    desk.put_section("history", "history", {"events_days": 20}, "ben", etag=f'"{first.etag}"')


def test_versions_say_who_changed_what_and_any_of_the_last_ten_comes_back(desk: ConfigDesk, path: Path) -> None:
    for days in range(1, 14):
        desk.put_section("history", "history", {"events_days": days}, "ann")
    versions = desk.versions()
    assert len(versions) == KEPT
    assert versions[0] == {
        "n": 14, "at": "2026-01-01T00:00:00.000Z", "actor": "ann",
        "what": ["history.events_days: 13 instead of 12"], "is_current": True,
    }  # fmt: skip
    oldest = versions[-1]["n"]
    assert changes_of(desk.version(oldest)) == [("history.events_days", "13", "4")]
    desk.rollback(oldest, "ben")
    assert desk.settings.history.events_days == 4
    assert desk.versions()[0]["what"] == [f"rolled back to version {oldest}"]
    with pytest.raises(NotFound):
        desk.rollback(1, "ben")
    folder = path.parent.parent / "state" / "config-versions"
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}


def changes_of(answer: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(one["path"], one["before"], one["after"]) for one in answer["changes"]]


def test_a_change_from_outside_becomes_a_version_too(desk: ConfigDesk, path: Path) -> None:
    desk.put_section("history", "history", {"events_days": 10}, "ann")
    path.write_text(path.read_text().replace("'10'", "'11'"))
    desk.put_section("history", "history", {"events_days": 12}, "ann")
    assert [(one["actor"], one["what"][-1]) for one in desk.versions()] == [
        ("ann", "history.events_days: 12 instead of 11"),
        ("LuCI, or by hand", "history.events_days: 11 instead of 10"),
        ("ann", "history.events_days: 10"),
        ("", "as it was found"),
    ]


def test_a_file_that_cannot_be_read_is_told_and_rolled_back(desk: ConfigDesk, path: Path) -> None:
    desk.put_section("history", "history", {"events_days": 10}, "ann")
    for broken in ("config web\n\toption listen 'x\n", "config web\n\toption x '\udce9'\n"):
        path.write_bytes(broken.encode("utf-8", "surrogateescape"))
        for attempt in (desk.overview, desk.document, lambda: desk.put_section("web", "web", {}, "ann")):
            with pytest.raises(Conflict) as told:
                attempt()
            assert told.value.code == "config_broken"
        assert len(desk.versions()) >= 2
        desk.rollback(2, "ann")
        assert load_settings(path.parent).history.events_days == 10


def test_a_wrong_value_that_was_there_before_does_not_hinder_another_change(path: Path) -> None:
    path.write_text(FILE.replace("127.0.0.1:8090", "nowhere"))
    desk = ConfigDesk(path.parent, path.parent, clock=FakeClock(0), running=Settings())
    assert desk.section("web", "web")["wrong"] == {"listen": "is not HOST:PORT"}
    desk.put_section("history", "history", {"events_days": 10}, "ann")
    assert desk.overview()["problems"]


def test_beside_unsaved_changes_of_luci_nothing_is_written(path: Path, tmp_path: Path) -> None:
    desk = desk_of(path, staged_root=tmp_path)
    staged = tmp_path / "var/run/rpcd/uci-0123" / "remsim_console"
    staged.parent.mkdir(parents=True)
    staged.write_text("remsim_console.web.threads='16'\n")
    with pytest.raises(Conflict) as told:
        desk.put_section("history", "history", {"events_days": 10}, "ann")
    assert told.value.code == "staged" and path.read_text() == FILE
    staged.write_text("")
    desk.put_section("history", "history", {"events_days": 10}, "ann")


def test_what_needs_a_restart_is_named_until_it_has_been(desk: ConfigDesk, path: Path) -> None:
    outcome = desk.put_section("web", "web", {"listen": "0.0.0.0:8090", "threads": 40}, "ann")
    assert outcome.restart_needed == ["web.listen", "web.threads"]
    assert [one["path"] for one in outcome.warnings] == ["web.listen"]
    modem = desk.put_section("modem", "-0", {"usb_path": "1-1.2", "name": "cellar", "period_s": "5"}, "ann")
    assert modem.restart_needed == ["web.listen", "web.threads", "modem[1-1.2].name"]
    assert modem.as_dict()["needs_init"] == ["web.listen", "web.threads"]
    assert (
        desk.put_section("quality", "quality", {"rsrp_dbm": "-110 -100 -90"}, "ann").restart_needed
        == modem.restart_needed
    )
    assert desk_of(path).overview()["restart_needed"] == []


def test_listeners_hear_of_a_change_and_not_of_none(desk: ConfigDesk) -> None:
    heard: list[Any] = []
    desk.subscribe(lambda settings: heard.append(settings.service.period_s))
    desk.put_section("service", "service", {"period_s": "off"}, "ann")
    desk.put_section("service", "service", {"period_s": "off"}, "ann")
    assert heard == [None]


def test_of_a_type_there_is_one_of_the_last_section_is_written_and_earlier_ones_do_not_count(path: Path) -> None:
    path.write_text("config web\n\toption threads 8\n\toption max_streams 2\nconfig web 'web'\n\toption threads 16\n")
    desk = desk_of(path)
    assert desk.section("web", "web")["values"] == {"threads": 16, "max_streams": 2}
    desk.put_section("web", "web", {"threads": 40}, "ann")
    assert path.read_text() == "config web\nconfig web 'web'\n\toption threads '40'\n"


def test_a_full_disk_leaves_the_old_file_and_says_so(
    desk: ConfigDesk, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("remsim.core.files.os.write", full)
    with pytest.raises(RemsimError, match="No space left"):
        desk.put_section("history", "history", {"events_days": 10}, "ann")
    assert path.read_text() == FILE


def test_changes_of_several_processes_at_the_same_time_are_all_kept(path: Path) -> None:
    desks = [desk_of(path) for _ in range(3)]
    trouble: list[RemsimError] = []

    def change(number: int) -> None:
        try:
            for at in range(3):
                desks[number % 3].put_section(
                    "modem", f"m{number}_{at}", {"usb_path": f"2-{number + 1}.{at + 1}"}, "ann"
                )
                save_modem_period(path.parent, f"3-{number + 1}.{at + 1}", 5.0)
                desks[number % 3].versions()
        except RemsimError as error:
            trouble.append(error)

    threads = [Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert len(load_settings(path.parent).modems) == 1 + 4 * 3 * 2
    assert len(desks[0].versions()) == KEPT


def test_a_damaged_version_is_left_out(desk: ConfigDesk, path: Path) -> None:
    desk.put_section("history", "history", {"events_days": 10}, "ann")
    folder = path.parent.parent / "state" / "config-versions"
    (folder / "1.json").write_text('{"at": "x"')
    (folder / "7.json").write_text("[]")
    (folder / "x.json").write_text("{}")
    assert [one["n"] for one in desk.versions()] == [2]


def test_a_guard_hears_of_the_settings_before_and_after_and_may_refuse(desk: ConfigDesk, path: Path) -> None:
    def guard(before: Settings, after: Settings) -> None:
        assert (before.history.events_days, after.history.events_days) == (400, 10)
        raise Conflict("no")

    with pytest.raises(Conflict, match="no"):
        desk.put_section("history", "history", {"events_days": 10}, "ann", guard=guard)
    assert path.read_text() == FILE


def test_comments_before_a_section_stay_when_the_one_above_goes() -> None:
    file = UciFile.parse("config a\n\toption x 1\n\t# of x\n\n# of b\nconfig b\n\toption y 1\n")
    file.remove(file.sections("a")[0])
    assert file.dumps() == "\n# of b\nconfig b\n\toption y 1\n"


def test_a_new_option_stands_before_the_comment_of_the_next_section() -> None:
    file = UciFile.parse("config a\n\toption x 1\n\n# of b\nconfig b\n")
    file.sections("a")[0].set("z", "2")
    assert file.dumps() == "config a\n\toption x 1\n\toption z '2'\n\n# of b\nconfig b\n"


names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
places = st.integers(1, 4).map(lambda n: f"1-{n}")
texts = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=12)
modems = st.fixed_dictionaries({"usb_path": places}, optional={"name": texts, "enabled": st.booleans()})
histories = st.fixed_dictionaries({}, optional={"events_days": st.integers(1, 3650), "events_mb": st.integers(1, 1024)})
steps = st.one_of(
    st.tuples(st.just("put"), st.just("modem"), names | st.just("-0") | st.just("-1"), modems),
    st.tuples(st.just("put"), st.just("history"), st.just("history"), histories),
    st.tuples(st.just("delete"), st.sampled_from(["modem", "history", "web"]), names | st.just("-0")),
    st.tuples(st.just("apply"), st.lists(modems, max_size=3, unique_by=lambda one: one["usb_path"])),
    st.tuples(st.just("rollback"), st.integers(1, 4)),
)


@budget(max_examples=40)
@given(st.lists(steps, max_size=6))
def test_after_any_changes_the_file_says_what_the_settings_are_and_the_untouched_is_as_it_was(
    tmp_path_factory, done
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "remsim_console"
    path.write_text(FILE)
    desk = ConfigDesk(folder, folder / "state", clock=FakeClock(0), running=settings_of(UciFile.parse(FILE)))
    for step in done:
        try:
            match step:
                case ("put", kind, name, values):
                    desk.put_section(kind, name, values, "any")
                    assert desk.section(kind, name)["values"] == values
                case ("delete", kind, name):
                    desk.delete_section(kind, name, "any")
                case ("apply", sections):
                    given_ = [{"type": "modem", "values": values} for values in sections]
                    desk.apply({"types": ["modem"], "sections": given_}, "any")
                    found = [one["values"] for one in desk.document(["modem"])["sections"]]
                    assert {one["usb_path"]: one for one in found} == {one["usb_path"]: one for one in sections}
                case ("rollback", number):
                    desk.rollback(number, "any")
        except (InvalidInput, NotFound):
            continue
        text = path.read_text()
        assert settings_of(UciFile.parse(text)) == desk.settings
        assert UciFile.parse(text).dumps() == text
        for kept in (
            "# my router\nconfig service 'service'\n\toption period_s '2' # not too often\n",
            "# a plugin's\nconfig plugin",
        ):
            assert kept in text
        assert FILE[FILE.index("config channel") :] in text


def test_a_change_reads_as_a_sentence() -> None:
    assert str(Change("web.threads", None, "8")) == "web.threads: 8"
    assert str(Change("web.threads", "8", None)) == "web.threads: no longer 8"
    assert str(Change("modem[1-1]", None, "")) == "modem[1-1]: added"
    assert str(Change("modem[1-1]", "", None)) == "modem[1-1]: removed"


def test_every_setting_has_words_for_its_form() -> None:
    for row in SECTIONS.values():
        for name, field in row.schema().fields.items():
            assert field.metadata.get("label"), f"{row.name}.{name}"


def test_a_document_of_defaults_is_empty() -> None:
    sections = document_of(UciFile(), SECTIONS, ConfigDesk.format_name, ["service", "modem"])["sections"]
    assert sections == [{"type": "service", "name": "service", "values": {}}]
