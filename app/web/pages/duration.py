"""How long a connection lasts, in words."""

from datetime import timedelta

from app.oauth.client import Client
from app.policy import Policy
from app.sentence import Sentence, counted

_YEAR = timedelta(days=365)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def spoken_duration(policy: Policy, client: Client) -> Sentence:
    """The end of "The connection lasts ..."."""
    lifetimes = policy.lifetimes
    idle, absolute = lifetimes.classic_idle, lifetimes.classic_absolute
    if client.kind == "strict":
        if not client.allows("refresh_token"):
            return _spoken(lifetimes.strict_access)
        idle, absolute = lifetimes.refresh_idle, lifetimes.refresh_absolute
    return Sentence(
        "until you disconnect it; it ends by itself after %(idle)s without use, and after %(longest)s at the latest",
        idle=_spoken(idle),
        longest=_spoken(absolute),
    )


def _spoken(span: timedelta) -> Sentence:
    """In the largest unit of which it is a whole number."""
    if not span % _YEAR:
        return counted("a year", "%(count)s years", span // _YEAR)
    if not span % _DAY:
        return counted("a day", "%(count)s days", span // _DAY)
    if not span % _HOUR:
        return counted("an hour", "%(count)s hours", span // _HOUR)
    if not span % _MINUTE:
        return counted("a minute", "%(count)s minutes", span // _MINUTE)
    return counted("a second", "%(count)s seconds", span // timedelta(seconds=1))
