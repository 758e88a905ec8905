"""The budget of a caller, told by the IETF's draft of RateLimit fields, and as clients read it today."""

import time
from functools import cache

from starlette.requests import Request

from app.aemp.model.errors import AempError
from app.throttling.budgets import WINDOW_S, Budget
from app.web.answer import Headers
from app.web.api.bearer import Caller
from app.web.request import context_of

_TAKEN = "budget"  # where it is kept until the answer is written, whatever that is


def take_from_budget(request: Request, caller: Caller) -> None:
    """By grant: a client that refreshes its token, or holds several, has one budget. Raises AempError 429.

    Without a grant an application has its tokens for the asking, or from a former system: one budget for each customer.
    """
    token = caller.token
    budget = context_of(request).budgets.take(token.grant_id or (token.application_id, caller.customer_id))
    request.scope[_TAKEN] = budget
    if budget.retry_after_s:
        raise AempError(
            429,
            "too_many_requests",
            "The budget of requests is used up. Read on after Retry-After seconds.",
            headers={"Retry-After": str(budget.retry_after_s)},
        )


def rate_headers(request: Request) -> Headers:
    """None for a request that was refused before it had a budget."""
    budget: Budget | None = request.scope.get(_TAKEN)
    if budget is None:
        return []
    remaining, reset_s = budget.remaining, budget.reset_s
    return [
        *_limit_headers(budget.limit),
        (b"ratelimit", b'"reads";r=%d;t=%d' % (remaining, reset_s)),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % (time.time() + reset_s)),  # a moment, in seconds since 1970
    ]


@cache
def _limit_headers(limit: int) -> Headers:
    """The same at every request: draft-ietf-httpapi-ratelimit-headers-11, and what most clients look for."""
    return [
        (b"ratelimit-policy", b'"reads";q=%d;w=%d' % (limit, WINDOW_S)),
        (b"x-ratelimit-limit", b"%d" % limit),
    ]
