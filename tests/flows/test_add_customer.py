"""Adding a customer: who may sign in afterwards, and what is refused."""

from uuid import uuid4

import pytest

from app.context import Context
from app.flows.account.add_customer import CustomerError, PersonError, add_customer
from app.oauth.actor import COMMAND_LINE
from app.storage.people.customers import select_customers
from tests.support.people import session_of

PASSWORD = "correct horse battery"


def address() -> str:
    return f"ann.{uuid4().hex}@hillside.example"


async def test_added_person_can_sign_in(context: Context) -> None:
    email = address()
    member = await add_customer(
        context, COMMAND_LINE, email=f" {email.upper()} ", name=" Hillside ", password=PASSWORD
    )
    assert (member.email, member.name, member.customer_name) == (email, "Hillside", "Hillside")
    assert await session_of(context, email=email, password=PASSWORD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "ann@"),
        ("email", "ann@hillside.example\r\nBcc: all@x.example"),
        ("email", "ann@hill side.example"),
        ("email", "Ann <ann@hillside.example>"),
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 121),
        ("name", "Hillside\r\nBcc: x"),
        ("name", "Hill\u202eside"),
        ("password", ""),
        ("password", "x" * 9),
        ("password", "x" * 1001),
    ],
)
async def test_what_cannot_be_stored_or_mailed_is_refused(context: Context, field: str, value: str) -> None:
    """R-61: with the field named, and nothing stored."""
    fields = {"email": address(), "name": "Hillside", "password": PASSWORD, field: value}
    before = len(await select_customers(context.database))
    with pytest.raises(PersonError, match=field.replace("email", "e-mail")):
        await add_customer(
            context, COMMAND_LINE, email=fields["email"], name=fields["name"], password=fields["password"]
        )
    assert len(await select_customers(context.database)) == before


async def test_address_in_use_is_refused_and_leaves_no_account(context: Context) -> None:
    """The account and its person are written together or not at all."""
    email = address()
    await add_customer(context, COMMAND_LINE, email=email, name="Hillside", password=PASSWORD)
    before = len(await select_customers(context.database))
    with pytest.raises(CustomerError, match="already"):
        await add_customer(context, COMMAND_LINE, email=email.upper(), name="Other", password=PASSWORD)
    assert len(await select_customers(context.database)) == before


async def test_password_is_stored_as_argon2id_only(context: Context) -> None:
    """R-24"""
    member = await add_customer(context, COMMAND_LINE, email=address(), name="Hillside", password=PASSWORD)
    [row] = await context.database.rows("SELECT password_hash FROM person WHERE id = $1", member.id)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in row["password_hash"]


async def test_session_is_stored_as_a_digest_only(context: Context) -> None:
    """R-24"""
    member = await add_customer(context, COMMAND_LINE, email=address(), name="Hillside", password=PASSWORD)
    cookie = await session_of(context, email=member.email, password=PASSWORD)
    assert cookie is not None
    row = await context.database.row(
        "SELECT string_agg(s::text, ',') AS stored FROM browser_session s WHERE person_id = $1", member.id
    )
    assert row is not None
    assert row["stored"]
    assert cookie not in row["stored"]
    assert cookie.encode().hex() not in row["stored"]
