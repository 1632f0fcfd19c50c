"""Result codes in an admin's words, and what to do about them (27.007 §9.2, 27.005 §3.2.5)."""

from __future__ import annotations

from remsim.core.errors import CommandRefused
from remsim.core.masking import masked
from remsim.modems.decode.text import to_int
from remsim.modems.masking import shown_command
from remsim.modems.reply import AtReply

CME = {
    3: "operation not allowed now",
    4: "operation not supported",
    5: "the SIM is locked to another phone",
    10: "no SIM is inserted",
    11: "the SIM wants its PIN",
    12: "the SIM wants its PUK",
    13: "the SIM fails",
    14: "the SIM is busy",
    15: "the SIM is wrong",
    16: "the PIN or password is wrong",
    17: "the SIM wants its PIN2",
    18: "the SIM wants its PUK2",
    20: "the memory is full",
    21: "there is nothing at that index",
    22: "not found",
    23: "the memory fails",
    24: "the text is too long",
    26: "the dial string is too long",
    30: "no network service",
    31: "the network did not answer in time",
    32: "the network allows emergency calls only",
    50: "a parameter is wrong",
    100: "unknown reason",
    103: "the network refuses this device (illegal MS)",
    106: "the network refuses this device (illegal ME)",
    107: "packet service is not allowed",
    111: "this network is not allowed",
    112: "this location area is not allowed",
    113: "roaming is not allowed here",
    132: "the network does not support the service option",
    133: "the service option is not subscribed",
    134: "the service option is temporarily out of order",
    148: "unspecified packet service error",
    149: "the network refuses the user name or password",
}
CMS = {
    1: "the number is not assigned",
    8: "the operator bars sending",
    10: "sending is barred for this SIM",
    17: "the network failed",
    21: "the network rejects the message",
    22: "the receiver's memory is full",
    27: "the receiver cannot be reached",
    28: "the network does not know this SIM",
    29: "the service centre rejects it",
    30: "the network does not know this SIM",
    38: "the network is out of order",
    41: "a temporary failure of the network",
    42: "the network is congested",
    47: "the network has no resources for it now",
    50: "the number's facility is not subscribed",
    69: "the network does not offer it",
    192: "the service centre is busy",
    193: "this SIM may not use the service centre",
    194: "the service centre fails",
    195: "the receiver's number is wrong",
    196: "sending to this number is barred",
    197: "the service centre has this message already",
    208: "the SIM's memory is full",
    300: "the modem fails",
    301: "the SMS service is reserved",
    302: "operation not allowed now",
    303: "operation not supported",
    304: "the message's form is wrong",
    305: "a parameter is wrong",
    310: "no SIM is inserted",
    311: "the SIM wants its PIN",
    313: "the SIM fails",
    314: "the SIM is busy",
    320: "the memory fails",
    321: "there is no message at that index",
    322: "the memory is full",
    330: "the message centre's number is unknown",
    331: "no network service",
    332: "the network did not answer in time",
    500: "unknown reason",
}
HINTS = {
    3: "try again when the modem has settled",
    10: "insert a SIM or choose another slot",
    11: "enter the PIN first",
    12: "enter the PUK first",
    14: "try again in some seconds",
    20: "delete messages first",
    322: "delete messages first",
    30: "wait until the modem is registered",
    331: "wait until the modem is registered",
    330: "set the message centre's number (AT+CSCA)",
}


def refusal(reply: AtReply) -> CommandRefused:
    """The error that a result code other than OK stands for."""
    kind, _, detail = reply.final.partition(":")
    number = to_int(detail.strip())
    words = CMS if kind.strip().upper() == "+CMS ERROR" else CME
    cause = words.get(number if number is not None else -1) or masked(detail.strip()) or "it does not say why"
    if number is not None:
        cause += f" ({kind.strip().removeprefix('+').split()[0]} {number})"
    return CommandRefused(shown_command(reply.command), cause, number=number, hint=HINTS.get(number or -1))
