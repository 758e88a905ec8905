"""Judge what customers are to recognise an application by, and say for the trail what a change comes to."""

from dataclasses import replace

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.token.grants import GRANTS
from app.oauth.description import Description, hosts_of
from app.oauth.registration import check_link, check_registration
from app.oauth.scope import offered_scopes
from app.sentence import Sentence
from app.storage.people.applications import Application

_MOST_NOTED = 300  # characters of a value in the trail


def check_description(
    context: Context, application: Application, asked: Description, *, live: bool
) -> Description:
    """In canonical form. live: judge as for real customers, which http addresses are not.

    Raises RegistrationError, RedirectUriError or FieldError when a value is not accepted.
    """
    if any(word not in offered_scopes() for word in asked.scope):
        raise FieldError("scope", Sentence("Choose among the scopes of the page."))
    client = check_registration(
        replace(
            application.client,
            name=asked.name,
            company=asked.company,
            redirect_uris=asked.redirect_uris,
            scope=asked.scope,
            test=not live,
        ),
        GRANTS.values(),
        development=context.policy.development and not live,
    )
    return Description(
        client.name,
        client.company,
        asked.logo_digest,
        client.redirect_uris,
        client.scope,
        check_link("terms_uri", asked.terms_uri or ""),
        check_link("privacy_uri", asked.privacy_uri or ""),
    )


def change_noted(before: Description, after: Description) -> dict[str, str | int | None]:
    """The members that change, with the values before and after, as the trail keeps them."""
    changed = before.differs_in(after)
    detail: dict[str, str | int | None] = {"changed": ", ".join(changed)}
    for name in changed:
        detail[f"{name}_before"] = _noted(before, name)
        detail[f"{name}_after"] = _noted(after, name)
    return detail


def check_words(field: str, text: str, *, most: int, needed: bool) -> str:
    """What somebody wrote for somebody else: plain lines. Raises FieldError when it is too long, or has hidden characters."""
    words = text.replace("\r\n", "\n").replace("\u00a0", " ").strip()
    if len(words) > most:
        raise FieldError(field, Sentence("Write %(most)s characters at most.", most=most))
    if needed and not words:
        raise FieldError(field, Sentence("Write a few words."))
    if not words.replace("\n", " ").replace("\t", " ").isprintable():
        raise FieldError(field, Sentence("It has a character that cannot be seen."))
    return words


def _noted(description: Description, name: str) -> str | None:
    value = getattr(description, name)
    if isinstance(value, bytes):
        return value.hex()
    if name == "redirect_uris":
        value = " ".join(hosts_of(value))
    elif isinstance(value, tuple):
        value = " ".join(value)
    return str(value)[:_MOST_NOTED] if value is not None else None
