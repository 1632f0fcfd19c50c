"""The object of a modem in the API."""

from __future__ import annotations

from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.masking import mask
from remsim.modems import boot_modes
from remsim.modems.changes import PROBLEMS
from remsim.modems.masking import shown_reply
from remsim.modems.modem import Modem
from remsim.modems.probe import Prober
from remsim.modems.registry import Identities
from remsim.modems.session import Session

NO_PORT = "The modem has no AT port. Install its driver or change its mode."

REPLY_SHOWN = 2048
"""Less than is kept, so that no number that is cut off shows."""


def modem_view(modem: Modem, prober: Prober, identities: Identities, *, identifiers: bool) -> dict[str, Any]:
    """What is known of a modem; IMEI and its fellows masked unless ``identifiers``."""
    found, identity, session, reading = modem.found, modem.identity, modem.session, modem.reading
    return {
        "id": modem.id,
        "name": modem.settings.name or modem.id,
        "vendor": found.row.vendor,
        "model": identity.get("model") or found.row.module,
        "firmware": identity.get("revision"),
        "platform": found.row.platform,
        "usb_path": found.usb_path,
        "usb_id": found.usb_id,
        "port": port(modem),
        "control_port": found.control_port.path if modem.present and found.control_port else None,
        "port_users": [holder.as_dict() for holder in modem.ports.others] if modem.present else [],
        "notices": notices(modem),
        "interface": modem.interface,
        "state": modem.state,
        "stage": modem.stage,
        "stage_since": iso_utc(modem.stage_since),
        "reason": modem.reason,
        "next_try_at": None if modem.next_try_at is None else iso_utc(modem.next_try_at),
        "state_since": iso_utc(modem.state_since),
        "online_since": iso_utc(modem.state_since) if modem.state == "online" else None,
        "problem": problem(modem, prober),
        "operation": modem.operation,
        **{
            name: identity.get(name) if identifiers else mask(identity.get(name))
            for name in ("imei", "imsi", "iccid", "eid")
        },
        "sim": identities.sim(identity.get("iccid")),
        "period_s": modem.period_s,
        "effective_period_s": session.plan.effective_s if session else modem.period_s,
        "at_commands_total": modem.commands_sent,
        "at_round_exchanges": session.exchanges if session else None,
        "reading": None if reading is None else reading.as_dict(),
    }


def details(modem: Modem) -> dict[str, Any]:
    """What only the view of one modem has."""
    session, values = modem.session, modem.values
    return {
        "carriers": session.driver.carriers(values) if session else [],
        "neighbours": session.driver.neighbours(values) if session else [],
        "sensors_c": values.get("sensors_c"),
        "details": session.driver.details(values) if session else {},
        "replies": replies(session) if session else {},
        "last_error": (session.last_error if session else None) or modem.last_error,
    }


def replies(session: Session) -> dict[str, str]:
    """The newest answer to each polled command, without what identifies anybody."""
    return {command: shown_reply(command, text)[:REPLY_SHOWN] for command, text in dict(session.replies).items()}


def port(modem: Modem) -> str | None:
    """The AT port in use, or the one that will be; the control device while the modem is read by that."""
    session = modem.session
    if modem.present and session is not None and session.manner is not None:
        return session.channel.path
    if not modem.present or not modem.found.at_ports:
        return None
    return modem.ports.port if modem.ports.port in modem.found.at_ports else modem.found.at_ports[0]


def notices(modem: Modem) -> list[str]:
    """What is worth knowing about a modem besides its problem, in sentences."""
    if not modem.present:
        return []
    found = modem.found
    control = found.control_port.path if found.control_port else None
    told = [*modem.notices.values(), *modem.ports.notices(control)]
    session = modem.session
    if session is not None and session.manner is not None and session.channel.is_open:
        told.append(f"It is {session.manner}, at most every 10 s: it has no free AT port, so it cannot be controlled.")
    if found.row.is_unknown:
        told.append(f"We do not know the product {found.usb_id}: please report it with the text of 'remsim detect'.")
    return told


def problem(modem: Modem, prober: Prober) -> str | None:
    """One sentence about what is wrong and what to do, the most urgent one."""
    session = modem.session
    if modem.state in ("port_busy", "not_answering") and modem.trouble:
        return modem.trouble
    if modem.present and modem.found.row.boot_mode is not None:
        return boot_modes.sentence(modem.found.row.boot_mode)
    if modem.present and not modem.found.at_ports and modem.found.control_port is None:
        return f"The modem has no AT port: {modem.found.missing}." if modem.found.missing else NO_PORT
    if modem.state in PROBLEMS:
        return PROBLEMS[modem.state]
    if session and session.plan.period_s and (session.plan.effective_s or 0) > session.plan.period_s:
        return (
            f"The modem answered late or not at all, so it is asked only every {session.plan.effective_s:g} s for now."
        )
    return prober.problem(modem.found.usb_path)
