"""Owners of applications hear by mail which connections end soon, and which secrets and keys nobody uses or are old."""

import asyncio
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from joserfc.jwk import Key

from app.context import open_context
from app.flows.account.change_application import change_application, retire_secret, rotate_secret
from app.flows.account.change_customer import disable_customer
from app.flows.account.register_application import RegisteredApplication
from app.flows.approval.connections import disconnect_application
from app.flows.developer.credential_uses import write_uses
from app.flows.developer.own_notices import choose_notices
from app.flows.token.authenticate import authenticate_client
from app.flows.upkeep.maintain import maintain
from app.flows.upkeep.tell_application_owners import tell_of_own_ends, tell_of_secrets
from app.oauth.actor import COMMAND_LINE
from app.oauth.assertion import ASSERTION_TYPE, parse_assertion
from app.oauth.client import Client
from app.oauth.request import Credentials
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.people import Person
from app.stores import Stores
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_connection_changed import text_of
from tests.mail.test_connection_ends import end
from tests.mail.test_notices import another, browser, own, told
from tests.mail.test_password import app_of
from tests.support.assertions import claims_of, jwks_of, key_pair, signed
from tests.support.browser import Browser
from tests.support.families import HERE
from tests.support.people import Strict, World
from tests.support.reviews import handed_in, new_owner, owner

__all__ = ["browser"]
ENDING, SECRETS = "customers_ending", "secrets_due"
HILLSIDE = "\u2068Hillside Plant Hire\u2069"


@pytest.fixture(autouse=True)
async def nobody_waits(post: Post) -> None:
    """Nobody of another test owns anything."""
    await post.owner.execute(
        "UPDATE connection SET ends_at = NULL; DELETE FROM application_owner; DELETE FROM credential_use"
    )


async def connect(post: Post, world: World, *more: RegisteredApplication) -> None:
    async with Browser(app_of(post)) as visitor:
        for registered in (world.registered, *more):
            await World(post.context, world.member, registered).token(visitor)
    await post.owner.execute("DELETE FROM mail")


async def end_all(post: Post, world: World, after: timedelta) -> None:
    """Let every connection of the customer end so long from now."""
    rows = await post.owner.fetch(
        "SELECT application_id FROM connection WHERE customer_id = $1", world.member.customer_id
    )
    assert rows
    for row in rows:
        await post.owner.execute(
            "UPDATE connection SET ends_at = clock_timestamp() + $3::interval, end_set_at = clock_timestamp() "
            "WHERE customer_id = $1 AND application_id = $2",
            world.member.customer_id,
            row["application_id"],
            after,
        )


async def pass_days(post: Post, days: int) -> None:
    """All that these mails are judged by was so many days earlier."""
    ago = f"- interval '{days} days'"
    await post.owner.execute(
        f"UPDATE connection SET ends_at = ends_at {ago}, end_set_at = end_set_at {ago}; "
        f"UPDATE person SET ends_told_at = ends_told_at {ago}, secrets_told_at = secrets_told_at {ago}; "
        f"UPDATE client_secret SET created_at = created_at {ago}; UPDATE client_key SET created_at = created_at {ago}; "
        f"UPDATE credential_use SET used_at = used_at {ago}"
    )


# What ends soon


async def test_one_mail_tells_each_owner_of_all_that_ends(post: Post, person: World) -> None:
    """Two customers and two applications; of a person who owns one of them, that one."""
    olga, otto = await own(person), await own(person, "Otto")
    more = await another(person, olga, "Fuelwise")
    neighbour = World(post.context, (await World.make(post.context)).member, person.registered)
    await connect(post, person, more)
    await connect(post, neighbour)
    for world in (person, neighbour):
        await end_all(post, world, timedelta(days=40))
    assert await tell_of_own_ends(post.context) == 0
    await pass_days(post, 11)
    assert (await maintain(post.context, post.database_url)).notices_sent == 2
    assert await tell_of_own_ends(post.context) == 0
    messages = {each["To"]: each for each in await arrived(post) if "will soon" in each["Subject"]}
    assert set(messages) == {olga.email, otto.email}
    text = text_of(messages[olga.email])
    assert "These are the first" not in text
    assert text.count(f"\u2068Sitewise\u2069 with {HILLSIDE}: ") == 2
    assert text.count(f"\u2068Fuelwise\u2069 with {HILLSIDE}: ") == 1
    assert "Fuelwise" not in text_of(messages[otto.email])
    issuer = post.context.policy.issuer
    for registered in (person.registered, more):
        assert f"{issuer}/app/developer/{registered.client.id}/connections" in text
        assert f"{issuer}/app/developer/{registered.client.id}/notices" in text
    choice = f"<{issuer}/app/developer/{more.client.id}/notices>"
    assert messages[olga.email]["List-Unsubscribe"] == choice


async def test_each_end_is_told_once_and_another_one_again(post: Post, person: World) -> None:
    """Changes of something else tell nothing, and no more than one mail comes in a day."""
    olga = await own(person)
    await connect(post, person)
    await end(person, timedelta(days=20))
    assert await tell_of_own_ends(post.context) == 1
    await end(person, timedelta(days=10))
    assert await tell_of_own_ends(post.context) == 0, "today's mail was sent"
    await pass_days(post, 1)
    assert await tell_of_own_ends(post.context) == 1
    await pass_days(post, 1)
    assert await tell_of_own_ends(post.context) == 0
    await end(person, timedelta(days=60))
    await pass_days(post, 20)
    assert await tell_of_own_ends(post.context) == 0
    await pass_days(post, 20)
    assert await tell_of_own_ends(post.context) == 1
    assert await told(post, ENDING) == [olga.email] * 3


async def test_mail_with_as_many_as_it_names_says_that_there_are_more(post: Post, person: World) -> None:
    await own(person)
    await post.owner.execute(
        "WITH made AS (INSERT INTO customer (id, name) SELECT gen_random_uuid(), 'C' FROM generate_series(1, 120) RETURNING id) "
        "INSERT INTO connection (customer_id, application_id, approved_at, route, ends_at, end_set_at) "
        "SELECT id, $1, clock_timestamp(), 'code', clock_timestamp() + interval '20 days', clock_timestamp() FROM made",
        person.registered.client.id,
    )
    assert await tell_of_own_ends(post.context) == 1
    [message] = await arrived(post)
    assert text_of(message).count("\u2068Sitewise\u2069 with") == 100
    assert "These are the first 100 to end. Connections lists every one." in text_of(message)


@pytest.mark.parametrize("how", ["cut", "no end", "over", "disabled", "not wanted"])
async def test_what_does_not_end_or_is_not_wanted_is_not_told(post: Post, person: World, how: str) -> None:
    olga = await own(person)
    await connect(post, person)
    await end(person, timedelta(days=20))
    parties = person.member.customer_id, person.registered.client.id
    match how:
        case "cut":
            await disconnect_application(post.context, person.member.actor, *parties)
        case "no end":
            await end(person, None)
        case "over":
            await pass_days(post, 21)
        case "disabled":
            await disable_customer(post.context, COMMAND_LINE, person.member.email)
        case _:
            await choose_notices(post.context, owner(olga), parties[1], ["connected", "secret"])
    assert await tell_of_own_ends(post.context) == 0
    assert await told(post, ENDING) == []


async def test_what_changed_before_the_mail_leaves_is_not_told(post: Post, person: World) -> None:
    await own(person)
    await connect(post, person)
    await end(person, timedelta(days=20))
    assert await tell_of_own_ends(post.context) == 1
    await end(person, None)
    assert not [each for each in await arrived(post) if "will soon" in each["Subject"]]


async def test_processes_at_once_tell_everybody_once(post: Post, person: World) -> None:
    """More people than a batch, and a process of its own beside."""
    await connect(post, person)
    await end(person, timedelta(days=20))
    await post.owner.execute(
        "WITH made AS (INSERT INTO person (id, email, name, password_hash) "
        "SELECT id, id || '@sitewise.example', 'O', 'x' FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 130)) ids RETURNING id) "
        "INSERT INTO application_owner (application_id, person_id) SELECT $1, id FROM made",
        person.registered.client.id,
    )
    redis_url = post.settings.redis_url
    assert redis_url is not None
    url = post.database_url
    stores = Stores(url, url, url, redis_url.get_secret_value(), "rovitracker_service")
    async with open_context(post.settings, stores) as beside:
        counts = await asyncio.gather(*(tell_of_own_ends(each) for each in (post.context, beside) * 3))
    assert sum(counts) == 130
    assert len(set(await told(post, ENDING))) == len(await told(post, ENDING)) == 130


# Secrets


async def test_unused_secret_is_told_once_in_thirty_days(post: Post, person: World, browser: Browser) -> None:
    olga = await own(person)
    await person.token(browser)
    await write_uses(post.context)
    await post.owner.execute("DELETE FROM mail")
    await pass_days(post, 89)
    assert await tell_of_secrets(post.context) == 0
    await pass_days(post, 2)
    assert await tell_of_secrets(post.context) == 1
    [message] = await arrived(post)
    assert (message["To"], message["Subject"]) == (olga.email, "A secret or a key of yours is unused or old")
    [row] = await post.owner.fetch(
        "SELECT used_at FROM credential_use WHERE application_id = $1", person.registered.client.id
    )
    assert f"\u2068Sitewise\u2069: the secret was last used on {row['used_at']:%-d %B %Y}." in text_of(
        message
    )
    page = f"{post.context.policy.issuer}/app/developer/{person.client_id}"
    assert f"{page}/credentials" in text_of(message)
    assert message["List-Unsubscribe"] == f"<{page}/notices>"
    await pass_days(post, 29)
    assert await tell_of_secrets(post.context) == 0
    await pass_days(post, 2)
    assert await tell_of_secrets(post.context) == 1


async def test_old_secret_is_told_though_it_is_used(post: Post, person: World, browser: Browser) -> None:
    await own(person)
    await pass_days(post, 366)
    await person.token(browser)
    await write_uses(post.context)
    await post.owner.execute("DELETE FROM mail")
    assert await tell_of_secrets(post.context) == 1
    [message] = await arrived(post)
    assert "\u2068Sitewise\u2069: the secret was made on " in text_of(message)


async def test_one_mail_names_all_secrets_of_a_person(post: Post, person: World) -> None:
    olga = await own(person)
    await another(person, olga, "Fuelwise")
    await pass_days(post, 91)
    assert await tell_of_secrets(post.context) == 1
    [message] = await arrived(post)
    for name in ("Sitewise", "Fuelwise"):
        assert f"\u2068{name}\u2069: nobody uses the secret, which was made on " in text_of(message)


@pytest.mark.parametrize("how", ["rotated", "new keys", "suspended", "test mode", "not wanted"])
async def test_what_needs_no_care_is_not_told(post: Post, person: World, how: str) -> None:
    """A secret that is leaving ends by itself, and so does one whose place keys took."""
    context, client_id = post.context, person.client_id
    olga = await own(person)
    if how == "test mode":
        await post.owner.execute("DELETE FROM application_owner WHERE person_id = $1", olga.id)
        await handed_in(context, await new_owner(context))
    await pass_days(post, 400)
    match how:
        case "rotated":
            await rotate_secret(context, COMMAND_LINE, client_id, timedelta(days=7))
        case "new keys":
            keyed = await keyed_application(post, olga)
            await own_alone(post, keyed)
        case "suspended":
            await post.owner.execute(
                "UPDATE application SET status = 'suspended' WHERE id = $1", person.registered.client.id
            )
        case "not wanted":
            await choose_notices(context, owner(olga), person.registered.client.id, ["ending"])
    assert await tell_of_secrets(context) == 0
    if how == "rotated":
        await retire_secret(context, COMMAND_LINE, client_id)
        assert await tell_of_secrets(context) == 0


async def keyed_application(post: Post, person: Person, *keys: Key) -> Client:
    """A live strict application of the person's that proves itself by keys. keys: one of these tests' unless some are named."""
    client = (await Strict.register(post.context)).registered.client
    await insert_application_owner(post.context.database, client.id, person.id)
    return await register_keys(post, client, *(keys or (key_pair("EC"),)))


async def register_keys(post: Post, client: Client, *keys: Key) -> Client:
    return await change_application(
        post.context, COMMAND_LINE, client.client_id, ApplicationChanges(), jwks=jwks_of(*keys)
    )


async def own_alone(post: Post, client: Client) -> None:
    """Nobody owns any other application."""
    await post.owner.execute("DELETE FROM application_owner WHERE application_id <> $1", client.id)


async def use_key(post: Post, client: Client, key: Key) -> None:
    assertion = parse_assertion(ASSERTION_TYPE, signed(key, claims_of(client.client_id)))
    by_key = Credentials(client.client_id, None, "private_key_jwt", assertion)
    await authenticate_client(post.context, by_key, HERE)
    await write_uses(post.context)


async def test_keys_are_told_of_by_name_as_secrets_are(post: Post, person: World) -> None:
    """One that is used is not told of; all of one application are told of together."""
    olga, (used, unused, never) = await own(person), (key_pair("EC", number) for number in range(3))
    keyed = await keyed_application(post, olga, used, unused)
    await own_alone(post, keyed)
    await pass_days(post, 1)
    await use_key(post, keyed, unused)
    await register_keys(post, keyed, used, unused, never)
    await pass_days(post, 88)
    assert await tell_of_secrets(post.context) == 0, "a new set takes no age away, and nothing is due yet"
    await pass_days(post, 2)
    await use_key(post, keyed, used)
    await post.owner.execute("DELETE FROM mail")
    assert await tell_of_secrets(post.context) == 1
    [message] = await arrived(post)
    assert (message["To"], message["Subject"]) == (olga.email, "A secret or a key of yours is unused or old")
    [row] = await post.owner.fetch(
        "SELECT u.used_at, k.created_at FROM client_key k, credential_use u WHERE k.application_id = $1 "
        "AND k.kid = $2 AND u.application_id = k.application_id AND u.digest = $3",
        keyed.id,
        never.thumbprint(),
        urlsafe_b64decode(f"{unused.thumbprint()}="),
    )
    text = text_of(message)
    known = f"\u2068Fuelwatch\u2069: the key \u2068{unused.thumbprint()}\u2069 was last used on {row['used_at']:%-d %B %Y}."
    unknown = f"\u2068Fuelwatch\u2069: nobody uses the key \u2068{never.thumbprint()}\u2069, which was registered on {row['created_at']:%-d %B %Y}."
    assert known in text
    assert unknown in text
    assert used.thumbprint() not in text
    assert text.count(f"/app/developer/{keyed.client_id}/credentials") == 1
    assert text.count(f"/app/developer/{keyed.client_id}/notices") == 1
    assert "secret was" not in text


async def test_old_key_is_told_though_it_is_used_until_it_is_replaced(post: Post, person: World) -> None:
    olga = await own(person)
    keyed = await keyed_application(post, olga)
    await own_alone(post, keyed)
    await pass_days(post, 364)
    await use_key(post, keyed, key_pair("EC"))
    assert await tell_of_secrets(post.context) == 0
    await pass_days(post, 2)
    assert await tell_of_secrets(post.context) == 1
    [message] = await arrived(post)
    assert f"the key \u2068{key_pair('EC').thumbprint()}\u2069 was registered on " in text_of(message)
    await pass_days(post, 31)
    assert await tell_of_secrets(post.context) == 1
    await register_keys(post, keyed, key_pair("EC", 1))
    assert await arrived(post) == []


async def test_secret_that_was_changed_before_the_mail_leaves_is_not_told(post: Post, person: World) -> None:
    await own(person)
    await pass_days(post, 400)
    assert await tell_of_secrets(post.context) == 1
    await rotate_secret(post.context, COMMAND_LINE, person.client_id, timedelta(0))
    assert await arrived(post) == []
