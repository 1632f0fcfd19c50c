"""The eSIM page: a QR code before the camera becomes a profile in use; each failure says what it is and what to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessibility import AXE
from conftest import CHROMIUM_ARGUMENTS
from esim_fake import FakeEsim, code, film_of, holder, job, png_of, profile, qr_rows
from playwright.sync_api import Browser, Locator, Page, expect
from running import RunningService

DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HOSTILE = "<img src=x onerror=document.title='run'>"
GOOD = "LPA:1$smdpplus.example.com$EXAMPLE-MOBILE-5GB"
DONE_MS = 90_000
NO_CAMERA = """delete Navigator.prototype.mediaDevices;
Object.defineProperty(window, 'isSecureContext', { value: false });"""
FALSE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture
def fake(visit: Any) -> Iterator[FakeEsim]:
    made = FakeEsim()
    made.serve(visit.page)
    yield made
    visit.page.unroute_all(behavior="ignoreErrors")


def card_of(page: Page, name: str = "modem1") -> Locator:
    return page.locator(f"[data-holder={name}]")


def opened(visit: Any, tab: str = "cards", **more: str) -> Page:
    page: Page = visit.open("/esim#" + "&".join(f"{key}={value}" for key, value in {"tab": tab, **more}.items()))
    page.reload()
    expect(page.get_by_role("navigation", name="eSIM").locator("[aria-current=page]")).to_be_visible()
    return page


def axe(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]]


def ended(service: RunningService, job_id: str) -> dict[str, Any]:
    done: dict[str, Any] = service.wait_for(f"jobs/{job_id}", lambda one: one["ended_at"] is not None, 60)
    return done


def clear_up(service: RunningService, kept: str = "Home") -> None:
    """The card as it was: its own profile in use, none that a test has downloaded."""
    card = service.wait_for("esim", lambda answer: answer["holders"][0]["job"] is None, 90)["holders"][0]
    for one in card["profiles"]:
        if one["name"] == kept and one["state"] != "enabled":
            _, begun = service.request(f"esim/modem1/profiles/{one['id']}/enable", method="POST", body={})
            ended(service, begun["id"])
    for one in card["profiles"]:
        if one["name"] not in (kept, "Abroad"):
            body = {"name": one["name"]}
            _, begun = service.request(f"esim/modem1/profiles/{one['id']}", method="DELETE", body=body)
            ended(service, begun["id"])


@pytest.fixture
def simulated(service: RunningService) -> Iterator[RunningService]:
    yield service
    clear_up(service)
    service.wait_for("modems", lambda answer: answer["modems"][0]["state"] == "online", 60)


def test_a_code_before_the_camera_becomes_a_profile_in_use(
    browser: Browser, visit: Any, simulated: RunningService, tmp_path: Path
) -> None:
    film = film_of(qr_rows(visit.open("/esim"), GOOD), tmp_path / "code.y4m")
    seen = [*CHROMIUM_ARGUMENTS, *FALSE_CAMERA, f"--use-file-for-fake-video-capture={film}"]
    chromium = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=seen)
    try:
        page = chromium.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(simulated.login_url())
        page.goto(simulated.base + "/esim")
        card_of(page).get_by_role("link", name="Add a profile").click()
        page.get_by_role("button", name="Scan with the camera").click()
        wish = page.get_by_role("form", name="What the code says")
        expect(wish).to_contain_text("smdpplus.example.com", timeout=20_000)
        assert page.locator("video").evaluate("one => one.srcObject === null"), "the camera is off by now"
        wish.get_by_role("button", name="Ask the operator for the profile").click()
        consent = card_of(page).get_by_role("form", name="Is this the profile you want?")
        expect(consent).to_contain_text("Travel 5 GB", timeout=20_000)
        page.reload()
        expect(consent).to_contain_text("Example Mobile", timeout=20_000)  # the question outlives the page
        expect(consent.locator("img.remsim-esim-icon")).to_be_visible()
        consent.get_by_role("button", name="Download it").click()
        expect(card_of(page)).to_contain_text("✓ Travel 5 GB is on the card.", timeout=DONE_MS)
        card_of(page).locator("[data-act=switch]").click()
        expect(page.locator("dialog")).to_contain_text("modem1 loses its connection for about 40 s.")
        page.locator("dialog").get_by_role("button", name="Switch", exact=True).click()
        done = "✓ Travel 5 GB is in use, and the network has taken it."
        expect(card_of(page)).to_contain_text(done, timeout=DONE_MS)
        in_use = card_of(page).locator("[data-profile]", has_text="Travel 5 GB")
        expect(in_use).to_contain_text("● In use")
        assert complaints == []
    finally:
        chromium.close()
    card = simulated.get("esim")["holders"][0]
    assert [one["name"] for one in card["profiles"] if one["state"] == "enabled"] == ["Travel 5 GB"]
    simulated.wait_for("modems", lambda answer: answer["modems"][0]["state"] == "online", 30)


FAILING = {
    "NO-SUCH-CODE": ("The activation code is unknown, already used, or meant for another device", "Enter another code"),
    "USED": ("The activation code is unknown, already used, or meant for another device", "Enter another code"),
    "BLOCKED": ("order is blocked", "Enter another code"),
    "NOT-RELEASED": ("has not released the profile yet", "Try again"),
    "OTHER-EID": ("reserved for another card", "Show the EID for the operator"),
    "EXPIRED": ("The order has expired", "Enter another code"),
    "NO-MEMORY": ("not enough free memory", "Choose a profile to delete"),
    "WRONG-SIGNATURE": ("signature", "Try again"),
    "WRONG-MAC": ("came damaged into the card", "Try again"),
    "CUT-CLIENT": ("was cut before its answer was whole", "Try again"),
    "CUT-PACKAGE": ("was cut before its answer was whole", "Try again"),
    "STATUS-500": ("the server has a fault of its own", "Try again"),
    "DUPLICATE": ("on the card already", "Switch to it"),
}


def test_each_refusal_of_the_simulation_has_its_own_sentence_and_button(visit: Any, simulated: RunningService) -> None:
    page = opened(visit)
    shown = {}
    for matching_id, (sentence, button) in FAILING.items():
        given = {"code": f"LPA:1$smdpplus.example.com${matching_id}", "confirmation_code": "1234", "consent": True}
        _, begun = simulated.request("esim/modem1/downloads", method="POST", body=given)
        done = ended(simulated, begun["id"])
        assert done["state"] == "failed", (matching_id, done)
        shown[matching_id] = (outcome_of(page, done), sentence, button)
    for matching_id, ((text, pressed), sentence, button) in shown.items():
        assert sentence.lower() in text.lower(), (matching_id, text)
        assert pressed == button, (matching_id, pressed)


def outcome_of(page: Page, done: dict[str, Any]) -> tuple[str, str]:
    """What a panel says of a job that ended, and what can be pressed."""
    found = page.evaluate(
        """async done => {
            const { JobPanel } = await import('/ui/remsim/esim-job.js');
            const t = (text, ...values) => text.replace(/%s/g, () => values.shift());
            const store = { now: () => Date.now() / 1000, modems: new Map() };
            const ctx = { t, options: {}, store, data: { sentFor: () => ({ code: 'x' }) } };
            const panel = new JobPanel(ctx, {});
            panel.update(done);
            return [panel.outcome.textContent, panel.outcome.querySelector('[data-act]')?.textContent || ''];
        }""",
        done,
    )
    return (found[0], found[1])


def test_every_known_failure_reads_as_a_sentence_of_its_own(visit: Any) -> None:
    page = visit.open("/esim")
    codes = page.evaluate("import('/ui/remsim/esim-words.js').then(({ FAILURES }) => Object.keys(FAILURES))")
    told = {}
    for name in codes:
        text, button = outcome_of(page, job("esim-download", "failed", code=name, error="x (8.1/4.8)", hint="y"))
        told[name] = text
        assert name in ("declined", "consent_timeout") or button, name
        assert text.endswith("Close"), (name, text)
    assert len(set(told.values())) >= len(told) - 2, "two failures look the same"
    assert "(x, 8.1/4.8)" in told["no_memory"]


def test_pictures_that_hold_no_code_say_what_to_do(visit: Any, fake: FakeEsim) -> None:
    page = opened(visit, "add")
    choose = page.locator("input[type=file][aria-label='Choose a picture']")

    def give(name: str, content: bytes) -> None:
        choose.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})

    blank = [[False] * 30 for _ in range(30)]
    give("blank.png", png_of(blank))
    expect(page.get_by_text("No QR code is in this picture.")).to_be_visible(timeout=15_000)
    give("letter.png", b"%PDF-1.7 nothing of a picture")
    expect(page.get_by_text("This file is no picture that the browser can read.")).to_be_visible()
    give("wifi.png", png_of(qr_rows(page, "WIFI:S:home;T:WPA;P:secret;;")))
    expect(page.get_by_text("The QR code holds no activation code:")).to_be_visible()
    link = "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1%24rsp.example.com%24LINKED-77"
    give("code.png", png_of(qr_rows(page, link)))
    wish = page.get_by_role("form", name="What the code says")
    expect(wish).to_contain_text("rsp.example.com")
    wish.get_by_role("button", name="Another code").click()
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_focused()
    turned = [list(row) for row in zip(*qr_rows(page, GOOD)[::-1], strict=True)]
    page.evaluate(
        """bytes => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], 'photo.png', { type: 'image/png' }));
            const drop = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: files });
            document.querySelector('.remsim-esim-scan').dispatchEvent(drop);
        }""",
        list(png_of(turned)),
    )
    expect(wish).to_contain_text("smdpplus.example.com")
    visit.complaints[:] = [text for text in visit.complaints if "422" not in text]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "Allow it beside the address of this page"),
        ("NotFoundError", "No camera is found on this device"),
        ("NotReadableError", "Another program uses the camera"),
    ],
)
def test_a_camera_that_is_not_given_leaves_a_way(visit: Any, fake: FakeEsim, name: str, sentence: str) -> None:
    visit.page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}'); }};"
    )
    page = opened(visit, "add")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_visible()


def test_over_plain_http_a_photo_is_offered(visit: Any, fake: FakeEsim) -> None:
    visit.page.add_init_script(NO_CAMERA)
    page = opened(visit, "add")
    expect(page.get_by_text("This page came over plain HTTP, where browsers give no camera")).to_be_visible()
    expect(page.get_by_role("button", name="Scan with the camera")).to_have_count(0)
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert page.locator("input[type=file][capture=environment]").count() == 1


def test_what_was_typed_is_checked_and_the_wrong_part_named(visit: Any, fake: FakeEsim) -> None:
    fake.view["holders"] = [holder("modem1"), holder("modem2", "no_euicc"), holder("modem3")]
    page = opened(visit, "add", holder="modem3")
    typed = page.get_by_label("Activation code, or a link")
    typed.fill("LPA:1$rsp example.com$ABC-123")
    expect(page.get_by_text("The address of the server is not a full domain name")).to_be_visible()
    expect(page.locator(".remsim-esim-wrong")).to_contain_text("Server (SM-DP+)")
    typed.fill("LPA:1$rsp.example.com$ABC_123")
    expect(page.locator(".remsim-esim-wrong")).to_contain_text("ABC_123")
    typed.fill("  lpa:1$rsp.example.com$ABC-123$$1 ")
    expect(page.get_by_text("✓ This is an activation code.")).to_be_visible()
    typed.press("Enter")
    wish = page.get_by_role("form", name="What the code says")
    wish.get_by_label("Confirmation code").fill("77")
    wish.locator("summary").click()
    wish.get_by_label("Name on the card").fill("Van")
    fake.job = job("esim-download", "running", modem="modem3", step="opening the card", can_abort=True)
    wish.get_by_role("button", name="Ask the operator for the profile").click()
    expect(card_of(page, "modem3").get_by_role("heading", name="Downloading a profile")).to_be_focused()
    body = {"code": "lpa:1$rsp.example.com$ABC-123$$1", "confirmation_code": "77", "nickname": "Van"}
    assert fake.asked == [("POST", "modem3/downloads", body)]
    visit.complaints[:] = [text for text in visit.complaints if "422" not in text]


def test_what_cannot_be_undone_is_typed_and_what_cuts_says_so(visit: Any, fake: FakeEsim) -> None:
    fake.view["holders"][0]["profiles"][1]["name"] = "Travel"
    page = opened(visit)
    second = card_of(page).locator("[data-profile]", has_text="Travel")
    second.get_by_text("More", exact=True).click()
    second.get_by_role("button", name="Delete: Travel").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("cannot be copied or brought back")
    dialog.get_by_label("To delete it, type its name: Travel").fill("Trave")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_contain_text("That is not its name.")
    assert fake.asked == []
    dialog.get_by_label("To delete it, type its name: Travel").fill("Travel")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_have_count(0)
    first = card_of(page).locator("[data-profile]", has_text="Profile 1")
    first.get_by_text("More", exact=True).click()
    expect(first.get_by_role("button", name="Delete: Profile 1")).to_be_disabled()
    first.get_by_role("button", name="Disable: Profile 1").click()
    expect(dialog).to_contain_text("no service until one is enabled")
    dialog.get_by_role("button", name="Disable", exact=True).click()
    expect(dialog).to_contain_text("Say that it may.")
    dialog.get_by_role("button", name="Cancel").click()
    card_of(page).get_by_text("About this card").click()
    card_of(page).get_by_text("Memory reset").click()
    card_of(page).get_by_role("button", name="Clear this card").click()
    fake.refusal = {"status": 422, "detail": "that is not this card's EID", "field": "eid"}
    dialog.get_by_label("To clear it, type the card’s whole EID").fill("8" * 32)
    dialog.get_by_role("button", name="Clear it for good").click()
    expect(dialog).to_contain_text("not this card's EID")
    assert [(how, path) for how, path, _ in fake.asked] == [
        ("DELETE", "modem1/profiles/sim-00000002"),
        ("POST", "modem1/memory-reset"),
    ]
    visit.complaints[:] = [text for text in visit.complaints if "422" not in text]


def test_cards_that_cannot_be_used_say_why_and_what_to_do(visit: Any, fake: FakeEsim) -> None:
    problem = {"code": "modem_gone", "message": "the modem does not answer", "hint": "wait until it is back"}
    waits = {"seq": 4, "operation": "delete", "address": "rsp.example.com", "profile": "sim-00000001", "tries": 3}
    waits |= {"problem": {"message": "the server does not answer"}, "next_try_at": "2099-01-01T00:00:00Z"}
    fake.view["holders"] = [
        holder("modem1", notifications=[waits], managed_by="eim.example.com"),
        holder("modem2", "no_euicc", problem={"code": "no_application", "message": "no ISD-R", "hint": None}),
        holder("modem3", "unreachable", problem=problem),
        holder("reader1", "ready", kind="reader", profiles=[]),
        holder("reader2", "unread", kind="reader", read_at=None),
    ]
    page = opened(visit)
    expect(card_of(page)).to_contain_text("Managed by the eIM eim.example.com")
    expect(card_of(page)).to_contain_text("rsp.example.com: Profile 1 was deleted")
    expect(card_of(page)).to_contain_text("tried 3 times")
    expect(card_of(page, "modem2")).to_contain_text("The card in use is no eSIM.")
    expect(card_of(page, "modem2").get_by_role("link", name="Slots of this modem")).to_be_visible()
    expect(card_of(page, "modem2").get_by_role("link", name="Add a profile")).to_have_count(0)
    expect(card_of(page, "modem3")).to_contain_text("The modem does not answer. Wait until it is back.")
    expect(card_of(page, "reader1")).to_contain_text("This card has no profile.")
    expect(card_of(page, "reader2")).to_contain_text("Not read yet")
    card_of(page).get_by_role("button", name="Tell them now").click()
    card_of(page).get_by_role("button", name="Stop trying: rsp.example.com").click()
    page.locator("dialog").get_by_role("button", name="Stop trying").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert [one[:2] for one in fake.asked] == [("POST", "modem1/notifications"), ("DELETE", "modem1/notifications/4")]
    fake.view["holders"] = []
    page.reload()
    expect(page.get_by_text("No modem or card reader is there")).to_be_visible()


def test_a_kept_code_is_shown_as_a_qr_code_that_can_be_read(visit: Any, fake: FakeEsim) -> None:
    failed = code("c", state="failed", problem="it is unknown")
    fake.view["codes"] = [code("a"), code("b", state="used", holder="modem1"), failed]
    page = opened(visit, "codes")
    rows = page.locator("[data-code]")
    expect(rows).to_have_count(3)
    expect(rows.nth(1).get_by_role("button")).to_have_count(1)
    expect(rows.nth(2)).to_contain_text("It is unknown.")
    rows.nth(0).get_by_role("button", name="Show the QR code").click()
    expect(page.locator("dialog")).to_contain_text("Who scans it first gets the profile")
    expect(page.locator("dialog textarea")).to_have_value("LPA:1$rsp.example.com$SECRET-5GB")
    read = page.evaluate(
        """async () => {
            const drawn = document.querySelector('svg.remsim-esim-qr').cloneNode(true), size = 400, image = new Image();
            drawn.setAttribute('width', size);
            drawn.setAttribute('height', size);
            image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(drawn))}`;
            await image.decode();
            const { pixelsOf, readPixels } = await import('/ui/remsim/esim-read-qr.js');
            return readPixels(pixelsOf(image, size, size, size));
        }"""
    )
    assert read == "LPA:1$rsp.example.com$SECRET-5GB"


RULE = {"name": "trip", "label": "Abroad", "modem": "modem1", "profile": "sim-00000002", "when": "country"}
RULE |= {"countries": ["262"], "abroad": True, "enabled": True, "only_tell": False, "only_from": "", "priority": 50}
RULE_FORM = {
    "x-profiles": {"modem1": [{"const": f"sim-0000000{n}", "title": f"Profile {n}"} for n in (1, 2)]},
    "x-fields": {"no_service": ["for_s"], "country": ["countries", "abroad"], "usage": ["threshold"]},
    "required": ["modem", "profile"],
    "properties": {
        "label": {"type": "string", "maxLength": 80, "title": "Name"},
        "enabled": {"type": "boolean", "title": "In use", "default": True},
        "modem": {"type": "string", "minLength": 1, "maxLength": 64, "title": "Modem"},
        "profile": {"type": "string", "minLength": 1, "maxLength": 40, "title": "Switch to"},
        "only_from": {"type": "string", "maxLength": 40, "title": "Only from the profile", "default": ""},
        "when": {
            "title": "When",
            "default": "no_service",
            "oneOf": [{"const": name, "title": name} for name in ("no_service", "country", "usage")],
        },
        "threshold": {"type": "number", "title": "Limit"},
        "for_s": {"type": "number", "title": "For", "default": 300, "minimum": 0, "maximum": 86400},
        "countries": {"type": "array", "items": {"type": "string"}, "title": "Countries", "maxItems": 64},
        "abroad": {"type": "boolean", "title": "Of any other country than these", "default": False},
        "only_tell": {"type": "boolean", "title": "Only write down what it would do", "default": False},
    },
}


def with_the_rest(fake: FakeEsim) -> None:
    """Rules, lists, orders, and what a card tells of SGP.32."""
    why = {"rule": "trip", "label": "Abroad", "decision": "not_so", "why": "the network is of 262", "value": None}
    why |= {"unit": "", "is_so": False, "since": None, "switches_today": 1}
    past = {"at": "2026-01-01T00:00:00Z", "rule": "trip", "label": "Abroad", "modem": "modem1", "decision": "switched"}
    past |= {"from": "sim-00000001", "to": "sim-00000002", "why": "no service for 5 min", "job": None}
    fake.answers["GET", "esim/rules"] = {"rules": [RULE], "now": [why], "log": [past]}
    fake.answers["GET", "esim/rules/form"] = RULE_FORM
    fake.answers["POST", "esim/rules/preview"] = {"now": [why | {"decision": "would_switch", "why": "it is abroad"}]}
    counts = {"waiting": 1, "done": 2, "failed": 1, "unknown": 1}
    batch = {"id": "b1", "name": "Fleet", "made_at": "2026-01-01T00:00:00Z", "by": "admin", "state": "interrupted"}
    batch |= {"job": None, "per_minute": 4, "counts": counts}
    line = {"row": 3, "target": "modem1", "holder": "modem1", "code": "••••ABCD", "order": None, "nickname": "Van 3"}
    line |= {"enable": True, "state": "failed", "iccid": None, "profile": None, "name": None, "enabled": None}
    line |= {"problem": {"code": "code_unknown", "message": "the code is unknown", "hint": "ask the operator"}}
    fake.answers["GET", "esim/bulk"] = {"batches": [batch], "columns": ["target", "code", "nickname"]}
    fake.answers["GET", "esim/bulk/b1"] = batch | {"rows": [line]}
    looked = line | {"warnings": [], "problem": None}
    wrong = looked | {"row": 4, "holder": None, "problem": {"code": "x", "message": "there is no such modem"}}
    fake.answers["POST", "esim/bulk"] = {"check": True, "ready": 1, "problems": 1, "rows": [looked, wrong]}
    seen = profile(7) | {"eid": "••••1235", "holder": "modem1", "first_seen": past["at"], "last_seen": past["at"]}
    fake.answers["GET", "esim/inventory"] = {"profiles": [seen | {"origin": None, "used_bytes": 0}]}
    order = {"id": "o1", "connector": "op", "iccid": "••••0011", "eid": None, "state": "confirmed"}
    order["made_at"] = past["at"]
    connector = {"name": "op", "label": "Operator", "address": "es2.example.com", "requester": "1.2.3"}
    about = "tried against our own virtual server only"
    fake.answers["GET", "esim/orders"] = {
        "connectors": [connector | {"profile_type": "", "problem": None}],
        "orders": [order | {"code_id": "a", "problem": None}],
        "about": about,
    }
    iot = {"holder": "modem1", "read_at": past["at"], "is_iot": True, "version": "1.2.0", "ipa_mode": "ipad"}
    iot |= {"has_certificates": True, "eims": [], "last_poll": None, "unsupported": ["running an eIM"]}
    fake.answers["GET", "esim/modem1/iot"] = iot


def test_a_rule_says_what_it_would_do_and_its_form_has_what_its_reason_needs(visit: Any, fake: FakeEsim) -> None:
    with_the_rest(fake)
    page = opened(visit, "rules")
    rule = page.locator("[data-rule=trip]")
    expect(rule).to_contain_text("not so now")
    expect(rule).to_contain_text("Switches modem1 to Profile 2")
    expect(page.get_by_label("What the rules did").last).to_contain_text("modem1: from Profile 1 to Profile 2")
    rule.get_by_role("link", name="Change: Abroad").click()
    form = page.get_by_role("region", name="Rule", exact=True)
    expect(form.get_by_label("Countries")).to_have_value("262")
    expect(form.get_by_role("status")).to_contain_text("Now: would switch now. It is abroad.")
    form.get_by_label("usage").check()
    expect(form.get_by_label("Countries")).to_have_count(0)
    form.get_by_label("Limit").fill("80")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("✓ Abroad is saved.")).to_be_visible()
    how, path, body = next(one for one in reversed(fake.asked) if one[0] != "POST")  # a check may still come after
    assert (how, path, body["when"], body["threshold"]) == ("PUT", "rules/trip", "usage", 80)
    assert "countries" not in body


def test_a_list_is_looked_at_before_it_begins_and_goes_on_after_a_cut(visit: Any, fake: FakeEsim) -> None:
    with_the_rest(fake)
    page = opened(visit, "bulk")
    content = b"target,code\nmodem1,LPA:1$rsp.example.com$ABCD\nmodem9,x\n"
    page.get_by_label("CSV file").set_input_files({"name": "vans.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_label("What to call it")).to_have_value("vans")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("1 of the lines cannot be done")).to_be_visible()
    expect(page.get_by_role("group", name="What would be done")).to_contain_text("There is no such modem.")
    expect(page.get_by_role("button", name="Begin: 1 profiles")).to_be_disabled()
    batch = page.locator("[data-batch=b1]")
    expect(batch).to_contain_text("2 of 5 done · 1 failed · 1 not known")
    batch.get_by_role("button", name="Lines of Fleet").click()
    lines = page.get_by_role("group", name="Lines", exact=True)
    expect(lines).to_contain_text("The code is unknown. Ask the operator.")
    fake.answers["POST", "esim/bulk/b1/rows/3"] = {}
    lines.get_by_role("button", name="Line 3: Stop trying").click()
    fake.job = job("esim-bulk", "running")
    batch.get_by_role("button", name="Go on with Fleet").click()
    page.get_by_text("All profiles that were ever seen").click()
    expect(page.get_by_role("group", name="Profiles")).to_contain_text("Profile 7")
    assert [one[:2] for one in fake.asked][-2:] == [("POST", "bulk/b1/rows/3"), ("POST", "bulk/b1/resume")]
    assert fake.asked[0][2]["csv"] == content.decode()


def test_a_profile_is_ordered_for_a_card_and_its_code_is_used_here(visit: Any, fake: FakeEsim) -> None:
    with_the_rest(fake)
    page = opened(visit, "orders")
    expect(page.get_by_text("Tried against our own virtual server only.")).to_be_visible()
    order = page.locator("[data-order=o1]")
    expect(order).to_contain_text("confirmed")
    fake.job = job("esim-order", "running")
    order.get_by_role("button", name="Release it").click()
    page.get_by_text("New order").click()
    form = page.locator("details[open] form")
    form.get_by_label("modem1").check()
    form.get_by_label("Type of profile").fill("travel")
    form.get_by_role("button", name="Order it").click()
    expect(order.get_by_role("link", name="Use its code")).to_have_attribute("href", "#tab=add&code=a")
    assert fake.asked == [
        ("POST", "orders/o1/release", {}),
        ("POST", "orders", {"connector": "op", "holder": "modem1", "profile_type": "travel", "release": True}),
    ]


def test_texts_of_cards_and_servers_are_only_text(visit: Any, fake: FakeEsim) -> None:
    outside = ("name", "nickname", "provider", "profile_name", "owner", "class", "icon", "iccid")
    bad = holder("modem1", managed_by=HOSTILE, way=HOSTILE, problem={"code": "x", "message": HOSTILE, "hint": HOSTILE})
    bad["profiles"] = [profile(1, policy=[HOSTILE], **dict.fromkeys(outside, HOSTILE))]
    waits = {"seq": 1, "operation": HOSTILE, "address": HOSTILE, "profile": None, "tries": 1, "problem": None}
    bad["notifications"] = [waits]
    fake.view |= {"holders": [bad], "codes": [code("a", label=HOSTILE, problem=HOSTILE)]}
    fake.view["warnings"] = [{"code": "x", "message": HOSTILE, "hint": HOSTILE}]
    for tab in ("cards", "add", "codes"):
        page = opened(visit, tab)
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("img[src=x], main script").count() == 0
        assert page.title() != "run"


@pytest.mark.parametrize("visit", [DARK, PHONE], indirect=True, ids=["dark", "light phone"])
def test_the_page_is_accessible_and_fits(visit: Any, fake: FakeEsim) -> None:
    usage = {"counted_bytes": 9 * 10**8, "cap_bytes": 10**9, "cost": 5.0, "currency": "EUR", "since": "2026-01-01"}
    plan = {"apn": "internet", "expires": "2027-01-01", "note": "travel", "price_cycle": 5.0, "currency": "EUR"}
    first = profile(1, state="enabled", usage=usage, plan=plan, policy=["cannot_delete"], **{"class": "test"})
    fake.view |= {"holders": [holder("modem1", profiles=[first, profile(2)]), holder("modem2", "no_euicc")]}
    fake.view["codes"] = [code("a"), code("b", state="failed", problem="it is unknown")]
    offer = {"name": "Travel", "provider": "Example", "class": "operational", "policy": ["cannot_disable"]}
    asking = {"kind": "esim-consent", "profile": offer, "memory": {"free_bytes": 5000, "is_short": True}}
    asking |= {"confirmation_code_required": True, "wrong_code": True}
    with_the_rest(fake)
    for tab in ("cards", "add", "codes", "rules", "bulk", "orders", "backup"):
        page = opened(visit, tab)
        expect(page.locator(".remsim-panel:visible").first).to_be_visible()
        if tab == "cards":
            fake.job = job("esim-download", "asking", question=asking, step="waiting for your consent")
            fake.job["confirm_by"] = "2099-01-01T00:00:00Z"
            page.get_by_role("button", name=re.compile("Read it anew")).first.click()
            expect(page.get_by_label("Confirmation code")).to_be_focused()
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab
