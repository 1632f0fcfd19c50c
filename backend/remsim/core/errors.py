"""The error tree: facts are attributes, the text is one sentence for an admin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class RemsimError(Exception):
    """An error that somebody can act on.

    ``code`` is for machines and stable, ``message`` is one sentence for an admin, ``field`` names
    the input at fault, ``hint`` says what to do. ``http_status`` is the status the web layer gives it.
    """

    code = "error"
    http_status = 500

    def __init__(
        self, message: str, *, field: str | None = None, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        if code is not None:
            self.code = code


class InvalidInput(RemsimError):
    """A value given by a user or a program is not usable; ``field`` names it.

    ``problems`` tells each of several with its place (``line``, ``column``, ``message`` …), where the input is a text.
    """

    code = "invalid_input"
    http_status = 422
    problems: Sequence[Mapping[str, Any]] = ()


class NotFound(RemsimError):
    """What was asked for does not exist (an unknown modem, measure, job)."""

    code = "not_found"
    http_status = 404


class Conflict(RemsimError):
    """What was asked for cannot be done now, because of what goes on or how things are."""

    code = "conflict"
    http_status = 409


class Aborted(RemsimError):
    """Work ended because somebody asked for it."""

    code = "aborted"
    http_status = 409


class ConfigError(RemsimError):
    """A configuration file cannot be used; the text names file, line and option."""

    code = "config_error"


FREE_SPACE = "free space or check the disk"
"""What to do where a file cannot be written."""


class StorageError(RemsimError):
    """A file of ours cannot be read or written (disk full, read-only, damaged)."""

    code = "storage_error"
    http_status = 507


class ModemError(RemsimError):
    """Trouble with one modem."""

    code = "modem_error"
    http_status = 502


class AtTimeout(ModemError):
    """The modem did not answer a command in time."""

    code = "at_timeout"

    def __init__(self, command: str, timeout_s: float) -> None:
        super().__init__(f"the modem did not answer {command} in {timeout_s:g} s; it may be restarting")
        self.command = command
        self.timeout_s = timeout_s


class AtFormatError(ModemError):
    """A reply is not of the form its command has; ``line`` is the offending text."""

    code = "at_format"

    def __init__(self, command: str, line: str) -> None:
        super().__init__(f"the modem answered {command} with something unreadable: {line[:120]!r}")
        self.command = command
        self.line = line


class CommandRefused(ModemError):
    """The modem answered a command with an error; ``cause`` is its own word for why, ``number`` its CME or CMS code."""

    code = "refused"

    def __init__(self, command: str, cause: str, *, number: int | None = None, hint: str | None = None) -> None:
        super().__init__(f"the modem refuses {command}: {cause}", hint=hint)
        self.command = command
        self.cause = cause
        self.number = number


class NotTaken(ModemError):
    """The modem said OK, but what is read back is not what was wanted."""

    code = "not_taken"


class RolledBack(ModemError):
    """A change was undone again, because it cut the service or nobody confirmed it."""

    code = "rolled_back"


class ModemGone(ModemError):
    """The modem's port has vanished (unplugged, resetting)."""

    code = "modem_gone"

    def __init__(self, port: str) -> None:
        super().__init__(f"{port} has vanished; the modem was unplugged or is restarting")
        self.port = port


class PortBusy(ModemError):
    """Another program holds the AT port."""

    code = "port_busy"

    def __init__(self, port: str, holder: str | None = None, *, hint: str | None = None) -> None:
        by = f" by {holder}" if holder else " by another program"
        super().__init__(f"{port} is in use{by}", hint=hint or "stop that program or let it release the port")
        self.port = port
        self.holder = holder


class WayFails(ModemError):
    """This way to a card's applications cannot be gone on this modem; another may."""

    code = "card_way"


class NoCard(ModemError):
    """There is no card to be asked: none is inserted, or the modem is still busy with it."""

    code = "no_card"


class NoApplication(ModemError):
    """The card has no such application: it is no eUICC, or its ISD-R has another name.

    ``is_certain``: the card itself says so, not a modem that gives no reason.
    """

    code = "no_euicc"
    is_certain = True
