"""How an application authenticates at the endpoints that its server calls, and what they all refuse."""

from app.oauth.assertion import ASSERTION_TYPE
from app.oauth.bounds import LONGEST_AUTHORIZATION
from app.oauth.errors import (
    authorization_too_long,
    body_too_large,
    invalid_client,
    invalid_request,
    temporarily_unavailable,
    too_many_failures,
)
from app.web.reference.notation import Case, Json, ref, refusal
from app.web.reference.schemas import JWT_PATTERN, SECRET_PATTERN
from app.web.request import MOST_BODY_BYTES

TEXT: Json = {"type": "string"}

# The secret travels in the body, as the documented wire has it, or by HTTP Basic; a public application has none. OpenAPI
# has no scheme for the body: the empty alternative stands for it, and the fields of the form.
AUTHENTICATED: list[Json] = [{"basic": []}, {}]
CREDENTIALS: Json = {
    "client_id": {
        **TEXT,
        "description": "Your client id, from registration. Send it here or by HTTP Basic, not both.",
    },
    "client_secret": {
        **TEXT,
        "pattern": SECRET_PATTERN,
        "description": "Your secret, from registration. Send it here or by HTTP Basic, not both. Public applications have none.",
    },
    "client_assertion_type": {
        **TEXT,
        "enum": [ASSERTION_TYPE],
        "description": "Required with `client_assertion`.",
    },
    "client_assertion": {
        **TEXT,
        "pattern": JWT_PATTERN,
        "description": "Replaces a secret when your application is registered with keys (RFC 7523). `iss` and `sub` are your "
        "`client_id`, `aud` is the issuer, `exp` is at most five minutes ahead, and `jti` is new each time.",
    },
}


LATER = {"Retry-After": "RetryAfter"}
AWAY: Case = (
    "temporarily_unavailable",
    "Try again after `Retry-After` seconds.",
    temporarily_unavailable(),
)
# By name: what happened, one case of it, and headers of its own.
_REFUSALS: dict[str, tuple[str, Case, dict[str, str]]] = {
    "InvalidClient": (
        "Client authentication failed.",
        (
            "invalid_client",
            "`client_id`, `client_secret` or `client_assertion` is wrong; we do not say which.",
            invalid_client("not shown"),
        ),
        {"WWW-Authenticate": "BasicChallenge"},
    ),
    "TooLarge": (
        "The body is too large.",
        ("invalid_request", "The body is larger than 16 KiB.", body_too_large(MOST_BODY_BYTES)),
        {},
    ),
    "NotAForm": (
        "The body is not a form.",
        (
            "invalid_request",
            "The body is something else, such as JSON.",
            invalid_request("the body must be application/x-www-form-urlencoded"),
        ),
        {},
    ),
    "HeaderTooLong": (
        "A header field is too long.",
        (
            "invalid_request",
            f"`Authorization` has more than {LONGEST_AUTHORIZATION} characters.",
            authorization_too_long(),
        ),
        {},
    ),
    "TooManyFailures": (
        "Too many attempts of yours failed.",
        (
            "slow_down",
            "You sent too many wrong secrets, codes or tokens. Try again after `Retry-After` seconds.",
            too_many_failures(),
        ),
        LATER,
    ),
    "Unavailable": (
        "The service is briefly unavailable.",
        AWAY,
        LATER,
    ),
}


def responses(issuer: str) -> Json:
    """Describe what all of these endpoints refuse, with the issuer's address of the page about each error."""
    return {
        name: refusal(issuer, happened, case, headers=headers)
        for name, (happened, case, headers) in _REFUSALS.items()
    }


SHARED: Json = {
    "401": ref("responses", "InvalidClient"),
    "413": ref("responses", "TooLarge"),
    "415": ref("responses", "NotAForm"),
    "429": ref("responses", "TooManyFailures"),
    "431": ref("responses", "HeaderTooLong"),
    "503": ref("responses", "Unavailable"),
}


def form(required: tuple[str, ...], fields: Json, form_examples: Json) -> Json:
    schema = {"type": "object", "required": list(required), "properties": fields}
    content = {"application/x-www-form-urlencoded": {"schema": schema, "examples": form_examples}}
    return {"required": True, "content": content}
