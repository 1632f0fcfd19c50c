"""Card readers through a real pcscd and its virtual reader; a virtual eUICC is the card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from euicc_bench import CI, profile
from remsim.core.card import AccessPoint, Service
from remsim.core.errors import Conflict, NoApplication, NotTaken, RemsimError
from remsim.core.jobs import Job
from remsim.esim.apdu import open_isdr
from remsim.esim.euicc import Euicc
from remsim.esim.holder import Holder
from remsim.esim.pcsc import ReaderError, ReaderHolder, reader_names, readers
from remsim.simulator.answers.card_channel import PlainCard
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.credentials import make
from virtual_reader import VirtualReader, wait_until

NAME = "Virtual PCD 00 00"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualReader]:
    patch = pytest.MonkeyPatch()
    reader = VirtualReader(tmp_path_factory.mktemp("pcscd"))
    patch.setenv("PCSCLITE_CSOCK_NAME", reader.socket_path)  # the library reads it once
    yield reader
    reader.close()
    patch.undo()


@pytest.fixture
def reader(daemon: VirtualReader) -> Iterator[VirtualReader]:
    yield daemon
    daemon.remove()
    wait_until(lambda: "no card" in (holder().why_not() or ""))


def holder() -> ReaderHolder:
    return next(one for one in readers() if one.name == NAME)


def insert(reader: VirtualReader) -> VirtualEuicc:
    card = VirtualEuicc(make(CI), [profile(1, is_enabled=True), profile(2)])
    reader.insert(card.transmit, card.reset)
    wait_until(lambda: holder().why_not() is None)
    return card


def test_a_reader_is_listed_and_says_that_it_is_empty(reader: VirtualReader) -> None:
    assert NAME in reader_names()
    one: Holder = holder()
    assert (one.kind, one.interface, one.imei, one.service()) == ("reader", None, None, Service())
    assert one.id == holder().id
    assert one.why_not() == f"there is no card in {NAME}"
    with pytest.raises(ReaderError, match="no card") as caught:
        open_isdr(one.ways())
    assert caught.value.hint == "insert the card"


def test_a_card_is_read_switched_and_let_go(reader: VirtualReader) -> None:
    card = insert(reader)
    isdr, way = open_isdr(holder().ways())
    assert (way.kind, way.label) == ("pcsc", "PC/SC")
    with Euicc(isdr) as euicc:
        assert euicc.eid() == card.eid
        first, second = euicc.profiles()
        euicc.enable(second, refresh=False)
        assert [one.state for one in euicc.profiles()] == ["disabled", "enabled"]
        with pytest.raises(ReaderError, match="another program uses the card"):
            open_isdr(holder().ways())
        assert "another program" in (holder().why_not() or "")
    assert card.open_channels == []
    isdr, _ = open_isdr(holder().ways(), block_size=255)
    with Euicc(isdr) as euicc:
        assert euicc.info2().svn == "2.2.2"


def test_a_plain_card_is_no_esim(reader: VirtualReader) -> None:
    reader.insert(PlainCard().transmit)
    wait_until(lambda: holder().why_not() is None)
    with pytest.raises(NoApplication, match="no eSIM"):
        open_isdr(holder().ways())


def test_a_card_that_is_taken_out_is_an_error_in_words(reader: VirtualReader) -> None:
    insert(reader)
    isdr, _ = open_isdr(holder().ways())
    reader.remove()
    with pytest.raises(RemsimError, match="card|reader"):
        for _ in range(50):
            Euicc(isdr).eid()
    isdr.close()


def test_one_operation_a_reader(reader: VirtualReader) -> None:
    insert(reader)
    with holder().reserved("Download"), pytest.raises(Conflict, match="busy: Download"), holder().reserved("Delete"):
        pass
    with holder().reserved("Delete"), holder().polling_held():
        isdr, _ = open_isdr(holder().ways())
        assert holder().why_not() is None  # it is we who use it
        isdr.close()


def test_a_reader_has_no_network(reader: VirtualReader) -> None:
    job = Job("1", "esim-switch", 0.0)
    assert holder().wait_registered(0.1, job) is False
    holder().refresh(job, hard=True)
    with pytest.raises(NotTaken, match="no network connection"):
        holder().set_access_point(AccessPoint("internet"), job)
