"""Durations as people type them: 60s, 5m, 1h, 30d, 1y."""

from datetime import timedelta
from typing import cast

import typer

from app.setting_kinds import parse_duration


def duration(value: str | timedelta) -> timedelta:
    """A typer parser; a default is a timedelta already."""
    try:
        return cast("timedelta", parse_duration(value))
    except ValueError as refused:
        raise typer.BadParameter(str(refused)) from None
