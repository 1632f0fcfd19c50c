"""How layouts of the dashboard are checked, kept and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import InvalidInput
from remsim.web.layout_files import MOST_LAYOUTS, LayoutFiles, loaded
from remsim.web.layout_schema import LONGEST_NOTE, WIDGETS
from web_support import client_of, small_app

NOTE = {"id": "n1", "type": "notes", "x": 0, "y": 0, "w": 6, "h": 4, "settings": {"text": "<b>first</b>\nsecond"}}


def layout(*widgets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 1, "title": "T", "pages": [{"title": "", "widgets": list(widgets)}]} | more


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return client_of(small_app(tmp_path)[1])


def test_without_a_saved_layout_the_pages_own_is_meant(client) -> None:
    assert client.get("/api/v1/layouts/mine").json == {"name": "built-in", "layout": None}
    assert client.get("/api/v1/layouts").json == {"mine": False, "layouts": []}
    assert client.get("/api/v1/layouts/hall").status_code == 404


def test_own_goes_before_default_and_deleting_leads_back(client) -> None:
    assert client.put("/api/v1/layouts/default", json=layout(title="all")).status_code == 200
    assert client.get("/api/v1/layouts/mine").json["name"] == "default"
    saved = client.put("/api/v1/layouts/mine", json=layout(NOTE, title="own"))
    assert saved.json["layout"]["wall"] == {"rotate_s": 30, "dim_from": "", "dim_to": ""}
    found = client.get("/api/v1/layouts/mine").json
    assert (found["name"], found["layout"]["title"]) == ("mine", "own")
    assert found["layout"]["pages"][0]["widgets"] == [NOTE]
    assert client.delete("/api/v1/layouts/mine").status_code == 200
    assert client.get("/api/v1/layouts/mine").json["layout"]["title"] == "all"
    assert client.delete("/api/v1/layouts/mine").status_code == 404


def test_a_check_saves_nothing(client) -> None:
    assert client.post("/api/v1/layouts/check", json=layout(NOTE)).json["layout"]["wall"]["rotate_s"] == 30
    assert client.post("/api/v1/layouts/check", json=layout() | {"version": 9}).json["code"] == "newer_version"
    assert client.get("/api/v1/layouts").json == {"mine": False, "layouts": []}


def test_the_list_has_the_default_first_and_says_what_cannot_be_used(client, tmp_path: Path) -> None:
    for name in ("hall", "default"):
        client.put(f"/api/v1/layouts/{name}", json=layout(NOTE))
    (tmp_path / "layouts" / "broken.json").write_text("{")
    rows = client.get("/api/v1/layouts").json["layouts"]
    assert [(row["name"], row["widgets"]) for row in rows] == [("default", 1), ("broken", None), ("hall", 1)]
    assert "cannot be read" in rows[1]["problem"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"version": 2}, "version", "of version 2"),
        ({"version": "1x"}, "version", "whole number"),
        ({"pages": []}, "pages", "1 to 12"),
        ({"pages": [{"widgets": [NOTE | {"type": "radar"}]}]}, "pages.0.widgets.0.type", "no widget"),
        ({"pages": [{"widgets": [NOTE, NOTE | {"x": 6}]}]}, "pages.0.widgets.1.id", "another widget"),
        ({"pages": [{"widgets": [NOTE | {"x": 7}]}]}, "pages.0.widgets.0.w", "5 columns"),
        ({"pages": [{"widgets": [NOTE | {"settings": {"kind": 1}}]}]}, "pages.0.widgets.0.settings.kind", "no field"),
        (
            {"pages": [{"widgets": [NOTE | {"settings": {"measure": "rsrp"}}]}]},
            "pages.0.widgets.0.settings.measure",
            "no field",
        ),
        (
            {"pages": [{"widgets": [NOTE | {"settings": {"text": "\x07"}}]}]},
            "pages.0.widgets.0.settings.text",
            "plain text",
        ),
        ({"pages": [{"widgets": [NOTE | {"settings": []}]}]}, "pages.0.widgets.0.settings", "object"),
        ({"wall": {"dim_from": "22:00"}}, "wall.dim_to", "needed"),
        ({"wall": {"dim_from": "24:00", "dim_to": "06:00"}}, "wall.dim_from", "time"),
        ({"colour": "red"}, "colour", "no field"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(client, change: dict, field: str, said: str) -> None:
    answer = client.put("/api/v1/layouts/mine", json=layout() | change)
    assert answer.status_code == 422
    assert answer.json["field"].startswith(field) and said in answer.json["detail"]
    assert client.get("/api/v1/layouts/mine").json["layout"] is None


def test_a_layout_has_a_hundred_widgets_and_64_kb_at_most(client) -> None:
    many = [NOTE | {"id": f"n{at}"} for at in range(60)]
    two = {"version": 1, "pages": [{"widgets": many}, {"widgets": [one | {"id": f"m{one['id']}"} for one in many]}]}
    answer = client.put("/api/v1/layouts/mine", json=two)
    assert (answer.status_code, answer.json["field"]) == (422, "pages.1.widgets.40")
    long = [NOTE | {"id": f"n{at}", "settings": {"text": "x" * LONGEST_NOTE}} for at in range(17)]
    assert client.put("/api/v1/layouts/mine", json=layout(*long)).status_code in (413, 422)


@pytest.mark.parametrize("name", ["..", "a.b", "a%2Fb", "%2e%2e%2ftoken", "x" * 33, "a b", "é", "2", "auto"])
def test_a_name_leads_nowhere_else(client, tmp_path: Path, name: str) -> None:
    for ask in (client.get, client.delete):
        assert ask(f"/api/v1/layouts/{name}").status_code in (404, 405, 422)
    assert client.put(f"/api/v1/layouts/{name}", json=layout()).status_code in (404, 405, 422)
    assert not (tmp_path / "layouts").exists()


def test_a_layout_of_a_newer_version_is_told_and_never_lost(tmp_path: Path) -> None:
    client = client_of(small_app(tmp_path)[1])
    client.put("/api/v1/layouts/hall", json=layout())
    newer = json.dumps(layout() | {"version": 7})
    (tmp_path / "layouts" / "hall.json").write_text(newer)
    answer = client.get("/api/v1/layouts/hall")
    assert (answer.status_code, answer.json["code"]) == (409, "newer_version") and "kept" in answer.json["detail"]
    assert client.put("/api/v1/layouts/hall", json=layout()).status_code == 200
    assert (tmp_path / "layouts" / "hall.kept").read_text() == newer


def test_each_user_has_their_own_whatever_they_are_called(tmp_path: Path) -> None:
    one, other = (LayoutFiles(tmp_path, user) for user in ("../../token", "\ud800"))
    one.write("mine", layout(title="one"))
    other.write("mine", layout(title="other"))
    assert [files.read("mine")["title"] for files in (one, other)] == ["one", "other"]
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["users", "users"]


def test_there_are_not_more_layouts_than_people_need(tmp_path: Path) -> None:
    files = LayoutFiles(tmp_path, "local")
    for at in range(MOST_LAYOUTS):
        files.write(f"l{at}", layout())
    client = LayoutFiles(tmp_path, "other")
    with pytest.raises(Exception, match="64 layouts"):
        client.write("one-more", layout())
    client.write("l3", layout(title="again"))
    client.write("mine", layout())


def test_a_full_flash_is_said(client, tmp_path: Path) -> None:
    (tmp_path / "layouts").write_text("in the way")
    answer = client.put("/api/v1/layouts/mine", json=layout())
    assert answer.status_code == 507 and "cannot be saved" in answer.json["detail"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PART = st.dictionaries(st.sampled_from(["version", "title", "pages", "wall", "widgets"]), JSON, max_size=4)


@given(st.one_of(JSON, PART, st.builds(lambda one: layout(NOTE | one), PART), st.builds(lambda one: layout(one), JSON)))
def test_any_content_is_a_layout_or_an_error_with_words(content: Any) -> None:
    try:
        found = loaded(content)
    except InvalidInput as error:
        assert error.message
    else:
        assert loaded(json.loads(json.dumps(found))) == found


def test_every_widget_takes_the_settings_of_its_row() -> None:
    values = {"modems": ["modem1"], "measure": "rsrp", "range": "6h", "severity": "", "count": 5, "text": "a\nb",
              "seconds": True, "utc": False}  # fmt: skip
    for kind, names in WIDGETS.items():
        settings = {"title": "x"} | {name: values[name] for name in names}
        assert loaded(layout(NOTE | {"type": kind, "settings": settings}))["pages"][0]["widgets"][0]["type"] == kind
