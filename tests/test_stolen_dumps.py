"""Whoever steals a dump of the database or of Valkey holds nothing that opens anything."""

from base64 import urlsafe_b64decode

import asyncpg

from app.context import Context
from app.oauth.token_string import parse
from app.storage.people.signing_keys import select_signing_keys
from tests.support.browser import Browser
from tests.support.people import PASSWORD, Strict, World

_PRIVATE_LENGTH = 43  # of 256 bits as a JWK has them


def every_form_of(secret: str) -> list[bytes]:
    """Pieces of it as text, and as the raw bytes a careless column would hold in hexadecimal, decoded ones among them."""
    pieces = [secret[at : at + 16].encode() for at in range(0, len(secret) - 15, 16)]
    if len(secret) == _PRIVATE_LENGTH:
        pieces.append(urlsafe_b64decode(secret + "="))
    return [*pieces, *(piece.hex().encode() for piece in pieces)]


async def secrets_of_a_run(browser: Browser, world: World) -> dict[str, str]:
    """Everything somebody could use, from a code that was redeemed and one that waits."""
    redeemed = await world.code(browser)
    token = (await world.exchange(browser, redeemed)).json()["access_token"]
    cookies = {name: value for name, value in browser.http.cookies.items() if value}
    waiting = await world.code(browser)
    await browser.get("/app/oauth2/jwks")
    strict = await Strict.register(world.context)
    spent = await strict.pair(browser)
    unspent = await strict.refreshed(browser, spent.refresh)
    return {
        "redeemed code": redeemed,
        "waiting code": waiting,
        "access token": token,
        "strict access token": unspent.access,
        "spent refresh token": spent.refresh,
        "refresh token": unspent.refresh,
        "client secret": world.client_secret,
        "password": PASSWORD,
        **await private_halves(world.context),
        **cookies,
    }


async def private_halves(context: Context) -> dict[str, str]:
    """The private halves of the signing keys, as their JWKs would have them."""
    keys = await select_signing_keys(context.database, context.keys)
    return {f"signing key {key.kid}": str(key.private["d"]) for key in keys if key.private is not None}


async def test_a_stolen_database_dump_opens_nothing(
    browser: Browser, world: World, database_url: str
) -> None:
    """R-24, O-62, O-142."""
    secrets = await secrets_of_a_run(browser, world)
    assert "rovi_session" in secrets
    assert [name for name in secrets if name.startswith("signing key")]
    owner = await asyncpg.connect(database_url)
    tables = await owner.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    for table in tables:
        rows = await owner.fetch(f"SELECT t::text AS row FROM {table['name']} t")
        dump = "\n".join(row["row"] for row in rows).encode()
        found = [
            name for name, secret in secrets.items() if any(form in dump for form in every_form_of(secret))
        ]
        assert not found, f"{table['name']} holds {found}"
    await owner.close()


async def test_a_stolen_valkey_dump_opens_nothing(browser: Browser, world: World, context: Context) -> None:
    """R-25, O-62, O-142: the code that waits there is a digest too, under its id."""
    secrets = await secrets_of_a_run(browser, world)
    client = context.valkey._client
    dump = b""
    async for key in client.scan_iter():
        for part in (key, await client.get(key)):
            assert isinstance(part, bytes)
            dump += part + b"\n"
    waiting = parse(secrets["waiting code"])
    assert waiting is not None
    assert waiting.id.hex[:29].encode() in dump
    assert not [
        name for name, secret in secrets.items() if any(form in dump for form in every_form_of(secret))
    ]
