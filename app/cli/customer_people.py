"""`rovitracker customer members`, `invite`, `set-role`, `remove-member` and `rename`: the people of an account."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.cli.members import Customer
from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_account, find_member, rename_customer
from app.flows.account.change_member import change_role, list_members, remove_member
from app.flows.account.invite import Invited, invite, list_invitations
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole

Account = Annotated[
    str,
    typer.Argument(
        metavar="EMAIL|ID", help="The e-mail address of somebody who signs in for the account, or its id."
    ),
]
MemberEmail = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The e-mail address that the member signs in with.")
]
Role = Annotated[
    MemberRole, typer.Option(help="What the person may do: owner everything, connector connect, viewer look.")
]


def add_people_verbs(cli: typer.Typer) -> None:
    """Add the verbs about the people of an account to `rovitracker customer`."""
    for name, verb, example in (
        ("members", members, "ann@hillside.example"),
        (
            "invite",
            invite_,
            "--customer ann@hillside.example --email bo@hillside.example --role connector",
        ),
        ("set-role", set_role, "bo@hillside.example --role viewer"),
        ("remove-member", remove_member_, "bo@hillside.example"),
        ("rename", rename, "ann@hillside.example --name 'Hillside Rentals'"),
    ):
        cli.command(name, epilog=f"Example: rovitracker customer {name} {example}")(verb)


def members(account: Account, as_json: Json = False) -> None:
    """List the people of an account with their roles, and who is invited."""

    async def work(context: Context) -> list[dict[str, Any]]:
        customer_id, _ = await find_account(context, account)
        people = [asdict(each) for each in await list_members(context, customer_id)]
        invited = await list_invitations(context, customer_id)
        return [
            {
                "email": each["email"],
                "name": each["name"],
                "role": each["role"],
                "status": "member",
                "since": each["joined_at"],
                "second_factor": each["second_factor"],
                "mail": None,
            }
            for each in people
        ] + [
            {
                "email": each.email,
                "name": None,
                "role": each.role,
                "status": "invitation expired" if each.late else "invited",
                "since": each.created_at,
                "second_factor": None,
                "mail": each.mail_state or "not sent",
            }
            for each in invited
        ]

    print_records(with_context(work), as_json=as_json, empty="Nobody signs in for this account.")


def invite_(
    customer: Customer,
    email: Annotated[str, typer.Option(help="Where the invitation goes.")],
    role: Role = "viewer",
    as_json: Json = False,
) -> None:
    """Invite somebody by mail to join an account. The service sends the mail; its link works for seven days."""

    async def work(context: Context) -> Invited:
        customer_id, _ = await find_account(context, customer)
        return await invite(context, COMMAND_LINE, customer_id, email=email, role=role)

    made = with_context(work)
    print_record(
        {
            "invitation_id": str(made.id),
            "email": made.email,
            "role": made.role,
            "expires_at": made.expires_at,
        },
        as_json=as_json,
    )


def set_role(email: MemberEmail, role: Role, as_json: Json = False) -> None:
    """Give a member another role, and tell them by mail. An account keeps at least one owner."""

    async def work(context: Context) -> dict[str, Any]:
        member = await find_member(context, email)
        await change_role(context, COMMAND_LINE, member.customer_id, member.id, role, before=member.role)
        return {"email": member.email, "role": role, "role_before": member.role}

    print_record(with_context(work), as_json=as_json)


def remove_member_(email: MemberEmail, as_json: Json = False) -> None:
    """Take a member out of the account, and end their sessions. What they connected stays connected."""

    async def work(context: Context) -> dict[str, Any]:
        member = await find_member(context, email)
        ended = await remove_member(context, COMMAND_LINE, member.customer_id, member.id, before=member.role)
        return {"email": member.email, "role_before": member.role, "sessions_ended": ended}

    print_record(with_context(work), as_json=as_json)


def rename(
    account: Account,
    name: Annotated[str, typer.Option(help="The account's new name.")],
    as_json: Json = False,
) -> None:
    """Give an account another name."""

    async def work(context: Context) -> dict[str, Any]:
        customer_id, before = await find_account(context, account)
        kept = await rename_customer(context, COMMAND_LINE, customer_id, name, before=before)
        return {"customer_id": str(customer_id), "name": kept, "name_before": before}

    print_record(with_context(work), as_json=as_json)
