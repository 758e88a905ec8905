"""The outbox as operators see it: the list, another try, a test, the page of development, and what goes in time."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import html

from app.flows.mail.outbox import list_mails, retry_mail, retry_mails, send_test
from app.flows.mail.send_mails import MailError, send_due
from app.mail.server import MailServer
from app.mail.transport import Line
from app.main import create_app
from app.oauth.actor import COMMAND_LINE
from app.storage.mail.outbox import claim_next_mail
from app.storage.schema.maintenance import call_delete_past_rows
from tests.mail.conftest import Post
from tests.mail.sink import Sink, mail_server
from tests.support.browser import Browser
from tests.support.people import World
from tests.web.reading import attributes_of, words_of

ANN = "ann@hillside.example"
DEMO_MAIL = "/app/demo/mail"


async def refuse_one(post: Post) -> Sink:
    """A mail that the server refused for good."""
    sink = Sink(to_recipient="550 no such person")
    await post.queue(ANN)
    async with mail_server(sink) as server:
        await send_due(post.by(server))
    return sink


async def test_refused_mail_is_listed_with_the_servers_words(post: Post) -> None:
    await refuse_one(post)
    await post.queue("bo@hillside.example")
    [refused] = await list_mails(post.context, "refused", most=10)
    assert (refused.recipient, refused.reply) == (ANN, "550 no such person")
    assert [mail.state for mail in await list_mails(post.context, None, most=10)] == ["waiting", "refused"]
    assert len(await list_mails(post.context, None, most=1)) == 1


async def test_refused_mail_is_sent_at_another_try(post: Post) -> None:
    sink = await refuse_one(post)
    [mail] = await post.mails()
    await retry_mail(post.context, COMMAND_LINE, mail.id)
    sink.to_recipient = None
    async with mail_server(sink) as server:
        await send_due(post.by(server))
    assert (sink.recipients, await post.states()) == ([ANN], ["sent"])
    told = await post.context.database.rows(
        "SELECT actor_kind FROM audit_event WHERE event = 'mail.retried' AND detail ->> 'mail' = $1",
        str(mail.id),
    )
    assert [row["actor_kind"] for row in told] == ["command line"]


async def test_another_try_is_refused_where_it_would_double_a_mail(post: Post) -> None:
    await post.queue(ANN)
    claimed = await claim_next_mail(post.context.database)
    assert claimed is not None
    with pytest.raises(MailError, match="being sent at this moment"):
        await retry_mail(post.context, COMMAND_LINE, claimed.id)
    assert await retry_mails(post.context, COMMAND_LINE) == 0
    sink = Sink()
    await post.pass_time("2 minutes")
    async with mail_server(sink) as server:
        await send_due(post.by(server))
    with pytest.raises(MailError, match="was sent already"):
        await retry_mail(post.context, COMMAND_LINE, claimed.id)
    with pytest.raises(MailError, match="there is no mail"):
        await retry_mail(post.context, COMMAND_LINE, uuid4())


async def test_all_that_was_not_sent_is_tried_again_at_once(post: Post) -> None:
    sink = await refuse_one(post)
    await post.queue("bo@hillside.example")
    assert await retry_mails(post.context, COMMAND_LINE) == 2
    sink.to_recipient = None
    async with mail_server(sink) as server:
        await send_due(post.by(server))
    assert await post.states() == ["sent", "sent"]


async def test_test_mail_is_sent_at_once_and_tells_what_the_server_says(post: Post) -> None:
    sink = Sink()
    async with mail_server(sink) as server:
        mail_id, answer = await send_test(post.by(server), COMMAND_LINE, ANN)
    assert (answer.outcome, answer.reply) == ("sent", "taken")
    assert [mail.id for mail in await post.mails()] == [mail_id]
    gone = post.by(MailServer("localhost", 1, "offered"))
    _, answer = await send_test(gone, COMMAND_LINE, ANN)
    assert (answer.outcome, await post.states()) == ("waiting", ["sent", "waiting"])
    with pytest.raises(MailError, match="No mail server is set"):
        await send_test(post.by(None), COMMAND_LINE, ANN)


async def test_check_signs_in_and_sends_nothing(post: Post, trusted: Path) -> None:
    sink = Sink()
    async with mail_server(sink, certificate=trusted, tls="required", user="rovi") as server:
        lines = (Line(server), Line(replace(server, password="wrong")))
        right, wrong = [await line.check() for line in lines]
        for line in lines:
            await line.close()
    assert (right.outcome, wrong.outcome) == ("sent", "waiting")
    assert wrong.reply.startswith("535")
    assert sink.messages == []
    assert await post.mails() == ()


async def test_settled_mails_and_links_go_after_a_month(post: Post, person: World) -> None:
    """R-108."""
    await refuse_one(post)
    await post.queue("bo@hillside.example")
    await post.owner.execute("UPDATE mail SET settled_at = settled_at - interval '31 days'")
    await post.owner.execute(
        "INSERT INTO mail_link (digest, purpose, person_id, expires_at) VALUES "
        "(sha256('a'), 'new password', $1, now() - interval '31 days'), (sha256('b'), 'new password', $1, now())",
        person.member.id,
    )
    while await call_delete_past_rows(post.context.database, 1000):
        pass
    assert await post.states() == ["waiting"]
    [left] = await post.context.database.rows("SELECT digest = sha256('b') AS younger FROM mail_link")
    assert left["younger"]


async def test_page_of_development_shows_what_was_kept(post: Post, person: World, tmp_path: Path) -> None:
    context = post.by(None, tmp_path / "mail")
    app = create_app(post.settings)
    app.state.context, app.state.demo = context, None
    async with Browser(app) as browser:
        assert "No mail yet" in words_of(await browser.get(DEMO_MAIL))
        page = await browser.get("/app/password/forgotten")
        await browser.submit(page, {"email": person.member.email}, action="/forgotten")
        assert await send_due(context)
        shown = await browser.get(DEMO_MAIL)
        assert person.member.email in words_of(shown)
        [text] = html.fromstring(shown.text).iter("pre")
        assert str(text.xpath("string()")).splitlines()[0].startswith("Hello")
        [link] = [each for each in attributes_of(shown, "a", "href") if "?link=" in each]
        assert (await browser.get(link)).status_code == 200


async def test_production_shows_no_mails(post: Post) -> None:
    app = create_app(post.settings)
    app.state.context = replace(post.context, policy=replace(post.context.policy, development=False))
    app.state.demo = None
    async with Browser(app) as browser:
        answer = await browser.get(DEMO_MAIL)
    assert answer.status_code == 404
    assert "development mode only" in words_of(answer)


async def test_page_says_where_mails_go_when_a_server_is_set(post: Post) -> None:
    app = create_app(post.settings)
    app.state.context = post.by(MailServer("mail.example", 587, "required", "rovi", "a-secret"))
    app.state.demo = None
    async with Browser(app) as browser:
        page = await browser.get(DEMO_MAIL)
    assert "mail.example:587" in words_of(page)
    assert "a-secret" not in page.text
