"""The budget of a caller, taken from and told: by the IETF's draft of RateLimit fields, and as clients read it today."""

import time

from starlette.requests import Request

from app.aemp.model.errors import AempError
from app.throttling.budgets import WINDOW_S, Rate
from app.web.api.bearer import Caller
from app.web.request import context_of

_TAKEN = "rate"  # where it is kept until the answer is written, whatever that is
_POLICY = "reads"


def take_from_budget(request: Request, caller: Caller) -> None:
    """By grant: a client that refreshes its token, or holds several, has one budget. Raises AempError 429.

    Without a grant an application has its tokens for the asking; it acts for one customer with all of them.
    """
    rate = context_of(request).rates.take(caller.grant_id or caller.application_id)
    request.scope[_TAKEN] = rate
    if rate.retry_after_s:
        raise AempError(
            429,
            "too_many_requests",
            "The budget of requests is used up. Read on after Retry-After seconds.",
            headers={"Retry-After": str(rate.retry_after_s)},
        )


def rate_headers(request: Request) -> dict[str, str]:
    """None for a request that was refused before it had a budget."""
    rate: Rate | None = request.scope.get(_TAKEN)
    if rate is None:
        return {}
    return {
        # draft-ietf-httpapi-ratelimit-headers-11
        "RateLimit-Policy": f'"{_POLICY}";q={rate.limit};w={WINDOW_S}',
        "RateLimit": f'"{_POLICY}";r={rate.remaining};t={rate.reset_s}',
        # What most clients look for; their reset is a moment, in seconds since 1970.
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(rate.remaining),
        "X-RateLimit-Reset": str(int(time.time()) + rate.reset_s),
    }
