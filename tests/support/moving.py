"""What a former system hands over, and what becomes of each line."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

from app.context import Context
from app.flows.moving.import_applications import import_applications
from app.flows.moving.import_tokens import import_tokens
from app.flows.moving.move_in import Moved, Watcher
from app.oauth.actor import COMMAND_LINE
from tests.support.people import REDIRECT_URI, World

DOCUMENTED = "234acb234badeeefee2342"  # the token of RoviTracker's published documentation


def digest_of(text: str) -> str:
    """SHA-256 in hexadecimal, as a line has it of a token or a secret."""
    return sha256(text.encode()).hexdigest()


def written(lines: Sequence[dict[str, Any] | str]) -> list[bytes]:
    """A text is a line as it stands."""
    return [(each if isinstance(each, str) else json.dumps(each)).encode() + b"\n" for each in lines]


Import = Callable[..., Awaitable[Moved]]


async def imported(
    context: Context, run: Import, *lines: dict[str, Any] | str, dry_run: bool = False
) -> tuple[tuple[int, int, int], dict[int, str]]:
    """How many were imported, known and refused; and why each refused line was."""
    told: dict[int, str] = {}
    watcher = Watcher(told.__setitem__)
    moved = await run(context, COMMAND_LINE, written(lines), watcher, dry_run=dry_run)
    assert moved.lines == moved.imported + moved.known + moved.refused
    return (moved.imported, moved.known, moved.refused), told


@dataclass(frozen=True, slots=True)
class Former:
    """An application of a former system, and a customer that a token of it acts for."""

    world: World
    client_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    async def make(
        cls,
        context: Context,
        *,
        client_id: str | None = None,
        secret: str = "former secret",
        secret_hash: str | None = None,
        token: str | None = None,
        **line: Any,
    ) -> "Former":
        """Import the application and its token. It fails unless both are new here.

        secret_hash: the slow hash that was kept of the secret, in the place of SHA-256. line: more fields of the token's.
        """
        former = cls(
            await World.make(context),
            client_id or f"former-{uuid4().hex[:12]}",
            secret,
            token or uuid4().hex[:22],
        )
        application = {
            "client_id": former.client_id,
            "name": "Sitewise",
            "company": "Sitewise Rentals Ltd",
            "redirect_uris": [REDIRECT_URI],
            **({"secret_hash": secret_hash} if secret_hash else {"secret_sha256": digest_of(secret)}),
        }
        assert await imported(context, import_applications, application) == ((1, 0, 0), {})
        assert await imported(context, import_tokens, former.line(**line)) == ((1, 0, 0), {})
        return former

    def line(self, **fields: Any) -> dict[str, Any]:
        """The token's line."""
        return {
            "sha256": digest_of(self.token),
            "client_id": self.client_id,
            "customer_email": self.world.member.email,
            **fields,
        }

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.secret}
