"""An authenticator in software: it makes passkeys and answers with them, rightly or as a test wants it wrong."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from uuid_utils import uuid4

from tests.support.browser import ORIGIN

PRESENT, VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, WITH_KEY = 1, 4, 8, 16, 64
USUAL = PRESENT | VERIFIED


def text_of(raw: bytes) -> str:
    """Base64url without padding, as the JSON of WebAuthn has bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


@dataclass
class Authenticator:
    """A device with one passkey. counts: whether it counts its signatures; those that copy passkeys do not.

    It asks nobody for a touch or a PIN: the flags of an answer claim what a test wants. It looks at no list of passkeys
    either, and answers any options with the one that it has.
    """

    origin: str = ORIGIN
    counts: bool = False
    id: bytes = field(default_factory=lambda: uuid4().bytes)
    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    person: bytes = b""
    count: int = 0

    def create(self, options: dict[str, Any], *, flags: int = USUAL, **signed: Any) -> str:
        """What a browser answers to `navigator.credentials.create`. signed: members of the client data that differ.

        flags: of the authenticator data (WebAuthn section 6.1). Returns the JSON that our script would put into the form.
        Its attestation is none, and one of its transports has a name that no standard knows.
        """
        self.person = bytes_of(options["user"]["id"])
        data = self._data(options["rp"]["id"], flags | WITH_KEY)
        data += bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self.public_key
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", options["challenge"], signed)
        response = {
            "clientDataJSON": text_of(client),
            "attestationObject": text_of(cbor2.dumps(statement)),
            "transports": ["internal", "hybrid", "pigeon"],
        }
        return self._answer(response)

    def get(
        self,
        options: dict[str, Any],
        *,
        flags: int = USUAL,
        rp_id: str | None = None,
        person: bytes | None = None,
        **signed: Any,
    ) -> str:
        """What a browser answers to `navigator.credentials.get`.

        rp_id: in the place of the one in the options. person: in the place of the one that the passkey was made for; empty
        for an answer that names nobody. flags and signed are those of `create`.
        """
        self.count += self.counts
        data = self._data(rp_id or options["rpId"], flags)
        client = self._client("webauthn.get", options["challenge"], signed)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        handle = self.person if person is None else person
        response = {
            "clientDataJSON": text_of(client),
            "authenticatorData": text_of(data),
            "signature": text_of(signature),
            **({"userHandle": text_of(handle)} if handle else {}),
        }
        return self._answer(response)

    @property
    def public_key(self) -> bytes:
        """As COSE has it (RFC 9053 section 7.1)."""
        numbers = self.private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    @property
    def private_number(self) -> bytes:
        """The private key as 32 bytes, which a test looks for where it must not be."""
        return self.private.private_numbers().private_value.to_bytes(32, "big")

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, signed: dict[str, Any]) -> bytes:
        members = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return orjson.dumps({**members, **signed})

    def _answer(self, response: dict[str, Any]) -> str:
        id_ = text_of(self.id)
        return orjson.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response}).decode()
