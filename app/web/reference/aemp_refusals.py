"""The refusals of the AEMP API: when each happens, and the exact words that are sent."""

from app.aemp.address.addresses import more_than_one_machine
from app.aemp.address.negotiation import Representation
from app.aemp.model.bounds import MOST_PARTS
from app.aemp.model.identifiers import sought_by
from app.web.reference import examples
from app.web.reference.notation import AempCase, Json, aemp_refusal, ref

XML = (Representation.XML,)
JSON_AND_XML = (Representation.JSON, Representation.XML)

_CHALLENGED = {"WWW-Authenticate": "BearerChallenge"}
_AGAIN = {"Retry-After": "RetryAfter"}

# Name of an example, when it happens, and the words that are sent.
_INVALID_TOKEN: AempCase = (
    "invalid_token",
    "The token expired, or you or the customer revoked it. Offer the customer to connect again.",
    "the access token is unknown, expired or revoked",
)
_NO_TOKEN: AempCase = (
    "unauthorized",
    "The request has no `Authorization: Bearer` header.",
    "Send an access token: Authorization: Bearer ...",
)
_TOO_NARROW: AempCase = (
    "insufficient_scope",
    "The token lacks the scope, or acts for no customer.",
    "the access token does not reach this far",
)
MALFORMED: AempCase = (
    "invalid_request",
    "The `Authorization` header holds more than one token.",
    "the Authorization header is not Bearer and one token",
)
NOT_A_PAGE: AempCase = (
    "invalid_page",
    "`page` is not a decimal number, or below 1.",
    "A page is a decimal number; the first page is 1.",
)
NO_PAGE: AempCase = (
    "page_not_found",
    "The page is past the end. One page after a full last one is there, and empty.",
    "There is no such page. The link with rel `last` names the last one.",
)
NO_MACHINE: AempCase = (
    "equipment_not_found",
    "The machine is unknown, or another customer's.",
    "There is no such machine in this fleet.",
)
_TWO_MACHINES: AempCase = (
    "equipment_ambiguous",
    "The name is that of two machines, such as a serial number that two makers gave. The message names both.",
    more_than_one_machine(sought_by(examples.TWIN_SERIAL_NUMBER), examples.TWINS).what,
)
NO_SERIES: AempCase = ("series_not_found", "The series is unknown.", "There is no such series.")
NOT_A_DATE: AempCase = (
    "invalid_date",
    "A date cannot be read, or has a time but no zone.",
    "The start date: 'yesterday' is not a date and time with a zone, such as 2025-01-31T12:00:00Z.",
)
NOT_A_RANGE: AempCase = (
    "invalid_range",
    "The dates are reversed, the range is longer than 31 days, or only one date is given.",
    "The start date is later than the end date.",
)
SLOW_DOWN: AempCase = (
    "slow_down",
    "Your address sent too many forged tokens. Try again after `Retry-After` seconds.",
    "too many failed attempts from here: wait, and try again",
)
_BUDGET_SPENT: AempCase = (
    "too_many_requests",
    "You read faster than `RateLimit-Policy` says. Read on after `Retry-After` seconds.",
    "The budget of requests is used up. Read on after Retry-After seconds.",
)
_NO_FORMAT: AempCase = (
    "not_acceptable",
    "`Accept` names none of our formats.",
    "This address serves application/xml, text/xml, application/iso15143-snapshot+json, application/json.",
)
_TOO_MANY_PARTS: AempCase = (
    "request_header_fields_too_large",
    f"`Accept`, `Accept-Encoding` or `If-None-Match` lists more than {MOST_PARTS} members and parameters.",
    f"A header field is a list of more than {MOST_PARTS} parts.",
)
_AWAY: AempCase = (
    "temporarily_unavailable",
    "Try again after `Retry-After` seconds.",
    "Please try again shortly.",
)


def refusals(
    forms: tuple[Representation, ...], missing: tuple[AempCase, ...], malformed: tuple[AempCase, ...] = ()
) -> Json:
    """Describe the refusals of one address. missing, malformed: its own, beside those that every address has."""
    everywhere = {status: ref("responses", _name(status, forms)) for status in _everywhere(forms)}
    malformed_answer = aemp_refusal(400, "The request is malformed.", *malformed, MALFORMED, forms=forms)
    own = {"400": malformed_answer}
    if missing:
        own["404"] = aemp_refusal(404, "This customer's fleet does not have it.", *missing, forms=forms)
    if NO_MACHINE in missing:
        own["409"] = aemp_refusal(
            409, "The name is that of more than one machine.", _TWO_MACHINES, forms=forms
        )
    return dict(sorted((own | everywhere).items()))


def _everywhere(forms: tuple[Representation, ...]) -> Json:
    unknown, spent = (
        "The token is missing, or does not work.",
        "You sent too many requests, or too many of them failed.",
    )
    narrow = "The token does not cover this."
    unacceptable = aemp_refusal(406, "The service has no such format.", _NO_FORMAT, forms=XML)
    return {
        "401": aemp_refusal(401, unknown, _INVALID_TOKEN, _NO_TOKEN, forms=forms, headers=_CHALLENGED),
        "403": aemp_refusal(403, narrow, _TOO_NARROW, forms=forms, headers=_CHALLENGED),
        **({"406": unacceptable} if forms == JSON_AND_XML else {}),
        "429": aemp_refusal(429, spent, _BUDGET_SPENT, SLOW_DOWN, forms=forms, headers=_AGAIN),
        "431": aemp_refusal(431, "A header field is too long.", _TOO_MANY_PARTS, forms=forms),
        "503": aemp_refusal(503, "The service is briefly unavailable.", _AWAY, forms=forms, headers=_AGAIN),
    }


def _name(status: str, forms: tuple[Representation, ...]) -> str:
    return f"{'Aemp' if forms == JSON_AND_XML else 'Aemp12'}Refusal{status}"


RESPONSES: Json = {
    _name(status, forms): refusal
    for forms in (JSON_AND_XML, XML)
    for status, refusal in _everywhere(forms).items()
}
