"""Claims about refused codes and refresh tokens."""

from typing import get_args

import pytest

from app.oauth.refused_grant import Cause, refuse, verifier_fault
from app.oauth.token_string import TOKEN_KINDS, TokenKind


@pytest.mark.parametrize("kind", TOKEN_KINDS)
def test_every_cause_is_told_apart_to_a_caller_that_proved_itself(kind: TokenKind) -> None:
    """O-43."""
    errors = [refuse(kind, cause, proved=True) for cause in get_args(Cause)]
    assert {(error.code, error.status) for error in errors} == {("invalid_grant", 400)}
    assert len({error.what for error in errors}) == len(errors)


@pytest.mark.parametrize("kind", TOKEN_KINDS)
def test_every_cause_is_told_alike_to_everybody_else(kind: TokenKind) -> None:
    """O-43: only the log tells them apart."""
    errors = [refuse(kind, cause, proved=False) for cause in get_args(Cause)]
    assert len({(error.code, error.what, error.status, error.headers) for error in errors}) == 1
    assert len({str(error) for error in errors}) == len(errors)


@pytest.mark.parametrize(
    ("challenge", "verifier", "cause"),
    [
        ("c", None, "no code_verifier"),
        (None, "v", "no code_challenge"),
        ("c", "v", "code_verifier"),
    ],
)
def test_verifier_is_missing_needless_or_wrong(
    challenge: str | None, verifier: str | None, cause: Cause
) -> None:
    """O-84, O-126."""
    assert verifier_fault(challenge, verifier) == cause
