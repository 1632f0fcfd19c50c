"""nftables commands: through libnftables where it is (0.6 ms for a ring), else through the program (18 ms)."""

from __future__ import annotations

import contextlib
import ctypes
import re
import subprocess
import threading

from remsim.links.plane import PlaneError, PlaneRefused

LIBRARY = "libnftables.so.1"
PROGRAM = "nft"
TERSE = 1 << 11
"""Of libnftables: sets are listed without their elements."""
TIMEOUT_S = 60
"""For the program. A set of a million addresses takes a while."""


class NftError(PlaneError):
    """nft refused commands: ``reason`` is what it says, ``line`` the command at fault where it names one."""

    code = "nft_refused"

    def __init__(self, said: str) -> None:
        reason = re.search(r"Error: (.*)", said)
        shown = said.split("\n")
        line = next((shown[at + 1].strip() for at, text in enumerate(shown[:-1]) if "Error: " in text), "")
        self.reason = reason[1].strip() if reason else " ".join(said.split())[:200] or "no reason given"
        self.line = line[:200]
        super().__init__(
            f"nftables refused: {self.reason}" + (f" (in: {self.line})" if line else ""),
            hint="What was in force before still is.",
        )


class Nft:
    """Runs commands, each call one transaction, in the network namespace that it was made in."""

    def __init__(self, *, library: str = LIBRARY, program: str = PROGRAM) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._lib = _load(library)
        self._context = None if self._lib is None else self._lib.nft_ctx_new(0)
        if self._lib is not None and self._context:
            self._lib.nft_ctx_buffer_output(self._context)
            self._lib.nft_ctx_buffer_error(self._context)

    def run(self, commands: str, *, is_check: bool = False, is_terse: bool = False) -> str:
        """What nft prints; ``NftError`` when it refuses, and then nothing has changed.

        ``is_check``: the kernel only looks whether it would take them.
        """
        with self._lock:
            if self._lib is None or not self._context:
                return self._run_program(commands, is_check, is_terse)
            return self._run_library(self._lib, commands, is_check, is_terse)

    def takes(self, commands: str) -> bool:
        """Whether the kernel would take these commands."""
        with contextlib.suppress(NftError):
            self.run(commands, is_check=True)
            return True
        return False

    def close(self) -> None:
        """Let the context go."""
        with self._lock:
            if self._lib is not None and self._context:
                self._lib.nft_ctx_free(self._context)
            self._context = self._lib = None

    def _run_library(self, lib: ctypes.CDLL, commands: str, is_check: bool, is_terse: bool) -> str:
        context = self._context
        lib.nft_ctx_set_dry_run(context, is_check)
        lib.nft_ctx_output_set_flags(context, TERSE if is_terse else 0)
        failed = lib.nft_run_cmd_from_buffer(context, commands.encode())
        said = lib.nft_ctx_get_output_buffer(context) or b""
        error = lib.nft_ctx_get_error_buffer(context) or b""
        if not is_check:
            # What it has read of all tables, a megabyte, is out of date with each change; trying nothing lets go of it.
            lib.nft_ctx_set_dry_run(context, True)
            lib.nft_run_cmd_from_buffer(context, b"")
        if failed:
            raise NftError(error.decode("utf-8", "replace"))
        return bytes(said).decode("utf-8", "replace")

    def _run_program(self, commands: str, is_check: bool, is_terse: bool) -> str:
        options = [option for option, is_wanted in (("-c", is_check), ("-t", is_terse)) if is_wanted]
        try:
            done = subprocess.run(
                [self._program, *options, "-f", "-"],
                input=commands,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise PlaneRefused(
                "nftables is not installed", hint="Install the package nftables-json.", code="nft_missing"
            ) from None
        except subprocess.TimeoutExpired:
            raise NftError(f"Error: nft did not end in {TIMEOUT_S} s") from None
        if done.returncode:
            raise NftError(done.stderr)
        return done.stdout


def _load(library: str) -> ctypes.CDLL | None:
    try:
        lib = ctypes.CDLL(library)
        lib.nft_ctx_new.restype = ctypes.c_void_p
        lib.nft_ctx_new.argtypes = [ctypes.c_uint32]
        for name in ("nft_ctx_free", "nft_ctx_buffer_output", "nft_ctx_buffer_error"):
            getattr(lib, name).argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
            getattr(lib, name).restype = ctypes.c_char_p
            getattr(lib, name).argtypes = [ctypes.c_void_p]
        lib.nft_ctx_set_dry_run.argtypes = [ctypes.c_void_p, ctypes.c_bool]
        lib.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        lib.nft_ctx_output_set_flags.restype = None
        lib.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    except (OSError, AttributeError):
        return None
    return lib
