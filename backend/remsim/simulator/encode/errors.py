"""The numbers of +CME and +CMS errors a virtual modem says, and their words (27.007, 27.005)."""

from __future__ import annotations

NOT_ALLOWED = 3
NOT_SUPPORTED = 4
NO_SIM = 10
PIN_REQUIRED = 11
PUK_REQUIRED = 12
SIM_BUSY = 14
INCORRECT_PASSWORD = 16
BAD_INDEX = 21
NO_NETWORK = 30
EMERGENCY_ONLY = 32
BAD_PARAMETERS = 50

CME_TEXT = {
    NOT_ALLOWED: "operation not allowed",
    NOT_SUPPORTED: "operation not supported",
    NO_SIM: "SIM not inserted",
    PIN_REQUIRED: "SIM PIN required",
    PUK_REQUIRED: "SIM PUK required",
    13: "SIM failure",
    SIM_BUSY: "SIM busy",
    INCORRECT_PASSWORD: "incorrect password",
    BAD_INDEX: "invalid index",
    NO_NETWORK: "no network service",
    EMERGENCY_ONLY: "network not allowed - emergency calls only",
    BAD_PARAMETERS: "incorrect parameters",
}

CMS_NO_SIM = 310
CMS_PIN_REQUIRED = 311
CMS_BAD_PDU = 304
CMS_BAD_INDEX = 321
CMS_FULL = 322
CMS_NO_NETWORK = 331
