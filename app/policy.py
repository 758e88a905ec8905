"""The policy holds the configured lifetimes, limits and names for the flows, with no way back to the environment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.oauth.lifetimes import Lifetimes
from app.oauth.relying_party import RelyingParty, relying_party_of
from app.settings import Settings
from app.throttling.guesses import GuessLimits
from app.throttling.mails import MailLimits

MOST_CLASSIC_TOKENS = 10  # live ones from codes, a customer, application and scope


@dataclass(frozen=True, slots=True)
class Policy:
    """Read once from Settings at start."""

    issuer: str
    development: bool
    lifetimes: Lifetimes
    flow_life: timedelta
    session_idle: timedelta
    session_absolute: timedelta
    known_browser_life: timedelta
    signing_key_lead: timedelta
    guess_limits: GuessLimits
    mail_limits: MailLimits
    support_email: str | None = None
    legacy_tokens_until: datetime | None = None
    mail_tokens: bool = False
    distributed: bool = False

    def takes_legacy_tokens(self, now: Callable[[], datetime]) -> bool:
        """Whether tokens of a former system are looked up. now: the clock, which need not be read where they never are."""
        return self.legacy_tokens_until is not None and now() < self.legacy_tokens_until

    @property
    def key_set_age(self) -> timedelta:
        """How long verifiers may keep the published keys: half of what a new one waits before it signs."""
        return self.signing_key_lead / 2

    @property
    def audience(self) -> str:
        """The audience of the AEMP routes, and of a token that names none."""
        return audience_of(self.issuer)

    def trial_uri(self, application_id: UUID) -> str:
        """The page where the owners of an application try it; in test mode its answers may go there too."""
        return f"{self.issuer}/app/developer/{application_id}/try"

    @property
    def relying_party(self) -> RelyingParty | None:
        """What passkeys are bound to; None where there can be none."""
        return relying_party_of(self.issuer)

    @property
    def secure(self) -> bool:
        """Whether cookies carry Secure and the __Host- prefix: always, but for http in development."""
        return self.issuer.startswith("https://")


def audience_of(issuer: str) -> str:
    return f"{issuer}/api"


def policy_of(settings: Settings) -> Policy:
    return Policy(
        issuer=settings.issuer,
        development=settings.development,
        lifetimes=_lifetimes_of(settings),
        flow_life=settings.session_flow,
        session_idle=settings.session_idle,
        session_absolute=settings.session_absolute,
        known_browser_life=settings.known_browser,
        signing_key_lead=settings.signing_key_lead,
        guess_limits=GuessLimits(settings.limit_guesses_per_account, settings.limit_guesses_per_address),
        mail_limits=MailLimits(
            settings.limit_mails_per_recipient, settings.limit_mails_per_sender, settings.limit_mails
        ),
        support_email=settings.support_email,
        legacy_tokens_until=settings.legacy_tokens_until,
        mail_tokens=settings.mail_tokens,
        distributed=settings.distributed is not None,
    )


def _lifetimes_of(settings: Settings) -> Lifetimes:
    return Lifetimes(
        code=settings.code_lifetime,
        classic_idle=settings.classic_idle,
        classic_absolute=settings.classic_absolute,
        strict_access=settings.strict_access_lifetime,
        refresh_idle=settings.refresh_idle,
        refresh_absolute=settings.refresh_absolute,
        refresh_grace=settings.refresh_grace,
    )
