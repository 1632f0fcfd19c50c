"""Usage reports by e-mail: each cycle's once, when it is over, by a real SMTP server."""

from __future__ import annotations

from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from receivers import MailServer, mail_server
from remsim.alerts.senders import send_letter
from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.config.sims import SimSettings
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.mailed_reports import MailedReports
from remsim.options import RouterOptions
from remsim.router import Router
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import midnight

PLAN = SimSettings("sim_1a2b3c4d", "Work", 15, 10.0, report_channel="mail")
SIM = PLAN.sim


class House:
    """Reports on a clock of ours."""

    def __init__(self, directory: Path, server: MailServer) -> None:
        self.directory = directory
        self.clock = FakeClock(midnight(date(2026, 1, 20)))
        self.usage = Usage(directory / "usage.db", clock=self.clock, boot_id="b")
        channel = ChannelSettings(
            "mail", "smtp", host="127.0.0.1", port=server.port, security="none", allow_private=True,
            sender="router@example.org", recipients=("admin@example.org",),
        )  # fmt: skip
        self.settings = Settings(sims=(PLAN,), channels=(channel,))
        self.events: list[Event] = []
        self.reports = self.open()

    def open(self) -> MailedReports:
        return MailedReports(
            self.directory / "reports.json", usage=self.usage, settings=lambda: self.settings, clock=self.clock,
            emit=self.events.append, send=send_letter, router_name="router1",
        )  # fmt: skip

    def look(self, day: str) -> None:
        self.clock.set_wall(midnight(date.fromisoformat(day)) + 600)
        self.reports.look()
        if self.reports._thread is not None:
            self.reports._thread.join(10)

    def use(self, count: int) -> None:
        for counter in (0, count):
            values = {"rx_bytes": counter, "tx_bytes": 0}
            self.usage.record(ModemReading("modem1", self.clock.now(), sim=SIM, interface="wwan0", **values))


@pytest.fixture
def server():
    with mail_server() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: MailServer):
    house = House(tmp_path, server)
    yield house
    house.usage.close()


def mails(server: MailServer) -> list[EmailMessage]:
    return [message_from_bytes(content, policy=policy.default) for _, _, content in server.got]  # type: ignore[misc]


def test_a_report_comes_when_the_cycle_is_over_and_once(house: House, server: MailServer) -> None:
    house.look("2026-01-20")
    house.use(2 * 10**9)
    house.look("2026-02-14")
    assert server.got == []
    house.look("2026-02-15")
    house.look("2026-02-16")
    house.reports = house.open()
    house.look("2026-02-17")
    (mail,) = mails(server)
    assert mail["Subject"] == "[router1] Data used by Work, 2026-01-15 to 2026-02-14"
    assert mail["To"] == "admin@example.org"
    body = mail.get_body()
    assert body is not None and "Counted    2.0 GB" in body.get_content()
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "remsim-usage-sim-1a2b3c4d-2026-01.csv"
    assert f"{SIM},Work,2026-01-15,2026-02-14,2026-01-20,modem1,wwan0,2000000000,0" in file.get_content()
    house.look("2026-04-20")
    assert [mail["Subject"][-24:] for mail in mails(server)[1:]] == ["2026-03-15 to 2026-04-14"]
    assert house.events == []


def test_one_that_is_refused_is_told_once_and_sent_later(house: House, server: MailServer) -> None:
    house.look("2026-01-20")
    server.refuse = "550 no such user"
    house.look("2026-02-15")
    house.look("2026-02-16")
    (event,) = house.events
    assert "Work could not be sent" in event.message and "550" in event.message and event.severity == "warning"
    server.refuse = None
    house.look("2026-02-17")
    assert len(server.got) == 1


def test_a_channel_that_is_gone_is_told(house: House, server: MailServer) -> None:
    house.look("2026-01-20")
    house.settings = Settings(sims=(PLAN,))
    house.look("2026-02-15")
    assert "mail is no e-mail channel that is in use" in house.events[0].message


def test_without_a_clock_or_a_channel_nothing_is_looked_at(house: House, server: MailServer) -> None:
    house.look("1970-01-20")
    house.settings = Settings(sims=(SimSettings("sim_1a2b3c4d"),))
    house.look("2026-02-15")
    assert not (house.directory / "reports.json").exists() and server.got == []


def test_a_name_cannot_add_headers(house: House, server: MailServer) -> None:
    house.settings = Settings(sims=(SimSettings("sim_1a2b3c4d", "a\r\nBcc: x@y", 15, report_channel="mail"),),
                              channels=house.settings.channels)  # fmt: skip
    house.look("2026-01-20")
    house.look("2026-02-15")
    assert all(mail["Bcc"] is None for mail in mails(server))


def test_a_damaged_memory_of_what_was_sent_begins_anew(house: House, server: MailServer) -> None:
    (house.directory / "reports.json").write_text("[")
    house.look("2026-01-20")
    house.look("2026-02-15")
    assert len(server.got) == 1


def test_a_router_tells_its_rules_what_the_sim_in_each_modem_has_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(midnight(date(2026, 1, 20)))
    router = Router(RouterOptions(data_dir=tmp_path, state_dir=tmp_path, config_dir=tmp_path), "t" * 43, clock=clock)
    router.config.put_section("sim", PLAN.section, {"cap_gb": 1}, "test")
    views = [{"id": "modem1", "sim": SIM}, {"id": "modem2", "sim": None}, {"id": "modem3", "sim": "sim-0"}]
    monkeypatch.setattr(router.modems, "views", lambda: views)
    for counter in (0, 2 * 10**8):
        values = {"rx_bytes": counter, "tx_bytes": 0}
        router.usage.record(ModemReading("modem1", clock.now(), sim=SIM, interface="wwan0", **values))
    assert router._used_of_caps() == {"modem1": {"cap_percent": 20.0}}
    router.usage.close()
