"""One module a type of channel. Each is loaded with the first message it sends: most routers use one or none."""

from __future__ import annotations

from collections.abc import Mapping

from remsim.alerts.notice import Notice
from remsim.config.channels import ChannelSettings
from remsim.outbound.way import Undelivered


def send(channel: ChannelSettings, notice: Notice) -> None:
    """Send a notice by a channel, or raise ``Undelivered``."""
    if channel.type == "smtp":
        from remsim.alerts.senders import smtp

        smtp.send(channel, notice)
    elif channel.type == "webhook":
        from remsim.alerts.senders import webhook

        webhook.send(channel, notice)
    elif channel.type == "mqtt":
        from remsim.alerts.senders import mqtt

        mqtt.send(channel, notice)
    elif channel.type == "ntfy":
        from remsim.alerts.senders import ntfy

        ntfy.send(channel, notice)
    elif channel.type == "syslog":
        from remsim.alerts.senders import syslog

        syslog.send(channel, notice)
    else:
        raise Undelivered(f"{channel.type} sends nothing")


def send_letter(channel: ChannelSettings, subject: str, text: str, at: float, files: Mapping[str, str]) -> None:
    """Send a text of any length, with files of CSV, by an e-mail channel, or raise ``Undelivered``."""
    from remsim.alerts.senders import smtp

    message = smtp.message_of(channel, subject, text, at)
    for name, content in files.items():
        message.add_attachment(content, subtype="csv", filename=name)
    smtp.deliver(channel, message)
