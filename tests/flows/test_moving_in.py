"""What moves in from a former system: kept once, told again as known, and refused by name."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from app.context import Context
from app.flows.account.add_customer import CustomerError, add_customer
from app.flows.account.change_application import change_status
from app.flows.account.check_guess import Visitor
from app.flows.account.register_application import register_application
from app.flows.account.sign_in import SignedIn, sign_in
from app.flows.approval.connections import disconnect_application
from app.flows.moving.fields import Fields, LineError
from app.flows.moving.import_applications import import_applications
from app.flows.moving.import_customers import import_customers
from app.flows.moving.import_tokens import import_tokens
from app.oauth.actor import COMMAND_LINE
from app.oauth.client import application_id_of, parse_client_id
from app.oauth.slow_hash import SlowHashError, read_slow_hash
from app.oauth.token_string import id_of_digest, new_id, secret_digest
from app.process.passwords import NOBODY, is_hashed_here
from app.storage.people.members import Member
from app.storage.people.people import Person, insert_person, select_sign_in
from tests.support.changing import until_true, waits_for_another
from tests.support.moving import Former, digest_of, imported, written

SECRET = "a long former secret"


def customer(**fields: Any) -> dict[str, Any]:
    name = uuid4().hex[:12]
    return {"former_id": name, "name": "Hillside", "email": f"{name}@hillside.example", **fields}


def application(**fields: Any) -> dict[str, Any]:
    return {
        "client_id": f"former-{uuid4().hex[:12]}",
        "name": "Sitewise",
        "company": "Sitewise Ltd",
        "secret_sha256": digest_of(SECRET),
        **fields,
    }


async def count(context: Context, table: str) -> int:
    row = await context.database.row(f"SELECT count(*) AS rows FROM {table}")
    assert row is not None
    return int(row["rows"])


async def test_a_second_run_changes_nothing_and_says_so(context: Context) -> None:
    """Null counts as left out, and blank lines are none."""
    a, b = customer(), customer(former_id=None, person="Bob")
    assert await imported(context, import_customers, a, "", b) == ((2, 0, 0), {})
    assert await imported(context, import_customers, a, b) == ((0, 2, 0), {})
    app = application(customer_email=a["email"].upper(), grants=["client_credentials"])
    assert await imported(context, import_applications, app, app) == ((1, 1, 0), {})
    token = {
        "client_id": app["client_id"],
        "customer_email": b["email"].upper(),
        "sha256": digest_of(uuid4().hex),
    }
    assert await imported(context, import_tokens, token, token) == ((1, 1, 0), {})
    events = await context.database.rows(
        "SELECT event, actor_kind, detail FROM audit_event WHERE event LIKE '%.imported' ORDER BY id DESC LIMIT 4"
    )
    assert [(each["event"], each["actor_kind"]) for each in events] == [
        ("tokens.imported", "command line"),
        ("application.imported", "command line"),
        ("customer.imported", "command line"),
        ("customer.imported", "command line"),
    ]


async def test_a_dry_run_says_the_same_and_leaves_nothing(context: Context) -> None:
    """What it would refuse it refuses, repetitions too."""
    tables = (
        "customer",
        "person",
        "customer_member",
        "application",
        "client_secret",
        "legacy_token",
        "audit_event",
    )
    former = await Former.make(context)
    before = [await count(context, table) for table in tables]
    told = await imported(context, import_customers, customer(), "{", dry_run=True)
    assert told[0] == (1, 0, 1)
    told = await imported(context, import_applications, application(), application(name=""), dry_run=True)
    assert told[0] == (1, 0, 1)
    new = former.line(sha256=digest_of(uuid4().hex))
    told = await imported(
        context, import_tokens, former.line(), new, new, {**new, "scope": "x"}, dry_run=True
    )
    assert told[0] == (1, 2, 1)
    assert [await count(context, table) for table in tables] == before


WRONG_LINES = {
    "not JSON": ("{'a': 1}", "it is no JSON object in UTF-8"),
    "a list": ("[]", "it is no JSON object"),
    "misspelt": ('{"nmae": "x"}', "'nmae' is no field; did you mean name?"),
    "a number": ('{"name": 5}', "name: a text that is not empty"),
    "empty": ('{"name": ""}', "name: a text that is not empty"),
    "zero byte": ('{"name": "a\\u0000"}', "name: a text that is not empty"),
    "missing": ("{}", "name is missing"),
    "too long": ('{"name": "' + "x" * 70_000 + '"}', "a line has at most 65,536 bytes"),
}


@pytest.mark.parametrize(("line", "reason"), WRONG_LINES.values(), ids=WRONG_LINES)
async def test_a_line_that_cannot_be_read_is_named_and_the_next_is_kept(
    line: str, reason: str, context: Context
) -> None:
    counts, told = await imported(context, import_customers, line, customer())
    assert counts == (1, 0, 1)
    assert list(told) == [1]
    assert told[1].startswith(reason)


async def test_what_is_wrong_about_customers_is_named(context: Context) -> None:
    known = customer()
    await imported(context, import_customers, known)
    wrong = {
        "no hash of a form": customer(password_hash="$2b$12$" + "x" * 53),
        "e-mail address: ": customer(email="nobody"),
        "somebody signs in with": customer(email=known["email"]),
        "another e-mail address": {**customer(), "former_id": known["former_id"]},
        "former_id: at most": customer(former_id="x" * 300),
        "name: 1 to": customer(name="a\tb"),
    }
    counts, told = await imported(context, import_customers, *wrong.values())
    assert counts == (0, 0, len(wrong))
    for reason, said in zip(wrong, told.values(), strict=True):
        assert reason in said


async def test_what_is_wrong_about_applications_is_named(context: Context) -> None:
    ours = await register_application(context, COMMAND_LINE, name="Ours", company="Ours")
    standing, deleted = application(), application()
    await imported(context, import_applications, standing, deleted)
    await change_status(context, COMMAND_LINE, deleted["client_id"], "delete")
    wrong = {
        "visible ASCII characters": application(client_id="a b"),
        "1 to 255": application(client_id="x" * 256),
        "not the nil UUID": application(client_id=str(UUID(int=0))),
        "64 hexadecimal digits": application(secret_sha256="5" * 63),
        "digest of an empty text": application(secret_sha256=digest_of("")),
        "one of them is needed": application(secret_sha256=None),
        "public application has no secret": application(public=True),
        "no hash of a form": application(secret_sha256=None, secret_hash="$2b$12$" + "x" * 53),
        "did you mean aemp:read": application(scope="aemp:reed"),
        "classic or strict": application(kind="odd"),
        "https": application(redirect_uris=["http://sitewise.example/"]),
        "no customer is called nobody": application(
            grants=["client_credentials"], customer_former_id="nobody"
        ),
        "client_credentials grant only": application(customer_former_id="nobody"),
        "registered here has it": application(client_id=str(ours.client.id)),
        "deleted here": deleted,
        "another secret": {**standing, "secret_sha256": digest_of("another")},
        "true or false": application(public="no"),
        "a list of texts": application(redirect_uris="https://sitewise.example/"),
    }
    counts, told = await imported(context, import_applications, *wrong.values())
    assert counts == (0, 0, len(wrong))
    for reason, said in zip(wrong, told.values(), strict=True):
        assert reason in said


async def test_what_is_wrong_about_tokens_is_named(context: Context) -> None:
    former, other = await Former.make(context), await Former.make(context)
    cut = await Former.make(context, issued_at="2024-05-04T12:00:00Z")
    application_id = application_id_of(cut.client_id)
    assert application_id is not None
    await disconnect_application(context, COMMAND_LINE, cut.world.member.customer_id, application_id)
    fresh = {"sha256": digest_of(uuid4().hex)}
    late = (context.now() + timedelta(days=1)).isoformat()
    wrong = {
        "no application has the client_id nobody": former.line(**fresh, client_id="nobody"),
        "no application has the client_id ": former.line(**fresh, client_id=str(application_id)),
        "no customer is called nobody@x": former.line(**fresh, customer_email="nobody@x"),
        "one of them names the customer": former.line(**fresh, customer_former_id="7"),
        "customer_former_id is missing": former.line(**fresh, customer_email=None),
        "sha256: 64 hexadecimal digits": former.line(sha256="234acb234badeeefee2342"),
        "sha256 is missing": former.line(sha256=None),
        "telemetry:write, which may not": former.line(**fresh, scope="telemetry:write"),
        "with its offset": former.line(**fresh, issued_at="2024-05-04T12:00:00"),
        "in the future": former.line(**fresh, issued_at=late),
        "has expired": former.line(**fresh, expires_at="2024-05-04T12:00:00Z"),
        "stands here already": {**other.line(), "sha256": digest_of(former.token)},
        "connection to the application ended here": cut.line(**fresh),
    }
    wrong = {
        reason: {**line, "sha256": digest_of(reason)} if line.get("sha256") == fresh["sha256"] else line
        for reason, line in wrong.items()
    }
    counts, told = await imported(context, import_tokens, *wrong.values())
    assert counts == (0, 0, len(wrong))
    for reason, said in zip(wrong, told.values(), strict=True):
        assert reason in said
    assert await imported(context, import_tokens, cut.line(**fresh, issued_at=context.now().isoformat())) == (
        (1, 0, 0),
        {},
    )


async def test_what_was_revoked_here_is_not_revived_by_another_run(context: Context) -> None:
    former = await Former.make(context)
    token_id = id_of_digest(secret_digest(former.token))
    await context.database.count("UPDATE legacy_token SET revoked_at = now() WHERE id = $1", token_id)
    assert await imported(context, import_tokens, former.line()) == ((0, 1, 0), {})
    row = await context.database.row("SELECT revoked_at FROM legacy_token WHERE id = $1", token_id)
    assert row is not None
    assert row["revoked_at"] is not None


async def test_a_connection_that_ended_is_not_brought_back_by_another_run(context: Context) -> None:
    """The customer chose its end, and the tokens of before say nothing new."""
    former = await Former.make(context)
    application_id = application_id_of(former.client_id)
    assert application_id is not None
    ended = "UPDATE connection SET ends_at = clock_timestamp() WHERE application_id = $1"
    assert await context.database.count(ended, application_id) == 1
    counts, told = await imported(context, import_tokens, former.line())
    assert counts == (0, 0, 1)
    assert "connection to the application ended here" in told[1]
    row = await context.database.row(
        "SELECT ends_at FROM connection WHERE application_id = $1", application_id
    )
    assert row is not None
    assert row["ends_at"] is not None


async def test_two_imports_at_once_keep_each_line_once(context: Context) -> None:
    lines = [customer() for _ in range(20)]
    done = await asyncio.gather(*(import_customers(context, COMMAND_LINE, written(lines)) for _ in range(2)))
    assert sorted((each.imported, each.known, each.refused) for each in done) == [(0, 20, 0), (20, 0, 0)]


async def test_an_address_that_is_taken_while_an_import_runs_is_refused_by_name(context: Context) -> None:
    """The import waits for whoever is faster, and its other lines are kept."""
    taken, free = customer(), customer()
    person = Person(new_id(), taken["email"], "Olga")
    async with context.database.transaction() as transaction:
        await insert_person(transaction, person, NOBODY)
        importing = asyncio.create_task(imported(context, import_customers, taken, free))
        await until_true(partial(waits_for_another, context))
    counts, refused = await importing
    assert counts == (1, 0, 1)
    assert refused == {1: f"somebody signs in with {taken['email']} already, and belongs to no customer"}


async def test_an_address_of_somebody_without_account_is_refused_by_name(context: Context) -> None:
    """Such as an operator's."""
    taken = customer()
    async with context.database.transaction() as transaction:
        await insert_person(transaction, Person(new_id(), taken["email"], "Olga"), NOBODY)
    _, refused = await imported(context, import_customers, taken)
    assert "belongs to no customer" in refused[1]


async def test_customers_added_and_imported_at_once_leave_one_of_each(context: Context) -> None:
    """Whoever is slower is refused by name, and leaves no half of an account."""
    lines = [customer() for _ in range(12)]
    importing = asyncio.create_task(imported(context, import_customers, *lines))
    adding = [
        add_customer(context, COMMAND_LINE, email=each["email"], name="Hillside", password=uuid4().hex)
        for each in lines
    ]
    added = await asyncio.gather(*adding, return_exceptions=True)
    counts, _ = await importing
    assert {type(each) for each in added} <= {Member, CustomerError}
    assert counts[0] + len([each for each in added if isinstance(each, Member)]) == len(lines)
    row = await context.database.row(
        "SELECT count(*) AS people, count(m.customer_id) AS members FROM person p "
        "LEFT JOIN customer_member m ON m.person_id = p.id WHERE p.email = ANY ($1::text[])",
        [each["email"] for each in lines],
    )
    assert row is not None
    assert (row["people"], row["members"]) == (len(lines), len(lines))


async def test_a_client_id_that_is_a_uuid_stays_its_own_id(context: Context) -> None:
    moved = application(client_id=str(uuid4()))
    assert await imported(context, import_applications, moved) == ((1, 0, 0), {})
    assert (
        application_id_of(moved["client_id"])
        == parse_client_id(moved["client_id"])
        == UUID(moved["client_id"])
    )


async def test_a_customer_signs_in_with_a_former_password_that_is_then_hashed_here(context: Context) -> None:
    """R-54: from then on a sign-in takes as long as anybody's."""
    former_hash = PasswordHasher(memory_cost=1024, time_cost=1).hash(SECRET)
    moved, none = customer(password_hash=former_hash), customer()
    await imported(context, import_customers, moved, none)
    for each, password, opens in (
        (moved, "wrong password", False),
        (moved, SECRET, True),
        (moved, SECRET, True),
        (none, SECRET, False),
    ):
        signed_in = await sign_in(
            context, email=each["email"], password=password, visitor=Visitor("", str(new_id()))
        )
        assert isinstance(signed_in, SignedIn) is opens
    row = await select_sign_in(context.database, moved["email"])
    assert row is not None
    assert is_hashed_here(row.password_hash)


# From where others publish them: RFC 6070 section 2, RFC 7914 section 12, the documentation of passlib; and by argon2-cffi.
SCRYPT = (
    "U29kaXVtQ2hsb3JpZGU$"
    "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
)
HASHES = [
    ("$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44", "password"),
    ("$pbkdf2-sha1$4096$c2FsdA$SwB5AbdlSJq.rUnZJvch0GWkKcE", "password"),
    (f"$scrypt$ln=14,r=8,p=1${SCRYPT}", "pleaseletmein"),
    ("$argon2i$v=19$m=1024,t=1,p=2$c29tZXNhbHQ$n5VFHwVpOQtZmyy9mHgMsXYJ3JtCbMk2/TGUP1X1vcg", SECRET),
    ("pbkdf2_sha256$1000$salt$l39PBl2dHrsTpztV2lDq0l4b2uJoThS/SdXuWOQyseo=", SECRET),
]


@pytest.mark.parametrize(("slow_hash", "secret"), HASHES, ids=[each[:12] for each, _ in HASHES])
def test_a_hash_of_each_form_matches_its_secret_alone(slow_hash: str, secret: str) -> None:
    """R-26."""
    matches = read_slow_hash(slow_hash)
    assert matches(secret)
    assert not matches(f"{secret} ")
    assert not matches("")


@pytest.mark.parametrize(
    ("slow_hash", "reason"),
    [
        ("plain", "no hash of a form"),
        ("x" * 600, "at most 500"),
        ("$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$" + "A" * 43, "more than m="),
        ("$argon2id$v=19", "no hash of a form"),
        ("$argon2id$m=1024,t=1,p=1$c29tZXNhbHQ$" + "A" * 43, "no hash of a form"),
        ("$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ$" + "A" * 43, "no cost"),
        ("$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$AAAA", "3 bytes"),
        ("$argon2id$v=19$m=1024,t=1,p=1$c29t$" + "A" * 43, "fewer than 8"),
        ("$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$" + "A" * 45, "not base64"),
        ("$pbkdf2-sha256$99999999$c2FsdA$" + "A" * 43, "iterations"),
        ("$pbkdf2-sha256$1000$c2FsdA$AAAA", "3 bytes"),
        ("pbkdf2_sha256$0$salt$" + "A" * 43 + "=", "iterations"),
        ("$scrypt$ln=30,r=8,p=1$c2FsdA$" + "A" * 43, "64 MiB"),
        ("$scrypt$ln=10,r=8,p=90$c2FsdA$" + "A" * 43, "4 lanes"),
    ],
)
def test_a_hash_that_is_not_read_or_costs_too_much_is_refused(slow_hash: str, reason: str) -> None:
    """R-60."""
    with pytest.raises(SlowHashError, match=reason):
        read_slow_hash(slow_hash)


def test_fields_know_no_more_than_they_are_told() -> None:
    with pytest.raises(LineError, match="there are: a"):
        Fields.read(b'{"zzz": 1}', {"a"})
