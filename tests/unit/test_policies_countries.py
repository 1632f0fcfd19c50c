"""Lists of countries: what comes in, what is kept, what is refused."""

from __future__ import annotations

import gzip
import io
import ipaddress
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.policies.countries import importing
from remsim.policies.countries.importing import import_file, joined, laid_over
from remsim.policies.countries.index import CountryIndex
from remsim.policies.countries.reading import CountryFileError, parse_line
from remsim.policies.mcc import country_of

NOW = 1_790_000_000.0
COUNTRY, ADDRESS = st.sampled_from([b"DE", b"FR", b"NL"]), st.integers(0, 2**32 - 1)


def made(tmp_path: Path, text: str | bytes, **about: str) -> CountryIndex:
    raw = text.encode() if isinstance(text, str) else text
    import_file(io.BytesIO(raw), tmp_path / "countries", now=NOW, **about)
    return CountryIndex(tmp_path / "countries")


def spans(index: CountryIndex, code: str, family: int = 4) -> list[str]:
    kind = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    return [f"{kind(first)}-{kind(last)}" for first, last in index.spans(code, family)]


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.0,192.0.2.255,DE\n198.51.100.0,198.51.100.255,FR\n",
        'start,end,country\n"192.0.2.0","192.0.2.255","DE","Germany, of Europe"\n'
        '"198.51.100.0","198.51.100.255","FR","x"',
        "3221225984,3221226239,de\n3325256704,3325256959,fr\n",
        "192.0.2.0\t192.0.2.255\tDE\r\n198.51.100.0\t198.51.100.255\tFR\r\n",
        "# a comment\n\n198.51.100.0/24,FR\n192.0.2.0/24;DE\n",
        "281473902969344,281473902969599,DE\n281474007000064,281474007000319,FR\n",
        "2|ripencc|20261124|3|19830705|20261123|+0100\nripencc|*|ipv4|*|2|summary\nripencc|DE|asn|7|1|20100101|allocated\n"
        "ripencc|DE|ipv4|192.0.2.0|256|20100101|allocated\nripencc|FR|ipv4|198.51.100.0|256|20100101|assigned|x\n"
        "ripencc||ipv4|203.0.113.0|256||available\n",
    ],
    ids=["addresses", "quoted", "numbers", "tabs", "networks", "mapped", "registry"],
)
def test_list_of_any_usual_form_is_read(tmp_path: Path, text: str) -> None:
    index = made(tmp_path, text)
    assert (spans(index, "DE"), spans(index, "FR")) == (["192.0.2.0-192.0.2.255"], ["198.51.100.0-198.51.100.255"])
    assert index.counts() == {"DE": (1, 0), "FR": (1, 0)}
    assert index.country_of("192.0.2.7") == "DE" and index.country_of("203.0.113.1") is None


def test_ipv6_is_kept_by_networks_of_sites(tmp_path: Path) -> None:
    index = made(
        tmp_path,
        "2001:db8::/32,DE\n2001:db9::,2001:db9:ffff:ffff:ffff:ffff:ffff:ffff,FR\n"
        "ripencc|NL|ipv6|2001:dba::|32|20100101|allocated\n2001:dbb::1,2001:dbb::2,US\n",
    )
    assert spans(index, "DE", 6) == ["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]
    found = [index.country_of(one) for one in ("2001:db8:1::1", "2001:db9::", "2001:dba::5", "2001:dbb::1")]
    assert found == ["DE", "FR", "NL", None]
    assert index.about["left_out"] == 1


def test_neighbours_become_one_and_exceptions_count(tmp_path: Path) -> None:
    index = made(
        tmp_path,
        "10.0.0.0,10.0.0.9,DE\n10.0.0.10,10.0.0.255,DE\n"  # neighbours
        "20.0.0.0,20.0.0.255,US\n20.0.0.16,20.0.0.31,CA\n20.0.0.20,20.0.0.21,MX\n",  # a range within one within one
    )
    assert spans(index, "DE") == ["10.0.0.0-10.0.0.255"]
    assert spans(index, "US") == ["20.0.0.0-20.0.0.15", "20.0.0.32-20.0.0.255"]
    assert spans(index, "CA") == ["20.0.0.16-20.0.0.19", "20.0.0.22-20.0.0.31"]


def test_date_and_attribution_are_kept_to_be_shown(tmp_path: Path) -> None:
    index = made(
        tmp_path,
        "2|ripencc|20261124|1|x|y|+0\n2|arin|20261120|1|x|y|+0\nripencc|DE|ipv4|192.0.2.0|256|20100101|allocated\n",
        attribution="Data by somebody",
    )
    assert index.about["date"] == "2026-11-24"
    assert index.about["source"] == "delegated files of ripencc, arin"
    assert index.about["attribution"] == "Data by somebody"
    assert index.about["imported_at"].startswith("2026-09-21T")


def test_packed_list_is_unpacked(tmp_path: Path) -> None:
    assert made(tmp_path, gzip.compress(b"192.0.2.0/24,DE\n")).country_of("192.0.2.1") == "DE"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("192.0.2.0,192.0.2.255,DE\n192.0.2.0,192.0.2,DE\n", 2, "is no address"),
        ("192.0.2.9,192.0.2.1,DE\n", 1, "above"),
        ("192.0.2.0,192.0.2.9,Germany\n", 1, "no country"),
        ("192.0.2.0,192.0.2.9,D\xc4\n", 1, "no country"),
        ("192.0.2.0,2001:db8::,DE\n", 1, "not of one kind"),
        ("192.0.2.0\n", 1, "no columns"),
        ("a,b,c\na,b,c\n", 2, "is no address"),
        ("1,99999999999999999999999999999999999999999,DE\n", 1, "no address"),
        ("1,340282366920938463463374607431768211456,DE\n", 1, "no address"),
        ("192.0.2.0/33,DE\n", 1, "no length"),
        ("x" * 5000, 1, "characters"),
        ("ripencc|DE|ipv4|192.0.2.0|x|20100101|allocated", 1, "no number"),
        ("ripencc|DE|ipv4|192.0.2.0|0|20100101|allocated", 1, "above"),
        ("ripencc|DE|ipv6|2001:db8::|129|20100101|allocated", 1, "longer"),
        ("\0\1\2\3", 1, "no columns"),
        ("", None, "no range"),
        ("192.0.2.0,192.0.2.9,ZZ\n", None, "no range"),
    ],
)
def test_line_that_is_wrong_is_named_and_the_old_list_stays(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    made(tmp_path, "203.0.113.0/24,NL\n")
    with pytest.raises(CountryFileError, match=said) as told:
        made(tmp_path, text)
    assert told.value.line == line
    assert CountryIndex(tmp_path / "countries").country_of("203.0.113.1") == "NL"
    assert [one.name for one in tmp_path.iterdir()] == ["countries"]


def test_endless_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_OCTETS", 100_000)
    bomb = gzip.compress(b"192.0.2.0/24,DE\n" * 100_000)
    with pytest.raises(CountryFileError, match="longer than any"):
        made(tmp_path, bomb)
    with pytest.raises(CountryFileError, match="damaged"):
        made(tmp_path, bomb[:200])


def test_ranges_within_ranges_have_an_end(tmp_path: Path) -> None:
    text = "".join(f"{one},{100_000 - one},{'DE' if one % 2 else 'FR'}\n" for one in range(1000))
    with pytest.raises(CountryFileError, match="within each other"):
        made(tmp_path, text)


def test_memory_while_importing_does_not_grow_with_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PIECE", 1000)
    lines = [f"{(one * 7919) % 200_003 * 256},{(one * 7919) % 200_003 * 256 + 200},DE" for one in range(20_000)]
    text = "\n".join(lines).encode()
    file = io.BytesIO(text)
    del lines
    tracemalloc.start()
    found = import_file(file, tmp_path / "countries", now=NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.ranges4 == 20_000
    assert peak < 900_000, peak  # all of them at once take 1.3 MB


def test_damaged_file_is_said_and_no_list(tmp_path: Path) -> None:
    made(tmp_path, "192.0.2.0/24,DE\n")
    whole = (tmp_path / "countries").read_bytes()
    more = whole.replace(b'"ranges": [1', b'"ranges": [9')
    for bad in (whole[:-3], whole[:30], b"", b"x" * 100, whole[:-1] + b"\xff", more):
        (tmp_path / "countries").write_bytes(bad)
        index = CountryIndex(tmp_path / "countries")
        assert not index.is_there and index.problem and not index.codes()
        assert index.country_of("192.0.2.1") is None and list(index.spans("DE", 4)) == []
    assert CountryIndex(tmp_path / "nothing").problem is None


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), COUNTRY), min_size=1, max_size=12))
def test_every_address_has_the_country_of_the_range_that_began_last(given_: list[tuple[int, int, bytes]]) -> None:
    ranges = {(first, first + more): code for first, more, code in given_}
    flat = sorted(((first, last, code) for (first, last), code in ranges.items()), key=lambda one: (one[0], -one[1]))
    found = list(joined(laid_over(flat)))
    expected: dict[int, bytes] = {}
    for first, last, code in flat:
        expected.update(dict.fromkeys(range(first, last + 1), code))
    assert {one: code for first, last, code in found for one in range(first, last + 1)} == expected
    for before, after in zip(found, found[1:], strict=False):
        assert before[1] < after[0] and (before[1] + 1 < after[0] or before[2] != after[2])


@settings(max_examples=100)
@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(raw: bytes) -> None:
    try:
        parse_line(raw, 7)
    except CountryFileError as error:
        assert error.line == 7
    with tempfile.TemporaryDirectory() as folder:
        try:
            import_file(io.BytesIO(raw), Path(folder) / "c", now=NOW)
        except CountryFileError:
            assert not list(Path(folder).iterdir())


@settings(max_examples=30)
@given(st.lists(st.tuples(ADDRESS, st.integers(0, 2**16)), min_size=1, max_size=60), st.integers(2, 7))
def test_order_and_pieces_make_no_difference(given_: list[tuple[int, int]], piece: int) -> None:
    text = "".join(f"{first},{min(first + more, 2**32 - 1)},{'DE' if first % 2 else 'FR'}\n" for first, more in given_)
    back = "".join(reversed(text.splitlines(keepends=True)))
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "one", Path(folder) / "two"
        import_file(io.BytesIO(text.encode()), one, now=NOW)
        whole, importing.PIECE = importing.PIECE, piece
        try:
            import_file(io.BytesIO(back.encode()), two, now=NOW)
        finally:
            importing.PIECE = whole
        assert one.read_bytes() == two.read_bytes()


def test_country_of_a_network() -> None:
    assert [country_of(one) for one in ("26201", "310260", "316010", "23415")] == ["DE", "US", "US", "GB"]
    assert [country_of(one) for one in (None, "", "00101", "99901", "90128", "2")] == [None] * 6
