"""The way from nothing to a customer's machines in five steps, and the shelves the addresses stand on."""

from dataclasses import dataclass

from app.oauth.token_string import PATTERN

TITLE = "RoviTracker for integrators"
SUMMARY = "OAuth2 tokens for telemetry of construction and rental equipment, and the AEMP API they open."


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A shelf of addresses; `name` is what operations are tagged with."""

    name: str
    title: str
    text: str


STEPS = (
    Step(
        "Register, once",
        "Tell us your company's name, your application's name, its logo and the complete addresses customers may come "
        "back to. You receive `client_id` and, this once, `client_secret`. Keep the secret on your server.",
    ),
    Step(
        "Send the customer",
        "Link the customer's browser to `/app/oauth2/authorize` with `client_id`, `state` and `redirect_uri`.",
    ),
    Step(
        "Receive the code",
        "The customer approves, and the browser comes back to your address with `code` and `state`. The code lives "
        "60 seconds and works once.",
    ),
    Step(
        "Exchange it for a token",
        "Your server posts `client_id`, `client_secret` and `code` to `/app/oauth2/token`, and receives `access_token`.",
    ),
    Step(
        "Read the machines",
        "Send `Authorization: Bearer` and the token to `/api/v2/Fleet/1`, regularly, for as long as the customer keeps "
        "you connected.",
    ),
)

_TOKEN_LIFE = (
    "A token lives 365 days from its last use and three years at most, so a regular reader needs no refresh. A customer "
    "can disconnect you at any time; you notice by a 401."
)
_STRICT = (
    "Registered as strict, an application keeps to PKCE, gets tokens of an hour, and a refresh token with each: it works "
    "once, gives the next pair, and lives 30 days. On people's own devices it is public, without a secret."
)
_REQUEST_ID = (
    "Every answer carries `X-Request-Id`. Give it when you ask for help; send your own, and it is kept."
)
_LEAKED_TOKENS = (
    f"Tokens can be recognised in logs and repositories by `{PATTERN.replace('?:', '')}`. The last six characters are a "
    "checksum, so a mistyped token is refused without a look-up."
)
NOTES = (_TOKEN_LIFE, _STRICT, _REQUEST_ID, _LEAKED_TOKENS)

TAGS = (
    Tag(
        "connect",
        "Connect a customer",
        "From the customer's approval to a token, by OAuth 2.0, and what to do with the token later.",
    ),
    Tag("aemp", "Read machines", "The customer's fleet, in the standards of the industry."),
    Tag("telemetry", "Report readings", "For the devices and gateways that the machines' figures come from."),
    Tag("discovery", "Discover", "For OAuth2 libraries that configure themselves."),
    Tag(
        "operation",
        "Health and version",
        "For those who run the service, and for whoever wants to know whether it is up.",
    ),
)


def description() -> str:
    """The same as CommonMark, for whoever reads the document in a tool."""
    steps = "\n".join(f"{number}. **{step.what}.** {step.how}" for number, step in enumerate(STEPS, 1))
    return "\n\n".join((SUMMARY, steps, *NOTES))
