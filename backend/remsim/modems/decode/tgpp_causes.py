"""Why a network refuses: the cause numbers of 24.008, 24.301 and 24.501 in their words, as the registration says them.

Only numbers whose words are the same in every version of the specification; another number stays a number.
"""

from __future__ import annotations

EMM_CAUSES = {
    2: "IMSI unknown in HSS",
    3: "illegal UE",
    5: "IMEI not accepted",
    6: "illegal ME",
    7: "EPS services not allowed",
    8: "EPS services and non-EPS services not allowed",
    9: "UE identity cannot be derived by the network",
    10: "implicitly detached",
    11: "PLMN not allowed",
    12: "tracking area not allowed",
    13: "roaming not allowed in this tracking area",
    14: "EPS services not allowed in this PLMN",
    15: "no suitable cells in tracking area",
    16: "MSC temporarily not reachable",
    17: "network failure",
    18: "CS domain not available",
    19: "ESM failure",
    20: "MAC failure",
    21: "synch failure",
    22: "congestion",
    23: "UE security capabilities mismatch",
    24: "security mode rejected, unspecified",
    25: "not authorized for this CSG",
    35: "requested service option not authorized in this PLMN",
    39: "CS service temporarily not available",
    40: "no EPS bearer context activated",
    42: "severe network failure",
}
"""24.301 §9.9.3.9."""

GMM_CAUSES = {
    2: "IMSI unknown in HLR",
    3: "illegal MS",
    5: "IMEI not accepted",
    6: "illegal ME",
    7: "GPRS services not allowed",
    8: "GPRS services and non-GPRS services not allowed",
    9: "MS identity cannot be derived by the network",
    10: "implicitly detached",
    11: "PLMN not allowed",
    12: "location area not allowed",
    13: "roaming not allowed in this location area",
    14: "GPRS services not allowed in this PLMN",
    15: "no suitable cells in location area",
    16: "MSC temporarily not reachable",
    17: "network failure",
    20: "MAC failure",
    21: "synch failure",
    22: "congestion",
    25: "not authorized for this CSG",
}
"""24.008 §10.5.5.14."""

MM_CAUSES = {
    2: "IMSI unknown in HLR",
    3: "illegal MS",
    4: "IMSI unknown in VLR",
    5: "IMEI not accepted",
    6: "illegal ME",
    11: "PLMN not allowed",
    12: "location area not allowed",
    13: "roaming not allowed in this location area",
    15: "no suitable cells in location area",
    17: "network failure",
    20: "MAC failure",
    21: "synch failure",
    22: "congestion",
    25: "not authorized for this CSG",
    32: "service option not supported",
    33: "requested service option not subscribed",
    34: "service option temporarily out of order",
}
"""24.008 §10.5.3.6."""

FIVE_G_CAUSES = {
    3: "illegal UE",
    5: "PEI not accepted",
    6: "illegal ME",
    7: "5GS services not allowed",
    9: "UE identity cannot be derived by the network",
    10: "implicitly de-registered",
    11: "PLMN not allowed",
    12: "tracking area not allowed",
    13: "roaming not allowed in this tracking area",
    15: "no suitable cells in tracking area",
    20: "MAC failure",
    21: "synch failure",
    22: "congestion",
    23: "UE security capabilities mismatch",
    24: "security mode rejected, unspecified",
    26: "non-5G authentication unacceptable",
    27: "N1 mode not allowed",
    28: "restricted service area",
    62: "no network slices available",
    73: "serving network not authorized",
}
"""24.501 §9.11.3.2."""

CAUSES = {"creg": MM_CAUSES, "cgreg": GMM_CAUSES, "cereg": EMM_CAUSES, "c5greg": FIVE_G_CAUSES}
"""The causes that each registration domain tells when its cause type is 0."""
