"""Applications: the shipped facts, and a user's own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.policies.applications.catalogue import SHIPPED, Catalogue


def test_youtube_is_more_than_its_own_name() -> None:
    found = Catalogue().get("youtube")
    assert found is not None
    assert {"youtube.com", "googlevideo.com", "ytimg.com"} <= set(found.domains)


def test_class_has_what_its_members_have() -> None:
    known = Catalogue()
    calls, zoom = known.get("video_calls"), known.get("zoom")
    assert calls is not None and zoom is not None
    assert set(zoom.domains) <= set(calls.domains) and ("udp", 8801, 8810) in calls.ports
    assert "zoom" in calls.members


def test_shipped_facts_are_whole_and_dated() -> None:
    known = Catalogue()
    assert len(known.date) == 10
    ndpi = {name for names in known.of_ndpi().values() for name in names}
    for name in known.names():
        found = known.get(name)
        assert found is not None and found.title
        assert set(found.members) <= set(known.names())
        assert found.domains or found.ports or name in ndpi, f"nothing tells {name}"


def test_what_ndpi_sees_counts_for_the_classes_too() -> None:
    assert Catalogue().of_ndpi()["NetFlix"] == ("netflix", "streaming")


def test_users_file_adds_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "applications.json"
    crm_facts = {"title": "CRM", "domains": ["*.CRM.example"], "ports": ["tcp 8443"]}
    own = {"crm": crm_facts, "zoom": {"domains": ["z.example"]}}
    file.write_text(json.dumps({"applications": own}))
    known = Catalogue(file)
    crm, zoom = known.get("crm"), known.get("zoom")
    assert crm is not None and (crm.domains, crm.ports) == (("crm.example",), (("tcp", 8443, 8443),))
    assert zoom is not None and zoom.domains == ("z.example",)
    assert not known.problems


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"domains": ["a/b"]}, "no name of a domain"),
        ({"ports": ["udp 0"]}, "are no ports"),
        ({"ports": ["udp 5-4"]}, "are no ports"),
        ({"domains": "a.example"}, "list of texts"),
        (7, "it has to be"),
    ],
)
def test_entry_that_is_wrong_is_left_out_and_said(tmp_path: Path, one: object, said: str) -> None:
    file = tmp_path / "applications.json"
    file.write_text(json.dumps({"applications": {"bad": one, "good": {"ports": ["udp 5"]}}}))
    known = Catalogue(file)
    assert known.get("bad") is None and known.get("good") is not None
    assert len(known.problems) == 1 and said in known.problems[0]


@given(st.binary(max_size=200))
def test_users_file_may_be_anything(raw: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        assert Catalogue(Path(file.name)).problems


def test_users_file_of_deep_nesting_or_great_size_is_refused(tmp_path: Path) -> None:
    for content in ("[" * 100_000, "x" * 300_000):
        file = tmp_path / "applications.json"
        file.write_text(content)
        assert len(Catalogue(file).problems) == 1


def test_shipped_file_is_readable_by_people() -> None:
    assert max(len(line) for line in SHIPPED.read_text().splitlines()) <= 120
