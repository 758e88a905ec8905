"""A device with passkeys in front of a visitor: Chromium's own virtual authenticator."""

from dataclasses import dataclass
from typing import Any, Self

from playwright.async_api import CDPSession

from tests.pages.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Device:
    """A phone or laptop that verifies its person by fingerprint, and answers at once."""

    session: CDPSession
    id: str

    @classmethod
    async def before(cls, visitor: Visitor, *, suggests: bool = False) -> Self:
        """suggests: whether the browser offers passkeys in the field for the address; this one takes the first at once."""
        if not suggests:
            await visitor.context.add_init_script(
                "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
            )
        session = await visitor.context.new_cdp_session(visitor.page)
        await session.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(session, made["authenticatorId"])

    async def passkeys(self) -> list[dict[str, Any]]:
        found = await self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        passkeys: list[dict[str, Any]] = found["credentials"]
        return passkeys

    async def verify(self, *, verified: bool) -> None:
        """Whether the person's finger is the right one from now on."""
        told = {"authenticatorId": self.id, "isUserVerified": verified}
        await self.session.send("WebAuthn.setUserVerified", told)
