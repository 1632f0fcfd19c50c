"""What goes wrong with eSIMs. The sentence is for the admin; the raw words of card and server are in ``detail``."""

from __future__ import annotations

from remsim.core.errors import RemsimError


class EsimError(RemsimError):
    """Trouble with an eUICC, a profile or a server of profiles; ``detail`` is what was answered, as it came."""

    code = "esim_error"
    http_status = 502

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        field: str | None = None,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, field=field, hint=hint, code=code)
        self.detail = detail


class StatusWord(EsimError):
    """The card refused a command; ``status`` is its answer as a number, 0x6A88."""

    code = "esim_status"

    def __init__(self, status: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, detail=f"{status:04X}", hint=hint)
        self.status = status
