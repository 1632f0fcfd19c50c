"""Every way a download ends badly, in words: what is wrong, and what somebody can do. Codes are stable.

Source: SGP.22 §5.2.6 and annexes (subject and reason codes of servers, errors of ES10b), with the numbers under which
servers are seen to use them; public tables disagree on 3.1 and 3.10, and on 4.1 and 4.10: both are taken.
"""

from __future__ import annotations

from collections.abc import Callable

from remsim.esim.errors import EsimError

ANEW = "start the download again"
ASK_OPERATOR = "ask the operator for a new activation code"
FOR_THIS_CARD = "give the operator this card's EID and ask for a new activation code"
OPERATOR_SEES = "tell the operator; only its server can be put right"

MEANINGS: dict[str, tuple[str, str]] = {
    # What a server says of the order.
    "code_unknown": (
        "the activation code is unknown, already used, or meant for another device",
        ASK_OPERATOR,
    ),
    "code_conflict": ("the activation code conflicts with another order that waits for this card", ASK_OPERATOR),
    "other_euicc": ("the profile is reserved for another card: its EID is not this one's", FOR_THIS_CARD),
    "no_order": ("the operator has no profile waiting for this card's EID", FOR_THIS_CARD),
    "bound_to_other": ("the profile is bound to another card already", FOR_THIS_CARD),
    "not_released": ("the operator has not released the profile yet", "try again later, or ask the operator"),
    "not_bindable": ("this profile cannot be downloaded any more", ASK_OPERATOR),
    "profile_unavailable": ("the operator's server does not have this profile, or may not give it", ASK_OPERATOR),
    "profile_type": ("the operator has no profile of the kind that was ordered", ASK_OPERATOR),
    "not_eligible": (
        "the operator has no profile that suits this device or card",
        "ask the operator whether it supports this modem",
    ),
    "order_expired": ("the order has expired", ASK_OPERATOR),
    "too_many_tries": ("the download was tried too often, and the order is blocked", ASK_OPERATOR),
    "confirmation_needed": (
        "the operator asks for a confirmation code",
        "start again and type the confirmation code that came with the activation code",
    ),
    "confirmation_wrong": ("the confirmation code is wrong", "start again with the right one"),
    "confirmation_blocked": ("a wrong confirmation code was given too often, and the order is blocked", ASK_OPERATOR),
    # What a server says of the card.
    "no_memory": ("the card has not enough free memory for this profile", "delete a profile, then try again"),
    "card_signature": ("the server does not accept the card's signature, or the session", ANEW),
    "eum_certificate": (
        "the certificate of the card's manufacturer is not valid for this server",
        "use another card, or another operator; this cannot be changed from here",
    ),
    "euicc_certificate": (
        "the card's certificate is not valid for this server",
        "use another card, or another operator; this cannot be changed from here",
    ),
    "eid_range": (
        "the card's EID is outside what its manufacturer's certificate allows",
        "use another card; this one was made wrongly",
    ),
    "no_common_root": (
        "card and server trust no common authority, as between a test card and an operator's server",
        "use a card that was made for this operator's server",
    ),
    "version_unsupported": ("the server does not support the version of the card", OPERATOR_SEES),
    "no_certificate": ("the server has no certificate that this card could check", OPERATOR_SEES),
    "root_unknown": ("the server does not know the authority of this card", "use another card, or another operator"),
    # What a server says of itself and of the session.
    "oid_mismatch": ("the server has another number (OID) than the activation code says", ASK_OPERATOR),
    "address_mismatch": (
        "the server goes by another name than the activation code says",
        "compare the address in the code with what the operator wrote",
    ),
    "session_lost": ("the server does not know this session any more: it timed out", ANEW),
    "no_event": ("nothing waits for this card at the discovery server", "use the operator's activation code"),
    "event_exists": ("the discovery server holds this event already", OPERATOR_SEES),
    "smds_failed": ("the discovery server failed, or cannot be reached by the operator", "try again later"),
    "request_malformed": ("the server does not understand the request", "report this to the makers of this console"),
    "smdp_refused": ("the server refuses", "ask the operator, and name the numbers in brackets"),
    # The way to a server.
    "smdp_unreachable": (
        "the operator's server cannot be reached",
        "check the router's connection to the internet; a download needs one",
    ),
    "smdp_private": (
        "the server is this router, or in its local network, where no operator's server is",
        "compare the address with what the operator wrote; in a laboratory, give its certificate authority",
    ),
    "smdp_timeout": ("the server does not answer in time", "try again; if it stays so, ask the operator"),
    "smdp_cut": ("the connection to the server was cut before its answer was whole", "try again"),
    "server_fault": ("the server has a fault of its own", "try again later; if it stays so, tell the operator"),
    "server_absent": (
        "the server does not know the functions of an operator's server",
        "compare the address with what the operator wrote",
    ),
    "server_redirect": (
        "the server sends to another address, which is not followed",
        "compare the address with what the operator wrote",
    ),
    "server_reply": ("the server's answer cannot be read", "compare the address with what the operator wrote"),
    "server_empty": ("the server gives no answer where one is due", OPERATOR_SEES),
    "server_too_large": ("the server's answer is larger than any profile", OPERATOR_SEES),
    # Its certificate for TLS.
    "tls_untrusted": (
        "the server's certificate is of no authority that is trusted",
        "compare the address with what the operator wrote; in a laboratory, give its certificate authority",
    ),
    "tls_wrong_host": (
        "the server's certificate is for another name",
        "compare the address with what the operator wrote",
    ),
    "tls_expired": (
        "the server's certificate has expired",
        "check this router's clock, which is the usual cause; if it is right, tell the operator",
    ),
    "tls_not_yet": (
        "the server's certificate is not valid yet",
        "set this router's clock, or let NTP do so, then try again",
    ),
    "tls_clock": (
        "this router's clock is wrong, so the server's certificate cannot be checked",
        "set the clock, or let NTP do so, then try again",
    ),
    "tls_failed": (
        "no secure connection to the server could be made",
        "check this router's clock, which is the usual cause, then the address",
    ),
    "eim_key": (
        "the key that the card has of its eIM cannot be used",
        "ask who runs the eIM to correct its entry on the card",
    ),
    "eim_refused": ("the card does not take the eIM", "ask the eIM's operator for another file"),
    "eim_error": ("the eIM answers with an error", "ask who runs the eIM"),
    "lpac_missing": (
        "lpac is not installed",
        "install the package lpac, or have this console download profiles itself (settings)",
    ),
    "lpac_failed": (
        "lpac did not download the profile",
        "try again, or have this console download profiles itself (settings)",
    ),
    "lab_ca": ("the given certificate authority cannot be read", "give one or more certificates as PEM"),
    "roots_missing": ("the root certificates of this console cannot be read", "install the package again"),
    # What this console finds wrong in what a server says.
    "wrong_challenge": (
        "the server signed another challenge than the card's: this is an answer to somebody else, or an old one",
        "start the download again; if it stays so, somebody is between this router and the server",
    ),
    "wrong_transaction": ("the server mixes this session up with another one", ANEW),
    "already_installed": (
        "this profile is on the card already",
        "enable it; to download it anew, delete it first and let the operator know of that",
    ),
    "metadata_mismatch": ("the package is for another profile than the one that was announced", OPERATOR_SEES),
    "policy_not_allowed": ("the card does not allow what the operator demands for this profile", ASK_OPERATOR),
    # What the card says of the server.
    "server_certificate": ("the card does not accept the server's certificate", OPERATOR_SEES),
    "server_signature": ("the card finds the server's signature wrong", "try again; if it stays so, tell the operator"),
    "server_curve": ("the card does not know the server's kind of keys", OPERATOR_SEES),
    "server_oid": ("the card finds another number (OID) in the server's certificate", OPERATOR_SEES),
    "card_session": ("the card has forgotten this session", ANEW),
    "euicc_reply": ("the card's answer is not understood", "try again; if it stays so, restart the modem"),
    "card_refused": ("the card refuses this download and gives no reason", "restart the modem, then try again"),
    # The package in the card.
    "load_damaged": ("the package came damaged into the card", "try again; if it stays so, tell the operator"),
    "load_signature": ("the card finds the signature of the package wrong", OPERATOR_SEES),
    "load_session": ("the package is not for this session of the card", ANEW),
    "load_unsupported": ("the card does not know this kind of package", OPERATOR_SEES),
    "load_class": ("the card does not take profiles of this class", "use a profile for ordinary use, or another card"),
    "load_interrupted": ("the card was interrupted while it loaded the profile", "try again"),
    "load_profile": ("the card cannot make use of what is in the profile", OPERATOR_SEES),
    "load_mismatch": ("the profile in the package is not the one that was announced", OPERATOR_SEES),
    "load_test_key": ("the test profile has a key that test profiles may not have", "use another test profile"),
    "load_failed": (
        "the card did not install the profile and gives no reason",
        "restart the modem, then try again; the activation code may be used up",
    ),
    "load_cut": (
        "the package did not get into the card whole, and the profile is not there",
        "restart the modem, choose another way to the card in its settings, then try again; "
        "the activation code may be used up",
    ),
    "load_unknown": (
        "whether the profile is on the card cannot be told, for the card does not answer any more",
        "wait for the modem, then read the card anew before you try again",
    ),
    # Profiles that are on the card (ES10c).
    "profile_not_found": ("the card does not have this profile any more", "read the card anew"),
    "profile_not_disabled": ("the profile is enabled", "disable it first, or enable another one"),
    "profile_not_enabled": ("the profile is not enabled", "read the card anew"),
    "profile_policy": ("the operator's policy for this profile does not allow it", "ask the operator"),
    "profile_reenabling": ("the card wants the profile that it had enabled before", "enable that one first"),
    "profile_busy": ("the card is busy with a command of its own", "wait a few seconds and try again"),
    "profile_refused": ("the card refuses and gives no reason", "restart the modem, then try again"),
    # What people do.
    "declined": ("the download was declined", "nothing was changed; the activation code can be used later"),
    "consent_timeout": ("nobody agreed to the profile in time", "start again; the activation code was not used up"),
}
"""A sentence and what to do, by code."""

PAIRS: dict[str, str] = {
    "8.2.6/3.8": "code_unknown",
    "8.2.6/3.1": "code_conflict",
    "8.2.6/3.3": "code_conflict",
    "8.2.6/3.10": "code_conflict",
    "8.1.1/3.8": "other_euicc",
    "8.1.1/2.2": "no_order",
    "8.1.1/3.1": "bound_to_other",
    "8.1.1/3.10": "bound_to_other",
    "8.1/4.8": "no_memory",
    "8.1/6.1": "card_signature",
    "8.1.2/6.1": "eum_certificate",
    "8.1.2/6.3": "eum_certificate",
    "8.1.3/6.1": "euicc_certificate",
    "8.1.3/6.3": "euicc_certificate",
    "8.1.4/6.1": "eid_range",
    "8.2/1.2": "not_released",
    "8.2/3.7": "not_bindable",
    "8.2.1/1.2": "profile_unavailable",
    "8.2.1/3.3": "profile_unavailable",
    "8.2.1/3.5": "profile_unavailable",
    "8.2.1/3.9": "profile_unavailable",
    "8.2.5/1.2": "profile_type",
    "8.2.5/3.7": "profile_type",
    "8.2.5/3.8": "profile_type",
    "8.2.5/3.9": "profile_type",
    "8.2.5/4.3": "not_eligible",
    "8.2.7/2.2": "confirmation_needed",
    "8.2.7/3.8": "confirmation_wrong",
    "8.2.7/6.4": "confirmation_blocked",
    "8.8/3.1": "oid_mismatch",
    "8.8/3.10": "oid_mismatch",
    "8.8.1/3.8": "address_mismatch",
    "8.8.2/3.1": "no_common_root",
    "8.8.3/3.1": "version_unsupported",
    "8.8.4/3.7": "no_certificate",
    "8.8.5/4.1": "order_expired",
    "8.8.5/4.10": "order_expired",
    "8.8.5/6.4": "too_many_tries",
    "8.9.1/3.8": "address_mismatch",
    "8.9.2/3.1": "no_common_root",
    "8.9.3/3.1": "version_unsupported",
    "8.9.4/3.7": "no_certificate",
    "8.9.5/3.9": "no_event",
    "8.9.5/3.3": "event_exists",
    "8.9/4.2": "smds_failed",
    "8.9/5.1": "smds_failed",
    "8.10.1/3.9": "session_lost",
    "8.11.1/3.9": "root_unknown",
    "1.2.1/2.1": "request_malformed",
    "1.2.1/2.2": "request_malformed",
    "1.2.2/2.1": "request_malformed",
    "1.2.2/2.2": "request_malformed",
    "1.3.1/2.1": "request_malformed",
    "1.3.1/2.2": "request_malformed",
}
"""What a server's subject and reason mean."""

AUTHENTICATE: dict[int, str] = {
    1: "server_certificate",
    2: "server_signature",
    3: "server_curve",
    4: "card_session",
    5: "server_oid",
    6: "wrong_challenge",
    7: "no_common_root",
}
"""A card's answer to AuthenticateServer (BF38)."""

PREPARE: dict[int, str] = {
    1: "server_certificate",
    2: "server_signature",
    3: "server_curve",
    4: "card_session",
    5: "wrong_transaction",
}
"""A card's answer to PrepareDownload (BF21)."""

INSTALL: dict[int, str] = {
    1: "load_damaged",
    2: "load_signature",
    3: "load_session",
    4: "load_unsupported",
    5: "load_unsupported",
    6: "load_class",
    7: "load_damaged",
    8: "load_damaged",
    9: "already_installed",
    10: "no_memory",
    11: "load_interrupted",
    12: "load_profile",
    13: "load_mismatch",
    14: "load_test_key",
    15: "policy_not_allowed",
}
"""A card's reason why it did not install a package (BF37)."""

CONFLICTS = {"already_installed", "declined", "consent_timeout"}
"""What is nobody's fault: told with HTTP status 409 rather than 502."""


class SmdpRefused(EsimError):
    """A server's refusal; ``subject`` and ``reason`` are its own numbers."""

    code = "smdp_refused"

    def __init__(self, subject: str, reason: str, message: str | None = None) -> None:
        pair = f"{subject}/{reason}"
        code = PAIRS.get(pair, "smdp_refused")
        sentence, hint = MEANINGS[code]
        told = f": {message}" if code == "smdp_refused" and message else ""
        super().__init__(f"{sentence}{told} ({pair})", detail=pair, hint=hint, code=code)
        self.subject = subject
        self.reason = reason

    @property
    def pair(self) -> str:
        """``8.2.6/3.8``."""
        return self.detail or ""


def trouble(
    code: str, *, why: str | None = None, raw: str | None = None, make: Callable[..., EsimError] = EsimError
) -> EsimError:
    """An error of a code: ``why`` is added to its sentence, and in brackets what was said, ``raw``."""
    sentence, hint = MEANINGS[code]
    text = sentence + (f": {why}" if why else "") + (f" ({raw})" if raw else "")
    error = make(text, detail=raw, hint=hint, code=code)
    if code in CONFLICTS:
        error.http_status = 409
    return error
