"""Credentials of an application, as its owners change them on the wire."""

import re
from typing import Any
from uuid import UUID

import httpx2
from joserfc.jwk import Key

from app.context import Context
from app.flows.developer.credential_uses import write_uses
from app.oauth.token_string import new_id
from tests.support.assertions import by_assertion, claims_of, jwks_of, key_pair, signed
from tests.support.browser import Browser
from tests.support.owners import register_own, sign_up
from tests.support.people import PASSWORD
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of


def secret_of(page: httpx2.Response) -> str:
    [secret] = set(re.findall(r"rovi_cs_\w+", page.text))
    return str(secret)


async def proves(browser: Browser, client_id: str, secret: str) -> bool:
    """Whether the application proves itself by the secret: only the token that it asks about is unknown then."""
    form = {"client_id": client_id, "client_secret": secret, "token": "x"}
    return (await browser.http.post("/app/oauth2/introspect", data=form)).status_code == 200


async def page_of(browser: Browser, client_id: str) -> httpx2.Response:
    return await browser.get(f"/app/developer/{client_id}/credentials")


async def test_a_new_secret_is_shown_once_and_the_former_one_works_on(
    owner: Browser, stranger: Browser
) -> None:
    registered = await register_own(owner)
    client_id, first = client_id_of(registered), secret_of(registered)
    page = await page_of(owner, client_id)
    assert first not in page.text
    made = await owner.submit(page, {"password": PASSWORD, "overlap": "1"}, action="/rotate")
    second = secret_of(made)
    assert await proves(stranger, client_id, first)
    assert await proves(stranger, client_id, second)
    again = await page_of(owner, client_id)
    assert second not in again.text
    assert "The former one" in words_of(again)
    ended = await owner.follow(await owner.submit(again, {}, action="/retire"))
    assert "ended" in words_of(ended)
    assert not await proves(stranger, client_id, first)


async def test_last_use_of_each_secret_and_key_is_shown(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    """To the hour; an introspection is a use too, and one by a wrong secret is none."""
    registered = await register_own(owner, kind="strict")
    client_id = client_id_of(registered)
    assert not await proves(stranger, client_id, "wrong")
    await write_uses(context)
    page = await page_of(owner, client_id)
    assert "Not used." in words_of(page)
    assert await proves(stranger, client_id, secret_of(registered))
    await write_uses(context)
    used = f"Last used in the hour from {context.now():%-d %B %Y, %H}:00 UTC."
    assert used in words_of(await page_of(owner, client_id)).replace(" .", ".")
    keys = [key_pair("EC"), key_pair("EC", 1)]
    typed = {"password": PASSWORD, "jwks": jwks_of(*keys).decode()}
    assert (await owner.submit(page, typed, action="/keys")).status_code == 303
    asked = {**by_assertion(signed(keys[0], claims_of(client_id))), "token": "x"}
    assert (await stranger.http.post("/app/oauth2/introspect", data=asked)).status_code == 200
    await write_uses(context)
    listed = [
        " ".join(each.text_content().split())
        for each in found(await page_of(owner, client_id), "//ul[@class='names']/li")
    ]
    [made] = {row["created_at"].replace(second=0, microsecond=0) for row in await keys_of(context, client_id)}
    said = f"registered {made:%-d %B %Y, %H:%M} UTC."
    assert listed == [f"{keys[0].thumbprint()}: {said} {used}", f"{keys[1].thumbprint()}: {said} Not used."]


async def keys_of(context: Context, client_id: str) -> list[Any]:
    """The rows of its keys, the oldest first."""
    return await context.database.rows(
        "SELECT digest, kid, created_at FROM client_key WHERE application_id = $1 ORDER BY created_at",
        UUID(client_id),
    )


async def test_key_keeps_its_age_in_another_set_and_loses_it_with_its_place(
    context: Context, owner: Browser
) -> None:
    """A rotation adds a key beside the old one, and later takes the old one out."""
    client_id = client_id_of(await register_own(owner, kind="strict"))

    async def register(*keys: Key) -> dict[bytes, Any]:
        typed = {"password": PASSWORD, "jwks": jwks_of(*keys).decode()}
        page = await page_of(owner, client_id)
        assert (await owner.submit(page, typed, action="/keys")).status_code == 303
        return {row["digest"]: row["created_at"] for row in await keys_of(context, client_id)}

    old, new = key_pair("EC"), key_pair("EC", 1)
    first = await register(old)
    both = await register(new, old)
    assert len(both) == 2
    assert first.items() <= both.items()
    [left] = (await register(new)).items()
    assert left in both.items() - first.items()
    assert (await register(new, old)).items() >= {left}
    again = await register(old)
    assert again.keys() == first.keys()
    assert again != first


async def test_a_use_that_no_row_can_stand_for_takes_no_other_along(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    context.credential_uses.note((new_id(), b"1" * 32), context.now())
    assert await proves(stranger, client_id, secret_of(registered))
    await write_uses(context)
    assert "Last used in the hour from" in words_of(await page_of(owner, client_id))


async def test_without_an_overlap_the_former_one_ends_at_once(owner: Browser, stranger: Browser) -> None:
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    fields = {"password": PASSWORD, "overlap": "0"}
    await owner.submit(await page_of(owner, client_id), fields, action="/rotate")
    assert not await proves(stranger, client_id, secret_of(registered))


async def test_who_cannot_prove_who_they_are_changes_nothing(owner: Browser, stranger: Browser) -> None:
    """R-59: an open browser alone gives nobody a secret."""
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    refused = await owner.submit(
        await page_of(owner, client_id), {"password": "wrong horse"}, action="/rotate"
    )
    assert refused.status_code == 422
    assert "rovi_cs_" not in refused.text
    assert found(refused, "//*[@aria-invalid='true']/@id") == ["rotate-password"]
    assert await proves(stranger, client_id, secret_of(registered))


async def test_keys_take_the_place_of_the_secret(owner: Browser, stranger: Browser) -> None:
    registered = await register_own(owner, kind="strict")
    client_id = client_id_of(registered)
    page = await page_of(owner, client_id)
    refused = await owner.submit(page, {"password": PASSWORD, "jwks": "{}"}, action="/keys")
    assert refused.status_code == 422
    assert found(refused, "//*[@aria-invalid='true']/@id") == ["keys-jwks"]
    assert found(refused, "//textarea/text()") == ["{}"]
    done = await owner.submit(
        page, {"password": PASSWORD, "jwks": jwks_of(key_pair("EC")).decode()}, action="/keys"
    )
    shown = await owner.follow(done)
    assert "by its keys" in words_of(shown)
    assert not await proves(stranger, client_id, secret_of(registered))


async def test_a_form_of_one_application_changes_no_other(owner: Browser, stranger: Browser) -> None:
    one, other = await register_own(owner), await register_own(owner)
    page = await page_of(owner, client_id_of(one))
    fields = dict(form_fields(page, "/rotate")) | {"password": PASSWORD}
    answer = await owner.http.post(f"/app/developer/{client_id_of(other)}/credentials/rotate", data=fields)
    assert answer.status_code == 400
    assert await proves(stranger, client_id_of(other), secret_of(other))


async def test_a_stranger_finds_no_such_page(context: Context, owner: Browser, stranger: Browser) -> None:
    registered = await register_own(owner)
    await sign_up(context, stranger)
    assert (await page_of(stranger, client_id_of(registered))).status_code == 404


def form_fields(page: httpx2.Response, action: str) -> list[tuple[str, str]]:
    boxes = found(page, f"//form[contains(@action, '{action}')]//input[@type='hidden' and @name='form']")
    return [(box.get("name"), box.get("value")) for box in boxes]
