"""What a rule can be about: something that the model has by now, most often something new."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.lifecycle.model import Application, Approval, Customer, Model, RefreshToken, Secret, Token

RECENT = 4

Things = Callable[[Model], Sequence[Any]]


def a(things: Things) -> st.SearchStrategy[Any]:
    return st.runner().flatmap(lambda machine: _one_of(things(machine.model)))


def where_there_are(things: Things) -> Callable[[Any], Any]:
    """The rule is for lives in which there is such a thing."""
    return precondition(lambda machine: bool(things(machine.model)))


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
    """That are good for a while beside the newest."""
    return [secret for each in model.applications for secret in each.secrets[:-1] if secret.live]


def codes(model: Model) -> list[Approval]:
    return model.approvals


def waiting_codes(model: Model) -> list[Approval]:
    return [each for each in model.approvals if each.code == "waiting"]


def redeemed_codes(model: Model) -> list[Approval]:
    return _standing_last(model, [each for each in model.approvals if each.code == "redeemed"])


def refresh_tokens(model: Model) -> list[RefreshToken]:
    return model.refresh_tokens


def unspent_tokens(model: Model) -> list[RefreshToken]:
    return sorted((each for each in model.refresh_tokens if not each.ended), key=model.lives)


def spent_tokens(model: Model) -> list[RefreshToken]:
    spent = [each for each in model.refresh_tokens if each.ended]
    standing = _standing_last(model, [each.approval for each in spent])
    return sorted(spent, key=lambda each: standing.index(each.approval))


def _standing_last(model: Model, approvals: list[Approval]) -> list[Approval]:
    """Those that something still rests on count as newer than those that are over."""
    return sorted(approvals, key=lambda each: model.stands(each) and not each.revoked)


def tokens(model: Model) -> list[Token]:
    return model.tokens


def living_tokens(model: Model) -> list[Token]:
    return [each for each in model.tokens if model.lives(each)]
