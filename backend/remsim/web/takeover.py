"""How a stream leaves the request that began it: what the application and the server's worker agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remsim.web.streams import Viewer

KEY = "remsim"
"""Where the application keeps its parts."""

TAKES_SOCKETS = "remsim.takes_sockets"
"""Key of the WSGI environment: the server accepts ``TakenOver`` and feeds the socket itself."""


class TakenOver(BaseException):
    """Leaves the WSGI call: the socket is no longer the request's. No ``Exception``, so no handler eats it."""

    def __init__(self, head: bytes, viewer: Viewer) -> None:
        super().__init__("the stream is sent by the sender thread")
        self.head = head
        self.viewer = viewer
