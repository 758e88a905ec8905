"""Secrets come from stdin or a prompt, never from arguments, which every user of the machine can read."""

import sys

import typer

from app.cli.output import fail


def read_secret(what: str, *, confirm: bool = False) -> str:
    """One line of stdin, or the answer to a prompt on a terminal."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        fail(f"{what.lower()} expected on stdin")
    return line
