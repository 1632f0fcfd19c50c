"""Dataclasses that take half as much memory as Python's own: a service of hundreds has megabytes of them.

Used as Python's. Those that are frozen and have slots would keep the class they were made from, without slots, for as
long as the functions that refuse changes are there; each class has such functions of its own, and one that shows it.
All of ours share them. What compares, hashes and fills stays as Python makes it: that has to be fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses

    def dataclass(**options):
        """As ``dataclasses.dataclass``, with options."""

        def made(plain):
            small = dataclasses.dataclass(repr=False, **options)(plain)
            if "__repr__" not in vars(plain):
                small.__repr__ = _shown
            if options.get("frozen"):
                small.__setattr__ = small.__delattr__ = _refused
            return small

        return made

    def _shown(self):
        """As Python shows one."""
        fields = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
        return f"{type(self).__qualname__}({', '.join(fields)})"

    def _refused(self, name, *value):
        raise dataclasses.FrozenInstanceError(f"{name} of {type(self).__qualname__} stays as it is")
