"""Webhooks: Alertmanager's body (version 4), so that what receives from it receives from here; or an own template.

With a secret each message is signed: ``X-Remsim-Signature: sha256=HEX`` is the HMAC-SHA256 of ``TIMESTAMP.BODY``, with
the timestamp (epoch seconds) of ``X-Remsim-Timestamp``, so that a receiver can refuse what is old or was changed.
Source: Prometheus, "Alertmanager configuration", webhook_config.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from remsim.alerts.notice import Notice
from remsim.config.channels import TEMPLATE_NAME, ChannelSettings
from remsim.outbound.http import post

NOT_OVER = "0001-01-01T00:00:00Z"


def send(channel: ChannelSettings, notice: Notice) -> None:
    """Post a notice."""
    if channel.template:
        text = filled(channel.template, notice)
        kind = "application/json" if is_json(channel.template) else "text/plain; charset=utf-8"
    else:
        text, kind = json.dumps(alertmanager_body(notice, channel.name)), "application/json"
    body = text.encode()
    headers = {name: value.lstrip() for name, _, value in (one.partition(":") for one in channel.headers)}
    headers |= {"Content-Type": kind}
    if channel.secret:
        headers |= signature(channel.secret, int(notice.at), body)
    post(channel, channel.url or "", body, headers)


def signature(secret: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent a body, and when."""
    proof = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    return {"X-Remsim-Timestamp": str(at), "X-Remsim-Signature": f"sha256={proof}"}


def alertmanager_body(notice: Notice, receiver: str) -> dict[str, Any]:
    """The body of Alertmanager's webhooks."""
    alerts = [alertmanager_alert(one, notice.router) for one in notice.alerts]
    return {
        "version": "4",
        "groupKey": f"{{}}:{{router={json.dumps(notice.router)}}}",
        "truncatedAlerts": 0,
        "status": notice.status,
        "receiver": receiver,
        "groupLabels": {"router": notice.router},
        "commonLabels": common([one["labels"] for one in alerts]),
        "commonAnnotations": common([one["annotations"] for one in alerts]),
        "externalURL": "",
        "alerts": alerts,
    }


def alertmanager_alert(alert: dict[str, Any], router: str) -> dict[str, Any]:
    """One alert in Alertmanager's words."""
    labels = {"alertname": alert["rule"], "severity": alert["severity"], "router": router}
    if alert["modem"] is not None:
        labels["modem"] = alert["modem"]
    annotations = {"summary": f"{alert['label']}: {alert['summary']}"}
    if alert["value"] is not None:
        annotations["value"] = f"{alert['value']}"
    identity = "\xff".join(f"{name}={labels[name]}" for name in sorted(labels) if name != "severity")
    return {
        "status": alert["state"],
        "labels": labels,
        "annotations": annotations,
        "startsAt": alert["fired_at"] or alert["since"],
        "endsAt": alert["resolved_at"] or NOT_OVER,
        "generatorURL": "",
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
    }


def common(many: list[dict[str, str]]) -> dict[str, str]:
    """What all have."""
    first, *rest = many
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in rest)}


def is_json(template: str) -> bool:
    """Whether a template makes JSON, in whose strings values have to be written its way."""
    return template.lstrip()[:1] in ("{", "[")


def filled(template: str, notice: Notice) -> str:
    """A template with its ``$names`` put in; nothing in it is ever run."""
    first = notice.alerts[0]
    values = {
        "status": notice.status,
        "severity": notice.severity,
        "label": first["label"] if len(notice.alerts) == 1 else notice.title,
        "rule": first["rule"],
        "modem": first["modem"] or "",
        "summary": "\n".join(notice.lines),
        "value": "" if first["value"] is None else first["value"],
        "threshold": "" if first["threshold"] is None else first["threshold"],
        "count": len(notice.alerts),
        "router": notice.router,
        "at": notice.as_dict()["at"],
    }
    quote = is_json(template)

    def put(match: Any) -> str:
        if match[0] == "$$":
            return "$"
        text = str(values.get(match[1], ""))
        return json.dumps(text)[1:-1] if quote else text

    return TEMPLATE_NAME.sub(put, template)
