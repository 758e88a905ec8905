"""Writes of every kind on a service: an approval, a token, telemetry, its trail, and its upkeep."""

import json
from datetime import UTC, datetime, timedelta

from app.aemp.model.times import format_time
from app.flows.account.change_customer import find_member
from app.flows.account.register_application import register_application
from app.flows.upkeep.maintain import maintain
from app.main import create_app
from app.oauth.actor import COMMAND_LINE
from app.settings import Settings
from app.storage.people.audit import select_audit_events
from tests.support.browser import Browser
from tests.support.people import World
from tests.web.test_telemetry import sender


async def write_everything(settings: Settings, *, email: str, pin: str, owner_url: str) -> dict[str, int]:
    """What each kind of write came to. pin: of one of the customer's machines."""
    app = create_app(settings)
    async with app.router.lifespan_context(app), Browser(app) as browser:
        context = app.state.context
        member = await find_member(context, email)
        registered = await register_application(
            context,
            COMMAND_LINE,
            name="Sitewise",
            company="Sitewise Ltd",
            redirect_uris=("https://sitewise.example/callback?tenant=7",),
        )
        world = World(context, member, registered)
        bearer = {"Authorization": f"Bearer {await world.token(browser)}", "Accept": "application/json"}
        fleet = await browser.http.get("/api/v2/Fleet/1", headers=bearer)
        gateway = await sender(context, browser, member.customer_id)
        at = format_time(datetime.now(UTC) - timedelta(minutes=1))
        reading = {
            "PIN": pin,
            "CumulativeOperatingHours": {"Hour": 99_999, "datetime": at},
        }
        answer = await gateway.send(json.dumps(reading))
        assert answer.status_code == 200, answer.text
        events = await select_audit_events(
            context.database, application_id=registered.client.id, customer_id=None, most=10
        )
        kept = await maintain(context, owner_url)
    return {
        "machines": len(fleet.json()["Equipment"]),
        "stored": answer.json()["stored"],
        "events": len(events),
        "postponed": len(kept.partitions_postponed),
    }
