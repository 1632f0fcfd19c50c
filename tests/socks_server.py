"""A SOCKS5 server that speaks MPTCP, as microsocks under mptcpize does: for tests alone.

Arguments: host, port, user, password.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

MPTCP = 262


def take(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise OSError("it ended")
        data += part
    return data


def serve(client: socket.socket, user: str, password: str) -> None:
    with contextlib.suppress(OSError), client:
        _, count = take(client, 2)
        methods = take(client, count)
        if 2 not in methods:
            client.sendall(b"\x05\xff")
            return
        client.sendall(b"\x05\x02")
        given = [take(client, take(client, 1)[0]) for _ in (take(client, 1), 0)]
        client.sendall(b"\x01\x00" if given == [user.encode(), password.encode()] else b"\x01\x01")
        kind = take(client, 4)[3]
        family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        target = socket.inet_ntop(family, take(client, size)), int.from_bytes(take(client, 2), "big")
        try:
            far = socket.create_connection(target, 5)
        except OSError:
            client.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        with far:
            far.settimeout(None)
            back = threading.Thread(target=move, args=(far, client), daemon=True)
            back.start()
            move(client, far)
            back.join()


def move(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def main() -> None:
    host, port, user, password = sys.argv[1:5]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, MPTCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(64)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, user, password), daemon=True).start()


if __name__ == "__main__":
    main()
