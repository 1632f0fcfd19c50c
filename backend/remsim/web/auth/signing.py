"""JSON Web Tokens (RFC 7519), of the one kind we write: HS256 by the standard library."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

LONGEST = 1024


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


HEADER = _encoded(b'{"alg":"HS256","typ":"JWT"}')


def signed(claims: dict[str, Any], key: bytes) -> str:
    """The token."""
    text = f"{HEADER}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{text}.{_signature(text, key)}"


def verified(token: str, key: bytes) -> dict[str, Any] | None:
    """Its claims if we have signed it, else None. The header has to be ours to the letter: no algorithm is chosen."""
    header, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if header != HEADER or len(token) > LONGEST or not token.isascii():
        return None
    if not hmac.compare_digest(signature, _signature(f"{header}.{body}", key)):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _signature(text: str, key: bytes) -> str:
    return _encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())
