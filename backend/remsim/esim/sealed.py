"""Text encrypted with a passphrase, by what Python itself has: the router has no library of ciphers.

scrypt makes two keys of the passphrase and a salt. HMAC-SHA256 of a counter under the first is a stream of pseudorandom
octets (a PRF in counter mode), which the text is combined with; HMAC-SHA256 under the second of everything that is
written proves that nothing was changed and the passphrase is right (encrypt, then authenticate).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from remsim.core.errors import InvalidInput

N, R, P = 1 << 14, 8, 1
"""scrypt's costs: 16 MB for a moment."""
MOST_N = 1 << 16
MEMORY = 96 << 20
SALT, KEY, BLOCK = 16, 32, 32
KIND = "scrypt+hmac-sha256-ctr+hmac-sha256"


def seal(text: str, passphrase: str) -> dict[str, Any]:
    """An object that only who knows the passphrase can read."""
    salt = secrets.token_bytes(SALT)
    head = {"kind": KIND, "n": N, "r": R, "p": P, "salt": encoded(salt)}
    cipher_key, proof_key = keys(passphrase, salt, N, R, P)
    content = combined(text.encode(), cipher_key)
    return {**head, "data": encoded(content), "tag": encoded(proof(proof_key, head, content))}


def unseal(sealed: Mapping[str, Any], passphrase: str) -> str:
    """The text; ``InvalidInput`` when the passphrase is wrong or the object was changed."""
    try:
        head = {name: sealed[name] for name in ("kind", "n", "r", "p", "salt")}
        salt, content, tag = (base64.b64decode(str(sealed[name]), validate=True) for name in ("salt", "data", "tag"))
        n, r, p = (int(sealed[name]) for name in ("n", "r", "p"))
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise unreadable() from error
    if head["kind"] != KIND or not (2 <= n <= MOST_N and n & (n - 1) == 0 and r == R and p == P):
        raise unreadable()
    cipher_key, proof_key = keys(passphrase, salt, n, r, p)
    if not hmac.compare_digest(tag, proof(proof_key, head, content)):
        hint = "type the one that the backup was made with"
        raise InvalidInput("the passphrase is wrong, or the file was changed", field="passphrase", hint=hint)
    return combined(content, cipher_key).decode()


def keys(passphrase: str, salt: bytes, n: int, r: int, p: int) -> tuple[bytes, bytes]:
    """The two keys."""
    made = hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=MEMORY, dklen=2 * KEY)
    return made[:KEY], made[KEY:]


def combined(content: bytes, key: bytes) -> bytes:
    """The content with the stream; done twice it is the content again."""
    count = (len(content) + BLOCK - 1) // BLOCK
    stream = b"".join(hmac.digest(key, number.to_bytes(8, "big"), "sha256") for number in range(count))
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))


def proof(key: bytes, head: Mapping[str, Any], content: bytes) -> bytes:
    """Of all that is written."""
    return hmac.digest(key, json.dumps(head, sort_keys=True).encode() + b"\n" + content, "sha256")


def encoded(content: bytes) -> str:
    """As JSON has it."""
    return base64.b64encode(content).decode()


def unreadable() -> InvalidInput:
    """It is not one of ours."""
    return InvalidInput("the encrypted codes of this backup cannot be read", field="backup")
