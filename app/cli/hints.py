"""A refusal on a terminal: its line, and the verb or option that helps."""

from app.refused import RefusedError
from app.settings import Settings, load_settings
from app.storage.errors import StatementRefusedError
from app.stores import data_dir

# The help for a refusal, by its code. Rules and flows know no command line, so they cannot say this themselves.
HINTS = {
    "is_operator": "`rovitracker operator disable` ends it",
    "changed_meanwhile": "`rovitracker customer members` shows how it stands",
    "keys_not_secret": "`rovitracker app update --jwks` replaces them",
    "last_owner": "`rovitracker customer set-role` makes somebody else owner",
    "migrations_pending": "run `rovitracker migrate up` first",
    "nameless_series": "name it with --machine",
    "no_mail_server": "set ROVITRACKER_SMTP_URL and ROVITRACKER_MAIL_FROM",
    "operator_disabled": "`rovitracker operator enable` first",
    "temporarily_unavailable": "try again; `rovitracker doctor` says what is wrong",
    "unknown_application": "`rovitracker app list` names them",
    "unknown_customer": "`rovitracker customer list` names who does",
    "unknown_mail": "`rovitracker mail list` names them",
    "unknown_machine": "`rovitracker fleet show` lists them",
    "unknown_operator": "`rovitracker operator add --help`",
    "unknown_setting": "without it, `rovitracker config` lists those there are",
}


# What PostgreSQL refuses by how it was set up, and not for a fault of ours, by SQLSTATE.
SET_UP = {
    "25006": "it is a standby, or was set to read only; name the primary in ROVITRACKER_DATABASE_URL",
    "42501": "a grant is missing, or the login is another than was meant; `rovitracker doctor` says what is wrong",
}


def told(refused: RefusedError) -> str:
    """The line of a refusal, and what to do about it."""
    if isinstance(refused, StatementRefusedError) and refused.sqlstate in SET_UP:
        return told_set_up(refused)
    hint = make_anew(load_settings()) if refused.code == "development_schema" else HINTS.get(refused.code)
    return f"{refused}: {hint}" if hint else str(refused)


def told_set_up(refused: StatementRefusedError) -> str:
    """The line of a statement that PostgreSQL refused by how it was set up."""
    return f"PostgreSQL refuses it ({refused}): {SET_UP[refused.sqlstate]}"


def make_anew(settings: Settings) -> str:
    """The way out for a database that no migration fits."""
    if settings.embedded:
        return f"`rovitracker data remove` deletes {data_dir(settings)}; then start again"
    return "set ROVITRACKER_DATABASE_URL to an empty database"
