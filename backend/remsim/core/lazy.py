"""A room of the router of which as little is loaded as it needs: what works is made when it is needed first."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar


class Works(Protocol):
    """What works in a room."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


P = TypeVar("P", bound=Works)


class LazyDesk(ABC, Generic[P]):
    """Whoever is made before the start begins with it, whoever is made after the end never does. Any thread may ask."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._parts: P | None = None
        self._is_started = self._is_stopping = False

    @abstractmethod
    def _make(self) -> P:
        """Load what works."""

    @abstractmethod
    def _is_needed(self) -> bool:
        """Whether it has to work though nobody has asked."""

    def start(self) -> None:
        """Begin, if there is anything to do."""
        with self._loading:
            self._is_started = True
            parts = self._parts
        if parts is not None:  # somebody looked before
            parts.start()
        else:
            self._load_if_needed()

    def stop(self) -> None:
        """End."""
        with self._loading:
            self._is_stopping = True
            parts = self._parts
        if parts is not None:
            parts.stop()

    @property
    def is_loaded(self) -> bool:
        """Whether there was a need."""
        return self._parts is not None

    @property
    def parts(self) -> P:
        """What works; made when it is needed first."""
        with self._loading:
            if self._parts is None:
                parts = self._make()
                if self._is_started and not self._is_stopping:
                    parts.start()
                self._parts = parts
            return self._parts

    def _load_if_needed(self) -> None:
        if self._is_started and self._is_needed():
            self.parts  # noqa: B018  # loading it starts it
