"""Network namespaces of one lab, and what runs in them."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str, check: bool = True, stdin: str | None = None, timeout_s: float = 20) -> str:
    """Run a program; its output. A failure tells what the program said."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def set_namespace(fd: int) -> None:
    """Move the calling thread into a network namespace."""
    if _libc.setns(fd, CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Space:
    """A network namespace with a name of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path("/run/netns") / name
        self._children: list[subprocess.Popen[bytes]] = []
        run("ip", "netns", "add", name)
        self("ip", "link", "set", "lo", "up")

    def __call__(self, *command: str, check: bool = True, stdin: str | None = None, timeout_s: float = 20) -> str:
        """Run a program in here; its output."""
        return run("ip", "netns", "exec", self.name, *command, check=check, stdin=stdin, timeout_s=timeout_s)

    def popen(self, command: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        """Start a program in here; it is ended with the namespace at the latest."""
        child = subprocess.Popen(["ip", "netns", "exec", self.name, *command], **options)  # type: ignore[call-overload]
        self._children.append(child)
        return child  # type: ignore[no-any-return]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have the calling thread in here: sockets it makes meanwhile stay here for ever."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inside = os.open(self.path, os.O_RDONLY)
        try:
            set_namespace(inside)
            yield
        finally:
            set_namespace(before)
            os.close(inside)
            os.close(before)

    def sysctl(self, name: str, value: object) -> None:
        """Set a sysctl of this namespace."""
        with self.entered():
            Path("/proc/sys", *name.split("/")).write_text(str(value))

    def nft(self, text: str) -> str:
        """Load nft text."""
        return self("nft", "-f", "-", stdin=text)

    def remove(self) -> None:
        """End what runs in here and take the namespace away."""
        for child in self._children:
            end(child)
        run("ip", "netns", "del", self.name, check=False)


def sweep() -> None:
    """Take namespaces away whose process was killed before it could."""
    for path in Path("/run/netns").glob("rs*"):
        named = re.fullmatch(r"rs(\d+)(x\d+\w+|try)", path.name)
        if named and not Path("/proc", named[1]).exists():
            run("ip", "netns", "del", path.name, check=False)


def end(child: subprocess.Popen[bytes], patience_s: float = 5) -> None:
    """End a program that was started here, kindly first."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(5)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def why_not() -> str | None:
    """Why there can be no lab here; None where there can."""
    if os.geteuid():
        return "a lab of network namespaces needs root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun to make links of"
    missing = [name for name in ("ip", "nft", "conntrack") if not _has(name)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    name = f"rs{os.getpid()}try"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, timeout=10)
    if tried.returncode:
        return f"no network namespace may be made here: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=10, check=False)
    return None


def _has(program: str) -> bool:
    folders = [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"]
    return any(os.access(Path(folder) / program, os.X_OK) for folder in folders)
