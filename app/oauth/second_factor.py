"""Codes of an authenticator app (RFC 6238), and the recovery codes for whoever lost it."""

import hashlib
import secrets
from base64 import b32encode
from hmac import compare_digest
from uuid import UUID

from pyotp import TOTP, random_base32

STEP_S = 30
RECOVERY_CODES = 10
LONGEST_CODE = 64  # as it is typed, with any spaces

_ISSUER = "RoviTracker"
_DIGITS = 6
_RECOVERY_BYTES = 10  # 80 random bits, 16 letters
_RECOVERY_LETTERS, _GROUP = 16, 4
# What people take for the letters, since no code has these digits.
_MISREAD = str.maketrans("01", "ol", "- \t")


def new_totp_secret() -> str:
    """160 random bits (RFC 4226 section 4), as an app takes them by hand."""
    return random_base32()


def enrolment_uri(secret: str, email: str) -> str:
    """What the QR code of an enrolment says."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def matching_step(secret: str, typed: str, *, now_s: int) -> int | None:
    """The step whose code was typed. The ones before and after count, since clocks differ (RFC 6238 section 5.2)."""
    code = "".join(typed.split())
    if len(code) != _DIGITS or not code.isascii():
        return None
    totp, present = TOTP(secret), now_s // STEP_S
    steps = (present, present - 1, present + 1)
    return next((step for step in steps if compare_digest(totp.generate_otp(step), code)), None)


def new_recovery_codes() -> tuple[str, ...]:
    return tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))


def recovery_digest(person_id: UUID, typed: str) -> bytes | None:
    """The digest under which a recovery code of this person is kept; None for what is none."""
    code = typed.lower().translate(_MISREAD)
    if len(code) != _RECOVERY_LETTERS or not code.isascii():
        return None
    return hashlib.sha256(person_id.bytes + code.encode()).digest()


def _new_recovery_code() -> str:
    letters = b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
