"""MQTT: a notice as JSON on the channel's topic."""

from __future__ import annotations

import json

from remsim.alerts.notice import Notice
from remsim.config.channels import ChannelSettings
from remsim.outbound.mqtt import Message, publish


def send(channel: ChannelSettings, notice: Notice) -> None:
    """Publish a notice."""
    publish(channel, [Message(channel.topic or "", json.dumps(notice.as_dict()).encode(), channel.retain)])
