"""`rovitracker mail`: the outbox, as those who run the service see it."""

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

import typer

from app.cli.output import Json, errors, fail, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.add_customer import check_email
from app.flows.mail.outbox import list_mails, retry_mail, retry_mails, send_test
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(
    help="Look after outgoing mail: what waits, what was refused, and why.", no_args_is_help=True
)

_MOST = 100

MailId = Annotated[UUID | None, typer.Argument(metavar="[ID]", help="The mail's id, as the list has it.")]


@cli.command("list", epilog="Example: rovitracker mail list --state refused")
def list_(
    state: Annotated[
        Literal["waiting", "sent", "refused", "given up"] | None,
        typer.Option(help="Show only mails in this state."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show, the newest first.")] = _MOST,
    as_json: Json = False,
) -> None:
    """List the mails of the last 30 days, with what the mail server said of each."""

    async def work(context: Context) -> tuple[list[dict[str, object]], bool]:
        mails = await list_mails(context, state, most=most)
        return [{**asdict(mail), "id": str(mail.id)} for mail in mails], context.outgoing.possible

    rows, possible = with_context(work)
    if not possible:
        errors.print(
            "No mail server is set, so mail waits: set ROVITRACKER_SMTP_URL and ROVITRACKER_MAIL_FROM.",
            soft_wrap=True,
            markup=False,
        )
    print_records(rows, as_json=as_json, empty="No mail. `rovitracker mail test ADDRESS` sends one.")


@cli.command(epilog="Example: rovitracker mail retry --all")
def retry(
    mail_id: MailId = None,
    every: Annotated[
        bool, typer.Option("--all", help="Try every mail again that waits, was refused or was given up.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a mail due now; the service sends it within seconds, or tries for three more days."""
    if (mail_id is None) != every:
        fail("name one mail by its id, or all with --all")
    if mail_id is None:
        count = with_context(lambda context: retry_mails(context, COMMAND_LINE))
    else:
        with_context(lambda context: retry_mail(context, COMMAND_LINE, mail_id))
        count = 1
    print_record({"mails_due": count}, as_json=as_json)


@cli.command("test", epilog="Example: rovitracker mail test ann@hillside.example")
def send(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send it.")],
    as_json: Json = False,
) -> None:
    """Send a test mail at once, and print what the mail server says."""
    to = check_email(address)
    mail_id, answer = with_context(lambda context: send_test(context, COMMAND_LINE, to))
    if answer.outcome == "refused":
        fail(f"the mail server refused it: {answer.reply}")
    if answer.outcome == "waiting":
        fail(f"not sent, the service goes on trying: {answer.reply}")
    print_record({"id": str(mail_id), "state": answer.outcome, "reply": answer.reply}, as_json=as_json)
