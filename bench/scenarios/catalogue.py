"""The scenarios of `make bench`: what each asks of the service, and what must be prepared for it."""

from dataclasses import dataclass

TOKEN = "/app/oauth2/token"
INTROSPECT = "/app/oauth2/introspect"
AUTHORIZE = "/app/oauth2/authorize"
SIGN_IN = "/app/login"
CONSENT = "/app/oauth2/consent"
FLEET = "/api/v2/Fleet/{page}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """user: its class in users.py. accounts, callers: whether customers who consent, and live tokens, are prepared.

    codes_a_customer: codes waiting in Valkey are prepared, so many of each customer. families: a refresh token for each
    user is.
    """

    name: str
    user: str
    about: str
    accounts: bool = False
    callers: bool = False
    codes_a_customer: int | None = None
    families: bool = False

    @property
    def capped(self) -> bool:
        return self.codes_a_customer is not None and self.codes_a_customer > _MOST_TOKENS


_MOST_TOKENS = 10  # of a customer and application; older ones end

SCENARIOS = (
    Scenario("code_exchange", "CodeExchange", "a code becomes a token", codes_a_customer=5),
    Scenario(
        "code_exchange_capped",
        "CodeExchange",
        "the same of few customers, whose oldest tokens end with each new one",
        codes_a_customer=500,
    ),
    Scenario("full_flow", "FullFlow", "sign-in, consent, exchange, use: the documented flow", accounts=True),
    Scenario(
        "client_credentials", "ClientCredentials", "an application gets a token for itself", callers=True
    ),
    Scenario("refresh", "Refresh", "a refresh token is spent for the next pair", families=True),
    Scenario("introspect", "Introspect", "a live token is asked about", callers=True),
    Scenario("aemp_guard", "AempGuard", "a fleet of one machine is read with a live token", callers=True),
    Scenario(
        "mix",
        "Mix",
        "all of these, as often as a day of integrations has them",
        accounts=True,
        callers=True,
        codes_a_customer=5,
    ),
)
