"""A grant that is added is one row of the table: registration, metadata and the token endpoint need no more."""

from dataclasses import replace

import pytest

from app.context import Context
from app.flows.token.grants import GRANTS, Grant
from app.flows.token.redeem_code import ProvenCode, prove_code, remember_grant
from app.oauth.client import Client
from app.oauth.grant_type import Asked
from app.oauth.registration import RegistrationError
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.people import VERIFIER, Strict, pair_of, reads
from tests.support.refusals import error_of

TYPED = "urn:example:typed"  # a code that a person types over, so that no redirect brings it


async def prove(context: Context, client: Client, asked: Asked) -> ProvenCode:
    return await prove_code(context, client, replace(asked, parameters={"code_verifier": VERIFIER}))


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a release would add it."""
    typed = Grant(
        name=TYPED,
        required=("typed",),
        spends="ac",
        prove=prove,
        remember=remember_grant,
        redirects=True,
        refreshable=True,
        confidential_only=True,
    )
    monkeypatch.setitem(GRANTS, TYPED, typed)


async def test_an_added_grant_is_registered_published_and_answered(
    browser: Browser, context: Context
) -> None:
    """O-40, O-41, O-103."""
    strict = await Strict.register(context, grants=(TYPED, "refresh_token"))
    metadata = (await browser.get("/.well-known/oauth-authorization-server")).json()
    assert TYPED in metadata["grant_types_supported"]
    answer = await strict.ask(browser, grant_type=TYPED, typed=(await waiting_code(strict)).text)
    pair = pair_of(answer)
    assert answer.json()["expires_in"] == 3600
    assert await reads(browser, pair.access)
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"typed": None}, "invalid_request"),
        ({"typed": "rubbish"}, "invalid_grant"),
        ({"resource": "https://elsewhere.example/api"}, "invalid_target"),
        ({"grant_type": "authorization_code", "code": "rubbish"}, "unauthorized_client"),
    ],
    ids=str,
)
async def test_an_added_grant_cannot_forget_what_all_share(
    changes: dict[str, str | None], error: str, browser: Browser, context: Context
) -> None:
    """O-41, O-42, O-154."""
    strict = await Strict.register(context, grants=(TYPED,))
    sent = {"grant_type": TYPED, "typed": (await waiting_code(strict)).text, **changes}
    assert error_of(await strict.ask(browser, **sent)) == error


async def test_an_added_grant_is_for_whom_its_row_says(context: Context) -> None:
    """O-59."""
    with pytest.raises(RegistrationError, match=f"{TYPED}: a public application"):
        await Strict.register(context, grants=(TYPED,), public=True)
    with pytest.raises(RegistrationError, match=f"authorization_code or {TYPED} is needed too"):
        await Strict.register(context, grants=("refresh_token", "client_credentials"))
