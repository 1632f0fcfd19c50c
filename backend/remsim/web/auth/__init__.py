"""Who asks, and what he may: the proofs a request may carry, and the scopes a view asks for."""

from remsim.web.auth.accounts import Accounts
from remsim.web.auth.guard import COOKIE, COOKIE_DAYS, Guard
from remsim.web.auth.identity import LOCAL, PUBLIC, SCOPES, Identity, actor, identity, not_audited, requires_scope
from remsim.web.auth.tickets import TICKET_S, Ticket, Tickets

__all__ = [
    "COOKIE",
    "COOKIE_DAYS",
    "LOCAL",
    "PUBLIC",
    "SCOPES",
    "TICKET_S",
    "Accounts",
    "Guard",
    "Identity",
    "Ticket",
    "Tickets",
    "actor",
    "identity",
    "not_audited",
    "requires_scope",
]
