"""Whoever steals a dump of the database or of Valkey holds nothing that opens anything."""

from base64 import urlsafe_b64decode

import asyncpg
from argon2 import PasswordHasher
from orjson import loads
from pyotp import TOTP

from app.context import Context
from app.flows.manual.collect import collect_token
from app.oauth.token_string import parse
from app.storage.people.signing_keys import select_signing_keys
from tests.support.authenticator import Authenticator, bytes_of, text_of
from tests.support.browser import Browser
from tests.support.moving import Former
from tests.support.passkeys import add, answer_at_login
from tests.support.people import PASSWORD, Strict, World
from tests.support.requests import Asking
from tests.web.reading import found
from tests.web.test_second_factor import codes_of

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
    page = await browser.get("/app/account/security/authenticator")
    totp_secret = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
    confirmed = {"new_code": TOTP(totp_secret).now(), "password": PASSWORD}
    codes = codes_of(await browser.submit(page, confirmed, action="/authenticator"))
    device, challenge = await passkey_of(browser, codes)
    strict = await Strict.register(world.context)
    spent = await strict.pair(browser)
    unspent = await strict.refreshed(browser, spent.refresh)
    former = await Former.make(world.context, secret="a secret of a former system")
    slow_hash = PasswordHasher(memory_cost=1024, time_cost=1).hash("another secret of a former system")
    await Former.make(world.context, secret_hash=slow_hash)
    asking = await Asking.make(world.context)
    used = await asking.link(await asking.approve())
    picked_up = await collect_token(world.context, asking.actor, used)
    unused = await asking.link(await asking.approve())
    return {
        "link to a token that was picked up": used,
        "link to a token that waits": unused,
        "token that was picked up": picked_up.text,
        "redeemed code": redeemed,
        "waiting code": waiting,
        "access token": token,
        "strict access token": unspent.access,
        "spent refresh token": spent.refresh,
        "refresh token": unspent.refresh,
        "client secret": world.client_secret,
        "legacy token": former.token,
        "former client secret": former.secret,
        "former client secret behind a slow hash": "another secret of a former system",
        "password": PASSWORD,
        "key of an authenticator app": totp_secret,
        "private half of a passkey": text_of(device.private_number),
        "challenge that a passkey answered": challenge,
        **{f"recovery code {code[:4]}": code for code in codes},
        **{f"recovery code {code[:4]}, without hyphens": code.replace("-", "") for code in codes},
        **await private_halves(world.context),
        **cookies,
    }


async def passkey_of(browser: Browser, codes: list[str]) -> tuple[Authenticator, str]:
    """A passkey that was added and used, and the challenge it answered: who had that could not answer it again."""
    device = await add(browser, code=codes[0])
    page, fields = await answer_at_login(browser, device)
    assert (await browser.submit(page, fields, action="/app/login/passkey")).status_code == 303
    signed = loads(bytes_of(loads(fields["answer"])["response"]["clientDataJSON"]))
    return device, str(signed["challenge"])


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
    assert len([name for name in secrets if name.startswith("recovery code")]) == 20
    assert len(secrets["private half of a passkey"]) == _PRIVATE_LENGTH
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
    dump = b""
    for key in await context.valkey._call("KEYS", "*"):
        for part in (key, await context.valkey._call("GET", key)):
            assert isinstance(part, bytes)
            dump += part + b"\n"
    waiting = parse(secrets["waiting code"])
    assert waiting is not None
    assert waiting.id.hex[:29].encode() in dump
    assert not [
        name for name, secret in secrets.items() if any(form in dump for form in every_form_of(secret))
    ]
