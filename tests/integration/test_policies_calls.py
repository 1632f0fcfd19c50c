"""Calls by SIP in a lab: with the kernel's helper their media goes by the link of the call."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator

import pytest
from netlab.lab import FOUR, Lab, why_not
from netlab.plane import PlaneInRouter

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

PROVIDER = "203.0.113.9"
SIP, OWN_SIP, MEDIA = 5060, 5070, 20_000
CALLS = 'policy calls {\n match: protocol udp, port 5060-5090\n route: connection "sim3"\n priority: high\n}\n'
TO_US = f"""table ip calls {{
  chain p {{
    type nat hook prerouting priority dstnat
    ip daddr {PROVIDER} udp dport {SIP} redirect to :{OWN_SIP}
  }}
}}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR) as lab:
        lab.internet.nft(TO_US)  # the lab's echo has the port itself
        yield lab


def test_media_of_calls_goes_by_the_link_of_its_call(lab: Lab) -> None:
    with PlaneInRouter(lab) as plane, Provider(lab) as provider:
        if not plane.told["capabilities"]["calls by SIP"]:
            pytest.skip("this kernel has no helper for SIP")
        plane.tell("load", text=CALLS)
        alone = Counter(provider.call(number) for number in range(4))
        assert {signalling for signalling, _ in alone} == {3}
        assert len({media for _, media in alone}) > 1
        plane.tell("load", text=CALLS, sip=True)
        assert Counter(provider.call(number) for number in range(4, 8)) == Counter({(3, 3): 4})
        plane.tell("load", text="")
        assert "ct helper" not in lab.router("nft", "list", "table", "inet", "remsim")


class Provider:
    """Takes calls of the LAN's first client, and tells by which links their signalling and their media came."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Provider:
        with self._lab.internet.entered():
            self._sip = self._socket(("0.0.0.0", OWN_SIP))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def call(self, number: int) -> tuple[int, int]:
        """One call: the links of what sets it up, and of the voice that follows."""
        client, own, voice, far = self._lab.clients[0], SIP + number, 30_000 + 2 * number, MEDIA + 2 * number
        with self._lab.lan.entered():
            phone, microphone = self._socket((client, own)), self._socket((client, voice))
        with self._lab.internet.entered():
            speaker = self._socket((PROVIDER, far))
        invite = f"INVITE sip:b@{PROVIDER} SIP/2.0"
        head = (
            f"Via: SIP/2.0/UDP {client}:{own};branch=z9hG4bK{number}\r\nFrom: <sip:a@{client}>;tag=1\r\n"
            f"To: <sip:b@{PROVIDER}>\r\nCall-ID: {number}@{client}\r\nCSeq: 1 INVITE\r\n"
        )
        contact = f"Contact: <sip:a@{client}:{own}>\r\n"
        phone.sendto(f"{invite}\r\n{head}{contact}{described(client, voice)}".encode(), (PROVIDER, SIP))
        asked, caller = self._sip.recvfrom(4096)
        lines = asked.decode().split("\r\n\r\n")[0].split("\r\n")[1:]
        kept = ("Via", "From", "To", "Call-ID", "CSeq")
        same = "".join(f"{line}\r\n" for line in lines if line.split(":")[0] in kept)
        contact = f"Contact: <sip:b@{PROVIDER}>\r\n"
        self._sip.sendto(f"SIP/2.0 200 OK\r\n{same}{contact}{described(PROVIDER, far)}".encode(), caller)
        phone.recv(4096)
        microphone.sendto(b"\x80\x00voice", (PROVIDER, far))
        speaking = speaker.recvfrom(100)[1]
        return link_of(caller), link_of(speaking)

    def _socket(self, address: tuple[str, int]) -> socket.socket:
        made = self._open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.settimeout(10)
        made.bind(address)
        return made


def described(address: str, port: int) -> str:
    """Where one of both wants to hear the other."""
    lines = ("v=0", f"o=a 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0", f"m=audio {port} RTP/AVP 0")
    body = "".join(f"{line}\r\n" for line in lines)
    return f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def link_of(source: tuple[str, int]) -> int:
    """The link that an address of the router is on."""
    return int(source[0].split(".")[2])
