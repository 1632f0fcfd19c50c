"""What only LuCI or the router's own key may say of a receiver: who may write is not let into the router's network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any


def untrusted(before: Any, after: Any, secrets: Iterable[str], target_of: Callable[[Any], Any]) -> str | None:
    """Why only LuCI or the router's own key may change a receiver so, in words; None: whoever may write may.

    Who holds a token may not reach through the router what he cannot reach himself, nor have it show another server the
    secret of this one. Anybody may take a receiver away, or its permission to reach the local network.
    """
    if after is None or before == after:
        return None
    if after.allow_private or (before and before.allow_private and after != replace(before, allow_private=False)):
        return "may reach the local network"
    if before is None or target_of(before) == target_of(after):
        return None
    if any(getattr(before, name) and getattr(before, name) == getattr(after, name) for name in secrets):
        return "would show its secret to another server: give the secret anew"
    return None
