"""The rules by which service and model are led through one life together, and that they say the same after every step."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.flows.account.change_application import StatusChange
from tests.lifecycle.choices import (
    a,
    applications,
    codes,
    customers,
    disabled_customers,
    living_tokens,
    old_secrets,
    refresh_tokens,
    suspended_applications,
    tokens,
    waiting_codes,
    where_there_are,
    working_codes,
    working_refresh_tokens,
)
from tests.lifecycle.claims import Watch, claims_about_applications, claims_about_tokens
from tests.lifecycle.house import PROCESSES, House
from tests.lifecycle.model import (
    MOST_FROM_CODES,
    Application,
    Approval,
    Issued,
    Kind,
    Model,
    RefreshToken,
    Refused,
    Secret,
    Token,
    WrongCode,
    WrongRefresh,
)
from tests.lifecycle.service import Service
from tests.lifecycle.sharing import Sharing
from tests.lifecycle.terms import BEGINNINGS, ENDS, Customer, Machine, Terms

KINDS: tuple[Kind, ...] = ("classic", "strict", "public")
WRONG_CODES: tuple[WrongCode, ...] = ("code_verifier", "redirect_uri", "resource", "details", "secret part")
WRONG_REFRESHES: tuple[WrongRefresh, ...] = ("scope", "resource", "details", "secret part")

processes = st.sampled_from(PROCESSES)
few = st.sampled_from([1, 1, 2])


class Lifecycle(Sharing, RuleBasedStateMachine):
    def __init__(self, house: House) -> None:
        super().__init__()
        self.run = house.run
        self.model = Model()
        self.service = Service(house)
        self.watch = Watch(house, {})

    def teardown(self) -> None:
        for browser in self.service.browsers.values():
            self.run(browser.http.aclose())

    @invariant()
    def the_same_is_said(self) -> None:
        for token in self.model.access_tokens:
            self.model.use(token)  # to be asked about is a use
        for claims in (claims_about_applications, claims_about_tokens):
            self.run(self.watch.hold(tuple(claims(self.model, self.service))))

    # ---- Who there is ----

    @initialize()
    def begin(self) -> None:
        """Two customers with machines, and an application of each kind, connected to both: to the first by details."""
        life = uuid4().hex[:8].upper()
        for name in ("ann", "bob"):
            customer = Customer(name)
            self.model.customers.append(customer)
            self.run(self.service.add_customer(customer))
            for number in range(1, 4):
                customer.away.append(Machine(f"{name.upper()}{number}-{life}"))
                self.join(customer)
        for kind in KINDS:
            application = self.model.register(kind, self.model.customers[0])
            self.run(self.service.register(application))
            ann, bob = self.model.customers
            self.connect(0, application, bob)
            code = self.consent(0, application, ann, Terms(tuple(ann.machines[:2]), BEGINNINGS[0], ENDS[0]))
            assert code is not None
            self.redeem(0, code, 1)
            # None of these is his, so that nothing is offered, and nothing can be approved as it is.
            assert self.consent(0, application, bob, Terms(tuple(ann.machines))) is None

    # ---- Approving and redeeming ----

    @rule(at=processes, application=a(applications), customer=a(customers))
    def approve(self, at: int, application: Application, customer: Customer) -> None:
        self.consent(at, application, customer)

    @where_there_are(working_codes)
    @rule(at=processes, code=a(working_codes), times=few)
    def redeem(self, at: int, code: Approval, times: int) -> None:
        """It may have been redeemed before, too."""
        for _ in range(times):
            self._redeem(at, code, code.application)

    @rule(
        at=processes,
        code=a(codes),
        by=st.none() | a(applications),
        wrong=st.sampled_from([None, *WRONG_CODES]),
    )
    def redeem_amiss(self, at: int, code: Approval, by: Application | None, wrong: WrongCode | None) -> None:
        """Redeem a code in any state, by its own application or any, perhaps with something wrong about it."""
        self._redeem(at, code, by or code.application, wrong)

    @where_there_are(waiting_codes)
    @rule(code=a(waiting_codes))
    def let_code_pass(self, code: Approval) -> None:
        code.past = True
        self.run(self.service.let_code_pass(code))

    @rule(at=processes, application=a(applications), customer=a(customers))
    def connect(self, at: int, application: Application, customer: Customer) -> None:
        code = self.consent(at, application, customer)
        if code is not None:
            self.redeem(at, code, 1)

    @precondition(lambda machine: len(machine.model.approvals) < 2 * MOST_FROM_CODES)
    @rule(at=processes, customer=a(customers))
    def connect_often(self, at: int, customer: Customer) -> None:
        """Connect as often as it takes for one token too many."""
        for _ in range(MOST_FROM_CODES):
            self.connect(at, self.model.applications[0], customer)

    # ---- Refreshing ----

    @where_there_are(working_refresh_tokens)
    @rule(at=processes, token=a(working_refresh_tokens), times=few)
    def refresh(self, at: int, token: RefreshToken, times: int) -> None:
        """It may have been spent before, too."""
        for _ in range(times):
            self._refresh(at, token, token.application)

    @rule(
        at=processes,
        token=a(refresh_tokens),
        by=st.none() | a(applications),
        wrong=st.sampled_from([None, *WRONG_REFRESHES]),
    )
    def refresh_amiss(
        self, at: int, token: RefreshToken, by: Application | None, wrong: WrongRefresh | None
    ) -> None:
        self._refresh(at, token, by or token.application, wrong)

    # ---- Issuing without a code ----

    @rule(at=processes, application=a(applications))
    def issue_to_client(self, at: int, application: Application) -> None:
        expected = self._decided(application, lambda: self.model.issue_to_client(application))
        found = self.run(self.service.ask(at, "token", application, grant_type="client_credentials"))
        self._keep(expected, found)

    @rule(application=a(applications), customer=a(customers))
    def issue_manually(self, application: Application, customer: Customer) -> None:
        text = self.run(self.service.issue_manually(application, customer))
        token = self.model.issue_manually(application, customer)
        assert (text is None) == (token is None)
        if token is not None and text is not None:
            self.service.texts[token] = text

    @rule(application=a(applications), customer=a(customers))
    def import_token(self, application: Application, customer: Customer) -> None:
        text = self.run(self.service.import_token(application, customer))
        token = self.model.import_token(application, customer)
        assert (text is None) == (token is None)
        if token is not None and text is not None:
            self.service.texts[token] = text

    # ---- Asking and ending ----

    @rule(at=processes, token=a(tokens), by=a(applications))
    def introspect(self, at: int, token: Token, by: Application) -> None:
        expected = self._decided(by, lambda: self.model.introspect(token, by))
        found = self.run(self.service.ask(at, "introspect", by, token=self.service.texts[token]))
        assert (found if isinstance(found, str) else found["active"]) == expected

    @rule(at=processes, token=a(tokens), by=st.none() | a(applications))
    def revoke(self, at: int, token: Token, by: Application | None) -> None:
        """Revoke a token by its own application, or by any."""
        by = by or token.application
        expected = self._decided(by, lambda: self.model.revoke(token, by))
        found = self.run(self.service.ask(at, "revoke", by, token=self.service.texts[token]))
        assert found == (expected or {})

    @rule(customer=a(customers), application=a(applications))
    def disconnect(self, customer: Customer, application: Application) -> None:
        self.model.disconnect(customer, application)
        self.run(self.service.disconnect(customer, application))

    # ---- Who may act ----

    @rule(customer=a(customers))
    def disable(self, customer: Customer) -> None:
        self._enable(customer, enabled=False)

    @where_there_are(disabled_customers)
    @rule(customer=a(disabled_customers))
    def enable(self, customer: Customer) -> None:
        self._enable(customer, enabled=True)

    @rule(application=a(applications))
    def suspend(self, application: Application) -> None:
        self._change(application, "suspend")

    @where_there_are(suspended_applications)
    @rule(application=a(suspended_applications))
    def resume(self, application: Application) -> None:
        self._change(application, "resume")

    @precondition(lambda machine: all(each.status != "deleted" for each in machine.model.applications))
    @rule(application=a(applications))
    def delete(self, application: Application) -> None:
        """And nothing brings it back."""
        self._change(application, "delete")
        self._change(application, "resume")

    @rule(application=a(applications), overlap=st.booleans())
    def rotate_secret(self, application: Application, overlap: bool) -> None:  # noqa: FBT001  # drawn by its name
        text = self.run(self.service.rotate_secret(application, overlap=overlap))
        secret = self.model.rotate_secret(application, overlap=overlap)
        assert (text is None) == (secret is None)
        if secret is not None and text is not None:
            self.service.texts[secret] = text

    @where_there_are(old_secrets)
    @rule(secret=a(old_secrets))
    def let_overlap_pass(self, secret: Secret) -> None:
        secret.live = False
        self.run(self.service.let_secret_pass(secret))

    @where_there_are(living_tokens)
    @rule(token=a(living_tokens), days=st.sampled_from([(2, 2), (2, 355), (40, 40), (40, 1080), (400, 400)]))
    def let_days_pass(self, token: Token, days: tuple[int, int]) -> None:
        """Let days pass since it was used last, and since it was issued."""
        token.grow_older(*days)
        self.run(self.service.let_days_pass(token, *days))

    # ---- How a rule is judged ----

    def _decided(self, by: Application, decide: Callable[[], Any]) -> Any:
        """The model's answer to a caller that proves to be this application, or the word of its refusal."""
        if not by.proves(by.secret):
            return "invalid_client"
        try:
            return decide()
        except Refused as refused:
            return refused.error

    def _keep(self, expected: Issued | str, found: dict[str, Any] | str) -> None:
        """The texts of what was issued, if anything was."""
        if isinstance(expected, str) or isinstance(found, str):
            assert found == expected
            return
        access, refresh = expected
        self.service.texts[access] = found["access_token"]
        assert found.get("authorization_details") == access.details
        assert ("refresh_token" in found) == (refresh is not None)
        if refresh is not None:
            self.service.texts[refresh] = found["refresh_token"]

    def _enable(self, customer: Customer, *, enabled: bool) -> None:
        changed, customer.enabled = customer.enabled is not enabled, enabled
        assert self.run(self.service.enable(customer, enabled=enabled)) is changed

    def _change(self, application: Application, change: StatusChange) -> None:
        changed = self.model.change_status(application, change)
        assert self.run(self.service.change_status(application, change)) is changed

    def _redeem(self, at: int, code: Approval, by: Application, wrong: WrongCode | None = None) -> None:
        expected = self._decided(by, lambda: self.model.redeem(code, by, wrong))
        self._keep(expected, self.run(self.service.redeem(at, code, by, wrong)))

    def _refresh(
        self, at: int, token: RefreshToken, by: Application, wrong: WrongRefresh | None = None
    ) -> None:
        expected = self._decided(by, lambda: self.model.refresh(token, by, wrong))
        self._keep(expected, self.run(self.service.refresh(at, token, by, wrong)))
