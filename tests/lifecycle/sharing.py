"""The rules about what is shared: asked for by details, chosen on pages, told in answers, and left by machines."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.lifecycle.choices import (
    a,
    applications,
    choices,
    customers,
    customers_with_machines,
    customers_without_some,
    ending_connections,
    used_connections,
    waiting_codes,
    where_there_are,
    wishes,
)
from tests.lifecycle.claims import Watch
from tests.lifecycle.house import PROCESSES
from tests.lifecycle.model import Application, Approval, Model
from tests.lifecycle.service import Service
from tests.lifecycle.terms import Customer, Terms
from tests.support.details import asking

# An unknown type and members, and what a schema does not take.
REFUSED_DETAILS = (
    '[{"type":"payment_initiation"}]',
    asking(actions=["read"]),
    asking(locations=["https://elsewhere.example/"]),
    asking(identifiers=[]),
    asking(ends_at="2026-01-01T00:00:00Z"),
    "[]",
    "fleet",
)

processes = st.sampled_from(PROCESSES)


class Sharing:
    """A part of the machine, which has the rest."""

    run: Callable[[Any], Any]
    model: Model
    service: Service
    watch: Watch
    redeem: Callable[[int, Approval, int], None]
    connect: Callable[[int, Application, Customer], None]
    issue_to_client: Callable[[int, Application], None]

    def consent(
        self,
        at: int,
        application: Application,
        customer: Customer,
        asked: Terms | None = None,
        chosen: Terms | None = None,
    ) -> Approval | None:
        """The approval, where the service gave a code for it and the model agrees."""
        found = self.run(self.service.consent(at, application, customer, asked, chosen))
        may = self.model.may_act(application, customer)
        code = self.model.approve(application, customer, asked, chosen) if may else None
        assert isinstance(found, str) == (code is not None), found
        if may and code is None:
            assert found == 422  # nothing was chosen
        if code is not None:
            self.service.texts[code] = found
        return code

    @rule(at=processes, application=a(applications), customer=a(customers), data=st.data())
    def approve_details(
        self, at: int, application: Application, customer: Customer, data: st.DataObject
    ) -> None:
        """The application asks for some of the fleet; the customer takes the page as it is, or chooses."""
        asked = data.draw(wishes(self.model), "asked")
        chosen = data.draw(st.none() | choices(customer), "chosen")
        code = self.consent(at, application, customer, asked, chosen)
        if code is not None and data.draw(st.booleans(), "redeemed"):
            self.redeem(at, code, 1)

    @rule(
        at=processes,
        application=a(applications),
        customer=a(customers),
        details=st.sampled_from(REFUSED_DETAILS),
    )
    def ask_amiss(self, at: int, application: Application, customer: Customer, details: str) -> None:
        """An application that is not active hears nothing: a page of our own is shown."""
        found = self.run(self.service.refusal(at, application, customer, details))
        assert found == ("invalid_authorization_details" if application.status == "active" else "")

    @where_there_are(used_connections)
    @rule(at=processes, pair=a(used_connections), data=st.data())
    def change_terms(self, at: int, pair: tuple[Customer, Application], data: st.DataObject) -> None:
        """Narrow or widen it on the account page."""
        terms = data.draw(choices(pair[0]), "terms")
        status = self.run(self.service.change_terms(at, *pair, terms))
        assert status == (303 if self.model.change_terms(*pair, terms) else 422)

    @where_there_are(ending_connections)
    @rule(at=processes, pair=a(ending_connections), anew=st.booleans())
    def let_end_come(self, at: int, pair: tuple[Customer, Application], anew: bool) -> None:  # noqa: FBT001  # drawn by its name
        """Nothing is issued for it any more, until somebody approves anew."""
        customer, application = pair
        self.model.connections[pair].ended = True
        self.run(self.service.let_end_come(*pair))
        self.issue_to_client(at, application)
        for code in waiting_codes(self.model):
            if (code.customer, code.application) == pair:
                self.redeem(at, code, 1)
        if anew:
            self.connect(at, application, customer)

    @where_there_are(customers_with_machines)
    @rule(customer=a(customers_with_machines), number=st.integers(0, 2))
    def leave(self, customer: Customer, number: int) -> None:
        machine = customer.machines[number % len(customer.machines)]
        self.run(self.service.leave(customer, machine))
        self.model.leave(customer, machine)

    @where_there_are(customers_without_some)
    @rule(customer=a(customers_without_some))
    def join(self, customer: Customer) -> None:
        """A machine that left comes back, as the fleet's last one."""
        machine = customer.away.pop(0)
        self.run(self.service.join(customer, machine))
        customer.machines.append(machine)
