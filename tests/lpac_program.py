"""What lpac is to our service, for where the real one is not installed: its words, its lines, its order of steps.

``profile download -p -s ADDRESS [-m TOKEN] [-c CODE] [-i IMEI]`` as a program of its own. Card and server are reached
by its standard input and output alone. It is no judge of lpac's manners: those were recorded with lpac 2.3.0.
"""

from __future__ import annotations

import getopt
import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

from remsim.core import tlv  # noqa: E402
from remsim.core.errors import RemsimError  # noqa: E402
from remsim.esim.apdu import Isdr  # noqa: E402
from remsim.esim.bpp import segments  # noqa: E402
from remsim.esim.es9 import check_header, octets  # noqa: E402
from remsim.esim.es10 import requests  # noqa: E402
from remsim.esim.euicc import Euicc  # noqa: E402
from remsim.esim.offer import read_metadata  # noqa: E402

NAMES = {9: "install_failed_due_to_iccid_already_exists_on_euicc", 8: "scp03t_security_error"}


def say(kind: str, payload: dict[str, Any]) -> None:
    print(json.dumps({"type": kind, "payload": payload}), flush=True)


def asked(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    say(kind, payload)
    answer: dict[str, Any] = json.loads(sys.stdin.readline())["payload"]
    return answer


class Failed(Exception):
    """A step failed, with what lpac says of it."""


class StdioChannel:
    """The card, behind two streams."""

    def __init__(self, aid: str) -> None:
        asked("apdu", {"func": "connect", "param": None})
        self.number = asked("apdu", {"func": "logic_channel_open", "param": aid})["ecode"]
        if self.number < 0:
            raise Failed("euicc_init", None)

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        answer = asked("apdu", {"func": "transmit", "param": apdu.hex()})
        if answer["ecode"]:
            raise RemsimError("no answer")
        return bytes.fromhex(answer["data"])

    def close(self) -> None:
        asked("apdu", {"func": "logic_channel_close", "param": f"{self.number:02x}"})
        asked("apdu", {"func": "disconnect", "param": None})


class Server:
    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, function: str, **body: str) -> dict[str, Any]:
        url = f"https://{self.address}/gsma/rsp2/es9plus/{function}"
        headers = ["User-Agent: gsma-rsp-lpad", "X-Admin-Protocol: gsma/rsp/v2.2.2", "Content-Type: application/json"]
        answer = asked("http", {"url": url, "tx": json.dumps(body).encode().hex(), "headers": headers})
        if answer["rcode"] // 100 != 2:
            raise Failed(None)
        found: dict[str, Any] = json.loads(bytes.fromhex(answer["rx"]) or b"{}")
        check_header(found)
        return found


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def download(euicc: Euicc, given: dict[str, str]) -> dict[str, Any]:
    address = given["-s"]
    server, step = Server(address), ""

    def begin(name: str) -> None:
        nonlocal step
        step = name
        say("progress", {"code": 0, "message": name, "data": address})

    try:
        begin("es10b_get_euicc_challenge_and_info")
        challenge, info1 = euicc.challenge(), euicc.info1()
        begin("es9p_initiate_authentication")
        first = server.ask(
            "initiateAuthentication", smdpAddress=address, euiccChallenge=b64(challenge), euiccInfo1=b64(info1)
        )
        begin("es10b_authenticate_server")
        parts = ("serverSigned1", "serverSignature1", "euiccCiPKIdToBeUsed", "serverCertificate")
        context = requests.context(given.get("-m", ""), bytes.fromhex("35290611"), None)
        request = requests.authenticate_server(*(octets(first, part) for part in parts), context)
        answer = euicc.authenticate_server(request)
        begin("es9p_authenticate_client")
        session = first["transactionId"]
        second = server.ask("authenticateClient", transactionId=session, authenticateServerResponse=b64(answer))
        metadata = read_metadata(octets(second, "profileMetadata"))
        say("progress", {"code": 0, "message": "es8p_metadata_parse", "data": {"iccid": metadata.iccid}})
        say("progress", {"code": 0, "message": "preview", "data": "y/n"})
        if sys.stdin.read(1) not in ("y", "Y"):
            raise Failed("cancelled")
        begin("es10b_prepare_download")
        hashed = code_hash(given["-c"], bytes.fromhex(session)) if "-c" in given else None
        prepared = euicc.prepare_download(
            requests.prepare_download(
                octets(second, "smdpSigned2"),
                octets(second, "smdpSignature2"),
                hashed,
                octets(second, "smdpCertificate"),
            )
        )
        begin("es9p_get_bound_profile_package")
        third = server.ask("getBoundProfilePackage", transactionId=session, prepareDownloadResponse=b64(prepared))
        begin("es10b_load_bound_profile_package")
        result = euicc.load(segments(octets(third, "boundProfilePackage")))
        if not result.ok:
            raise Failed(step, f"load_profile_elements,{NAMES.get(result.reason or 0, 'unknown')}")
        return {"seqNumber": result.notification.seq, "iccid": result.iccid}
    except (RemsimError, tlv.TlvError) as error:
        raise Failed(step, error.message) from error
    except Failed as failed:
        raise Failed(failed.args[0] or step, *failed.args[1:]) from failed


def code_hash(code: str, transaction: bytes) -> bytes:
    from hashlib import sha256

    return sha256(sha256(code.encode()).digest() + transaction).digest()


def main() -> int:
    given = dict(getopt.getopt(sys.argv[3:], "ps:m:c:i:")[0])
    import os

    try:
        channel = StdioChannel(os.environ["LPAC_CUSTOM_ISD_R_AID"])
        euicc = Euicc(Isdr(channel, block_size=int(os.environ.get("LPAC_CUSTOM_ES10X_MSS", "120"))))
        result = download(euicc, given)
        say("lpa", {"code": 0, "message": "success", "data": result})
        euicc.close()
        return 0
    except Failed as failed:
        say("lpa", {"code": -1, "message": failed.args[0], "data": (failed.args + (None,))[1]})
        return 255


if __name__ == "__main__":
    sys.exit(main())
