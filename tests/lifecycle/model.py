"""The rules of applications, codes and tokens in plain Python, without a store or a clock.

A request is answered by what its method returns, or by Refused. Lives are counted in days, and approvals are numbered.
"""

from dataclasses import dataclass, field
from typing import Literal

from tests.lifecycle.named import Named
from tests.lifecycle.terms import Connection, Customer, Machine, Terms, Told, without

MOST_FROM_CODES = 10  # classic tokens that live at once, of a customer and an application
CLASSIC_IDLE, CLASSIC_ABSOLUTE = 365.0, 3 * 365.0
REFRESH_IDLE, REFRESH_ABSOLUTE = 30.0, 365.0
AN_HOUR = 1 / 24
IMPORTED = 100.0

Kind = Literal["classic", "strict", "public"]  # a public application is a strict one without a secret
Status = Literal["active", "suspended", "deleted"]
# The things that may be wrong about a code or a refresh token that is presented.
WrongCode = Literal["code_verifier", "redirect_uri", "resource", "details", "secret part"]
WrongRefresh = Literal["scope", "resource", "details", "secret part"]

_LEADS_TO: dict[tuple[Status, str], Status] = {
    ("active", "suspend"): "suspended",
    ("suspended", "resume"): "active",
    ("active", "delete"): "deleted",
    ("suspended", "delete"): "deleted",
}


class Refused(Exception):  # noqa: N818  # the RFC's refusal
    """error: its word in RFC 6749 section 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(slots=True, eq=False, repr=False)
class Secret(Named):
    live: bool = True


@dataclass(slots=True, eq=False, repr=False)
class Application(Named):
    """acts_for: the customer, by itself. secrets: the newest comes last; a public application has none."""

    kind: Kind
    acts_for: Customer | None
    secrets: list[Secret]
    status: Status = "active"

    def proves(self, secret: Secret | None) -> bool:
        """Whether it is known by this, or a public one by nothing; a suspended one still is."""
        return self.status != "deleted" and (secret.live if secret else self.kind == "public")

    @property
    def secret(self) -> Secret | None:
        return self.secrets[-1] if self.secrets else None


@dataclass(slots=True, eq=False, repr=False)
class Approval(Named):
    """A customer's consent: its code, and what everything issued from that rests on. past: the code's time is over.

    details: what was granted, where the application asked by details.
    """

    application: Application
    customer: Customer
    approved_at: int
    details: Told | None
    code: Literal["waiting", "redeemed", "burned"] = "waiting"
    past: bool = False
    revoked: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Token(Named):
    """customer: None where the application acts for nobody. approval: None where the token came from no code.

    ended: by itself; revoked or, a refresh token, spent.
    """

    application: Application
    customer: Customer | None
    approval: Approval | None
    approved_at: int
    idle_left: float
    absolute_left: float
    ended: bool = field(default=False, init=False)

    def grow_older(self, idle: float, absolute: float) -> None:
        """Days pass: `idle` of them since it was used, `absolute` since it was issued."""
        self.absolute_left -= absolute
        self.idle_left = min(self.idle_left - idle, self.absolute_left)


@dataclass(slots=True, eq=False, repr=False)
class AccessToken(Token):
    """renewable: by use, as a classic one is. details: what the answer that it came in says was granted."""

    renewable: bool
    details: Told | None = None


@dataclass(slots=True, eq=False, repr=False)
class RefreshToken(Token):
    approval: Approval


Issued = tuple[AccessToken, RefreshToken | None]


@dataclass(slots=True)
class Model:
    """Everything there is, in the order of its making."""

    customers: list[Customer] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    access_tokens: list[AccessToken] = field(default_factory=list)
    refresh_tokens: list[RefreshToken] = field(default_factory=list)
    approved: int = 0
    connections: dict[tuple[Customer, Application], Connection] = field(default_factory=dict)

    @property
    def tokens(self) -> list[Token]:
        return [*self.access_tokens, *self.refresh_tokens]

    # ---- What stands ----

    def may_act(self, application: Application, customer: Customer | None) -> bool:
        return application.status == "active" and (customer is None or customer.enabled)

    def stands(self, approved: Approval | Token) -> bool:
        """Whether what was approved then still counts."""
        customer, application = approved.customer, approved.application
        if not self.may_act(application, customer):
            return False
        return customer is None or self.connections[customer, application].counts(approved.approved_at)

    def lives(self, token: Token) -> bool:
        revoked = token.ended or (token.approval is not None and token.approval.revoked)
        return not revoked and token.idle_left > 0 and self.stands(token)

    # ---- Issuing ----

    def approve(
        self,
        application: Application,
        customer: Customer,
        asked: Terms | None = None,
        chosen: Terms | None = None,
    ) -> Approval | None:
        """asked: by the application's details. chosen: by the customer; None for what the page begins with.

        None where nothing would be shared.
        """
        known = self.connections.get((customer, application))
        standing = known.terms if known and known.stands else Terms()
        terms = chosen or (asked or Terms()).over(standing, customer)
        if terms.machines == ():
            return None
        terms = terms.in_order(customer)
        name = f"code_{len(self.approvals) + 1}"
        approval = Approval(name, application, customer, self._now(), terms.told if asked else None)
        self.approvals.append(approval)
        connection = self._connect(customer, application, approval.approved_at)
        connection.detailed |= asked is not None
        connection.choose(terms)
        return approval

    def redeem(self, code: Approval, by: Application, wrong: WrongCode | None = None) -> Issued:
        """RFC 6749 section 4.1.3. A code works once, and whatever is wrong with its presentation burns it."""
        if wrong in ("resource", "details"):  # seen before the code is looked at
            raise Refused("invalid_target" if wrong == "resource" else "invalid_authorization_details")
        theirs = by is code.application and wrong != "secret part"
        if code.code == "redeemed":
            # Used twice: all that came of it ends, if the presenter could have used it the first time.
            if theirs and (by.kind != "public" or wrong != "code_verifier"):
                code.revoked = True
            raise Refused("invalid_grant")
        waited, code.code = code.code == "waiting", "burned"
        if not waited or not theirs or wrong or code.past or not self.stands(code):
            raise Refused("invalid_grant")
        code.code = "redeemed"
        token = self._issue(code.application, code.customer, code, renewable=by.kind == "classic")
        token.details = code.details
        if by.kind == "classic":
            self._end_surplus(token)
            return token, None
        return token, self._refresh_token(code, REFRESH_ABSOLUTE)

    def refresh(self, token: RefreshToken, by: Application, wrong: WrongRefresh | None = None) -> Issued:
        """RFC 6749 section 6. A refusal spends nothing; a spent token shown again ends all that came of the approval."""
        if by.kind == "classic":
            raise Refused("unauthorized_client")
        if wrong == "details":  # seen before the token is looked at
            raise Refused("invalid_authorization_details")
        if by is not token.application or wrong == "secret part":
            raise Refused("invalid_grant")
        if token.ended:
            token.approval.revoked = True
        if not self.lives(token):
            raise Refused("invalid_grant")
        if wrong is not None:
            raise Refused(f"invalid_{'scope' if wrong == 'scope' else 'target'}")
        token.ended = True
        access = self._issue(token.application, token.customer, token.approval, renewable=False)
        connection = self.connection_of(token)
        access.details = connection.told if connection and connection.detailed else None
        return access, self._refresh_token(token.approval, token.absolute_left)

    def issue_to_client(self, application: Application) -> Issued:
        """RFC 6749 section 4.4: for an hour, whatever the kind of application, but to no public one.

        A customer who cut it is acted for by nothing until they approve anew, by whatever way.
        """
        customer = application.acts_for
        if application.kind == "public" or not self.may_act(application, customer):
            raise Refused("unauthorized_client")
        connection = self.connections[customer, application] if customer else None
        if connection and not connection.stands:
            raise Refused("unauthorized_client")
        token = self._issue(application, customer, None, renewable=False)
        if connection:
            token.approved_at = connection.approved_at
        return token, None

    def issue_manually(self, application: Application, customer: Customer) -> AccessToken | None:
        """Issue a classic token as an operator, whatever the kind of application."""
        if not self.may_act(application, customer):
            return None
        self._connect(customer, application, self._now())
        return self._issue(application, customer, None, renewable=True)

    def import_token(self, application: Application, customer: Customer) -> AccessToken | None:
        """A token of a former system, which does not say when it was issued: none where the two were ever cut or ended."""
        known = self.connections.get((customer, application))
        if application.status == "deleted" or (known and (known.cut_at or known.ended)):
            return None
        self._connect(customer, application, self._now())
        token = self._issue(application, customer, None, renewable=False)
        token.idle_left = token.absolute_left = IMPORTED
        return token

    # ---- Using ----

    def use(self, token: AccessToken) -> None:
        """A classic token is renewed by its use, at most once a day, and never when it has ended."""
        if token.renewable and self.lives(token) and token.idle_left < CLASSIC_IDLE - 1:
            token.idle_left = min(CLASSIC_IDLE, token.absolute_left)

    def introspect(self, token: Token, by: Application) -> bool:
        """RFC 7662 section 2.2: whether the application is told of a live token. Public ones may not ask."""
        if by.kind == "public":
            raise Refused("invalid_client")
        return by is token.application and self.lives(token)

    def connection_of(self, token: Token) -> Connection | None:
        return self.connections[token.customer, token.application] if token.customer else None

    # ---- Sharing ----

    def change_terms(self, customer: Customer, application: Application, terms: Terms) -> bool:
        """Whether anything would be shared; else nothing changes."""
        if terms.machines == ():
            return False
        self.connections[customer, application].choose(terms.in_order(customer))
        return True

    def leave(self, customer: Customer, machine: Machine) -> None:
        """It leaves the fleet and every choice, those that were cut too. It comes back to none of them."""
        customer.machines = without(customer.machines, machine)
        customer.away.append(machine)
        for (whose, _), connection in self.connections.items():
            if whose is customer:
                connection.lose(machine)

    # ---- Ending ----

    def revoke(self, token: Token, by: Application) -> None:
        """RFC 7009 section 2.1: an access token ends alone, a refresh token with all that came of the approval."""
        if by is not token.application:
            return
        if isinstance(token, RefreshToken):
            token.approval.revoked = True
        else:
            token.ended = True

    def disconnect(self, customer: Customer, application: Application) -> None:
        """Void all that was approved until now, whether its code was redeemed or not."""
        connection = self.connections.setdefault((customer, application), Connection(approved_at=0))
        connection.cut_at = self._now()

    def change_status(self, application: Application, change: str) -> bool:
        """Whether it leads anywhere; nothing leads out of deleted."""
        after = _LEADS_TO.get((application.status, change))
        if after is None:
            return False
        application.status = after
        return True

    def rotate_secret(self, application: Application, *, overlap: bool) -> Secret | None:
        """The new secret. None where there is none to replace, or two are good already, which are the most."""
        if application.status == "deleted" or sum(each.live for each in application.secrets) != 1:
            return None
        application.secrets[-1].live = overlap
        secret = Secret(f"{application}_secret_{len(application.secrets) + 1}")
        application.secrets.append(secret)
        return secret

    # ---- Making ----

    def register(self, kind: Kind, acts_for: Customer) -> Application:
        """Register one; only classic applications act for somebody by themselves, so that there are others."""
        name = f"{kind}_{len(self.applications) + 1}"
        secrets = [] if kind == "public" else [Secret(f"{name}_secret_1")]
        application = Application(name, kind, acts_for if kind == "classic" else None, secrets)
        self.applications.append(application)
        if application.acts_for:
            self._connect(application.acts_for, application, self._now())
        return application

    def _connect(self, customer: Customer, application: Application, approved_at: int) -> Connection:
        connection = self.connections.setdefault((customer, application), Connection(approved_at))
        connection.begin(approved_at)
        return connection

    def _now(self) -> int:
        self.approved += 1
        return self.approved

    def _issue(
        self,
        application: Application,
        customer: Customer | None,
        approval: Approval | None,
        *,
        renewable: bool,
    ) -> AccessToken:
        name = f"access_token_{len(self.access_tokens) + 1}"
        life = (CLASSIC_IDLE, CLASSIC_ABSOLUTE) if renewable else (AN_HOUR, AN_HOUR)
        approved_at = approval.approved_at if approval else self._now()
        token = AccessToken(name, application, customer, approval, approved_at, *life, renewable)
        self.access_tokens.append(token)
        return token

    def _refresh_token(self, approval: Approval, absolute_left: float) -> RefreshToken:
        """A refresh token whose family ends with the approval's year, however often it is renewed."""
        name = f"refresh_token_{len(self.refresh_tokens) + 1}"
        life = (min(REFRESH_IDLE, absolute_left), absolute_left)
        token = RefreshToken(
            name, approval.application, approval.customer, approval, approval.approved_at, *life
        )
        self.refresh_tokens.append(token)
        return token

    def _end_surplus(self, newest: AccessToken) -> None:
        """End the oldest live tokens from codes of the same two beyond ten."""
        pair = (newest.customer, newest.application)
        live = [
            each
            for each in self.access_tokens
            if each.renewable
            and each.approval
            and (each.customer, each.application) == pair
            and self.lives(each)
        ]
        for each in live[:-MOST_FROM_CODES]:
            each.ended = True
