"""Faults for virtual modems, from the service or a test. The service imports this, but not the simulator's rest."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput, RemsimError

CONTROL_NAME = "control.sock"
ESIM_NAME = "esim.json"
TIMEOUT_S = 3.0
FAULTS = {
    "unplug": "leave the USB bus at once",
    "plug": "come back onto it",
    "reboot": "vanish for 90 s (or seconds), then the ttys come back before the parser answers",
    "renumber": "vanish with the next modem for a while (or seconds) and come back with each other's tty numbers",
    "boot_mode": "come back with the USB id of its boot loader, without an AT port",
    "port_taken": "come back with the first AT port held by another process",
    "silence": "take commands and answer none",
    "garbage": "say nonsense, asked or not",
    "slow": "answer 2.5 s (or seconds) late",
    "late": "answer each command with the answer to the one before",
    "no_ok": "answer without the OK at the end",
    "sim_removed": "no SIM in the slot",
    "sim_inserted": "a SIM in the slot again",
    "sim_slot2_empty": "no SIM in the second slot",
    "sim_busy": "a SIM that is busy for ever",
    "sim_pin": "a SIM that asks for its PIN, 1234",
    "sim_puk": "a SIM that asks for its PUK, 12345678",
    "registration_denied": "the network refuses the SIM",
    "no_service": "no network there",
    "low_power": "the radio held off by hardware",
    "warm": "a temperature over the limit for a warning",
    "hot": "a temperature over every limit",
    "forgets_bands": "bands and technologies as from the factory after each reset",
    "refuses_mode": "an error for each change of bands, technologies and cells",
    "clear": "undo all of them",
}

REMOTE_FAULTS = {
    "bankd_lost": "the bank is gone (for seconds), and comes back without its maps",
    "bankd_back": "the bank is there again",
    "bankd_link_lost": "the bank and the server lose each other for a moment",
    "server_lost": "the remsim-server is gone (for seconds), and comes back without its maps",
    "server_back": "the remsim-server is there again",
    "server_restart": "the remsim-server forgets all slot maps",
    "server_nonsense": "the remsim-server answers with a web page (for seconds)",
    "server_silent": "the remsim-server takes requests and answers none (for seconds)",
    "card_removed": "the modem's card is out of the bank (for seconds); without a modem, all cards",
    "card_inserted": "the card is there again",
    "authentication_failures": "the card refuses every authentication (for seconds)",
    "remote_clear": "undo all of these",
}
"""Faults of the remote SIMs; the modem is the one whose card is meant, where one card is."""

ESIM_FAULTS = {
    "smdp_lost": "the server of profiles refuses connections (for seconds)",
    "smdp_back": "the server of profiles is there again",
    "smdp_cut": "it hangs up instead of answering",
    "smdp_half": "it hangs up in the middle of the answer",
    "smdp_silent": "it takes requests and answers none",
    "smdp_slow": "it answers 3 s late",
    "smdp_http_500": "it answers with status 500 and a web page",
    "smdp_html": "it answers with a web page",
    "smdp_wrong_json": "it answers JSON without what it should hold",
    "smdp_no_json": "it answers JSON that ends in the middle",
    "smdp_empty": "it answers with status 204 and nothing",
    "smdp_redirect": "it sends to another address",
    "smdp_line_breaks": "it writes base64 in lines, which is allowed",
    "smdp_wrong_signature": "its signatures do not fit",
    "smdp_wrong_challenge": "it signs another challenge than the card's",
    "smdp_wrong_address": "it signs another address than its own",
    "smdp_wrong_transaction": "it names another transaction",
    "smdp_wrong_mac": "its packages are tampered with",
    "smdp_keeps_notifications": "it takes no notifications (for seconds)",
    "smdp_wrong_host": "it shows a certificate of another host",
    "smdp_untrusted": "it shows a certificate under a root nobody trusts",
    "smdp_expired": "it shows a certificate whose time is over",
    "smds_cut": "the discovery server hangs up instead of answering",
    "smds_http_500": "the discovery server answers with status 500 and a web page",
    "smds_nothing": "the discovery server has nothing for the card",
    "smds_refuses": "the discovery server has nothing for the card, and says so with 8.9.5/3.9",
    "esim_clear": "undo all of these",
}
"""Faults of the servers of profiles; ``step`` is the function of ES9+ where it happens, all of them when not said."""

EUICC_FAULTS = {
    "euicc_memory_full": "the next profile finds no memory",
    "euicc_has_profile": "the next profile is said to be there already",
    "euicc_bad_profile": "the next profile cannot be processed",
    "euicc_policy": "the policy of the next profile is not allowed",
    "euicc_wrong_mac": "a piece of the next package is taken for tampered with",
    "euicc_wrong_signature": "the card signs wrongly, so that the server refuses it",
    "euicc_breaks": "a status that says nothing in the middle of the next package",
    "euicc_removed": "the card is gone in the middle of the next package",
    "euicc_busy": "the card is too busy for the next two switches",
    "euicc_slow": "each answer while a package loads is 2 s (or seconds) late",
    "euicc_refuses_refresh": "the card switches only without a refresh",
    "euicc_ignores_refresh": "the card switches, and the modem does not hear of it",
    "euicc_loses_channels": "a switch closes the channels",
}
"""Faults of the eUICC in a modem's slot in use, until each is done or ``clear``."""


class SimulatorControl:
    """Talks to a simulation's control socket; each call is one exchange."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fault(
        self, usb_path: str | None, fault: str, *, seconds: float | None = None, step: str | None = None
    ) -> None:
        """Do a fault to the modem at a USB path; ``InvalidInput`` names what is wrong.

        Those of ``REMOTE_FAULTS`` and ``ESIM_FAULTS`` need no modem; ``step`` is for the latter.
        """
        self._ask({"modem": usb_path, "fault": fault, "seconds": seconds, "step": step})

    def set_time_scale(self, factor: float) -> None:
        """How long resets, scans and searches take beside a real modem's: 1 is as long, 0.02 is for tests."""
        self._ask({"time_scale": factor})

    def deliver_sms(self, usb_path: str, pdu: str) -> int:
        """Send the modem a short message: a PDU in hex, service centre first. The slot it was put into."""
        return int(self._ask({"modem": usb_path, "sms": pdu})["index"])

    def sent_sms(self, usb_path: str) -> list[str]:
        """The PDUs the modem sent so far, in hex."""
        return list(self._ask({"modem": usb_path, "sent": True})["sent"])

    def modems(self) -> list[dict[str, Any]]:
        """The virtual modems: ``usb_path``, ``model``, ``proven`` (``capture`` or ``family``).

        ``is_plugged``: on the bus; ``is_ready``: its parser works, and it has looked for a network.
        """
        return list(self._ask({"list": True})["modems"])

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_S)
                with short_path(self._directory) as directory:
                    connection.connect(f"{directory}/{CONTROL_NAME}")
                connection.sendall(json.dumps(asked).encode() + b"\n")
                answer = json.loads(connection.makefile("r").readline())
        except (OSError, ValueError) as error:
            raise RemsimError(f"the simulator does not answer: {error}", code="simulator_error") from error
        if not answer.get("ok"):
            raise InvalidInput(str(answer.get("error")), field=answer.get("field"))
        return dict(answer)


@contextlib.contextmanager
def short_path(directory: Path) -> Iterator[str]:
    """A short name of a folder, for the address of a Unix socket holds 107 characters only."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
