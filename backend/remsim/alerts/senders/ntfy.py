"""ntfy and what speaks like it: JSON to the server's root. Source: docs.ntfy.sh, "Publish as JSON"."""

from __future__ import annotations

import json

from remsim.alerts.notice import Notice
from remsim.config.channels import ChannelSettings
from remsim.outbound.http import post

SERVER = "https://ntfy.sh"
PRIORITY = {"info": 3, "warning": 4, "critical": 5}
LONGEST = 3500
"""A message of more than 4096 bytes would become an attachment."""


def send(channel: ChannelSettings, notice: Notice) -> None:
    """Publish a notice."""
    is_firing = notice.status == "firing"
    tags = [tag for tag in (channel.tags or "").split(",") if tag]
    message = {
        "topic": channel.topic,
        "title": notice.title,
        "message": "\n".join(notice.lines).encode()[:LONGEST].decode("utf-8", "ignore"),
        "priority": PRIORITY[notice.severity] if is_firing else PRIORITY["info"],
        "tags": tags or ["warning" if is_firing else "white_check_mark"],
    }
    headers = {"Content-Type": "application/json"}
    if channel.token:
        headers["Authorization"] = f"Bearer {channel.token}"
    post(channel, channel.url or SERVER, json.dumps(message).encode(), headers)
