"""dnsmasq fills sets with the addresses it answers, before it answers: the only rung that is in time for a first flow.

It takes ``nftset=`` lines from a file in its folder of configuration, which it reads at its start only; SIGHUP clears
its cache, so that sets that were emptied fill again. Only the line with the longest matching domain counts, so a line
also names the sets of all domains above its own. A dnsmasq without the feature would not start with such a file, and
the LAN would have no DNS: so its version is asked, the file tried, and taken away again when it does not come up.
"""

from __future__ import annotations

import glob
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from remsim.core.errors import RemsimError, StorageError
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass
from remsim.policies.facts import Wanted
from remsim.policies.learning.patterns import above, checked_domain

log = logging.getLogger(__name__)

FILE = "remsim-sets.conf"
TABLE = "inet#remsim"
MOST_OF_LINE = 1000
"""dnsmasq reads lines of at most 1024 octets."""
MOST_DOMAINS = 4096
PROGRAM_S = 10.0
START_S = 10.0
INIT = Path("/etc/init.d/dnsmasq")
RESTARTS = (
    ["ubus", "call", "rc", "init", '{"name": "dnsmasq", "action": "restart"}'],
    [str(INIT), "restart"],
)
"""By rpcd, which has all the rights that the script needs and the service may lack; else by the script itself."""
PACKAGE = "dnsmasq-full"
ABSENT, GONE = "dnsmasq_absent", "dnsmasq_gone"


class DnsmasqFails(RemsimError):
    """dnsmasq does not take what it is given."""

    code = "dnsmasq_failed"
    http_status = 502


@dataclass(frozen=True, slots=True)
class Instance:
    """A dnsmasq that runs in our network: its process, program, and folders of configuration."""

    pid: int
    program: str
    folders: tuple[Path, ...]


def lines_of(wanted: Sequence[Wanted]) -> list[str]:
    """The lines of the file; ``InvalidInput`` for what is no name. Sets too many for a line are left out."""
    sets: dict[str, list[str]] = {}
    for one in wanted:
        for pattern in one.patterns:
            sets.setdefault(checked_domain(pattern), []).extend((f"4#{TABLE}#{one.set4}", f"6#{TABLE}#{one.set6}"))
    lines: list[str] = []
    for domain in sorted(sets)[:MOST_DOMAINS]:
        line = f"nftset=/{domain}/"
        for place in dict.fromkeys(place for above_it in above(domain) for place in sets.get(above_it, ())):
            if len(line) + len(place) >= MOST_OF_LINE:
                log.warning("%s is in more policies than a line of dnsmasq holds; the last of them do without", domain)
                break
            line += place + ","
        lines.append(line.removesuffix(","))
    return lines


class Dnsmasq:
    """The router's dnsmasq. ``restart`` starts it anew; None finds the init script of the system."""

    def __init__(self, *, proc: Path = Path("/proc"), restart: Callable[[], None] | None = None) -> None:
        self._proc = proc
        self._restart = restart
        self._knows: dict[str, bool] = {}

    def instances(self) -> list[Instance]:
        """Those that run in our network namespace."""
        found = []
        for entry in self._proc.iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "comm").read_text() != "dnsmasq\n":
                    continue
                if os.readlink(entry / "ns/net") != os.readlink(self._proc / "thread-self/ns/net"):
                    continue
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                program = os.readlink(entry / "exe").removesuffix(" (deleted)")
            except OSError:
                continue
            found.append(Instance(int(entry.name), program, _folders(words)))
        return sorted(found, key=lambda one: one.pid)

    def why_not(self) -> str | None:
        """Why it cannot fill sets; None when it can."""
        instances = self.instances()
        if not instances:
            return "dnsmasq does not run"
        if not all(self.knows_sets(one.program) for one in instances):
            return "this dnsmasq was built without nftset"
        if not any(one.folders for one in instances):
            return "dnsmasq reads no folder of configuration"
        if self._restart is None and not INIT.exists():
            return "there is no script that restarts dnsmasq"
        return None

    def knows_sets(self, program: str) -> bool:
        """Whether this dnsmasq was built with nftset; asked once."""
        if program not in self._knows:
            try:
                asked = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=PROGRAM_S)
                self._knows[program] = "nftset" in asked.stdout.split()
            except (OSError, subprocess.TimeoutExpired) as error:
                log.info("%s --version: %s", program, error)
                return False
        return self._knows[program]

    def fill(self, wanted: Sequence[Wanted]) -> None:
        """Have it fill these sets, which are there already: new lines restart it, the same ones clear its cache."""
        lines = lines_of(wanted)
        if not lines:
            self.leave()
            return
        reason = self.why_not()
        if reason is not None:
            message = f"dnsmasq does not fill the sets of names: {reason}"
            raise DnsmasqFails(message, hint=f"install {PACKAGE}", code=ABSENT)
        content = ("# Made by remsim from its policies; changes are lost.\n" + "\n".join(lines) + "\n").encode()
        instances = self.instances()
        files = {folder / FILE for one in instances for folder in one.folders}
        if all(_read(file) == content for file in files):
            self.clear_cache()
            return
        before = {file: _read(file) for file in files}
        try:
            for file in files:
                write_atomically(file, content, mode=0o644)
                self._try(instances[0].program, file)
            self._start_again(instances)
        except (DnsmasqFails, OSError) as error:
            for file, old in before.items():
                _put_back(file, old)
            if isinstance(error, DnsmasqFails) and error.code == GONE:
                self._start_again(instances)
            if isinstance(error, OSError):
                raise StorageError(f"dnsmasq's file cannot be written: {error.strerror}") from error
            raise

    def clear_cache(self) -> None:
        """Have it ask anew, so that what it answers gets into the sets."""
        for one in self.instances():
            try:
                os.kill(one.pid, signal.SIGHUP)
            except OSError as error:
                log.info("dnsmasq (%s) was not told to clear its cache: %s", one.pid, error.strerror)

    def leave(self) -> None:
        """Take the file away; dnsmasq is started anew when it had read it."""
        instances = self.instances()
        files = [folder / FILE for one in instances for folder in one.folders]
        if sum(_put_back(file, None) for file in files):
            try:
                self._start_again(instances)
            except DnsmasqFails as error:
                log.warning("%s", error.message)

    def _try(self, program: str, file: Path) -> None:
        command = [program, "--test", f"--conf-file={file}"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DnsmasqFails(f"dnsmasq did not try its configuration: {error}") from error
        if tried.returncode:
            raise DnsmasqFails(f"dnsmasq refuses the sets of policies: {tried.stderr.strip()[-200:]}")

    def _start_again(self, instances: Sequence[Instance]) -> None:
        from time import monotonic, sleep

        (self._restart or _restart)()
        gone = {one.pid for one in instances}
        end = monotonic() + START_S
        while monotonic() < end:
            if len({one.pid for one in self.instances()} - gone) >= len(instances):
                return
            sleep(0.05)
        raise DnsmasqFails("dnsmasq did not come up again with the sets of policies", code=GONE)


def _restart() -> None:
    """Have the system restart it."""
    why = ""
    for command in RESTARTS:
        try:
            subprocess.run(command, capture_output=True, timeout=30.0, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            why = str(error)
            continue
        return
    raise DnsmasqFails(f"dnsmasq could not be restarted: {why}")


def _folders(words: Sequence[str]) -> tuple[Path, ...]:
    """The folders that its arguments, or the files they name, tell it to read."""
    folders: list[Path] = []
    files: list[str] = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, has_value, value = word.partition("=")
        if name in ("-C", "--conf-file"):
            files.append(value if has_value else following)
        elif name in ("-7", "--conf-dir"):
            folders += _folder(value if has_value else following)
    for file in files or ["/etc/dnsmasq.conf"]:
        for path in glob.glob(file):
            try:
                lines = Path(path).read_text(errors="replace").splitlines()
            except OSError:
                continue
            for line in lines:
                name, _, value = line.partition("=")
                if name.strip() == "conf-dir":
                    folders += _folder(value.partition("#")[0].strip())
    return tuple(dict.fromkeys(folders))


def _folder(value: str) -> list[Path]:
    """``FOLDER`` or ``FOLDER,EXTENSION…``: not where only files with endings are read that ours has not."""
    name, *endings = value.split(",")
    wanted = [one.lstrip("*") for one in endings if one.startswith("*")]
    unwanted = [one for one in endings if not one.startswith("*")]
    if not name or (wanted and not FILE.endswith(tuple(wanted))) or (unwanted and FILE.endswith(tuple(unwanted))):
        return []
    return [Path(name)] if Path(name).is_dir() else []


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _put_back(file: Path, content: bytes | None) -> bool:
    """Write what was there before, or take the file away; whether something changed."""
    try:
        if content is not None:
            write_atomically(file, content, mode=0o644)
        else:
            file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s cannot be changed: %s", file, error.strerror)
        return False
    return True
