"""What a connection shares: read as its application reads it, chosen as a person chooses it."""

from typing import Any
from uuid import UUID

import httpx2

from app.context import Context
from tests.support.browser import Browser
from tests.support.fleets import seen_by
from tests.support.people import World

CONNECTIONS = "/app/account/applications"


def page_of(world: World) -> str:
    """The address of the page about this world's connection."""
    return f"{CONNECTIONS}/{world.client_id}"


async def fields_of(context: Context, customer_id: UUID) -> dict[str, str]:
    """The field of each machine on the form, by its PIN."""
    rows = await seen_by(context, customer_id, "SELECT pin, key FROM equipment ORDER BY position")
    return {row["pin"]: f"machine_{row['key']}" for row in rows}


async def these(world: World, *pins: str) -> dict[str, str]:
    """The fields of a form on which these machines are ticked."""
    fields = await fields_of(world.context, world.member.customer_id)
    return {"machines": "these", **{fields[pin]: "on" for pin in pins}}


async def pins_read(browser: Browser, token: str) -> list[str]:
    """The PINs that the application reads."""
    answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}", Accept="application/json")
    assert answer.status_code == 200, answer.text
    return [each["EquipmentHeader"]["PIN"] for each in answer.json().get("Equipment", ())]


async def status_of(browser: Browser, token: str, pin: str) -> int:
    answer = await browser.get(f"/api/v2/Fleet/Equipment/{pin}", Authorization=f"Bearer {token}")
    return answer.status_code


async def row_of(world: World) -> dict[str, Any]:
    """Every column of the connection's row. It fails when the application was never connected."""
    statement = "SELECT * FROM connection WHERE customer_id = $1 AND application_id = $2"
    parties = world.member.customer_id, world.registered.client.id
    [row] = await world.context.database.rows(statement, *parties)
    return dict(row)


_MAILS_TO = """\
SELECT e.event FROM mail m JOIN audit_event e ON e.id = (m.about ->> 'event')::uuid
WHERE m.recipient = $1 AND m.template = 'connection_changed' ORDER BY m.id"""


async def mails_to(world: World, email: str) -> list[str]:
    """The events that waiting mails about connections tell of, the oldest first."""
    rows = await world.context.database.rows(_MAILS_TO, email)
    return [row["event"] for row in rows]


async def change(browser: Browser, world: World, fields: dict[str, str]) -> httpx2.Response:
    """Fill in the form on the connection's page, as it stands there, and send it."""
    return await browser.submit(await browser.get(page_of(world)), fields, action=page_of(world))


_END_NOW = """\
UPDATE connection SET ends_at = clock_timestamp() WHERE customer_id = $1 AND application_id = $2"""


async def let_end_come(world: World) -> None:
    """The connection of the customer and the application ends now, by itself."""
    parties = world.member.customer_id, world.registered.client.id
    await world.context.database.count(_END_NOW, *parties)
    world.context.changes.note(parties)
