"""What is refused is one line on a terminal, with the verb or the option that helps; a bug keeps its trace."""

import pytest

from app.cli.hints import HINTS, told
from app.cli.main import run
from app.refused import RefusedError
from tests.support.refused import REFUSALS


def ending(error: Exception, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a verb that ends with this."""

    def verb(**_: object) -> None:
        raise error

    monkeypatch.setattr("app.cli.main.cli", verb)
    with pytest.raises(SystemExit) as ended:
        run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda each: type(each).__name__)
def test_every_refusal_is_one_line(
    refused: RefusedError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(refused, monkeypatch) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"rovitracker: {told(refused)}\n"
    assert str(refused) in err


def test_a_bug_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="ours"):
        ending(LookupError("ours"), monkeypatch)


@pytest.mark.parametrize("code", sorted(HINTS))
def test_every_hint_is_given_where_its_code_is_refused(code: str) -> None:
    assert told(RefusedError("no such thing", code=code)) == f"no such thing: {HINTS[code]}"


def test_a_refusal_without_a_hint_says_what_it_says() -> None:
    assert told(RefusedError("no such thing")) == "no such thing"
