"""`rovitracker config`: the settings in force, secrets masked."""

import typer
from pydantic import SecretStr

from app.cli.output import Json, print_records
from app.settings import PREFIX, Settings, load_settings


def add_to(cli: typer.Typer) -> None:
    cli.command("config", epilog="Example: rovitracker config --json")(config)


def config(as_json: Json = False) -> None:
    """Print the settings in force, with secrets masked."""
    settings = load_settings()
    rows = [
        {
            "setting": PREFIX + name.upper(),
            "value": _masked(getattr(settings, name)),
            "set": name in settings.model_fields_set,
            "meaning": (field.description or "").replace("`", ""),
        }
        for name, field in Settings.model_fields.items()
    ]
    print_records(rows, as_json=as_json, empty="")


def _masked(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, tuple):
        return ", ".join("********" if isinstance(part, SecretStr) else str(part) for part in value) or None
    return None if value is None else str(value)
