"""OpenWrt's UCI files: read, change, write, with comments, order and untouched lines as they were.

The grammar is libuci's: ``package``, ``config TYPE [NAME]``, ``option NAME VALUE``, ``list NAME VALUE``; words may be
bare, in single quotes (literal) or in double quotes (backslash escapes), may be joined (``'a'"b"``) and may span lines.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from remsim.core.errors import FREE_SPACE, ConfigError, InvalidInput, StorageError
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

NAME = re.compile(r"[A-Za-z0-9_]+\Z")
TYPE = re.compile(r"[\x21-\x7e]+\Z")


class UciError(ConfigError):
    """A UCI file that cannot be read: where and why."""

    def __init__(self, file: str, line: int, why: str, option: str | None = None) -> None:
        place = f"{file}, line {line}" + (f", option {option}" if option else "")
        super().__init__(f"{place}: {why}", field=option)
        self.file, self.line, self.option = file, line, option


@dataclass(slots=True)
class Line:
    """One statement with its original text, which is written back unless it changed."""

    raw: str
    number: int
    words: list[str] = field(default_factory=list)

    @property
    def keyword(self) -> str:
        return self.words[0] if self.words else ""


class UciSection:
    """One ``config`` block. ``name`` is None for an anonymous one."""

    def __init__(self, head: Line) -> None:
        self.head = head
        self.body: list[Line] = []

    @property
    def type(self) -> str:
        return self.head.words[1]

    @property
    def name(self) -> str | None:
        return self.head.words[2] if len(self.head.words) > 2 else None

    def get(self, option: str) -> str | None:
        """The option's value (the last one counts), or None; a list gives its first."""
        values = self.get_list(option)
        scalars = [line.words[2] for line in self.body if line.words[:2] == ["option", option]]
        return scalars[-1] if scalars else (values[0] if values else None)

    def get_list(self, option: str) -> list[str]:
        """A list's values; a plain option counts as a list of one."""
        values: list[str] = []
        for line in self.body:
            if line.words[:2] == ["list", option]:
                values.append(line.words[2])
            elif line.words[:2] == ["option", option]:
                values = [line.words[2]]
        return values

    def options(self) -> list[str]:
        """Names of all options and lists, in order."""
        return list(dict.fromkeys(line.words[1] for line in self.body if line.words))

    def line_of(self, option: str) -> int:
        """The line an option stands in; the section's own when it is absent."""
        lines = [line.number for line in self.body if line.words[1:2] == [option]]
        return lines[-1] if lines else self.head.number

    def set(self, option: str, value: str) -> None:
        """Give an option one value, at its place if it has one."""
        self._replace(option, [statement("option", option, value)])

    def set_list(self, option: str, values: list[str]) -> None:
        """Give a list its values."""
        self._replace(option, [statement("list", option, value) for value in values])

    def unset(self, option: str) -> None:
        """Remove an option or list."""
        self._replace(option, [])

    def _replace(self, option: str, new: list[Line]) -> None:
        places = [at for at, line in enumerate(self.body) if line.words[1:2] == [option]]
        if places:
            rest = [line for line in self.body if line.words[1:2] != [option]]
            self.body = [*rest[: places[0]], *new, *rest[places[0] :]]
            return
        end = self.own_end()
        self.body[end:end] = new

    def own_end(self) -> int:
        """Where the section's own lines end: blank lines and comments at the margin behind the last option are not its
        own, but part it from the next section or introduce that one."""
        end = len(self.body)
        while end and not self.body[end - 1].words:
            end -= 1
        while end < len(self.body) and self.body[end].raw[:1] in (" ", "\t") and self.body[end].raw.strip():
            end += 1
        return end


class UciFile:
    """One file of /etc/config."""

    def __init__(self, name: str = "remsim_console") -> None:
        self.name = name
        self._before: list[Line] = []
        self._sections: list[UciSection] = []

    @classmethod
    def parse(cls, text: str, name: str = "remsim_console") -> UciFile:
        """A file from its text; ``UciError`` says where it is broken."""
        file = cls(name)
        for line in statements(text, name):
            if line.keyword == "config":
                file._sections.append(UciSection(line))
            elif line.keyword in ("option", "list") and not file._sections:
                raise UciError(name, line.number, f"{line.keyword} before any config line", line.words[1])
            else:
                (file._sections[-1].body if file._sections else file._before).append(line)
        return file

    @classmethod
    def of_bytes(cls, content: bytes, name: str) -> UciFile:
        """A file from its bytes, which are UTF-8."""
        try:
            return cls.parse(content.decode("utf-8"), name)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise UciError(name, line, f"not UTF-8 text ({error.reason})") from error

    @classmethod
    def load(cls, path: Path) -> UciFile:
        """A file from disk; one that is not there is empty."""
        try:
            return cls.of_bytes(path.read_bytes(), path.name)
        except FileNotFoundError:
            return cls(path.name)
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error

    def sections(self, kind: str | None = None) -> list[UciSection]:
        """All sections, or those of one type."""
        return [section for section in self._sections if kind in (None, section.type)]

    def section(self, name: str) -> UciSection | None:
        """The named section."""
        return next((section for section in self._sections if section.name == name), None)

    def add(self, kind: str, name: str | None = None) -> UciSection:
        """A new section at the end."""
        if not TYPE.match(kind) or (name is not None and not NAME.match(name)):
            raise InvalidInput("a section's name has letters, digits and _ only", field="section")
        words = ["config", kind] + ([name] if name else [])
        gap = "\n" if self._sections or self._before else ""
        text = " ".join([words[0], bare_or_quoted(kind), *([quoted(name)] if name else [])])
        section = UciSection(Line(f"{gap}{text}\n", 0, words))
        self._end_with_newline()
        self._sections.append(section)
        return section

    def remove(self, section: UciSection) -> None:
        """Drop a section; the comments that introduce the next one stay."""
        at = self._sections.index(section)
        rest = section.body[section.own_end() :]
        if any(line.raw.strip() for line in rest):
            (self._sections[at - 1].body if at else self._before).extend(rest)
        del self._sections[at]

    def dumps(self) -> str:
        """The file's text."""
        self._end_with_newline(only_if_more=True)
        lines = [*self._before, *(line for section in self._sections for line in (section.head, *section.body))]
        return "".join(line.raw for line in lines)

    def save(self, path: Path) -> None:
        """Replace the file so that a crash or a full disk leaves the old one or the new one; its mode stays."""
        with locked(path):
            self._replace_file(path)

    def _replace_file(self, path: Path) -> None:
        try:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            write_atomically(path, self.dumps().encode(), mode)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}", hint=FREE_SPACE) from error

    def _end_with_newline(self, *, only_if_more: bool = False) -> None:
        """The last line of a file may lack its newline; what follows it needs one."""
        lines = [*self._before, *(line for section in self._sections for line in (section.head, *section.body))]
        for line in lines[:-1] if only_if_more else lines:
            if not line.raw.endswith("\n"):
                line.raw += "\n"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one of us changes the files of a folder at a time; the lock is on the folder, so nothing is left behind."""
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}", hint=FREE_SPACE) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def edited(path: Path) -> Iterator[UciFile]:
    """A file to change: nobody else's change comes between its reading and its writing."""
    with locked(path):
        file = UciFile.load(path)
        yield file
        file._replace_file(path)


def statements(text: str, name: str) -> Iterator[Line]:
    """The file's statements; a quoted value may make one of several lines."""
    at, number = 0, 1
    while at < len(text):
        words, end = read_words(text, at, name, number)
        line = Line(text[at:end], number, words)
        check(line, name)
        yield line
        number += text.count("\n", at, end)
        at = end


def read_words(text: str, at: int, name: str, number: int) -> tuple[list[str], int]:
    """The words up to the statement's end, and where the next statement begins."""
    words: list[str] = []
    word: list[str] | None = None
    while at < len(text):
        char = text[at]
        if char in "\n;":
            at += 1
            break
        if char == "#" and word is None:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end + 1
            break
        if char in " \t\r":
            if word is not None:
                words.append("".join(word))
                word = None
            at += 1
            continue
        word = [] if word is None else word
        if char in "'\"":
            try:
                piece, at = read_quoted(text, at)
            except EOFError as error:
                # The statement began where the quote is missing; the one that is open now may be a later line's.
                option = words[1] if len(words) > 1 and words[0] in ("option", "list") else None
                raise UciError(name, number, f"the quote {char} is not closed", option) from error
            word.append(piece)
        elif char == "\\" and at + 1 < len(text):
            word.append("" if text[at + 1] == "\n" else text[at + 1])
            at += 2
        else:
            word.append(char)
            at += 1
    if word is not None:
        words.append("".join(word))
    return words, at


def read_quoted(text: str, at: int) -> tuple[str, int]:
    """The text in quotes from ``at`` on, and where it ends; ``EOFError`` when it does not."""
    quote = text[at]
    piece: list[str] = []
    at += 1
    while at < len(text):
        char = text[at]
        if char == quote:
            return "".join(piece), at + 1
        if char == "\\" and quote == '"' and at + 1 < len(text):
            piece.append("" if text[at + 1] == "\n" else text[at + 1])
            at += 2
            continue
        piece.append(char)
        at += 1
    raise EOFError


def check(line: Line, name: str) -> None:
    """Whether a statement has the words its keyword wants."""
    words = line.words
    if not words:
        return
    keyword = words[0]
    if keyword == "config":
        if not 2 <= len(words) <= 3 or not TYPE.match(words[1]) or (len(words) == 3 and not NAME.match(words[2])):
            raise UciError(name, line.number, "config wants a type and perhaps a name of letters, digits and _")
    elif keyword in ("option", "list"):
        if len(words) != 3 or not NAME.match(words[1]):
            option = words[1] if len(words) > 1 else None
            raise UciError(
                name, line.number, f"{keyword} wants a name and one value (in quotes if it has blanks)", option
            )
    elif keyword != "package":
        raise UciError(name, line.number, f"{keyword[:40]!r} is not config, option or list")


def statement(keyword: str, option: str, value: str) -> Line:
    """A new line of a section."""
    if not NAME.match(option):
        raise InvalidInput("an option's name has letters, digits and _ only", field=option[:40])
    if "\0" in value:
        raise InvalidInput("a value must not contain NUL", field=option)
    return Line(f"\t{keyword} {option} {quoted(value)}\n", 0, [keyword, option, value])


def quoted(text: str) -> str:
    """A value in single quotes; a single quote in it is put as ``'\\''``."""
    return "'" + text.replace("'", "'\\''") + "'"


def bare_or_quoted(text: str) -> str:
    """A type as UCI files write it."""
    return text if NAME.match(text) else quoted(text)
