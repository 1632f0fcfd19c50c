"""E-mail by SMTP, with STARTTLS, TLS from the start, or neither."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from remsim.alerts.notice import Notice
from remsim.config.channels import ChannelSettings
from remsim.outbound.reach import TIMEOUT_S, connect, over_tls, tls_context, words_of
from remsim.outbound.way import Undelivered, one_line

PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Server(smtplib.SMTP):
    """An SMTP client on a connection that is there already."""

    def __init__(self, channel: ChannelSettings, host: str, port: int) -> None:
        self._channel = channel
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = connect(host, port, allow_private=self._channel.allow_private, timeout_s=timeout)
        return over_tls(sock, host, verify=self._channel.verify_tls) if self._channel.encryption == "tls" else sock


def send(channel: ChannelSettings, notice: Notice) -> None:
    """Send a notice as one message to all recipients."""
    text = "\n".join([*notice.lines, "", f"remsim on {notice.router}"]) + "\n"
    deliver(channel, message_of(channel, notice.title, text, notice.at))


def deliver(channel: ChannelSettings, message: EmailMessage) -> None:
    """Hand a message to the channel's server, or raise ``Undelivered``."""
    host = channel.host or ""
    port = channel.port or PORTS[channel.encryption]
    try:
        with Server(channel, host, port) as server:
            if channel.encryption == "starttls":
                server.starttls(context=tls_context(verify=channel.verify_tls))
            if channel.user:
                server.login(channel.user, channel.password or "")
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise Undelivered(f"{host} refuses every recipient: {code} {reply_of(reply)}") from error
    except smtplib.SMTPAuthenticationError as error:
        raise Undelivered(f"{host} refuses the user or the password ({error.smtp_code})") from error
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"{host} refuses the message: {error.smtp_code} {reply_of(error.smtp_error)}") from error
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        raise Undelivered(f"{host} did not take the message: {words_of(error)}") from error


def message_of(channel: ChannelSettings, subject: str, text: str, at: float) -> EmailMessage:
    """A message; automatic, so that nobody's holiday answers it."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.recipients)
    message["Date"] = formatdate(at)
    message["Message-ID"] = make_msgid(domain="remsim.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def reply_of(reply: bytes | str) -> str:
    """A server's words, in one printable line."""
    return one_line(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)[:160]
