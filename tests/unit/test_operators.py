"""Names and APNs from the data package, or from a small file of its form."""

from __future__ import annotations

from pathlib import Path

import pytest
from remsim.modems import operators
from remsim.modems.drivers import base, driver_for
from remsim.modems.operators import Apn, apns_of, name_of, name_of_plmn

SMALL = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE serviceproviders SYSTEM "serviceproviders.2.dtd">
<serviceproviders format="2.0">
<country code="xx"><name>Country</name>
<provider><name>Rented</name><gsm><network-id mcc="001" mnc="01"/><voicemail>1</voicemail>
<apn value="rented"><usage type="internet"/><name>Rented &amp; cheap</name></apn></gsm></provider>
<provider><name>Owner</name><name xml:lang="xx">Besitzer</name><gsm>
<network-id mcc="001" mnc="01"/><network-id mcc="001" mnc="02"/>
<apn value="internet"><plan type="postpaid"/><usage type="internet"/><name>Contract</name>
<username>user</username><password>secret</password><authentication method="chap"/></apn>
<apn value="mms"><usage type="mms"/></apn><apn value="plain"/></gsm></provider>
<provider><name>Left</name><gsm><network-id mcc="001" mnc="03"/></gsm></provider>
<provider><name>Right</name><gsm><network-id mcc="001" mnc="03"/></gsm></provider>
<provider><name>Brand</name><gsm><network-id mcc="001" mnc="04"/><network-id mcc="001" mnc="05"/></gsm></provider>
<provider primary="true"><name>Chosen</name><gsm><network-id mcc="001" mnc="04"/></gsm></provider>
<provider><name>Three digits</name><gsm><network-id mcc="001" mnc="001"/></gsm></provider>
<provider><name>CDMA</name><cdma><sid value="7"/></cdma></provider>
</country></serviceproviders>
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "serviceproviders.xml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize(
    ("mnc", "name"),
    [("01", "Owner"), ("02", "Owner"), ("03", None), ("04", "Chosen"), ("001", "Three digits"), ("1", None)],
)
def test_a_network_has_its_own_name_and_not_one_of_who_rents_it(small: Path, mnc: str, name: str | None) -> None:
    assert name_of("001", mnc, small) == name


@pytest.mark.parametrize("plmn", [None, "", "0010", "00A01", "0010101", "9" * 400])
def test_what_is_no_plmn_has_no_name(small: Path, plmn: str | None) -> None:
    assert name_of_plmn(plmn, small) is None


def test_two_and_three_digits_are_two_networks(small: Path) -> None:
    assert (name_of_plmn("00101", small), name_of_plmn("001001", small)) == ("Owner", "Three digits")


def test_apns_are_those_for_the_internet_the_owners_first(small: Path) -> None:
    assert apns_of("001", "01", small) == [
        Apn("Owner", "Contract", "internet", "user", "secret", "chap"),
        Apn("Owner", None, "plain", None, None, None),
        Apn("Rented", "Rented & cheap", "rented", None, None, None),
    ]


def test_without_the_package_nothing_is_known(tmp_path: Path) -> None:
    missing = tmp_path / "none.xml"
    assert (name_of("262", "01", missing), apns_of("262", "01", missing)) == (None, [])


@pytest.mark.parametrize("text", ["", "not xml", "<serviceproviders><provider>", "\x00", "<apn/>", "<provider/></x>"])
def test_a_broken_file_is_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.xml"
    path.write_text(text)
    assert (name_of("262", "01", path), apns_of("262", "01", path)) == (None, [])


@pytest.mark.parametrize(
    ("told", "plmn", "shown"),
    [(None, "26201", "Owner"), ("26201", "26201", "Owner"), ("262 01", "26201", "Owner"), ("Telekom.de", "26201", None),
     ("999 70", "99970", None), (None, "99970", None), (None, None, None)],
)  # fmt: skip
def test_a_reading_names_a_network_that_the_modem_only_numbers(
    monkeypatch: pytest.MonkeyPatch, told: str | None, plmn: str | None, shown: str | None
) -> None:
    monkeypatch.setattr(base, "name_of_plmn", {"26201": "Owner"}.get)
    fields = driver_for("quectel", "EC25").reading_fields({"operator": told, "plmn": plmn})
    assert fields["operator"] == (shown or told)


@pytest.mark.skipif(not operators.PROVIDERS.exists(), reason="mobile-broadband-provider-info is not installed")
def test_the_package_names_known_networks() -> None:
    assert name_of("262", "01") == "T-Mobile(Telekom)"
    assert name_of("310", "260") == "T-Mobile"
    assert name_of("505", "02") is None  # sixteen brands, none of them marked as the network's own
    assert "internet.t-d1.de" in [apn.apn for apn in apns_of("262", "01")]
