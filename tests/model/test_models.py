"""No run of a model breaks what is promised of codes and refresh tokens, and every guard is needed for that."""

from pathlib import Path

import pytest

from tests.model.search import MODELS, NotHereError, guards_of, search

ALL = [(model, guard) for model in MODELS for guard in (None, *guards_of(model))]


@pytest.mark.parametrize(
    ("model", "guard"), ALL, ids=[f"{model.stem} without {guard or 'nothing'}" for model, guard in ALL]
)
def test_a_model_keeps_its_promises_by_its_guards(model: Path, guard: str | None) -> None:
    """R-1, R-2, R-3, R-6, R-11, R-12."""
    try:
        run = search(model, guard)
    except NotHereError as missing:
        pytest.skip(f"not shown: that a model keeps its promises by its guards; {missing}")
    assert run.as_due, run
    assert run.states > 20


@pytest.mark.parametrize("model", MODELS, ids=[model.stem for model in MODELS])
def test_a_model_says_what_each_guard_is(model: Path) -> None:
    head = model.read_text().partition("*/")[0]
    assert guards_of(model)
    assert [guard for guard in guards_of(model) if f" {guard} " not in head] == []
