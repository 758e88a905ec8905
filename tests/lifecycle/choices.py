"""A rule is about something that the model has by now, most often something new."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.lifecycle.model import Application, Approval, Model, RefreshToken, Secret, Token
from tests.lifecycle.terms import BEGINNINGS, ENDS, Customer, Terms

RECENT = 4

Things = Callable[[Model], Sequence[Any]]


def a(things: Things) -> st.SearchStrategy[Any]:
    """One of these things, most often one of the last four."""
    return st.runner().flatmap(lambda machine: _one_of(things(machine.model)))


def where_there_are(things: Things) -> Callable[[Any], Any]:
    """The rule is for lives in which there is such a thing."""
    return precondition(lambda machine: bool(things(machine.model)))


def choices(customer: Customer) -> st.SearchStrategy[Terms]:
    """What this customer may choose on a page: none of the machines, too."""
    chosen = st.sets(st.sampled_from(customer.machines)) if customer.machines else st.just(frozenset[Any]())
    return _terms(chosen)


def wishes(model: Model) -> st.SearchStrategy[Terms]:
    """What an application may ask for: machines of anybody, and such as left."""
    machines = [machine for each in model.customers for machine in (*each.machines, *each.away)]
    return _terms(st.sets(st.sampled_from(machines), min_size=1, max_size=3))


def _terms(machines: st.SearchStrategy[Any]) -> st.SearchStrategy[Terms]:
    chosen = st.none() | machines.map(tuple)
    return st.builds(Terms, chosen, st.sampled_from([None, *BEGINNINGS]), st.sampled_from([None, *ENDS]))


def _one_of(things: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(things[-RECENT:]) | st.sampled_from(things)


def customers(model: Model) -> list[Customer]:
    return model.customers


def disabled_customers(model: Model) -> list[Customer]:
    return [each for each in model.customers if not each.enabled]


def applications(model: Model) -> list[Application]:
    return model.applications


def suspended_applications(model: Model) -> list[Application]:
    return [each for each in model.applications if each.status == "suspended"]


def old_secrets(model: Model) -> list[Secret]:
    """Secrets that are good for a while beside the newest."""
    return [secret for each in model.applications for secret in each.secrets[:-1] if secret.live]


def customers_with_machines(model: Model) -> list[Customer]:
    return [each for each in model.customers if each.machines]


def customers_without_some(model: Model) -> list[Customer]:
    return [each for each in model.customers if each.away]


def used_connections(model: Model) -> list[tuple[Customer, Application]]:
    """Those by which something lives: the account pages have them, by whatever way in that came."""
    living = {(each.customer, each.application) for each in model.tokens if model.lives(each)}
    return [pair for pair in model.connections if pair in living]


def ending_connections(model: Model) -> list[tuple[Customer, Application]]:
    """Those that stand, and have an end that somebody chose."""
    return [pair for pair, each in model.connections.items() if each.stands and each.terms.ends]


def codes(model: Model) -> list[Approval]:
    return model.approvals


def waiting_codes(model: Model) -> list[Approval]:
    return [each for each in model.approvals if each.code == "waiting"]


def working_codes(model: Model) -> list[Approval]:
    """Approvals whose code would do something when it is used, once or twice."""
    return [each for each in model.approvals if each.code != "burned" and not each.revoked]


def refresh_tokens(model: Model) -> list[RefreshToken]:
    return model.refresh_tokens


def working_refresh_tokens(model: Model) -> list[RefreshToken]:
    """The same of their use."""
    tokens = model.refresh_tokens
    return [each for each in tokens if model.lives(each) or (each.ended and not each.approval.revoked)]


def tokens(model: Model) -> list[Token]:
    return model.tokens


def living_tokens(model: Model) -> list[Token]:
    return [each for each in model.tokens if model.lives(each)]
