"""A customer's browser: sign-in and consent pages, and the code in the redirect of an approved one."""

import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager
from lxml import html

from bench.scenarios.answers import expect
from bench.scenarios.catalogue import AUTHORIZE, CONSENT, SIGN_IN
from bench.scenarios.material import Account

_SEE_OTHER = 303


class Browser:
    """session: with cookies of its own."""

    def __init__(self, session: FastHttpSession, account: Account) -> None:
        self._session = session
        self._account = account

    def consent(self) -> str:
        """The code, read from the redirect without following it."""
        state = secrets.token_urlsafe(16)
        page = self._authorize(state)
        if page.find(".//input[@name='password']") is not None:
            self._sign_in(page)
            page = self._authorize(state)
        with self._submit(page, CONSENT, {"decision": "approve"}) as answer:
            target = urlsplit(answer.headers.get("location", "")) if answer.headers else urlsplit("")
            given = parse_qs(target.query)
            back = target._replace(query="").geturl() == self._account.redirect_uri
            right = back and given.get("state") == [state] and "code" in given
            expect(answer, right=right, status=_SEE_OTHER)
        code: str = given["code"][0]
        return code

    def _authorize(self, state: str) -> html.HtmlElement:
        query = {
            "client_id": self._account.client_id,
            "state": state,
            "redirect_uri": self._account.redirect_uri,
        }
        with self._session.get(
            f"{AUTHORIZE}?{urlencode(query)}", name=AUTHORIZE, catch_response=True, allow_redirects=False
        ) as answer:
            text = answer.text or ""
            expect(answer, right='name="decision"' in text or 'name="password"' in text)
        return html.fromstring(text)

    def _sign_in(self, page: html.HtmlElement) -> None:
        typed = {"email": self._account.email, "password": self._account.password}
        with self._submit(page, SIGN_IN, typed) as answer:
            expect(answer, right=True, status=_SEE_OTHER)

    def _submit(self, page: html.HtmlElement, path: str, typed: dict[str, str]) -> ResponseContextManager:
        """The page's form as it stands, and what a person adds."""
        form = next(form for form in page.forms if path in form.get("action", ""))
        held = dict(form.form_values())
        return self._session.post(
            form.get("action"),
            data={**held, **typed},
            name=path,
            catch_response=True,
            allow_redirects=False,
        )
