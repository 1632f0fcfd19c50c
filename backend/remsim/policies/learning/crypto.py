"""AES-128 in the two modes that QUIC's first packets need, from the OpenSSL that Python brings, and HKDF."""

from __future__ import annotations

import ctypes
import functools
import hmac

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
GCM_SET_TAG = 0x11
TAG = 16


class NoCrypto(Exception):
    """There is no libcrypto that can be used."""


class Aes:
    """One context each for ECB and GCM; of one thread."""

    def __init__(self) -> None:
        self._library = library = _library()
        self._ecb_kind, self._gcm_kind = library.EVP_aes_128_ecb(), library.EVP_aes_128_gcm()
        self._ecb, self._gcm = library.EVP_CIPHER_CTX_new(), library.EVP_CIPHER_CTX_new()
        self._length = ctypes.c_int()
        self._block = ctypes.create_string_buffer(32)
        if not (self._ecb and self._gcm and self._ecb_kind and self._gcm_kind):
            raise NoCrypto("OpenSSL has no AES")

    def close(self) -> None:
        """Let go of the contexts."""
        self._library.EVP_CIPHER_CTX_free(self._ecb)
        self._library.EVP_CIPHER_CTX_free(self._gcm)
        self._ecb = self._gcm = None

    def block(self, key: bytes, plain: bytes) -> bytes:
        """One block encrypted: the mask that hides a packet's number (RFC 9001 §5.4.3)."""
        if not self._library.EVP_EncryptInit_ex(self._ecb, self._ecb_kind, None, key, None):
            raise NoCrypto("OpenSSL refuses AES-ECB")
        self._library.EVP_EncryptUpdate(self._ecb, self._block, ctypes.byref(self._length), plain, 16)
        return self._block.raw[:16]

    def open(self, key: bytes, nonce: bytes, sealed: bytes, header: bytes) -> bytes | None:
        """What AES-128-GCM sealed, ``sealed`` with its tag at the end; None when the tag is not right."""
        library, context, length = self._library, self._gcm, ctypes.byref(self._length)
        text, tag = sealed[:-TAG], sealed[-TAG:]
        if not library.EVP_DecryptInit_ex(context, self._gcm_kind, None, key, nonce):
            raise NoCrypto("OpenSSL refuses AES-GCM")
        opened = ctypes.create_string_buffer(len(text) + TAG)
        library.EVP_DecryptUpdate(context, None, length, header, len(header))
        library.EVP_DecryptUpdate(context, opened, length, text, len(text))
        library.EVP_CIPHER_CTX_ctrl(context, GCM_SET_TAG, TAG, tag)
        if library.EVP_DecryptFinal_ex(context, ctypes.byref(opened, len(text)), length) <= 0:
            return None
        return opened.raw[: len(text)]


def extract(salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract (RFC 5869 §2.2) with SHA-256."""
    return hmac.digest(salt, secret, "sha256")


@functools.cache
def label_of(name: str, length: int) -> bytes:
    """The structure HkdfLabel of RFC 8446 §7.1 without context, with the block's number after it."""
    full = b"tls13 " + name.encode()
    return length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0\x01"


def expand(secret: bytes, name: str, length: int) -> bytes:
    """HKDF-Expand-Label of at most 32 octets."""
    return hmac.digest(secret, label_of(name, length), "sha256")[:length]


@functools.cache
def _library() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            pointer, number, octets = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
            for function in ("EVP_aes_128_ecb", "EVP_aes_128_gcm", "EVP_CIPHER_CTX_new"):
                getattr(library, function).restype = pointer
                getattr(library, function).argtypes = []
            library.EVP_CIPHER_CTX_free.argtypes = [pointer]
            library.EVP_CIPHER_CTX_free.restype = None
            for function in ("EVP_EncryptInit_ex", "EVP_DecryptInit_ex"):
                getattr(library, function).argtypes = [pointer, pointer, pointer, octets, octets]
            for function in ("EVP_EncryptUpdate", "EVP_DecryptUpdate"):
                getattr(library, function).argtypes = [pointer, pointer, pointer, octets, number]
            library.EVP_CIPHER_CTX_ctrl.argtypes = [pointer, number, number, octets]
            library.EVP_DecryptFinal_ex.argtypes = [pointer, pointer, pointer]
        except (OSError, AttributeError):
            continue
        return library
    raise NoCrypto("there is no libcrypto")
