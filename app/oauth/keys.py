"""The secret keys seal flow state and private keys, and derive the codes' secret part."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["flow", "form", "signing key", "authenticator"]


@dataclass(frozen=True, slots=True)
class Keys:
    """The first key seals, and all open. Every use has a subkey (RFC 5869), so that none stands in for another."""

    seals: dict[Purpose, MultiFernet] = field(repr=False)
    code_keys: dict[str, bytes] = field(repr=False)
    code_key_name: str  # the first key's

    def seal(self, purpose: Purpose, payload: bytes, *, now_s: int) -> str:
        """Authenticated encryption, URL-safe text."""
        return self.seals[purpose].encrypt_at_time(payload, now_s).decode()

    def unseal(self, purpose: Purpose, unverified: str, *, now_s: int, life_s: int) -> bytes | None:
        """The payload, or None for anything forged, changed, meant for something else, or older than life_s."""
        try:
            sealed = unverified.encode("ascii")
            # Base64 skips stray characters and spare bits, so we accept only our own spelling of a text.
            if urlsafe_b64encode(urlsafe_b64decode(sealed)) != sealed:
                return None
            return self.seals[purpose].decrypt_at_time(sealed, life_s, now_s)
        except (InvalidToken, ValueError):
            return None

    def unseal_stored(self, purpose: Purpose, sealed: str) -> bytes | None:
        """The payload of what our own database holds, however old; None where the key that sealed it is gone."""
        try:
            return self.seals[purpose].decrypt(sealed)
        except InvalidToken:
            return None


def derive_keys(secrets: tuple[str, ...]) -> Keys:
    """secrets: the SECRET_KEYS, at least one, newest first."""
    code_keys = {_name(secret): _subkey(secret, "authorization code") for secret in secrets}
    return Keys(
        seals={
            "flow": _seal(secrets, "flow state"),
            "form": _seal(secrets, "form"),
            "signing key": _seal(secrets, "signing key"),
            "authenticator": _seal(secrets, "authenticator"),
        },
        code_keys=code_keys,
        code_key_name=_name(secrets[0]),
    )


def _seal(secrets: tuple[str, ...], label: str) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_subkey(secret, label))) for secret in secrets])


def _name(secret: str) -> str:
    """Names a key without telling anything of it: the digest of a subkey that nothing else uses."""
    return hashlib.sha256(_subkey(secret, "name")).hexdigest()[:16]


def _subkey(secret: str, label: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"rovitracker {label}".encode()).derive(secret.encode())
