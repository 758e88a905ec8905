"""The demo service as `make run` starts it, for browsers: its address, its demo credentials, and a way into its stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.context import Context, open_context
from app.settings import Settings
from app.stores import open_stores
from app.web.demo import Demo
from tests.support.people import World
from tests.support.server import free_port, running_service

_SECRET_KEYS = "fedcba9876543210" * 4


@dataclass(frozen=True, slots=True)
class Service:
    """context: on the same stores, so that a test can make people and look at what was written."""

    origin: str
    context: Context
    demo: Demo

    def url(self, path: str) -> str:
        return f"{self.origin}{path}"

    def consent_url(self, world: World, **changes: str | None) -> str:
        """The documented request of this world's application, to the first redirect URI it registered."""
        uri = world.registered.client.redirect_uris[0]
        return self.url(world.authorize_url(**{"redirect_uri": uri, **changes}))


@asynccontextmanager
async def open_service(
    database_url: str, redis_url: str, data_dir: Path, **more: str
) -> AsyncIterator[Service]:
    """more: further settings."""
    settings = {
        "database_url": database_url,
        "redis_url": redis_url,
        "environment": "development",
        "secret_keys": _SECRET_KEYS,
        "data_dir": str(data_dir),
        "log_level": "error",
        "support_email": "abuse@rovi.example",
        **more,
    }
    variables = {f"ROVITRACKER_{name.upper()}": value for name, value in settings.items()}
    async with running_service("demo", port=free_port(), settings=variables) as origin:
        stores_settings = Settings.model_validate(settings)
        with open_stores(stores_settings) as stores:
            async with open_context(stores_settings, stores) as context:
                kept = orjson.loads((data_dir / "demo.json").read_bytes())
                yield Service(origin, context, Demo(**kept, issuer=origin))
