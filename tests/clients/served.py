"""A service that real clients ask, with a customer's fleet in it and the customer's browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.simulation.fleet import simulate_fleet
from tests.support.browser import Browser
from tests.support.people import PASSWORD, Strict, World
from tests.support.server import free_port, running_service, settings_on

MACHINES = 3

_SPENT = "SELECT count(*) AS n FROM refresh_token WHERE application_id = $1 AND successor_id IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Served:
    """browser: the customer's, on the service."""

    address: str
    world: World
    browser: Browser

    async def register(self, *redirect_uris: str, **options: Any) -> RegisteredApplication:
        return await register_application(
            self.world.context,
            COMMAND_LINE,
            name="Sitewise",
            company="Sitewise Rentals Ltd",
            redirect_uris=redirect_uris,
            **options,
        )

    def classic(self, application: RegisteredApplication) -> World:
        """The service's customer with another application of theirs."""
        return World(self.world.context, self.world.member, application)

    def strict(self, application: RegisteredApplication) -> Strict:
        return Strict(self.world.context, self.world.member, application)

    async def approve(self, link: str) -> str:
        """The address that the customer's browser is sent back to."""
        page = await self.browser.get(link)
        if 'name="password"' in page.text:
            page = await self.browser.sign_in(page, self.world.member.email, PASSWORD)
        answer = await self.browser.submit(page, {"decision": "approve"}, action="/consent")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def revoke(self, token: str, application: RegisteredApplication) -> None:
        answer = await self.browser.http.post(
            "/app/oauth2/revoke", data={"token": token, **credentials_of(application)}
        )
        assert answer.status_code == 200, answer.text

    async def refreshes(self, application: RegisteredApplication) -> int:
        """How many refresh tokens of an application were spent."""
        [row] = await self.world.context.database.rows(_SPENT, application.client.id)
        return int(row["n"])


def credentials_of(application: RegisteredApplication) -> dict[str, str]:
    secret = application.client_secret
    return {"client_id": str(application.client.id), **({"client_secret": secret} if secret else {})}


def filled(service: Served, application: RegisteredApplication) -> dict[str, str]:
    """What stands in a page's block for the made-up values."""
    credentials = credentials_of(application)
    return {"ISSUER": service.address, **{name.upper(): value for name, value in credentials.items()}}


@asynccontextmanager
async def served(
    context: Context, database_url: str, redis_url: str, folder: Path, **settings: str
) -> AsyncIterator[Served]:
    """settings: of the service, by their names without the prefix."""
    world = await World.make(context)
    machines = simulate_fleet(machines=MACHINES, days=1, interval_s=900, seed=5, now=context.now())
    await import_machines(context, world.member.customer_id, tuple(machines))
    own = {f"ROVITRACKER_{name}": value for name, value in settings.items()}
    environment = {
        **settings_on(database_url, redis_url, folder),
        "ROVITRACKER_LOG_LEVEL": "error",
        **own,
    }
    async with (
        running_service(port=free_port(), settings=environment) as address,
        Browser(base_url=address) as browser,
    ):
        yield Served(address, world, browser)
