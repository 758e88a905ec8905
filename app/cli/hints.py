"""A refusal on a terminal: its line, and the verb or option that helps."""

from app.cli.work import make_anew
from app.refused import RefusedError
from app.settings import load_settings

# The help for a refusal, by its code. Rules and flows know no command line, so they cannot say this themselves.
HINTS = {
    "keys_not_secret": "`rovitracker app update --jwks` replaces them",
    "nameless_series": "name it with --machine",
    "temporarily_unavailable": "try again; `rovitracker doctor` says what is wrong",
    "unknown_application": "`rovitracker app list` names them",
    "unknown_customer": "`rovitracker customer list` names who does",
    "unknown_machine": "`rovitracker fleet show` lists them",
    "unknown_operator": "`rovitracker operator add --help`",
    "unknown_setting": "without it, `rovitracker config` lists those there are",
}


def told(refused: RefusedError) -> str:
    """The line of a refusal, and what to do about it."""
    hint = make_anew(load_settings()) if refused.code == "development_schema" else HINTS.get(refused.code)
    return f"{refused}: {hint}" if hint else str(refused)
