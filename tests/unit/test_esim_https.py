"""TLS to servers of profiles, and what they can do wrong on the way: each has an error of its own."""

from __future__ import annotations

import datetime
import ssl
import time
from email.utils import format_datetime
from pathlib import Path

import pytest
from esim_https import DAY, HOST, NOW, Authority, Script, TlsServer, http, saying, server_context
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput
from remsim.esim import trust as trust_module
from remsim.esim.errors import EsimError
from remsim.esim.https import Https, Reply, read_address
from remsim.esim.trust import Trust, places


@pytest.fixture(scope="module")
def ci() -> Authority:
    return Authority("GSMA's, for a test")


@pytest.fixture(autouse=True)
def roots(ci: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours stands for GSMA's, and the web has no authorities."""
    monkeypatch.setattr(trust_module, "ROOTS", ci.saved(tmp_path / "roots.pem"))
    nobody = tmp_path / "nobody.pem"
    nobody.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(nobody))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("REMSIM_ESIM_CA", raising=False)
    monkeypatch.delenv("REMSIM_ESIM_HOSTS", raising=False)


def client(server: TlsServer, trust: Trust | None = None, host: str = HOST) -> Https:
    return Https(host, trust=trust or Trust(), hosts={HOST: server.place}, clock=SystemClock())


def post(server: TlsServer, trust: Trust | None = None, **limits: float) -> Reply:
    return client(server, trust).post("/x", b"{}", {}, **limits)  # type: ignore[arg-type]


def refused(context: ssl.SSLContext | None, trust: Trust | None = None, script: Script | None = None) -> EsimError:
    with TlsServer(context, script) as server, pytest.raises(EsimError) as caught:
        post(server, trust)
    assert not [one for one in server.requests if one.startswith(b"POST")], "it was told something"
    assert caught.value.hint
    return caught.value


# --- who is trusted ---


def test_a_server_under_gsmas_roots_is_asked_at_once(ci: Authority, tmp_path: Path) -> None:
    with TlsServer(server_context(tmp_path, ci)) as server:
        assert post(server).body == b"{}"
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"\r\nHost: smdp.example.com\r\n" in server.requests[0]


def test_a_server_under_the_webs_authorities_is_asked_after_gsmas_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Authority("The web's")
    monkeypatch.setenv("SSL_CERT_FILE", str(web.saved(tmp_path / "web.pem")))
    with TlsServer(server_context(tmp_path, web)) as server:
        https = client(server)
        https.post("/x", b"{}", {})
        assert server.connections == 2
        https.post("/x", b"{}", {})
        assert server.connections == 3, "it remembers which"


def test_a_server_of_nobody_is_not_asked(tmp_path: Path) -> None:
    error = refused(server_context(tmp_path, Authority("Somebody's CI")))
    assert (error.code, error.message) == (
        "tls_untrusted",
        "the server's certificate is of no authority that is trusted: it is of Somebody's CI",
    )


def test_a_server_that_signed_for_itself_is_not_asked(tmp_path: Path) -> None:
    assert refused(server_context(tmp_path, None)).code == "tls_untrusted"


def test_a_laboratory_is_trusted_for_one_request(tmp_path: Path) -> None:
    lab = Authority("A laboratory's")
    context = server_context(tmp_path, lab)
    with TlsServer(context) as server:
        assert post(server, Trust(lab_ca=lab.pem)).status == 200
    assert refused(context).code == "tls_untrusted"


def test_an_authority_below_a_root_is_enough_for_a_laboratory(tmp_path: Path) -> None:
    below = Authority("Below", Authority("A root that is not given"))
    with TlsServer(server_context(tmp_path, below)) as server:
        assert post(server, Trust(lab_ca=below.pem, may_be_local=False)).status == 200


def test_files_of_the_settings_and_of_the_environment_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Authority("A laboratory's")
    file = lab.saved(tmp_path / "lab.pem")
    with TlsServer(server_context(tmp_path, lab)) as server:
        assert post(server, Trust((file,))).status == 200
        monkeypatch.setenv("REMSIM_ESIM_CA", str(file))
        assert Trust().is_lab
        assert post(server).status == 200


@pytest.mark.parametrize("text", ["", "junk", "é", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_given_authority_that_cannot_be_read_is_named(tmp_path: Path, ci: Authority, text: str) -> None:
    assert refused(server_context(tmp_path, ci), Trust(lab_ca=text)).code == "lab_ca"


def test_a_file_of_authorities_that_is_not_there_is_named(tmp_path: Path, ci: Authority) -> None:
    error = refused(server_context(tmp_path, ci), Trust((tmp_path / "gone.pem",)))
    assert error.code == "lab_ca" and "gone.pem" in error.message


def test_a_name_is_checked_whoever_signed(tmp_path: Path, ci: Authority) -> None:
    for trust in (Trust(), Trust(lab_ca=ci.pem)):
        error = refused(server_context(tmp_path, ci, hosts=("other.example.com",)), trust)
        assert error.code == "tls_wrong_host"
        assert error.message.endswith("for other.example.com, not for smdp.example.com")


def test_a_common_name_is_no_name_of_a_host(tmp_path: Path, ci: Authority) -> None:
    assert refused(server_context(tmp_path, ci, hosts=())).code == "tls_wrong_host"


def dated(at: datetime.datetime) -> Script:
    return saying(http(Date=format_datetime(at, usegmt=True)))


def test_a_certificate_that_has_ended_is_told_with_its_day(tmp_path: Path, ci: Authority) -> None:
    error = refused(server_context(tmp_path, ci, start=NOW - 9 * DAY, end=NOW - 2 * DAY), script=dated(NOW))
    assert error.code == "tls_expired"
    assert f"it ended on {(NOW - 2 * DAY).date()}" in error.message and "so does the server's" in error.message


def test_a_certificate_that_has_not_begun_is_told_with_its_day(tmp_path: Path, ci: Authority) -> None:
    error = refused(server_context(tmp_path, ci, start=NOW + DAY, end=NOW + 9 * DAY), script=saying(b"junk"))
    assert error.code == "tls_not_yet" and f"it begins on {(NOW + DAY).date()}" in error.message


def test_a_router_whose_clock_is_wrong_is_told_so(tmp_path: Path, ci: Authority) -> None:
    context = server_context(tmp_path, ci, start=NOW + 300 * DAY, end=NOW + 400 * DAY)
    error = refused(context, script=dated(NOW + 350 * DAY))
    assert error.code == "tls_clock"
    assert str((NOW + 350 * DAY).date()) in error.message and "set the clock" in str(error.hint)


def test_no_version_below_1_2_is_spoken(tmp_path: Path, ci: Authority) -> None:
    context = server_context(tmp_path, ci)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert refused(context).code == "tls_failed"


def test_a_server_that_speaks_no_tls(tmp_path: Path) -> None:
    def plain(connection: ssl.SSLSocket, _request: bytes) -> None:
        connection.recv(100)
        connection.sendall(http())

    assert refused(None, script=plain).code == "tls_failed"


# --- where it may be ---


def test_a_server_in_the_routers_own_network_is_one_of_a_laboratory(tmp_path: Path, ci: Authority) -> None:
    with TlsServer(server_context(tmp_path, ci, hosts=("localhost",))) as server:
        port = server.place.rpartition(":")[2]
        own = Https(f"localhost:{port}", trust=Trust(), hosts={}, clock=SystemClock())
        with pytest.raises(EsimError) as caught:
            own.post("/x", b"{}", {})
        assert caught.value.code == "smdp_private" and server.connections == 0
        stranger = Trust(lab_ca=ci.pem, may_be_local=False)
        with pytest.raises(EsimError, match="local network"):
            Https(f"localhost:{port}", trust=stranger, hosts={}, clock=SystemClock()).post("/x", b"{}", {})
        assert server.connections == 0
        lab = Https(f"localhost:{port}", trust=Trust(lab_ca=ci.pem), hosts={}, clock=SystemClock())
        assert lab.post("/x", b"{}", {}).status == 200
        assert f"Host: localhost:{port}".encode() in server.requests[0]


def test_places_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMSIM_ESIM_HOSTS", "A.example.com=127.0.0.1:1, b.example.com = [::1]:2,")
    assert places({"B.example.com": "127.0.0.1:3"}) == {"a.example.com": "127.0.0.1:1", "b.example.com": "127.0.0.1:3"}
    monkeypatch.setenv("REMSIM_ESIM_HOSTS", "a.example.com")
    with pytest.raises(InvalidInput, match="host=127"):
        places({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rsp.Example.COM", ("rsp.example.com", 443)),
        (" rsp.example.com:8443 ", ("rsp.example.com", 8443)),
        ("rsp.example.com.", ("rsp.example.com", 443)),
        ("", None),
        ("https://rsp.example.com", None),
        ("rsp.example.com/path", None),
        ("rsp example.com", None),
        ("user@rsp.example.com", None),
        ("rsp.example.com:0", None),
        ("rsp.example.com:99999", None),
        ("-rsp.example.com", None),
        ("rsp.example.com\r\nX: y", None),
        ("a" * 300, None),
    ],
)
def test_addresses_are_names_of_hosts(text: str, expected: tuple[str, int] | None) -> None:
    if expected is None:
        with pytest.raises(InvalidInput) as caught:
            read_address(text)
        assert caught.value.field == "smdp_address"
    else:
        assert read_address(text) == expected


def test_a_server_that_is_down(ci: Authority) -> None:
    https = Https(HOST, trust=Trust(), hosts={HOST: "127.0.0.1:1"}, clock=SystemClock())
    with pytest.raises(EsimError) as caught:
        https.post("/x", b"{}", {})
    assert caught.value.code == "smdp_unreachable" and "refused" in caught.value.message


# --- what it answers ---


def answered(tmp_path: Path, ci: Authority, script: Script, **limits: float) -> Reply | str:
    with TlsServer(server_context(tmp_path, ci), script) as server:
        try:
            return post(server, **limits)
        except EsimError as error:
            return error.code


def test_any_status_is_an_answer_and_no_redirect_is_followed(tmp_path: Path, ci: Authority) -> None:
    answer = http(b"<html>", "302 Found", Location="https://127.0.0.1/", Content_Type="text/html;charset=UTF-8")
    assert answered(tmp_path, ci, saying(answer)) == Reply(302, "text/html", b"<html>")
    assert answered(tmp_path, ci, saying(http(b"", "204 No Content", Content_Length=""))) == Reply(
        204, "application/json", b""
    )


def test_an_answer_in_pieces_is_put_together(tmp_path: Path, ci: Authority) -> None:
    chunked = http(b"3\r\n{ }\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked")
    found = answered(tmp_path, ci, saying(chunked))
    assert isinstance(found, Reply) and found.body == b"{ }"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "smdp_cut"),
        (http(b"{}")[:-1], "smdp_cut"),
        (http(b"", Content_Length="9"), "smdp_cut"),
        (http(b"5\r\n{", Content_Length="", Transfer_Encoding="chunked"), "smdp_cut"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "server_reply"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "server_too_large"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "server_reply"),
        (http(b"x" * 2000), "server_too_large"),
        (http(b"x" * 2000, Content_Length="99999999999"), "server_too_large"),
        (http(b"7d0\r\n" + b"x" * 2000, Content_Length="", Transfer_Encoding="chunked"), "server_too_large"),
    ],
)
def test_an_answer_that_is_not_whole_or_too_large_is_none(
    tmp_path: Path, ci: Authority, answer: bytes, code: str
) -> None:
    assert answered(tmp_path, ci, saying(answer), most=1000) == code


def test_a_server_that_drips_is_waited_for_as_long_as_one_that_is_silent(tmp_path: Path, ci: Authority) -> None:
    def drip(connection: ssl.SSLSocket, _request: bytes) -> None:
        for octet in http(b"x" * 100):
            connection.sendall(bytes((octet,)))
            time.sleep(0.02)

    begun = time.monotonic()
    assert answered(tmp_path, ci, drip, within_s=0.3) == "smdp_timeout"
    assert answered(tmp_path, ci, lambda *_: time.sleep(0.4), within_s=0.3) == "smdp_timeout"
    assert time.monotonic() - begun < 10
