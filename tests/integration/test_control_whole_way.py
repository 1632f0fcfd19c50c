"""Actions from the API and the shell to virtual modems of every family: forms, jobs, confirmations, presets, faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from running import RunningService

MODELS = ("RM520N-GL", "EM9190", "FM350-GL", "EC25", "L860-GL", "EM7565", "FM150-AE", "RM500U-CN")
BY_MODEL = {model: f"modem{number}" for number, model in enumerate(MODELS, start=1)}


class Router:
    """The service with what a client of it does."""

    def __init__(self, service: RunningService) -> None:
        self.service = service

    def post(self, path: str, content: dict[str, Any] | None = None) -> tuple[int, Any]:
        return self.service.request(path, method="POST", body=content or {}, timeout_s=30)

    def post_form(self, path: str, pairs: list[tuple[str, str]], **headers: str) -> tuple[int, Any]:
        """As a browser's form would send it."""
        url = f"{self.service.base}/api/v1/{path}"
        told = {"Authorization": f"Bearer {self.service.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        request = urllib.request.Request(url, urllib.parse.urlencode(pairs).encode(), told)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def end_of(self, job: dict[str, Any], timeout_s: float = 90) -> dict[str, Any]:
        """The job at its end."""
        found: dict[str, Any] = self.service.wait_for(
            f"jobs/{job['id']}", lambda one: one["ended_at"] is not None, timeout_s
        )
        return found

    def do(self, modem: str, action: str, timeout_s: float = 90, **content: Any) -> dict[str, Any]:
        """An action from its start to its end."""
        status, answer = self.post(f"modems/{modem}/{action}", content)
        if status == 200:
            return {"state": "done", "result": answer["result"], "error": None}
        assert status == 202, (action, status, answer)
        return self.end_of(answer, timeout_s)

    def done(self, modem: str, action: str, timeout_s: float = 90, **content: Any) -> Any:
        """The result of an action that must succeed."""
        job = self.do(modem, action, timeout_s, **content)
        assert job["state"] == "done", (job["error"], modem, action, content, job)
        return job["result"]

    def put_back(self, modem: str, action: str, within_s: float = 100, **content: Any) -> None:
        """Do what must succeed once the modem is idle; the service may still be at undoing what was interrupted."""
        deadline, told = time.monotonic() + within_s, None
        while time.monotonic() < deadline:
            self.service.wait_for(f"modems/{modem}", lambda one: one["state"] == "online" and not one["operation"], 90)
            status, told = self.post(f"modems/{modem}/{action}", content)
            if status == 202 and (told := self.end_of(told))["state"] == "done":
                return
            time.sleep(0.5)
        raise AssertionError((modem, action, told))

    def wait_online(self, modem: str) -> dict[str, Any]:
        found: dict[str, Any] = self.service.wait_for(f"modems/{modem}", lambda one: one["state"] == "online", 90)
        return found

    def fault(self, modem: str, fault: str, seconds: float | None = None) -> None:
        status, answer = self.post("simulation/faults", {"modem": modem, "fault": fault, "seconds": seconds})
        assert status == 202, answer

    def shell(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """``remsim modem …`` as on the router."""
        command = [sys.executable, "-m", "remsim", "modem", *arguments]
        command += ["--state", str(self.service.state), "--listen", f"127.0.0.1:{self.service.port}"]
        return subprocess.run(command, capture_output=True, text=True, input=typed, timeout=120)


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    os.environ["REMSIM_SIMULATOR_TIME_SCALE"] = "0.05"
    service = RunningService(tmp_path_factory.mktemp("control"), f"--simulate={','.join(MODELS)}", "--backfill", "0")
    try:
        service.start()
        service.wait_for("modems", lambda answer: sum(one["state"] == "online" for one in answer["modems"]) == 8, 60)
        yield Router(service)
    finally:
        os.environ.pop("REMSIM_SIMULATOR_TIME_SCALE")
        service.stop()


def for_all(check: Callable[[str], None], models: tuple[str, ...] = MODELS) -> None:
    """A check of every family at the same time, as eight admins would; all failures are told."""
    with ThreadPoolExecutor(len(models)) as pool:
        ends = {model: pool.submit(check, BY_MODEL[model]) for model in models}
    wrong = {model: str(error)[:1500] for model, end in ends.items() if (error := end.exception()) is not None}
    assert not wrong, wrong


def test_every_form_of_every_family_describes_itself(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        actions = router.service.get(f"modems/{modem}/actions")["actions"]
        assert {"reset", "radio", "radio-settings", "apn", "sms-send", "at"} <= {one["name"] for one in actions}
        for action in actions:
            status, form = router.service.request(f"modems/{modem}/{action['name']}/form", timeout_s=30)
            if action["missing"]:
                assert (status, form["code"], form["detail"]) == (409, "not_offered", action["missing"])
                continue
            assert status == 200, (action["name"], form)
            assert form["title"] == action["label"] and form["type"] == "object"
            for name, field in form["properties"].items():
                assert field.get("title"), (action["name"], name)

    for_all(check)


def test_every_family_is_restarted_switched_off_and_on(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        before = router.service.get(f"modems/{modem}/identifiers")["imei"]
        assert router.done(modem, "reset")["took_s"] < 60
        assert router.service.get(f"modems/{modem}/identifiers")["imei"] == before
        router.wait_online(modem)
        router.done(modem, "radio", on=False, confirm_s=0)
        router.service.wait_for(f"modems/{modem}", lambda one: one["state"] == "low_power", 30)
        router.done(modem, "radio", on=True, confirm_s=0)
        router.wait_online(modem)

    for_all(check)


def test_every_family_takes_a_band_and_gives_it_back(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        path = f"modems/{modem}/radio-settings/form"
        every = router.service.get(path)["properties"]["lte_bands"]["default"]
        reading = router.service.get(f"modems/{modem}")["reading"]
        serving = reading["band"] if reading["rat"] == "LTE" and reading["band"] in every else every[0]
        few = sorted({serving, *every[:2], *every[-2:]})
        assert router.done(modem, "radio-settings", lte_bands=few, confirm_s=0, service_s=60)["lte_bands"] == few
        assert router.service.get(path)["properties"]["lte_bands"]["default"] == few
        assert router.done(modem, "radio-settings", lte_bands=[], confirm_s=0, service_s=60)["lte_bands"] == every
        router.wait_online(modem)

    for_all(check)


def test_slots_are_switched_there_and_back(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        form = router.service.get(f"modems/{modem}/sim-slot/form")["properties"]["slot"]
        first = form["default"]
        other = next(one["const"] for one in form["oneOf"] if one["const"] != first)
        sim = router.service.get(f"modems/{modem}/identifiers")["iccid"]
        job = router.do(modem, "sim-slot", slot=other, confirm_s=0, service_s=60)
        if job["state"] == "done":
            router.service.wait_for(f"modems/{modem}/identifiers", lambda one: one["iccid"] not in (None, sim), 60)
            router.done(modem, "sim-slot", slot=first, confirm_s=0, service_s=60)
        router.service.wait_for(f"modems/{modem}/identifiers", lambda one: one["iccid"] == sim, 60)
        router.wait_online(modem)

    switching = []
    for model, modem in BY_MODEL.items():
        actions = {one["name"]: one for one in router.service.get(f"modems/{modem}/actions")["actions"]}
        if not actions["sim-slot"]["missing"]:
            switching.append(model)
    assert {"RM520N-GL", "EM9190", "FM350-GL", "EM7565"} <= set(switching)
    for_all(check, tuple(switching))


def test_the_power_of_a_port_brings_a_modem_back(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        before = router.service.get(f"modems/{modem}/identifiers")["imei"]
        ways = router.service.get(f"modems/{modem}/hard-reset/form")["properties"]["how"]["oneOf"]
        assert "usb_power" in [way["const"] for way in ways]
        result = router.done(modem, "hard-reset", how="usb_power")
        assert result["how"] == "usb_power" and result["took_s"] >= 3
        kinds = [one["kind"] for one in router.service.get(f"events?modem={modem}&limit=20")["events"]]
        assert "vanished" in kinds
        assert router.service.get(f"modems/{modem}/identifiers")["imei"] == before
        router.wait_online(modem)

    for_all(check, ("RM520N-GL", "EM7565"))


def test_the_remote_sim_is_read_and_the_own_one_again(router: Router) -> None:
    def check(modem: str) -> None:
        router.wait_online(modem)
        path = f"modems/{modem}/identifiers"
        own = router.service.get(path)["iccid"]
        assert router.service.get(f"modems/{modem}/sim-source/form")["properties"]["source"]["default"] == "local"
        done = router.done(modem, "sim-source", source="remote", confirm_s=0, service_s=60)
        assert (done["changed"], done["source"]) == (True, "remote")
        remote = router.service.wait_for(path, lambda one: one["iccid"] not in (None, own), 60)["iccid"]
        assert router.done(modem, "sim-source", source="remote", confirm_s=0)["changed"] is False
        router.wait_online(modem)
        assert router.done(modem, "sim-source", source="local", confirm_s=0, service_s=60)["source"] == "local"
        router.service.wait_for(path, lambda one: one["iccid"] == own, 60)
        assert own != remote
        router.wait_online(modem)

    for_all(check, ("RM520N-GL", "EM7565"))


def test_messages_codes_and_the_console(router: Router) -> None:
    for model in ("RM520N-GL", "EM7565", "FM350-GL", "L860-GL"):
        modem = router.wait_online(BY_MODEL[model])["id"]
        assert router.done(modem, "sms-send", number="+491701234567", text="Grüße 😀")["parts"] == 1
        assert router.done(modem, "ussd", code="*100#")["text"]
        said = router.done(modem, "at", command="AT+CSQ")
        assert said["ok"] is True and "+CSQ:" in said["reply"]
        status, refused = router.post(f"modems/{modem}/at", {"command": "AT+CFUN=1;+QPOWD=1"})
        assert status == 422 and refused["field"] == "command", refused
        status, refused = router.post(f"modems/{modem}/at", {"command": "AT\rAT+CFUN=0"})
        assert status == 422 and refused["field"] == "command"


def test_a_search_is_aborted_and_the_modem_goes_on(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["RM520N-GL"])["id"]
    status, job = router.post(f"modems/{modem}/scan")
    assert status == 202
    router.service.wait_for(f"jobs/{job['id']}", lambda one: one["can_abort"])
    assert router.post(f"modems/{modem}/reset")[0] == 409, "one operation a modem"
    assert router.post(f"jobs/{job['id']}/abort")[0] == 200
    assert router.end_of(job)["state"] == "aborted"
    found = router.done(modem, "scan")["networks"]
    assert any(one["status"] == "current" for one in found)
    router.wait_online(modem)


def test_a_form_and_json_are_the_same_and_a_key_runs_once(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["RM520N-GL"])["id"]
    pairs = [("lte_bands", "1"), ("lte_bands", "3"), ("lte_bands", "7"), ("lte_bands", "20"), ("confirm_s", "0")]
    status, first = router.post_form(f"modems/{modem}/radio-settings", pairs, Idempotency_Key="k1")
    assert status == 202, first
    status, again = router.post_form(f"modems/{modem}/radio-settings", pairs, Idempotency_Key="k1")
    assert status == 202 and again["id"] == first["id"]
    assert router.end_of(first)["result"]["lte_bands"] == [1, 3, 7, 20]
    router.done(modem, "radio-settings", lte_bands=[], confirm_s=0)


def test_bands_without_service_are_undone(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["RM520N-GL"])["id"]
    job = router.do(modem, "radio-settings", mode="lte", lte_bands=[71], confirm_s=0, service_s=8)
    assert job["code"] == "rolled_back" and "no service" in job["error"], job
    form = router.service.get(f"modems/{modem}/radio-settings/form")["properties"]
    assert form["mode"]["default"] == "auto" and len(form["lte_bands"]["default"]) > 10
    router.wait_online(modem)


def test_a_modem_that_forgets_gets_its_bands_again(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["FM350-GL"])["id"]
    router.done(modem, "radio-settings", lte_bands=[1, 3, 7, 8, 20], confirm_s=0)
    router.fault(modem, "forgets_bands")
    router.done(modem, "reset")
    router.wait_online(modem)
    router.service.wait_for(
        f"events?kind=control&modem={modem}",
        lambda answer: any("applied again, for the modem had lost it" in one["message"] for one in answer["events"]),
        60,
    )
    router.service.wait_for(f"modems/{modem}", lambda one: one["operation"] is None)
    form = router.service.get(f"modems/{modem}/radio-settings/form")
    assert form["properties"]["lte_bands"]["default"] == [1, 3, 7, 8, 20]
    assert router.service.request(f"modems/{modem}/desired", method="DELETE")[0] == 200
    router.fault(modem, "clear")
    router.done(modem, "radio-settings", lte_bands=[], confirm_s=0)


@pytest.mark.parametrize("action", ["reset", "radio-settings", "sim-slot", "scan", "ussd"])
def test_unplug_in_the_middle_ends_the_job_and_nothing_hangs(router: Router, action: str) -> None:
    modem = router.wait_online(BY_MODEL["RM520N-GL"])["id"]
    content: dict[str, Any] = {
        "radio-settings": {"lte_bands": [1, 3, 20], "service_s": 5},
        "sim-slot": {"slot": 2, "service_s": 5},
        "ussd": {"code": "*100#"},
    }.get(action, {})
    status, job = router.post(f"modems/{modem}/{action}", content)
    assert status == 202, job
    time.sleep(0.3)
    router.fault(modem, "unplug")
    router.service.wait_for(f"modems/{modem}", lambda one: one["state"] in ("rebooting", "gone"))
    router.service.wait_for("modems", lambda answer: sum(one["state"] == "online" for one in answer["modems"]) >= 6)
    if action in ("reset", "radio-settings", "sim-slot"):
        router.fault(modem, "plug")  # these wait for the modem to come back, for minutes
    ended = router.end_of(job, 120)
    assert ended["state"] in ("done", "failed", "aborted"), ended
    router.fault(modem, "clear")
    router.put_back(modem, "sim-slot", slot=1, confirm_s=0, service_s=60)
    router.put_back(modem, "radio-settings", lte_bands=[], confirm_s=0, service_s=60)


@pytest.mark.parametrize("fault", ["late", "no_ok", "refuses_mode", "renumber", "silence", "garbage"])
def test_no_fault_makes_a_wrong_success(router: Router, fault: str) -> None:
    """Whatever the modem does, a job that says done has done it."""
    modem = router.wait_online(BY_MODEL["EC25"])["id"]
    router.fault(modem, fault)
    time.sleep(0.5)
    status, job = router.post(
        f"modems/{modem}/radio-settings", {"lte_bands": [3, 7, 8, 20], "confirm_s": 0, "service_s": 20}
    )
    ended = router.end_of(job, 120) if status == 202 else {"state": "refused", "error": job["detail"]}
    router.fault(modem, "clear")
    router.wait_online(modem)
    now = router.service.get(f"modems/{modem}/radio-settings/form")["properties"]["lte_bands"]["default"]
    if ended["state"] == "done":
        assert now == [3, 7, 8, 20]
    else:
        assert ended["error"], ended
    router.done(modem, "radio-settings", lte_bands=[], confirm_s=0, service_s=60)


@pytest.mark.parametrize(
    ("action", "content", "field"),
    [
        ("apn", {"apn": 'x"\r\nAT+CFUN=0'}, "apn"),
        ("apn", {"apn": "x" * 200}, "apn"),
        ("radio-settings", {"lte_bands": [999]}, "lte_bands"),
        ("radio-settings", {"bands": [1]}, "bands"),
        ("sim-slot", {"slot": 9}, "slot"),
        ("sim-slot", {}, "slot"),
        ("pin-lock", {"on": True, "pin": "abcd"}, "pin"),
        ("sms-send", {"number": "12;34", "text": "x"}, "number"),
        ("sms-send", {"number": "+491701234567", "text": ""}, "text"),
        ("ussd", {"code": "*100#\r"}, "code"),
        ("at", {"command": "AT+CSQ\nAT+CFUN=0"}, "command"),
        ("at", {"command": 'AT+EGMR=1,7,"0"'}, "command"),
    ],
)
def test_bad_input_names_its_field_and_reaches_no_modem(
    router: Router, action: str, content: dict[str, Any], field: str
) -> None:
    modem = BY_MODEL["RM520N-GL"]
    status, answer = router.post(f"modems/{modem}/{action}", content)
    assert (status, answer["field"]) == (422, field), answer
    assert router.service.get(f"modems/{modem}")["operation"] is None


def test_unknown_modems_actions_and_jobs_are_not_found(router: Router) -> None:
    for path in ("modems/modem99/reset", "modems/modem1/nothing", "jobs/999/abort", "jobs/999/confirm"):
        assert router.post(path)[0] == 404, path
    assert router.service.request("modems/modem1/reset", method="POST", body={}, token=None)[0] == 401


def test_the_journal_names_who_did_what(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["EC25"])["id"]
    router.do(modem, "pin-lock", on=True, pin="0000")
    events = router.service.get("events?kind=control&limit=50")["events"]
    mine = next(one for one in events if one["source"] == modem and one["data"]["action"] == "pin-lock")
    assert mine["data"]["actor"].startswith("local from 127.0.0.1")
    assert "0000" not in json.dumps(mine)


def test_the_shell_does_what_the_api_does(router: Router) -> None:
    modem = router.wait_online(BY_MODEL["EC25"])["id"]
    listed = router.shell()
    assert listed.returncode == 0 and f"{modem}  " in listed.stdout and "quectel EC25" in listed.stdout
    assert "radio-settings" in router.shell(modem, "actions").stdout
    assert "lte_bands=" in router.shell(modem, "form", "radio-settings").stdout
    done = router.shell("--yes", modem, "radio-settings", "lte_bands=3,7,8,20")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lte_bands"] == [3, 7, 8, 20]
    assert router.shell("--yes", modem, "radio-settings", "lte_bands=").returncode == 0
    unconfirmed = router.shell(modem, "radio", "on=0", "confirm_s=2")
    assert unconfirmed.returncode == 1 and "nobody confirmed" in unconfirmed.stderr
    wrong = router.shell(modem, "pin-lock", "on=1", "pin=-", typed="abcd\n")
    assert wrong.returncode == 1 and "pin" in wrong.stderr and "abcd" not in wrong.stderr
    assert router.shell("modem99").returncode == 1
    assert router.shell(modem, "radio", "on").returncode == 1
