"""How many connections a second a server takes, from inside a LAN: each opened and dropped, one after the other.

Run in the LAN's namespace: ``connects.py SERVER PORT SECONDS``; prints the connections a second.
"""

from __future__ import annotations

import socket
import struct
import sys
from time import monotonic

NO_LINGER = struct.pack("ii", 1, 0)


def main() -> None:
    server, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    begin = monotonic()
    end, count = begin + seconds, 0
    while monotonic() < end:
        for _ in range(50):
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                one.connect((server, port))
            count += 1
    print(count / (monotonic() - begin))


if __name__ == "__main__":
    main()
