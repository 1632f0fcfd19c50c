"""What an eUICC answers besides yes: numbers, their names in SGP.22's ASN.1, and sentences for people."""

from __future__ import annotations

UNDEFINED = 127

PROFILE_STATE = {
    1: ("iccidOrAidNotFound", "the card has no such profile"),
    3: ("disallowedByPolicy", "the profile's own rules do not allow it"),
    5: ("catBusy", "the card is busy with a command of its own"),
    UNDEFINED: ("undefinedError", "the card gives no reason"),
}
ENABLE = PROFILE_STATE | {
    2: ("profileNotInDisabledState", "the profile is enabled already"),
    4: ("wrongProfileReenabling", "a test profile goes back to the profile before it only"),
}
DISABLE = PROFILE_STATE | {2: ("profileNotInEnabledState", "the profile is disabled already")}
DELETE = {code: PROFILE_STATE[code] for code in (1, 3, UNDEFINED)} | {
    2: ("profileNotInDisabledState", "the profile is enabled")
}
NICKNAME = {1: ("iccidNotFound", "the card has no such profile"), UNDEFINED: PROFILE_STATE[UNDEFINED]}
RESET = {
    1: ("nothingToDelete", "there is nothing of that kind on the card"),
    5: PROFILE_STATE[5],
    UNDEFINED: PROFILE_STATE[UNDEFINED],
}
SENT = {1: ("nothingToDelete", "the card has no such notification"), UNDEFINED: PROFILE_STATE[UNDEFINED]}
PLAIN = {UNDEFINED: PROFILE_STATE[UNDEFINED]}
RETRIEVE = {1: ("noResultAvailable", "the card has no such notification"), UNDEFINED: PROFILE_STATE[UNDEFINED]}
LIST = {
    1: ("incorrectInputValues", "the card does not understand what was asked"),
    11: ("profileChangeOngoing", "the card is in the middle of a change of profiles"),
    UNDEFINED: PROFILE_STATE[UNDEFINED],
}
AUTHENTICATE = {
    1: ("invalidCertificate", "the card does not take the server's certificate"),
    2: ("invalidSignature", "the card does not take the server's signature"),
    3: ("unsupportedCurve", "the card does not know the server's kind of key"),
    4: ("noSessionContext", "the card has no session; begin again"),
    5: ("invalidOid", "the server is not the one its certificate names"),
    6: ("euiccChallengeMismatch", "the server answered another question than the card's"),
    7: ("ciPKUnknown", "the card does not know the authority of the server's certificate"),
    UNDEFINED: PROFILE_STATE[UNDEFINED],
}
PREPARE = {
    **{code: AUTHENTICATE[code] for code in (1, 2, 3, 4)},
    5: ("invalidTransactionId", "the server speaks of another session than the card's"),
    UNDEFINED: PROFILE_STATE[UNDEFINED],
}
CANCEL = {
    5: ("invalidTransactionId", "the card knows no such session"),
    UNDEFINED: PROFILE_STATE[UNDEFINED],
}

COMMANDS = (
    "initialiseSecureChannel",
    "configureISDP",
    "storeMetadata",
    "storeMetadata2",
    "replaceSessionKeys",
    "loadProfileElements",
)
"""The step of a load that failed (bppCommandId)."""
REASONS = {
    1: ("incorrectInputValues", "the card does not understand a value in the package"),
    2: ("invalidSignature", "the card does not take the package's signature"),
    3: ("invalidTransactionId", "the package is for another session"),
    4: ("unsupportedCrtValues", "the card does not know the package's kind of protection"),
    5: ("unsupportedRemoteOperationType", "the package wants something that the card cannot do"),
    6: ("unsupportedProfileClass", "the card does not take profiles of this class"),
    7: ("scp03tStructureError", "the package is not made as it should be"),
    8: ("scp03tSecurityError", "the package was changed on its way"),
    9: ("iccidAlreadyExistsOnEuicc", "the profile is on the card already"),
    10: ("insufficientMemoryForProfile", "the card has not enough memory for the profile"),
    11: ("interruption", "the load was interrupted"),
    12: ("peProcessingError", "the card cannot make a profile of this package"),
    13: ("dataMismatch", "the profile is not the one that was announced"),
    14: ("testProfileInstallFailedDueToInvalidNaaKey", "the test profile has a key that is not a test key"),
    15: ("pprNotAllowed", "the card does not take a profile with such rules"),
    UNDEFINED: ("unknownError", "the card gives no reason"),
}
"""Why a load failed (errorReason)."""


def name_of(table: dict[int, tuple[str, str]], code: int) -> str:
    """A code's name."""
    return table[code][0] if code in table else "unknown"


def text_of(table: dict[int, tuple[str, str]], code: int) -> str:
    """A code as a sentence; one that no table has is told as its number."""
    return table[code][1] if code in table else f"the card refuses with code {code}"
