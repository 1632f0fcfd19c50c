"""Commands and answers of modems as they may stand in messages and logs."""

from __future__ import annotations

import re

from remsim.core.masking import masked

_SECRET = (
    *("CPIN2?", "CPWD", "CLCK", "AUTH[A-Z]*", "QICSGP", "QCPDPP", "PASS[A-Z]*", "ENTERCND", "SETCND", "UNLOCK"),
    *("CUSD", "CMGS", "CMGW", "EGMR", "CSIM", "CGLA", "CRSM", "QFTPCFG", "QMTCONN", "QHTTPCFG", "QSMTPCFG", "QPIN"),
)
_NAMES = "|".join(re.sub(r"(?<=[A-Z\]])(?=[A-Z])", r"\\s*", name) for name in _SECRET)
"""A modem reads blanks within a name as if they were not there."""
_WITH_SECRETS = re.compile(rf"((?:{_NAMES})\s*=)(?!\s*\?).+", re.IGNORECASE)
"""Commands whose parameters are PINs, passwords or private words."""


_WITH_WORDS = re.compile(
    r"\+(?:CMG[LRSW]|CMT|CUSD|CPB[RF]|CNUM|CGLA|CSIM|CRSM)\b|[A-Z]AUTH|QICSGP|QCPDPP", re.IGNORECASE
)
"""Commands whose answers are passwords, what people write to each other, or a card's content."""


def shown_command(command: str) -> str:
    """A command as it may stand in a message or a log."""
    return masked(_WITH_SECRETS.sub(r"\1…", command))


def shown_reply(command: str, reply: str) -> str:
    """An answer as it may stand in a log."""
    return "…" if _WITH_WORDS.search(command) else masked(reply)
