"""Every verb that writes to the audit trail is told who acts, and none of them knows who calls it."""

import ast
import inspect
import pkgutil
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

import app.flows
from app.cli.main import command_line
from app.context import Context
from app.flows.account.add_customer import add_customer
from app.oauth.actor import COMMAND_LINE, Actor, ActorKind
from app.oauth.token_string import new_id
from tests.cli.verbs import VERBS
from tests.support.people import PASSWORD, World
from tests.support.syntax import nodes_of

APP = Path(app.flows.__file__).parents[1]
# The rooms of rules and flows, and those below. embedded/ passes options to PostgreSQL's own programs.
SILENT = ("flows", "oauth", "aemp", "simulation", "storage", "process")
FILES = sorted(file for room in SILENT for file in (APP / room).rglob("*.py"))

# These prove who acts before anything is written, so nobody tells them.
PROVING = {
    "sign_in",
    "begin_session",
    "open_session",
    "refuse_sign_in",
    "sign_in_with_passkey",
    "note_failed_proof",
    "prove_for_new",
    "finish_sign_in",
    "prove",
    "use_code",
    "change_password",
    "turn_on",
    "turn_off",
    "renew_recovery_codes",
    "ask_new_password",
    "set_new_password",
    "ask_new_email",
    "open_email_link",
    "confirm_new_email",
    "stop_new_email",
    "leave",
    "close",
    "prove_by_code",
    "use_proof",
    "accept_as_new",
    "accept_as",
    "sign_in_new",
    "ask_sign_up",
    "finish_sign_up",
    "accept_as_owner",
    "revoke_token",
    "prove_code",
    "remember_grant",
    "prove_refresh_token",
    "remember_successor",
}
# These are part of a verb that is told: it gives them its transaction.
PARTS = {"require_terms", "approve_terms", "join_owners", "keep_choice"}
# These are what the service does by itself.
OWN = {
    "sign_introspection",
    "read_key_set",
    "keep_signing_keys",
    "keep_totp_sealed",
    "erase_closed_accounts",
    "report_once",
    "expire_requests",
    "make_mailed_token",
}


def texts_of(file: Path) -> list[tuple[int, str]]:
    """Every string in a file, its docstrings too."""
    constants = [node for node in nodes_of(file) if isinstance(node, ast.Constant)]
    return [(each.lineno, each.value) for each in constants if isinstance(each.value, str)]


def options() -> set[str]:
    """Every option of every verb, as it is typed."""
    found: set[str] = set()

    def collect(callback: Callable[..., Any]) -> None:
        for parameter in inspect.signature(callback).parameters:
            found.add("--" + parameter.strip("_").replace("_", "-"))

    cli = command_line()
    for command in cli.registered_commands:
        if command.callback is not None:
            collect(command.callback)
    for group in cli.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            if command.callback is not None:
                collect(command.callback)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(APP)))
def test_no_rule_and_no_flow_names_a_verb_or_an_option(file: Path) -> None:
    """A page that reaches them would print what its reader cannot type."""
    flags = options()
    assert {"--machine", "--jwks", "--customer"} <= flags
    verb = re.compile(rf"rovitracker ({'|'.join(sorted({verb[0] for verb in VERBS}))})\b")
    strays = [
        f"line {line}: {text[:60]!r}"
        for line, text in texts_of(file)
        if verb.search(text) or any(flag in text for flag in flags)
    ]
    assert not strays


@pytest.mark.parametrize("file", sorted((APP / "flows").rglob("*.py")), ids=lambda file: file.stem)
def test_no_flow_says_that_a_command_line_called_it(file: Path) -> None:
    assert "command line" not in [text for _, text in texts_of(file)]
    assert "COMMAND_LINE" not in file.read_text()


def writers() -> dict[str, Callable[..., Any]]:
    """Public functions of flows whose file writes audit rows, by name, that are coroutines of a Context."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.walk_packages(app.flows.__path__, "app.flows."):
        loaded = import_module(module.name)
        if not hasattr(loaded, "insert_audit_event"):
            continue
        for name, function in inspect.getmembers(loaded, inspect.iscoroutinefunction):
            own = function.__module__ == module.name and not name.startswith("_")
            if own and not name.startswith(("find_", "list_", "read_", "connected_", "sign_out")):
                found[name] = function
    return found


def test_every_verb_that_writes_to_the_trail_is_told_who_acts() -> None:
    told = writers()
    assert len(told) > 15
    for name in told.keys() - PROVING - PARTS - OWN:
        context, actor, *_ = inspect.signature(told[name]).parameters.values()
        assert (context.name, actor.name) == ("context", "actor"), name
        assert actor.default is inspect.Parameter.empty, name


NEWEST = """\
SELECT actor_kind, actor_id, request_id, address
FROM audit_event WHERE customer_id = $1 ORDER BY id DESC LIMIT 1"""


async def newest(context: Context, customer_id: UUID) -> tuple[str, UUID | None, str | None, str | None]:
    """The newest event about the customer: who acted, in which request, and from where."""
    [row] = await context.database.rows(NEWEST, customer_id)
    return row["actor_kind"], row["actor_id"], row["request_id"], row["address"]


@pytest.mark.parametrize("kind", get_args(ActorKind))
async def test_the_trail_has_whoever_acted(context: Context, kind: ActorKind) -> None:
    """Outside of a request there is no request id and no address."""
    actor = Actor(kind, new_id())
    email = f"{actor.id}@hillside.example"
    member = await add_customer(context, actor, email=email, name="Hillside", password=PASSWORD)
    assert await newest(context, member.customer_id) == (kind, actor.id, None, None)


async def test_a_command_is_nobody_in_particular(world: World) -> None:
    assert await newest(world.context, world.member.customer_id) == (*COMMAND_LINE, None, None)
