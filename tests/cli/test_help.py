"""The command line's own help: examples that can be typed, the nearest to a slip, completion."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer.core
from typer.core import TyperGroup as Group

from app.cli.main import command_line, run
from tests.cli.verbs import COMMAND, VERBS, verbs
from tests.support.server import ROOT


def command_of(verb: tuple[str, ...]) -> typer.core.TyperCommand:
    command = COMMAND
    for name in verb:
        assert isinstance(command, Group)
        command = command.commands[name]
    assert isinstance(command, typer.core.TyperCommand)
    return command


def options_of(verb: tuple[str, ...]) -> set[str]:
    return {option for parameter in command_of(verb).params for option in parameter.opts if option[0] == "-"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Said":
    return Said(monkeypatch, capsys)


class Said:
    """The answer to a command line that is not understood."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def to(self, *arguments: str) -> str:
        self._monkeypatch.setattr(sys, "argv", ["rovitracker", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        assert ended.value.code == 2
        printed = self._capsys.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        return printed.err


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_json_and_an_example_that_can_be_typed(verb: tuple[str, ...]) -> None:
    command = command_of(verb)
    assert command.help
    assert "--json" in options_of(verb)
    example = re.fullmatch(rf"Example: rovitracker {' '.join(verb)}\b(.*)", command.epilog or "")
    assert example, command.epilog
    words = shlex.split(example[1].partition("<")[0])
    assert {word for word in words if word.startswith("--")} <= options_of(verb)
    needed = [parameter for parameter in command.params if parameter.required]
    assert words or not needed
    for parameter in needed:
        assert parameter.param_type_name == "argument" or set(parameter.opts) & set(words)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_mistyped_verb_is_answered_with_the_nearest(verb: tuple[str, ...], said: Said) -> None:
    *group, name = verb
    answer = said.to(*group, name + name[-1])
    assert f"No such command '{name + name[-1]}'. Did you mean '{name}'" in answer


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_mistyped_flag_is_answered_with_the_nearest(verb: tuple[str, ...], said: Said) -> None:
    for option in options_of(verb):
        if option.startswith("--"):
            known, _, nearest = said.to(*verb, option + option[-1], "x").partition("Possible options")
            assert f"No such option: {option + option[-1]} " in known
            assert option in nearest


def test_what_is_like_nothing_leads_to_the_help(said: Said) -> None:
    assert said.to("xyzzy").endswith("No such command 'xyzzy': `rovitracker --help`\n")
    assert said.to("app", "xyzzy").endswith("No such command 'xyzzy': `rovitracker app --help`\n")
    assert said.to("serve", "--xyzzy").endswith("No such option: --xyzzy: `rovitracker serve --help`\n")
    assert said.to("app", "show").endswith("Missing argument 'CLIENT_ID': `rovitracker app show --help`\n")
    assert "'--port'" in said.to("serve", "--port", "http")
    assert "60s or 30d" in said.to("app", "rotate-secret", "x", "--overlap", "soon")


@pytest.mark.parametrize("path", [(), *sorted({verb[:1] for verb in VERBS if len(verb) > 1})], ids=" ".join)
def test_a_group_without_a_verb_lists_its_verbs(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rovitracker", *path])
    with pytest.raises(SystemExit) as ended:
        run()
    printed = capsys.readouterr()
    assert ended.value.code == 2
    names = {verb[len(path)] for verb in VERBS if verb[: len(path)] == path}
    assert all(re.search(rf"\b{name}\b", printed.out + printed.err) for name in names)


@pytest.mark.parametrize("first", sorted({verb[0] for verb in VERBS}))
def test_a_noun_alone_has_the_verbs_it_has_among_all(first: str) -> None:
    """Only its own file is loaded, so that a verb starts quickly."""
    alone = typer.main.get_command(command_line([first, "more"]))
    assert isinstance(alone, Group)
    expected = [verb for verb in VERBS if verb[0] == first]
    assert [verb for verb in verbs(alone) if verb[0] == first] == expected
    assert len(alone.commands) <= 2  # serve and demo stand in one file


def test_a_verb_loads_nothing_of_the_others() -> None:
    """What is large: the server, the HTTP client, the reader of documents, and whatever opens the stores."""
    program = "import sys; from app.cli.main import command_line; command_line(['{}']); print(*sys.modules)"
    large = {"httpx2", "uvicorn", "lxml", "app.context"}
    for first, needed in (("config", set()), ("flow", {"httpx2"}), ("key", {"app.context"})):
        done = subprocess.run(
            [sys.executable, "-c", program.format(first)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert large & set(done.stdout.split()) == needed, first


def complete(instruction: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**os.environ, "_ROVITRACKER_COMPLETE": instruction, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell: str) -> None:
    script = complete(f"source_{shell}")
    assert "rovitracker" in script
    assert f"complete_{shell}" in script


def test_verbs_and_flags_are_completed() -> None:
    begun = {"COMP_WORDS": "rovitracker app re", "COMP_CWORD": "2"}
    assert complete("complete_bash", **begun).split() == ["register", "refuse", "retire-secret", "resume"]
    begun = {"COMP_WORDS": "rovitracker flow code --no", "COMP_CWORD": "3"}
    assert complete("complete_bash", **begun).split() == ["--no-open"]
