"""Whose account a verb is about, named by somebody who signs in for it."""

from typing import Annotated

import typer

from app.cli.output import fail
from app.context import Context
from app.flows.sign_in import normal_email
from app.storage.people import Member, select_member

Customer = Annotated[
    str, typer.Option("--customer", metavar="EMAIL", help="Somebody who signs in for the account.")
]


async def member_of(context: Context, email: str) -> Member:
    member = await select_member(context.database, normal_email(email))
    if member is None:
        fail(f"nobody signs in with {email}: `rovitracker customer add --help`")
    return member
