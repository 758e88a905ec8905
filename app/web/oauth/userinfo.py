"""GET /app/oauth2/userinfo tells whose account was connected. It is no sign-in: one account has many people."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.oauth.answer import Party, userinfo_answer
from app.storage.people.people import select_confirmed_email
from app.web.answer import JSON, Answer, as_response
from app.web.api.bearer import Caller, bearer
from app.web.api.rate_limit import rate_headers, take_from_budget
from app.web.cross_origin import reading_headers
from app.web.oauth.introspect import party_of
from app.web.request import context_of


async def userinfo(request: Request, caller: Annotated[Caller, Depends(bearer("account:read"))]) -> Response:
    take_from_budget(request, caller)
    headers = [*JSON, *rate_headers(request), *reading_headers(request.scope["path"])]
    party = party_of(caller.token)
    email = await _email_of(request, party)
    return as_response(Answer(200, userinfo_answer(party, email), headers))


async def _email_of(request: Request, party: Party) -> str | None:
    if party.member_id is None:
        return None
    return await select_confirmed_email(context_of(request).database, party.member_id)
