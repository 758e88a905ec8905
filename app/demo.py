"""The demo: a customer with a fleet and an application with a logo, made once into an empty database."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

from app.context import Context
from app.flows.account.add_customer import add_customer
from app.flows.account.register_application import register_application
from app.flows.fleet.add_simulated import Simulation, add_simulated
from app.oauth.actor import Actor
from app.refused import SetUpError
from app.settings import Settings
from app.storage.people.applications import count_applications, update_redirect_uris
from app.stores import DEMO, data_dir, write_private
from app.web.demo import Demo
from app.web.paths import DEMO_CALLBACK

_MACHINES = 120
_DAYS = timedelta(days=30)
_HISTORY = timedelta(days=2)  # a quarter of a million readings, a second's work
_INTERVAL = timedelta(minutes=15)
_LOGO = Path(__file__).parent / "web" / "pages" / "static" / "sitewise.png"


def load_demo(settings: Settings) -> Demo | None:
    """The credentials kept in the data directory; None outside development or where nothing was seeded.

    Raises SetUpError when they are there and cannot be read.
    """
    file = data_dir(settings) / DEMO
    if not settings.development or not file.exists():
        return None
    try:
        return Demo(**orjson.loads(file.read_bytes()), issuer=settings.issuer)
    except (OSError, ValueError, TypeError):
        raise SetUpError(
            f"{file} cannot be read: restore it, or begin anew with another data directory"
        ) from None


async def seed_demo(context: Context, actor: Actor, settings: Settings) -> Demo | None:
    """Seed an empty database; in one that was seeded, let the redirect URI follow the address in force.

    None where the database has applications that are not ours.
    """
    demo = load_demo(settings)
    if demo is None:
        if await count_applications(context.database):
            return None
        demo = await _seed(context, actor, settings)
    await update_redirect_uris(context.database, UUID(demo.client_id), [settings.issuer + DEMO_CALLBACK])
    return demo


async def _seed(context: Context, actor: Actor, settings: Settings) -> Demo:
    password = secrets.token_urlsafe(9)
    member = await add_customer(
        context, actor, email="demo@rovitracker.example", name="Hillside Plant Hire", password=password
    )
    await add_simulated(
        context,
        member.customer_id,
        Simulation(_MACHINES, _DAYS, _HISTORY, _INTERVAL, seed=1, now=datetime.now(UTC)),
    )
    registered = await register_application(
        context,
        actor,
        name="Sitewise Rentals",
        company="Sitewise Rentals Ltd",
        redirect_uris=(settings.issuer + DEMO_CALLBACK,),
        logo=_LOGO.read_bytes(),
    )
    kept = {
        "email": member.email,
        "password": password,
        "client_id": str(registered.client.id),
        "client_secret": registered.client_secret or "",
    }
    write_private(
        data_dir(settings) / DEMO,
        orjson.dumps(kept, option=orjson.OPT_INDENT_2).decode(),
        replace=True,
    )
    return Demo(**kept, issuer=settings.issuer)
