"""No run of a model breaks what is promised of codes and tokens, every guard is needed for that, and a command says so."""

import json
from pathlib import Path

import pytest

from tests.model.__main__ import FAILED, NOT_HERE, main
from tests.model.kept import SECTION, read_last, render
from tests.model.search import MODELS, NotHereError, guards_of, meaning_of, search
from tests.support.sections import section_of, write_section

ALL = [(model, guard) for model in MODELS for guard in (None, *guards_of(model))]


@pytest.mark.parametrize(
    ("model", "guard"), ALL, ids=[f"{model.stem} without {guard or 'nothing'}" for model, guard in ALL]
)
def test_a_model_keeps_its_promises_by_its_guards(model: Path, guard: str | None) -> None:
    """R-1, R-2, R-3, R-6, R-11, R-12, R-16."""
    try:
        run = search(model, guard)
    except NotHereError as missing:
        pytest.skip(f"not shown: that a model keeps its promises by its guards; {missing}")
    assert run.as_due, run
    assert run.states > 20
    assert "assertion" not in run.found  # each promise is told in words beside it


@pytest.mark.parametrize("model", MODELS, ids=[model.stem for model in MODELS])
def test_a_model_says_what_each_guard_is(model: Path) -> None:
    assert guards_of(model)
    assert [guard for guard in guards_of(model) if not meaning_of(guard, model)] == []


SOUND = """
byte used = 0;
active [2] proctype Caller() {
    atomic {
        if
#ifndef NO_ORDER
        :: used > 0 -> skip
        :: else -> used++
#else
        :: used++
#endif
        fi
    };
    assert(used <= 1)
}
"""
BROKEN = "active proctype Caller() { assert(false) }\n#ifdef NO_ORDER\n#endif\n"
NEEDLESS = "byte used; active proctype Caller() {\n#ifndef NO_ORDER\nused++;\n#endif\nassert(used <= 1) }\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BROKEN, "a promise is broken: assertion violated"),
        (NEEDLESS, "nothing breaks without ORDER, so that this guard is not needed"),
    ],
    ids=["broken", "needless"],
)
def test_command_ends_with_a_status_where_a_model_is_not_as_due(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "own.pml"
    model.write_text(text)
    status = main(["--models", str(model)])
    told = capsys.readouterr().err
    if status == NOT_HERE:
        pytest.skip(f"not shown: that the command tells of a model that is wrong; {told.strip()}")
    assert status == FAILED
    assert said in told
    assert "1 of 2: own: " in told


def test_command_gives_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "own.pml"
    model.write_text(SOUND)
    status = main(["--models", str(model), "--json"])
    told = capsys.readouterr()
    if status == NOT_HERE:
        pytest.skip(f"not shown: the command's document; {told.err.strip()}")
    found = [(each["guard"], each["as_due"]) for each in json.loads(told.out)["each"]]
    assert (status, found) == (0, [(None, True), ("ORDER", True)])


def test_command_says_in_a_sentence_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == NOT_HERE
    assert capsys.readouterr().err == (
        "model: nothing was shown: spin is not here; Debian has it: apt install spin gcc\n"
    )


def test_page_of_guarantees_has_the_last_run() -> None:
    """`make check-model MODEL="--write"` writes both anew."""
    assert section_of(SECTION) == render(read_last())


def test_last_run_is_of_the_models_as_they_are_and_all_was_as_due() -> None:
    each = read_last()["each"]
    here = [(model.stem, guard, meaning_of(guard, model) if guard else "") for model, guard in ALL]
    assert [(row["model"], row["guard"], row["meaning"]) for row in each] == here
    assert all(row["as_due"] for row in each)


def test_a_page_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- other -->\n<!-- /other -->\n")
    with pytest.raises(ValueError, match="needs one line <!-- check-model -->"):
        write_section(SECTION, "text", page)
    write_section("other", "text\n", page)
    assert page.read_text() == "<!-- other -->\ntext\n<!-- /other -->\n"
