"""What happens to a mail between the outbox and a real mail server, whatever the server does."""

import asyncio
import os
import re
import signal
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import get_args
from uuid import uuid4

import psutil
import pytest

from app.flows.mail.queue_mail import queue_mail
from app.flows.mail.send_mails import send_due
from app.flows.upkeep.maintain import maintain
from app.mail.server import MailServer, Tls
from app.main import create_app
from app.storage.mail.outbox import mark_mails_given_up
from tests.mail.conftest import Post
from tests.mail.sink import Sink, arrived, mail_server
from tests.support.changing import until
from tests.support.people import World
from tests.support.server import ROOT, free_port, settings_on

every_tls = pytest.mark.parametrize("tls", get_args(Tls))
ANN = "ann@hillside.example"


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


async def test_mail_arrives_in_both_forms_and_asks_for_no_answer(post: Post) -> None:
    mail_id = await post.queue(ANN)
    [message] = await arrived(post)
    assert message["To"] == ANN
    assert message["Subject"] == "Test of outgoing mail"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail_id}@localhost>"
    assert message["List-Unsubscribe"] is None
    assert message["Date"].datetime.tzinfo is not None
    assert "rovitracker mail test" in part(message, "plain")
    assert "<code>rovitracker mail test</code>" in part(message, "html")
    [row] = await post.mails()
    assert (row.state, row.reply, row.attempts) == ("sent", "taken", 1)


@every_tls
async def test_mail_is_secured_and_signed_in_before_it_is_sent(post: Post, trusted: Path, tls: Tls) -> None:
    sink = Sink()
    await post.queue(ANN)
    async with mail_server(sink, certificate=trusted, tls=tls, user="rovi") as server:
        assert await send_due(post.by(server))
    assert sink.recipients == [ANN]


@every_tls
async def test_no_mail_goes_to_a_server_whose_certificate_nobody_trusts(
    post: Post, certificate: Path, tls: Tls
) -> None:
    sink = Sink()
    await post.queue(ANN)
    async with mail_server(sink, certificate=certificate, tls=tls) as server:
        assert not await send_due(post.by(server))
    [row] = await post.mails()
    assert (sink.messages, row.state) == ([], "waiting")
    assert "certificate" in (row.reply or "").lower()


async def test_no_mail_goes_in_clear_where_tls_is_required(post: Post) -> None:
    sink = Sink()
    await post.queue(ANN)
    async with mail_server(sink, tls="required") as server:  # which offers no STARTTLS
        assert not await send_due(post.by(server))
    assert (sink.messages, await post.states()) == ([], ["waiting"])


async def test_wrong_password_keeps_mail_waiting_until_it_is_right(post: Post) -> None:
    sink = Sink()
    await post.queue(ANN)
    async with mail_server(sink, user="rovi") as server:
        wrong = MailServer(server.host, server.port, server.tls, "rovi", "wrong")
        assert not await send_due(post.by(wrong))
        [row] = await post.mails()
        assert (row.state, (row.reply or "")[:3]) == ("waiting", "535")
        await post.pass_time("2 minutes")
        assert await send_due(post.by(server))
    assert await post.states() == ["sent"]


@pytest.mark.parametrize("said", ["550 no such person", "552 too large\r\n"])
async def test_refusal_for_good_is_shown_and_not_tried_again(post: Post, said: str) -> None:
    sink = Sink(to_recipient=said.strip()) if said.startswith("550") else Sink(to_message=said.strip())
    await post.queue(ANN)
    async with mail_server(sink) as server:
        assert await send_due(post.by(server))
        await post.pass_time("7 hours")
        assert await send_due(post.by(server))
    [row] = await post.mails()
    assert (row.state, row.reply, row.attempts) == ("refused", said.strip(), 1)


async def test_address_beyond_ascii_is_refused_where_the_server_takes_none(post: Post) -> None:
    """RFC 6531 section 3.2: and the mails behind it go out all the same."""
    sink = Sink()
    await post.queue("j\u00fcrgen@hillside.example")
    await post.queue(ANN)
    async with mail_server(sink) as server:
        assert await send_due(post.by(server))
    assert (sink.recipients, await post.states()) == ([ANN], ["refused", "sent"])


async def test_notice_never_reaches_who_has_the_address_by_now(post: Post, person: World) -> None:
    for person_id in (uuid4(), person.member.id):
        await post.queue(person.member.email, "password_changed", person=person_id)
    assert (len(await arrived(post)), await post.states()) == (1, ["sent"])


async def test_refusal_of_one_mail_holds_up_no_other(post: Post) -> None:
    sink = Sink(to_recipient="550 no such person")
    await post.queue("nobody@hillside.example")
    async with mail_server(sink) as server:
        await send_due(post.by(server))
        sink.to_recipient = None
        await post.queue(ANN)
        await send_due(post.by(server))
    assert await post.states() == ["refused", "sent"]


async def test_passing_refusal_is_tried_again_ever_later(post: Post) -> None:
    """From a minute to six hours."""
    sink = Sink(to_recipient="451 try later")
    await post.queue(ANN)
    pauses = []
    async with mail_server(sink) as server:
        for attempt in range(1, 13):
            assert await send_due(post.by(server))
            [row] = await post.mails()
            assert (row.state, row.attempts) == ("waiting", attempt)
            [waited] = await post.context.database.rows(
                "SELECT round(extract(epoch FROM next_attempt_at - clock_timestamp()) / 60)::int AS m FROM mail"
            )
            pauses.append(waited["m"])
            await post.owner.execute(
                "UPDATE mail SET next_attempt_at = clock_timestamp(), claimed_until = NULL"
            )
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]


async def test_an_hour_without_a_mail_server_loses_and_doubles_nothing(post: Post) -> None:
    """R-62."""
    port = free_port()
    away = post.by(MailServer("localhost", port, "offered"))
    people = [f"p{number}@hillside.example" for number in range(5)]
    for each in people:
        await post.queue(each)
    for _ in range(12):  # an hour, every five minutes
        assert not await send_due(away)
        await post.pass_time("5 minutes")
    attempts = sum(mail.attempts for mail in await post.mails())
    assert 5 < attempts <= 12, "one attempt tells that the server is away, and the others wait"
    await post.pass_time("1 hour")
    sink = Sink()
    async with mail_server(sink, port=port):
        assert await send_due(away)
        assert await send_due(away)
    assert sorted(sink.recipients) == people
    assert set(await post.states()) == {"sent"}


async def test_mail_is_given_up_after_three_days(post: Post) -> None:
    await post.queue(ANN)
    await post.pass_time("71 hours")
    assert await mark_mails_given_up(post.context.database) == 0
    await post.pass_time("1 hour")
    messages = await arrived(post)
    done = await maintain(post.context, post.database_url)
    assert (messages, done.mails_given_up, await post.states()) == ([], 1, ["given up"])


async def test_many_senders_send_each_mail_once(post: Post) -> None:
    people = [f"p{number:02}@hillside.example" for number in range(12)]
    for each in people:
        await post.queue(each)
    sink = Sink()
    async with mail_server(sink) as server:
        assert all(await asyncio.gather(*(send_due(post.by(server)) for _ in range(4))))
    assert sorted(sink.recipients) == people


async def test_mail_of_a_transaction_that_fails_is_never_sent(post: Post) -> None:
    async def fail() -> None:
        async with post.context.database.transaction() as transaction:
            await queue_mail(post.context, transaction, "test", to=ANN, about={})
            raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        await fail()
    assert await post.mails() == ()


async def test_kill_between_sending_and_noting_repeats_the_mail_under_the_same_id(
    post: Post, tmp_path: Path
) -> None:
    """Kill -9 after the server took it: it comes once more, and can be recognised."""

    def kill() -> None:
        [caller] = [each for each in psutil.Process().children() if "mail" in each.cmdline()]
        caller.send_signal(signal.SIGKILL)

    sink = Sink(before_answer=kill)
    async with mail_server(sink) as server:
        settings = {
            **settings_on(post.database_url, post.settings.redis_url.get_secret_value(), tmp_path),  # type: ignore[union-attr]
            "ROVITRACKER_SMTP_URL": f"smtp://localhost:{server.port}",
            "ROVITRACKER_MAIL_FROM": "no-reply@rovitracker.example",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "mail", "test", ANN, cwd=ROOT, env={**os.environ, **settings}
        )
        assert await process.wait() == -signal.SIGKILL
        sink.before_answer = None
        assert await post.states() == ["waiting"]
        await send_due(post.by(server))
        assert len(sink.messages) == 1, "a claim holds for a minute after a kill too"
        await post.pass_time("61 seconds")
        await send_due(post.by(server))
        await send_due(post.by(server))
    first, again = sink.messages
    assert first["Message-ID"] == again["Message-ID"]
    assert await post.states() == ["sent"]


async def test_service_that_stops_finishes_the_mail_under_way_and_begins_no_other(post: Post) -> None:
    sink = Sink(pause_s=0.3)
    for each in (ANN, "bo@hillside.example"):
        await post.queue(each)
    async with mail_server(sink) as server:
        changes = {"smtp_url": f"smtp://localhost:{server.port}", "mail_from": "Rovi <no-reply@rovi.example>"}
        app = create_app(type(post.settings).model_validate({**post.settings.model_dump(), **changes}))
        async with app.router.lifespan_context(app):
            await until(lambda: bool(sink.messages))
    assert sink.recipients == [ANN]
    assert await post.states() == ["sent", "waiting"]


async def test_mail_waits_where_no_server_is_set(post: Post) -> None:
    await post.queue(ANN)
    assert not await send_due(post.by(None))
    [row] = await post.mails()
    assert (row.state, row.attempts) == ("waiting", 0)


async def test_development_keeps_mails_for_their_owner_alone(post: Post, tmp_path: Path) -> None:
    mail_id = await post.queue(ANN)
    assert await send_due(post.by(None, tmp_path / "mail"))
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == f"{mail_id}.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert re.search(rb"(?m)^To: ann@hillside.example\r$", file.read_bytes())
