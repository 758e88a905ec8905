"""Secrets come from stdin or a prompt, never from arguments, which every user of the machine can read."""

import sys

import typer

from app.cli.output import fail

# No password, token or secret is as long; a pipe without line ends would be read for ever.
_LONGEST = 8 * 1024  # characters


def read_secret(what: str, *, confirm: bool = False) -> str:
    """One line of stdin, or the answer to a prompt on a terminal."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    try:
        line = sys.stdin.readline(_LONGEST + 2).rstrip("\r\n")
        line.encode()  # where Python reads bytes that are no text as halves of pairs
    except UnicodeError:
        fail(f"{what.lower()}: what came on stdin is not UTF-8")
    if not line:
        fail(f"{what.lower()} expected on stdin")
    if len(line) > _LONGEST:
        fail(f"{what.lower()}: at most {_LONGEST} characters on one line of stdin")
    return line
