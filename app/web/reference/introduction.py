"""The five steps from nothing to a customer's machines, and the groups that the addresses are sorted into."""

from dataclasses import dataclass

from app.oauth.token_string import PATTERN
from app.web.paths import AUTHORIZE, FIRST_PAGE, REFUSED_REQUEST, REGISTER, TOKEN

TITLE = "RoviTracker for integrators"
SUMMARY = "OAuth2 tokens for telemetry of construction and rental equipment, and the AEMP API that they open."


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of addresses; operations carry its `name` as their tag."""

    name: str
    title: str
    text: str


STEPS = (
    Step(
        "Register yourself, once",
        f"Sign up at `{REGISTER}` with your e-mail address. Then tell us your company's name, your application's name, its "
        "logo and the complete addresses that customers may come back to. You receive `client_id` and, only this once, "
        "`client_secret`. Keep the secret on your server. A test customer of your own is there at once.",
    ),
    Step(
        "Send the customer",
        f"Link the customer's browser to `{AUTHORIZE}` with `client_id`, `state` and `redirect_uri`.",
    ),
    Step(
        "Receive the code",
        "The customer approves, and the browser comes back to your address with `code` and `state`. The code lives "
        "60 seconds and works once.",
    ),
    Step(
        "Exchange it for a token",
        f"Your server posts `client_id`, `client_secret` and `code` to `{TOKEN}`, and receives `access_token`.",
    ),
    Step(
        "Read the machines",
        f"Send `Authorization: Bearer` and the token to `{FIRST_PAGE}`, regularly, for as long as the customer keeps "
        "you connected.",
    ),
)

_TOKEN_LIFE = (
    "A token lives 365 days from its last use and three years at most, so a regular reader needs no refresh. A customer "
    "can disconnect you at any time. A 401 tells you."
)
_STRICT = (
    "A strict application uses PKCE and gets tokens that live an hour. Each comes with a refresh token, which works once, "
    "gives the next pair, and lives 30 days. An application on people's own devices is public, and has no secret."
)
_REFERENCE = (
    "Every answer carries `X-Request-Id`, and a refusal also names it as `reference` in its body. Give it when you ask for "
    f"help. Your application's owners find by it, under `{REFUSED_REQUEST}`, why the request was refused. If you send your "
    "own, of 8 to 64 letters, digits, `_` and `-`, the answer keeps it."
)
_LEAKED_TOKENS = (
    f"The pattern `{PATTERN.replace('?:', '')}` recognises tokens in logs and repositories. The last six characters are a "
    "checksum, so a mistyped token is refused without a look-up."
)
NOTES = (_TOKEN_LIFE, _STRICT, _REFERENCE, _LEAKED_TOKENS)

TAGS = (
    Tag(
        "connect",
        "Connect a customer",
        "How the customer's approval becomes a token by OAuth 2.0, and what you can do with the token later.",
    ),
    Tag("aemp", "Read machines", "The customer's fleet, in the standards of the industry."),
    Tag("telemetry", "Report readings", "For the devices and gateways that send the machines' figures."),
    Tag("discovery", "Discover", "For OAuth2 libraries that configure themselves."),
    Tag(
        "operation",
        "Health and version",
        "For operators, and for everybody who wants to know whether the service is up.",
    ),
)


def description() -> str:
    """Write the same as CommonMark, for people who read the document in a tool."""
    steps = "\n".join(f"{number}. **{step.what}.** {step.how}" for number, step in enumerate(STEPS, 1))
    return "\n\n".join((SUMMARY, steps, *NOTES))
