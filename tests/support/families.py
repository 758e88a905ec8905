"""Refresh families: begun and continued without a browser, and what became of them."""

from app.context import Context
from app.flows.token.check_token import check_refresh_token, check_token
from app.flows.token.issue_token import issue_token
from app.oauth.request import Credentials, TokenRequest
from app.oauth.token_string import TokenString, compose, parse, secret_digest
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.people import VERIFIER, Pair, Strict, reads

HERE = "127.0.0.1"


def asked(strict: Strict, grant_type: str, **parameters: str) -> TokenRequest:
    """The token request of a strict application, which proves itself by its secret where it has one.

    parameters: the fields of its grant. The verifier of these tests goes along with each.
    """
    secret = strict.registered.client_secret
    return TokenRequest(
        grant_type=grant_type,
        credentials=Credentials(strict.client_id, secret_digest(secret), "client_secret_post")
        if secret
        else Credentials(strict.client_id, None, "none"),
        scope=None,
        resource=None,
        parameters={"code_verifier": VERIFIER, **parameters},
    )


async def begin(context: Context, strict: Strict) -> str:
    """The first refresh token of a family, from a code as a consent page leaves it."""
    code = await waiting_code(strict)
    issued = await issue_token(context, asked(strict, "authorization_code", code=code.text), HERE)
    assert issued.refresh_token is not None
    return issued.refresh_token


async def refresh(context: Context, strict: Strict, token: str) -> Pair:
    """The next pair of a family, from a refresh token that is spent by it."""
    issued = await issue_token(context, asked(strict, "refresh_token", refresh_token=token), HERE)
    assert issued.refresh_token is not None
    return Pair(issued.text, issued.refresh_token)


def read(text: str) -> TokenString:
    """The parts of a token's text. It fails where the text is none of ours."""
    token = parse(text)
    assert token is not None
    return token


async def alive(context: Context, pair: Pair) -> list[bool]:
    """Whether the access token and the refresh token still stand, in this order."""
    return [
        await check_token(context, parse(pair.access), HERE) is not None,
        await check_refresh_token(context, parse(pair.refresh), HERE) is not None,
    ]


def forge(text: str) -> str:
    """A well-formed token of the same id and another secret."""
    return compose("rt", "s", read(text).id, bytes(20)).text


async def events(strict: Strict) -> list[str]:
    rows = await strict.context.database.rows(
        "SELECT event FROM audit_event WHERE application_id = $1 AND grant_id IS NOT NULL ORDER BY id",
        strict.registered.client.id,
    )
    return [row["event"] for row in rows]


async def dead(browser: Browser, strict: Strict, *pairs: Pair) -> bool:
    """Whether none of these opens anything any more; the newest first, since asking with a spent one ends the others."""
    opened = [await reads(browser, each.access) for each in pairs]
    statuses = [(await strict.refresh(browser, each.refresh)).status_code for each in pairs]
    return not any(opened) and set(statuses) == {400}
