"""What a simulated router has of eSIM: the names of its servers, its card's EID, and the codes to try."""

from __future__ import annotations

SMDP_OID = "2.999.10"
SMDS_OID = "2.999.15"
SMDP_HOST = "smdpplus.example.com"
SMDS_HOST = "smds.example.com"
ES2_HOST = "es2.smdpplus.example.com"

CERTIFICATES = {
    "wronghost.example.com": "wrong_host",
    "untrusted.example.com": "untrusted",
    "expired.example.com": "expired",
}
"""Hosts of the SM-DP+ whose TLS certificate is bad, and how: see ``tls.CERTIFICATES``."""
DOWN_HOST = "down.example.com"
"""Its port refuses connections."""
