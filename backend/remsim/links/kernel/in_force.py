"""Our table as it is in force: changed in one transaction, made anew where somebody has removed it.

Sets of ranges come before what names them, in transactions of their own: large ones hold nobody up so.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from remsim.core.routes import SetCode
from remsim.links.kernel import difference
from remsim.links.kernel.elements import Elements, Form, form_of
from remsim.links.kernel.nft import Nft, NftError
from remsim.links.kernel.table import TABLE, TRANSIENT, Chain, Table, print_table
from remsim.links.kernel.wide import whole_name
from remsim.links.plane import PlaneError, PlaneRefused

log = logging.getLogger(__name__)

LONG_MS = 100
"""It is told in the log how long a set took that took longer."""
SMALL = "small sets"
"""What those are called that come in one transaction."""
FIRST = "prerouting"
"""The chain that a packet meets first: where links are led it is never empty."""
DELETED = f"add table {TABLE}\ndelete table {TABLE}"


class InForce:
    """``layout()`` is the table that should be. Methods are for one thread, ``prepare`` and ``close`` for any."""

    def __init__(self, nft: Nft, layout: Callable[[], Table]) -> None:
        self._nft: Nft | None = nft
        self._layout = layout
        self._elements = Elements()
        self._changing = threading.RLock()
        """Of ``table``: sets apart are filled by other threads."""
        self._filling = threading.Lock()
        self._coming: frozenset[str] = frozenset()
        """Names of the sets apart that a program has which is being prepared: they stay though no rule names them."""
        self._took: dict[str, float] = {}
        self._is_gone = False
        self.table: Table | None = None
        """What the kernel has, as far as is known."""
        self.remade = 0

    def close(self) -> None:
        """Take the table away; where the kernel does not let it go, it is told in the log."""
        with self._changing:
            nft, self._nft = self._nft, None
            self.table, self._coming, self._is_gone = None, frozenset(), False
        if nft is not None:
            try:
                nft.run(DELETED)
            except NftError as error:
                log.warning("links: the table stays: %s", error.message)
            nft.close()
            self._elements.close()

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """What the named counters stand at; the table is loaded again where it is gone."""
        there = self.table
        if there is None and not self._is_gone:
            return {}
        found = self._elements.counters()
        if there is None or counted(there) - found.keys() or (is_led(there) and not self._elements.has_rules(FIRST)):
            self._make_anew()
        return found

    def put(self) -> None:
        """Have the table as it should be, in one transaction."""
        self._put(self._wanted)

    def load(self, sets: Iterable[SetCode]) -> tuple[float, dict[str, float]]:
        """Have everything as it should be, sets apart first: the milliseconds of the transaction that changes chains,
        and those of each such set that changed, of small ones together."""
        apart = [one for one in sets if one.is_apart]
        try:
            if apart and self.table is None:
                self._put(Table)
            self._surely(lambda: self._bring_all(apart))
            begin = time.perf_counter()
            self.put()
            return round((time.perf_counter() - begin) * 1000, 3), self._took
        finally:
            with self._changing:
                self._took = {}
                self._coming -= {one.name for one in apart}  # others may be of what somebody prepares meanwhile

    def prepare(self, sets: Iterable[SetCode]) -> None:
        """Fill those of sets that come apart and will be loaded. May take seconds."""
        if self.table is None:
            return
        apart = [one for one in sets if one.is_apart]
        with self._changing:
            self._took, self._coming = {}, frozenset(one.name for one in apart)
        try:
            self._bring_all(apart)
        except PlaneError:
            with self._changing:
                self._coming = frozenset()
            if not self._has_lost_table():  # else they come when it is loaded
                raise

    def exchange(self, chains: Mapping[str, Chain]) -> None:
        """One transaction that has chains as they should be. With those of policies, what no ring needs goes."""

        def change() -> None:
            there = self.table
            if there is None:
                return
            gone: set[str] = set()
            if "policies" in chains:
                gone = {name for name in there.chains if name.startswith(TRANSIENT)} - chains.keys()
            before = {name: one for name, one in there.chains.items() if name in chains or name in gone}
            self._run(difference.change(Table(chains=before), Table(chains=chains)))
            after = {name: one for name, one in there.chains.items() if name not in gone}
            self.table = replace(there, chains={**after, **chains})

        with self._changing:
            self._surely(change)

    def has_set(self, name: str) -> bool:
        """Whether the table has a set."""
        return self.table is not None and name in self.table.sets

    def refresh(self, name: str, values: Sequence[str], timeout_s: int | None) -> None:
        """Add to a set, or begin the time of what is in it anew."""
        there = self.table
        if there is None:
            return
        form = form_of(there.sets[name].declaration)

        def change() -> None:
            if not form.is_known or form.is_range:
                self._run("\n".join(difference.refreshed(name, values, timeout_s)))
                return
            try:
                self._elements.refresh(name, form, values, timeout_s)
            except (OSError, ValueError) as error:
                raise PlaneError(f"set {name} does not take what it should: {error}") from error

        self._surely(change)

    # -- one transaction --------------------------------------------------------------------------------------------

    def _wanted(self) -> Table:
        """As laid out. Sets apart hold what they hold now: no such transaction changes that, nor makes any."""
        table, there = self._layout(), {} if self.table is None else self.table.sets
        others = {name: one for name, one in table.sets.items() if not one.is_apart}
        apart = {name: one for name, one in there.items() if one.is_apart and name in self._coming | table.sets.keys()}
        return replace(table, sets=others | apart)

    def _put(self, wanted: Callable[[], Table]) -> None:
        def change() -> None:
            there, table = self.table, wanted()
            self._run(difference.first_load(table) if there is None else difference.change(there, table))
            self.table = table

        with self._changing:
            self._surely(change)

    def _run(self, commands: str) -> None:
        if self._nft is None:
            raise PlaneRefused("links do not carry traffic", hint="Turn them on.")
        if commands:
            self._nft.run(commands)

    # -- a table that somebody has removed --------------------------------------------------------------------------

    def _surely(self, change: Callable[[], None]) -> None:
        """Have a change done, also where it fails because the table is not the one that was loaded."""
        try:
            change()
        except PlaneError:
            if not self._has_lost_table():
                raise
            self._make_anew()
            if self._is_gone:
                raise
            change()

    def _has_lost_table(self) -> bool:
        """Whether somebody has removed it, or put another one into its place."""
        there = self.table
        if there is None:
            return False
        try:
            with contextlib.closing(Elements()) as elements:  # any thread may ask
                return not there.chains.keys() <= elements.chains()
        except OSError:
            return False

    def _make_anew(self) -> None:
        """Have the table again that somebody has removed or emptied: traffic first, large sets as they are filled."""
        if not self._is_gone:
            log.warning("links: somebody has removed the table; it is loaded again")
        apart = [one for one in self._layout().sets.values() if one.is_apart]
        large = [one for one in apart if is_large(one)]
        with self._changing:
            self._is_gone, self.table = True, None
            try:
                self._remove_table()
                self._put(Table)
                for one in large:
                    self._declare(one)
                self._bring_small(apart)
                self.put()
            except PlaneError as error:
                log.warning("links: the table cannot be loaded again yet: %s", error.message)
                self.table = None
                return
        self._is_gone = False
        self.remade += 1
        if large:
            threading.Thread(target=self._fill_again, args=(large,), name="link-sets", daemon=True).start()

    def _remove_table(self) -> None:
        """Without libnftables, which would read large sets first."""
        try:
            self._elements.remove_table()
        except OSError as error:
            raise PlaneError(f"the table cannot be removed: {error}") from error

    def _fill_again(self, sets: Sequence[SetCode]) -> None:
        """In a thread of its own, as it may take minutes."""
        try:
            for one in sets:
                self._bring(one, again=True)
        except PlaneError as error:
            log.warning("links: %s", error.message)

    # -- sets apart -------------------------------------------------------------------------------------------------

    def _bring_all(self, sets: Sequence[SetCode]) -> None:
        with self._changing:
            self._bring_small(sets)
        for one in sets:
            there = self.table
            if there is not None and there.sets.get(one.name) != one:  # else nobody waits while another set is filled
                self._bring(one)

    def _bring_small(self, sets: Iterable[SetCode]) -> None:
        """All that are small and not there yet, at once: libnftables reads all sets of ranges back each time."""
        there = self.table
        if there is None:
            return
        new = {one.name: one for one in sets if one.name not in there.sets and not is_large(one)}
        if new:
            begin = time.perf_counter()
            self._run(print_table(Table(new)))
            self.table = replace(there, sets={**there.sets, **new})
            self._tell(SMALL, begin)

    def _declare(self, one: SetCode) -> SetCode:
        """Make a set apart that holds nothing yet."""
        empty = replace(one, elements=())
        self._run(f"add set {TABLE} {one.name} {{ {one.declaration} }}")
        if self.table is not None:
            self.table = replace(self.table, sets={**self.table.sets, one.name: empty})
        return empty

    def _bring(self, one: SetCode, *, again: bool = False) -> None:
        """Have a set apart as it should be. No rule names it yet, or only what differs of it is changed. ``again``: it
        was in the table that was removed; others may be loaded by now, and then it does not come."""
        with self._filling:
            begin = time.perf_counter()
            with self._changing:
                there, nft = self.table, self._nft
                before = None if there is None else there.sets.get(one.name)
                if there is None or nft is None or before == one or (again and before is None):
                    return
                if before is None:
                    before = self._declare(one)
            self._fill(nft, before, one)
            self._holds(one)
            took_ms = self._tell(whole_name(one.name), begin)
            level = logging.INFO if took_ms > LONG_MS else logging.DEBUG
            log.log(level, "links: set %s: %d elements after %.0f ms", one.name, len(one.elements), took_ms)

    def _fill(self, nft: Nft, before: SetCode, one: SetCode) -> None:
        """Change its elements; with ``PlaneError`` it has those before again, or none."""
        empty, made = replace(before, elements=()), self.remade
        try:
            fill(nft, before, one)
            while made != self.remade:  # the table was removed meanwhile, and what was in it
                made = self.remade
                fill(nft, empty, one)
        except PlaneError:
            self._holds(empty)
            with contextlib.suppress(PlaneError):
                fill(nft, empty, before)
                self._holds(before)
            raise

    def _tell(self, name: str, begin: float) -> float:
        """Have the load tell how long something of it took; the milliseconds."""
        took_ms = (time.perf_counter() - begin) * 1000
        self._took[name] = round(self._took.get(name, 0.0) + took_ms, 3)
        return took_ms

    def _holds(self, one: SetCode) -> None:
        """Note what a set apart has now, if it is still there."""
        with self._changing:
            if self.table is not None and one.name in self.table.sets:
                self.table = replace(self.table, sets={**self.table.sets, one.name: one})


def is_large(one: SetCode) -> bool:
    """Whether a set is one of those that are filled in steps, by nfnetlink."""
    return one.is_apart and form_of(one.declaration).is_known


def counted(table: Table) -> set[str]:
    """The names of a table's counters."""
    return {name.removeprefix("counter ") for name in table.objects if name.startswith("counter ")}


def is_led(table: Table) -> bool:
    """Whether a table leads packets at all."""
    return FIRST in table.chains and bool(table.chains[FIRST].rules)


def fill(nft: Nft, before: SetCode, one: SetCode) -> None:
    """Change what differs of such a set's elements; it is empty when that fails."""
    form = form_of(one.declaration)
    try:
        if form.is_known:
            change_elements(form, before, one)
        else:
            emptied = [f"flush set {TABLE} {one.name}"] if before.elements else []
            nft.run("\n".join([*emptied, *difference.elements(one.name, one.elements)]))
    except (OSError, ValueError, NftError) as error:
        with contextlib.suppress(NftError):
            nft.run(f"flush set {TABLE} {one.name}")
        raise PlaneError(f"set {one.name} with {len(one.elements)} elements could not be filled: {error}") from error


def change_elements(form: Form, before: SetCode, one: SetCode) -> None:
    """The same by nfnetlink, with a socket of its own: any thread may do it."""
    kept = set(before.elements)
    new = one.elements if not kept else [value for value in one.elements if value not in kept]
    gone = kept.difference(one.elements) if kept else ()
    elements = Elements()
    try:
        elements.fill(one.name, form, new, gone=gone)
    finally:
        elements.close()
