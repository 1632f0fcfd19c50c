"""Messages to real receivers: each type of channel, what receivers refuse, and where nothing may be sent."""

from __future__ import annotations

import email.policy
import hashlib
import hmac
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from receivers import CERTIFICATE, log_socket, mail_server, mqtt_broker, odd_server, web_server
from remsim.alerts.desk import Alerts
from remsim.alerts.notice import Notice, trial_notice
from remsim.alerts.senders import send, send_letter, syslog
from remsim.alerts.watch import Sources
from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Numbered
from remsim.core.clock import SystemClock
from remsim.core.reading import ModemReading
from remsim.outbound import mqtt, reach
from remsim.outbound.reach import connect, is_public
from remsim.outbound.way import Undelivered
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence

AT = 1_767_225_600.0
FIRING: dict[str, Any] = {
    **trial_notice("r", AT).alerts[0], "id": "7", "rule": "poor", "label": "Poor signal", "modem": "modem1",
    "severity": "warning", "value": -114.5, "threshold": -110.0, "unit": "dBm",
    "summary": 'modem1: RSRP is -114.5 dBm, "below" -110 dBm — schwach\n',
}  # fmt: skip
OVER = FIRING | {"id": "8", "modem": "modem2", "state": "resolved", "resolved_at": "2026-01-01T00:10:00.000Z"}
ONE = Notice((FIRING,), "router", AT)
BOTH = Notice((FIRING, OVER), "router", AT)
MAIL = ChannelSettings(
    "mail", "smtp", host="localhost", security="none", sender="Router <router@example.org>",
    recipients=("a@example.org", "b@example.org"), allow_private=True,
)  # fmt: skip
HOOK = ChannelSettings("hook", "webhook", allow_private=True)
MQTT = ChannelSettings("mqtt", "mqtt", host="localhost", security="none", topic="home/alerts", allow_private=True)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The router trusts the receivers' certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


# --- e-mail ---


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.usefixtures("trusted")
def test_a_mail_arrives(security: str) -> None:
    login = ("me", "pass word") if security == "starttls" else None
    with mail_server(security=security, login=login) as server:
        user = {"user": "me", "password": "pass word"} if login else {}
        send(replace(MAIL, port=server.port, security=security, **user), BOTH)
    ((sender, recipients, content),) = server.got
    assert sender == "router@example.org"
    assert recipients == ["a@example.org", "b@example.org"]
    message = message_from_bytes(content, policy=email.policy.default)
    assert message["Subject"] == "[router] 1 alert, 1 over"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "WARNING Poor signal: modem1" in text and "schwach" in text
    assert "OVER Poor signal" in text


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_told_without_it(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server(security="starttls", login=("me", "right")) as server:
        channel = replace(MAIL, port=server.port, security="starttls", user="me", password="wr0ng")
        with pytest.raises(Undelivered, match="refuses the user or the password") as caught:
            send(channel, ONE)
    assert "wr0ng" not in caught.value.message + caplog.text


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_wanted(security: str) -> None:
    with mail_server(security=security) as server:
        channel = replace(MAIL, port=server.port, security=security)
        with pytest.raises(Undelivered, match="self-signed"):
            send(channel, ONE)
        assert server.got == []
        send(replace(channel, verify_tls=False), ONE)
        assert len(server.got) == 1


def test_what_a_mail_server_refuses_is_told() -> None:
    with mail_server() as server:
        server.refuse = "552 the mailbox is full"
        with pytest.raises(Undelivered, match="552 the mailbox is full"):
            send(replace(MAIL, port=server.port), ONE)


def test_no_name_of_ours_makes_another_header() -> None:
    sly = Notice((FIRING | {"label": "a\r\nBcc: thief@example.org"},), "router", AT)
    with mail_server() as server:
        send(replace(MAIL, port=server.port), sly)
    message = message_from_bytes(server.got[0][2])
    assert message["Bcc"] is None


def test_a_letter_with_a_file_arrives() -> None:
    with mail_server() as server:
        send_letter(replace(MAIL, port=server.port), "Usage of März", "Grüße\n", AT, {"usage.csv": "a,b\n1,2\n"})
    message = message_from_bytes(server.got[0][2], policy=email.policy.default)
    assert message["Subject"] == "Usage of März"
    assert message.get_body().get_content().splitlines() == ["Grüße"]
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content().split()) == ("usage.csv", ["a,b", "1,2"])
    with pytest.raises(Undelivered):
        send_letter(HOOK, "x", "y", AT, {})


# --- webhooks ---


def test_a_webhook_has_alertmanagers_body_and_is_signed() -> None:
    with web_server() as server:
        send(replace(HOOK, url=f"http://127.0.0.1:{server.port}/in?x=1", secret="hush", headers=("X-Own: 5",)), BOTH)
    (request,) = server.got
    assert request.path == "/in?x=1"
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"
    assert request.headers["X-Own"] == "5"
    body = json.loads(request.body)
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "hook")
    assert set(body) >= {"groupKey", "truncatedAlerts", "groupLabels", "commonLabels", "commonAnnotations", "alerts"}
    assert body["commonLabels"] == {"alertname": "poor", "severity": "warning", "router": "router"}
    firing, over = body["alerts"]
    assert firing["labels"]["modem"] == "modem1"
    assert (firing["status"], firing["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (over["status"], over["endsAt"]) == ("resolved", "2026-01-01T00:10:00.000Z")
    assert firing["fingerprint"] != over["fingerprint"]
    stamp = request.headers["X-Remsim-Timestamp"]
    proof = hmac.new(b"hush", stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Remsim-Signature"] == f"sha256={proof}"
    assert b"hush" not in request.body


def test_a_template_is_filled_and_stays_json() -> None:
    template = '{"text": "$label on ${router}: $summary costs $$5", "n": $count, "v": "$value"}'
    with web_server() as server:
        send(replace(HOOK, url=f"http://127.0.0.1:{server.port}/", template=template), ONE)
        send(replace(HOOK, url=f"http://127.0.0.1:{server.port}/", template="plain: $label {0} %s"), ONE)
    body = json.loads(server.got[0].body)
    assert body["n"] == 1 and body["v"] == "-114.5"
    assert body["text"].startswith("Poor signal on router: WARNING") and body["text"].endswith("costs $5")
    assert '"below"' in body["text"]
    assert server.got[1].body == b"plain: Poor signal {0} %s"
    assert server.got[1].headers["Content-Type"].startswith("text/plain")


def test_a_redirect_is_not_followed() -> None:
    with web_server() as other, web_server() as server:
        server.status, server.location = 302, f"http://127.0.0.1:{other.port}/"
        with pytest.raises(Undelivered, match="redirect"):
            send(replace(HOOK, url=f"http://127.0.0.1:{server.port}/"), ONE)
        assert other.got == []


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_refusal_is_told(status: int) -> None:
    with web_server() as server:
        server.status = status
        with pytest.raises(Undelivered, match=f"status {status}"):
            send(replace(HOOK, url=f"http://127.0.0.1:{server.port}/"), ONE)


def test_https_asks_for_the_certificate_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(tls=True) as server:
        channel = replace(HOOK, url=f"https://localhost:{server.port}/")
        with pytest.raises(Undelivered, match="TLS failed"):
            send(channel, ONE)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        send(channel, ONE)
    assert len(server.got) == 1
    wrong_name = pytest.raises(Undelivered, match="not valid for '127.0.0.2'")
    with web_server(tls=True, address="127.0.0.2") as other, wrong_name:
        send(replace(channel, url=f"https://127.0.0.2:{other.port}/"), ONE)
    assert other.got == []


NONSENSE = [b"", b"\x00" * 100, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, b"HTTP/1.1 999999\r\n"]


@pytest.mark.parametrize("answer", NONSENSE)
def test_a_receiver_that_talks_nonsense_is_trouble_only(answer: bytes) -> None:
    with odd_server(answer) as port:
        for channel in (
            replace(HOOK, url=f"http://127.0.0.1:{port}/"), replace(MQTT, port=port), replace(MAIL, port=port),
        ):  # fmt: skip
            with pytest.raises(Undelivered):
                send(channel, ONE)


def test_a_receiver_that_never_answers_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach.connect, "__kwdefaults__", reach.connect.__kwdefaults__ | {"timeout_s": 0.2})
    with odd_server(None) as port:
        begun = time.monotonic()
        for channel in (replace(HOOK, url=f"http://127.0.0.1:{port}/"), replace(MQTT, port=port)):
            with pytest.raises(Undelivered, match="does not answer"):
                send(channel, ONE)
        assert time.monotonic() - begun < 8


# --- where nothing may be sent ---


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:192.168.1.1", "64:ff9b::7f00:1", "64:ff9b::c0a8:101", "2002:7f00:1::", "::127.0.0.1", "nonsense",
        "192.0.0.192", "64:ff9b:1::a00:1", "fec0::1", "5f00::1", "::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_of_the_local_network_are_known_in_any_dress(address: str) -> None:
    assert not is_public(address)


PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "127.1", "0"])
def test_without_permission_no_connection_is_made_into_the_local_network(host: str) -> None:
    with web_server() as server:
        with pytest.raises(Undelivered) as caught:
            send(replace(HOOK, allow_private=False, url=f"http://{host}:{server.port}/"), ONE)
        assert caught.value.code in ("private_address", "channel_failed")
        for channel in (MAIL, MQTT):
            with pytest.raises(Undelivered):
                send(replace(channel, allow_private=False, port=server.port), ONE)
    assert server.got == []


@pytest.mark.parametrize(
    ("address", "source", "is_refused"),
    [
        ("93.184.216.34", "93.184.216.34", True),
        ("93.184.216.34", "93.184.216.35", False),
        ("2606:2800:220:1::80", "2606:2800:220:1:a:b:c:d", True),
        ("2606:2800:220:1::80", "2606:2800:220:2::1", False),
        ("::ffff:93.184.216.34", "::ffff:93.184.216.35", False),
        ("93.184.216.34", None, False),
    ],
)
def test_a_public_address_of_the_router_or_of_its_network_is_local_all_the_same(
    monkeypatch: pytest.MonkeyPatch, address: str, source: str | None, is_refused: bool
) -> None:
    def resolve(host: str, port: int, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(reach, "source_of", lambda one: source)
    monkeypatch.setattr(socket, "create_connection", lambda *_: socket.socket())
    if is_refused:
        with pytest.raises(Undelivered, match="local network"):
            connect("home.example", 80, allow_private=False, resolve=resolve)
    else:
        connect("home.example", 80, allow_private=False, resolve=resolve).close()
    connect("home.example", 80, allow_private=True, resolve=resolve).close()


def test_the_way_to_an_address_tells_the_own_one() -> None:
    assert reach.source_of(("127.0.0.1", 80)) == "127.0.0.1"


def test_a_name_that_means_another_address_the_next_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: it is resolved once, and the connection is made to what was looked at."""
    answers = iter([["1.1.1.1", "127.0.0.1"], ["127.0.0.1"]])
    tried: list[Any] = []

    def resolve(host: str, port: int, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def refuse(address: Any, timeout_s: float) -> socket.socket:
        tried.append(address)
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(Undelivered, match="cannot be reached"):
        connect("evil.example", 80, allow_private=False, resolve=resolve)
    assert tried == [("1.1.1.1", 80)]


# --- MQTT ---


def subscribe(port: int, topic: str, user: str | None = None, password: str | None = None) -> dict[str, Any]:
    """The message kept on a topic, read with packets made here."""
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(mqtt.connect_packet(user, password))
        assert mqtt.read_packet(link) == (0x20, b"\x00\x00")
        name = topic.encode()
        link.sendall(bytes([0x82, len(name) + 5, 0, 1, 0, len(name)]) + name + b"\x00")
        assert mqtt.read_packet(link)[0] == 0x90
        head = link.recv(1)
        assert head[0] & 0xF1 == 0x31, "a kept message"
        length = shift = 0
        while True:
            byte = link.recv(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        body = mqtt.exactly(link, length)
        found: dict[str, Any] = json.loads(body[2 + len(name) :])
        return found


def test_mosquitto_takes_a_message(tmp_path: Path) -> None:
    many = Notice(tuple(FIRING | {"id": str(number)} for number in range(80)), "router", AT)
    with mqtt_broker(tmp_path) as port:
        send(replace(MQTT, port=port, retain=True), many)
        found = subscribe(port, "home/alerts")
    assert found["status"] == "firing" and len(found["alerts"]) == 80
    assert found["alerts"][0]["summary"] == FIRING["summary"]


@pytest.mark.usefixtures("trusted")
def test_mosquitto_with_tls_and_a_password(tmp_path: Path) -> None:
    with mqtt_broker(tmp_path, tls=True, login=("me", "right")) as port:
        channel = replace(MQTT, port=port, security=None, user="me", password="right")
        send(channel, ONE)
        with pytest.raises(Undelivered, match="the user or the password is wrong|may not connect"):
            send(replace(channel, password="wrong"), ONE)
        with pytest.raises(Undelivered):
            send(replace(channel, security="none"), ONE)


# --- ntfy, the system log ---


def test_ntfy_gets_title_priority_and_token() -> None:
    channel = ChannelSettings("push", "ntfy", topic="mine", token="tk_1", tags="house", allow_private=True)
    with web_server() as server:
        send(replace(channel, url=f"http://127.0.0.1:{server.port}"), ONE)
        send(replace(channel, url=f"http://127.0.0.1:{server.port}"), Notice((OVER,), "router", AT))
    first, second = (json.loads(request.body) for request in server.got)
    assert server.got[0].headers["Authorization"] == "Bearer tk_1"
    assert (first["topic"], first["priority"], first["tags"]) == ("mine", 4, ["house"])
    assert first["title"] == "[router] Poor signal"
    assert second["title"] == "[router] Over: Poor signal" and second["priority"] == 3


def test_the_system_log_gets_a_line_an_alert(tmp_path: Path) -> None:
    channel = ChannelSettings("log", "syslog", facility="local3")
    with log_socket(tmp_path / "log") as sock:
        syslog.send(channel, BOTH, path=str(tmp_path / "log"))
        first, second = sock.recv(2000).decode(), sock.recv(2000).decode()
    assert first.startswith("<156>") and "remsim: WARNING Poor signal: modem1" in first
    assert "\n" not in first
    assert second.startswith("<158>")
    with pytest.raises(Undelivered):
        syslog.send(channel, ONE, path=str(tmp_path / "nothing"))


# --- the whole way ---


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", clock=SystemClock(), sequence=Sequence(tmp_path / "sequence"))
    yield made
    made.close()


def test_an_alert_arrives_by_mail_and_webhook_while_another_channel_hangs(tmp_path: Path, journal: Journal) -> None:
    bus = Bus()
    rule = AlertSettings("poor", "Poor", comparison="below", threshold=-110.0, for_s=0.2)
    with mail_server() as mail, web_server() as web, odd_server(None) as hangs:
        channels = (
            ChannelSettings("slow", "webhook", url=f"http://127.0.0.1:{hangs}/", allow_private=True),
            replace(MAIL, port=mail.port),
            replace(HOOK, url=f"http://127.0.0.1:{web.port}/"),
        )
        alerts = Alerts(
            tmp_path / "alerts.db",
            settings=Settings(alerts=(rule,), channels=channels),
            bus=bus,
            clock=SystemClock(),
            journal=journal,
            emit=lambda event: None,
            sources=Sources(dict, dict, dict),
            send=send,
            router_name=os.uname().nodename,
        )
        alerts.start()
        bus.publish(Numbered(1, ModemReading("modem1", time.time(), rsrp_dbm=-115.0)))
        deadline = time.monotonic() + 3
        while not (mail.got and web.got) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        alerts.stop()
    assert len(mail.got) == len(web.got) == 1
    assert alerts.channel_states()["slow"]["queue"] == 1
