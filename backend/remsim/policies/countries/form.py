"""The file that an imported list is kept in: ranges in order, then what is known of them.

MAGIC, then ranges of IPv4 (first and last address, two letters: 10 octets), then of IPv6 (the upper halves of first and
last address: 18 octets; no country is finer than a site's /64), then a JSON object, then its length in four octets.
"""

from __future__ import annotations

import struct

MAGIC = b"remsim countries 1\n"
RANGE = {4: struct.Struct(">II2s"), 6: struct.Struct(">QQ2s")}
LENGTH = struct.Struct(">I")
LARGEST_END = 64 * 1024
"""Octets of the JSON object; that of all countries there are has 6 000."""
