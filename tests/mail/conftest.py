"""A database of the mail tests' own, since the service that the other tests share sends what waits in theirs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.context import Context, open_context
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.mail.server import MailServer
from app.settings import Settings
from app.storage.mail.outbox import MailRow, select_mails
from app.stores import Stores
from tests.conftest import make_database, make_settings
from tests.support.certificates import write_certificate
from tests.support.people import World


@dataclass(frozen=True, slots=True)
class Post:
    """A service's outbox, and what only a test may do with it.

    settings: for another service on the same database. owner: a connection by the owner's login.
    """

    context: Context
    settings: Settings
    database_url: str
    owner: Any

    def by(self, server: MailServer | None, folder: Path | None = None) -> Context:
        """The same service with this mail server."""
        outgoing = replace(self.context.outgoing, server=server, folder=folder)
        return replace(self.context, outgoing=outgoing)

    async def queue(self, to: str, template: Template = "test", **about: UUID) -> UUID:
        """Let a mail wait, as a flow does within its transaction; its id."""
        async with self.context.database.transaction() as transaction:
            mail_id = await queue_mail(self.context, transaction, template, to=to, about=about)
        assert mail_id is not None
        return mail_id

    async def mails(self) -> tuple[MailRow, ...]:
        """The oldest first."""
        return (await select_mails(self.context.database, None, most=1000))[::-1]

    async def states(self) -> list[str]:
        return [mail.state for mail in await self.mails()]

    async def pass_time(self, interval: str) -> None:
        """Everything that was noted about mails was that much longer ago."""
        await self.owner.execute(
            f"UPDATE mail SET queued_at = queued_at - '{interval}'::interval, next_attempt_at = next_attempt_at - '{interval}'::interval, "
            f"claimed_until = claimed_until - '{interval}'::interval, give_up_at = give_up_at - '{interval}'::interval; "
            f"UPDATE mail_link SET expires_at = expires_at - '{interval}'::interval"
        )


@pytest.fixture(scope="session")
async def _post(
    servers: tuple[str, str], redis_url: str, worker: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Post]:
    """One service and database for a worker's tests of mails; `post` empties the outbox before each."""
    url = await make_database(servers[0], f"mail_{worker}")
    settings = make_settings(url, redis_url, tmp_path_factory.mktemp("mail"))
    stores = Stores(url, url, url, redis_url, "rovitracker_service")
    owner = await asyncpg.connect(url)
    async with open_context(settings, stores) as context:
        yield Post(context, settings, url, owner)
    await owner.close()


@pytest.fixture
async def post(_post: Post) -> Post:
    """An empty outbox, with every limit unused."""
    await _post.owner.execute(
        "DELETE FROM mail; DELETE FROM mail_link; DELETE FROM mail_quota; DELETE FROM email_change"
    )
    return _post


@pytest.fixture
async def person(post: Post) -> World:
    """A customer in the database of these tests."""
    return await World.make(post.context)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for localhost, which nobody trusts unless a test asks for `trusted`."""
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate, which this process trusts as operators make it trust theirs."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate
