"""Activation codes as people, letters and QR codes have them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.esim_orders import EsimOrdersSettings
from remsim.config.sims import SimSettings
from remsim.core.card import AccessPoint
from remsim.core.errors import InvalidInput
from remsim.esim.activation import Activation, parse
from remsim.esim.download import Consent
from remsim.esim.downloading import Wish
from remsim.esim.enabling import Enabled
from remsim.esim.lpac_run import Order
from remsim.esim.ordering import Wanted
from remsim.esim_lines import VERBS

HOST = "rsp.example.com"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"LPA:1${HOST}$A-1", Activation(HOST, "A-1")),
        (f"1${HOST}$A-1", Activation(HOST, "A-1")),
        (f"  lpa:1${HOST}$k7Ab-2\r\n", Activation(HOST, "k7Ab-2")),
        (f"LPA:1${HOST}$", Activation(HOST)),
        (f"LPA:1${HOST}$A$1.3.6.1.4.1.31746", Activation(HOST, "A", "1.3.6.1.4.1.31746")),
        (f"LPA:1${HOST}$A$1.3.6.1.4.1.31746$1", Activation(HOST, "A", "1.3.6.1.4.1.31746", True)),
        (f"LPA:1${HOST}$A$$1", Activation(HOST, "A", None, True)),
        (f"LPA:1${HOST}$A$$", Activation(HOST, "A")),
        (f"LPA:1${HOST}$A$$1$more$still", Activation(HOST, "A", None, True)),
        ("LPA:1$RSP.Example.com:8443$A", Activation("RSP.Example.com:8443", "A")),
        (
            f"https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1%24{HOST}%24A-1",
            Activation(HOST, "A-1"),
        ),
        (
            f"esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1${HOST}$A-1",
            Activation(HOST, "A-1"),
        ),
        (
            f"HTTPS://ESIMSETUP.ANDROID.COM/esim_qrcode_provisioning?x=1&carddata=LPA%3A1%24{HOST}%24A",
            Activation(HOST, "A"),
        ),
    ],
)
def test_codes_that_are_taken(text: str, wanted: Activation) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "code"),
        ("   ", "code"),
        ("hello", "code"),
        ("LPA:", "code"),
        ("$", "format"),
        ("LPA:$", "format"),
        (f"LPA:2${HOST}$A", "format"),
        (f"LPA:${HOST}$A", "format"),
        (f"LPB:1${HOST}$A", "format"),
        ("LPA:1$", "smdp_address"),
        ("LPA:1$$A", "smdp_address"),
        ("LPA:1$localhost$A", "smdp_address"),
        ("LPA:1$rsp.example.com/path$A", "smdp_address"),
        ("LPA:1$https://rsp.example.com$A", "smdp_address"),
        ("LPA:1$rsp example.com$A", "smdp_address"),
        ("LPA:1$192.0.2.1$A", "smdp_address"),
        ("LPA:1$rsp..example.com$A", "smdp_address"),
        ("LPA:1$-rsp.example.com$A", "smdp_address"),
        ("LPA:1$rsp.example.com:0$A", "smdp_address"),
        ("LPA:1$rsp.example.com:99999$A", "smdp_address"),
        ("LPA:1$rsp.exämple.com$A", "smdp_address"),
        ("LPA:1$user@rsp.example.com$A", "smdp_address"),
        (f"LPA:1${HOST}$A B", "matching_id"),
        (f"LPA:1${HOST}$A_B", "matching_id"),
        (f"LPA:1${HOST}$Ä", "matching_id"),
        (f"LPA:1${HOST}$A\nB", "matching_id"),
        (f"LPA:1${HOST}$A$1.x", "oid"),
        (f"LPA:1${HOST}$A$3.1", "oid"),
        (f"LPA:1${HOST}$A$1.3.6$2", "confirmation_code_required"),
        (f"LPA:1${HOST}$A$1.3.6$yes", "confirmation_code_required"),
        (f"LPA:1${HOST}${'A' * 300}", "code"),
        ("x" * 10_000, "code"),
        ("https://example.com/?carddata=LPA:1%24a.b%24c", "code"),
        ("https://esimsetup.apple.com/", "code"),
        ("https://[", "code"),
        (f"https://esimsetup.apple.com.evil.example/?carddata=LPA:1%24{HOST}%24A", "code"),
        (f"https://esimsetup.apple.com/?carddata={'A' * 5000}", "code"),
    ],
)
def test_codes_that_are_refused_name_their_wrong_part(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse(text)
    assert error.value.field == field and error.value.message


def test_a_code_that_was_cut_is_taken_with_a_warning() -> None:
    assert parse(f"LPA:1${HOST}").warnings and not parse(f"LPA:1${HOST}$").warnings


def test_lines() -> None:
    good = json.loads(VERBS["parse-code"](f"LPA:1${HOST}$A$$1\n"))
    assert good == {
        "ok": True, "smdp_address": HOST, "matching_id": "A", "oid": None, "confirmation_code_required": True,
    }  # fmt: skip
    cut = json.loads(VERBS["parse-code"](f"LPA:1${HOST}"))
    assert cut["ok"] and cut["matching_id"] == "" and len(cut["warnings"]) == 1
    bad = json.loads(VERBS["parse-code"]("LPA:1$$A"))
    assert (bad["ok"], bad["field"]) == (False, "smdp_address") and bad["error"]


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    for candidate in (text, f"LPA:1${text}", f"1${HOST}${text}", f"https://esimsetup.apple.com/?carddata={text}"):
        try:
            found = parse(candidate)
        except InvalidInput as error:
            assert error.field
        else:
            assert parse(found.code) in (
                found,
                Activation(found.smdp_address, found.matching_id, found.oid, found.confirmation_code_required),
            )


def test_no_secret_is_in_what_is_shown_of_a_value() -> None:
    code = parse("LPA:1$smdp.example.com$SECRET")
    point = AccessPoint("a.example", username="me", password="SECRET")
    values = (
        code,
        point,
        Wish(code, actor="me", confirmation_code="SECRET"),
        Consent(accept=True, confirmation_code="SECRET"),
        Order(code, None, "SECRET"),
        Wanted("example", confirmation_code="SECRET"),
        Enabled(None, None, None, "Home", asdict(point)),
        SimSettings("sim_1", apn_password="SECRET"),
        EsimOrdersSettings("example", key_password="SECRET"),
    )
    assert not [one for one in values if "SECRET" in repr(one)]


def test_every_line_of_a_file_is_answered_also_an_empty_one() -> None:
    command = [sys.executable, "-m", "remsim", "esim", "parse-code"]
    given = f"LPA:1${HOST}$A\r\n\n\xff\nLPA:1${HOST}$B".encode("latin-1")
    done = subprocess.run(command, input=given, capture_output=True, timeout=30, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["ok"] for one in answers] == [True, False, False, True] and answers[1]["field"] == "code"
