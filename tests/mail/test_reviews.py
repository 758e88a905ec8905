"""Owners of an application hear by mail what became of their proposal."""

from app.flows.account.choose_language import choose_own_language
from app.flows.developer.review import approve_review, refuse_review
from app.oauth.actor import COMMAND_LINE
from app.storage.people.application_owners import insert_application_owner
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_connection_changed import text_of
from tests.support.reviews import change, handed_in, new_owner, owner


async def test_every_owner_is_told_in_their_language_and_led_to_the_application(post: Post) -> None:
    """R-61, R-63: the reason is an operator's, and no address in it becomes a link."""
    context = post.context
    olga, otto = await new_owner(context), await new_owner(context, "Otto")
    client = await handed_in(context, olga)
    await insert_application_owner(context.database, client.id, otto.id)
    await choose_own_language(context, owner(otto), otto, "es")
    await refuse_review(context, COMMAND_LINE, client.id, reason="See https://evil.example, please")
    messages = {str(each["To"]): each for each in await arrived(post)}
    assert set(messages) == {olga.email, otto.email}
    assert messages[olga.email]["Subject"] == "Your application was not approved"
    assert messages[otto.email]["Subject"] == "Su aplicaci\u00f3n no fue aprobada"
    told = text_of(messages[olga.email])
    page = f"{context.policy.issuer}/app/developer/{client.id}/publish"
    assert client.name in told
    assert "It stays in test mode" in told
    assert page in told
    html = messages[olga.email].get_body(("html",))
    assert html is not None
    assert 'href="https://evil' not in html.get_content()


async def test_going_live_and_later_changes_are_told_apart(post: Post) -> None:
    context = post.context
    olga = await new_owner(context)
    client = await handed_in(context, olga)
    await approve_review(context, COMMAND_LINE, client.id)
    await change(context, olga, client.id, name="Another name")
    await approve_review(context, COMMAND_LINE, client.id)
    subjects = [each["Subject"] for each in await arrived(post)]
    assert subjects == ["Your application is live", "The changes to your application are live"]
