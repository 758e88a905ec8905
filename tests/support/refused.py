"""Every kind of refusal there is, one of each."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import app
from app.aemp.model.errors import AempError, ReadError
from app.aemp.read.read import Place
from app.aemp.read.report import Rejection
from app.embedded.errors import EmbeddedError
from app.flows.account.add_customer import CustomerError, PersonError
from app.flows.account.add_operator import OperatorError
from app.flows.account.change_application import ApplicationError
from app.flows.account.read_logo import LogoError
from app.flows.account.sign_in import SignInError
from app.flows.approval.authorize import AuthorizationRefused
from app.flows.approval.browser_flow import FlowLostError
from app.flows.approval.decide import AlreadyConnectedError
from app.flows.approval.manual_grant import ManualGrantError
from app.flows.fleet.find_machine import MachineError
from app.flows.fleet.set_offset import OffsetError
from app.flows.fleet.write_history import NotWholeError
from app.flows.upkeep.signing_keys import SigningKeyError
from app.oauth.client import Client
from app.oauth.errors import OAuthError, PageError
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.refused import RefusedError, SetUpError
from app.settings import SettingsError
from app.storage.errors import NotSentError, PassingError, StoreBusyError, StoreUnavailableError
from app.storage.people.applications import Application
from app.storage.schema.migrations import DevelopmentSchemaError, MigrationError
from app.throttling.guesses import TooManyGuessesError

_CLIENT = Client(
    id=UUID(int=1),
    kind="classic",
    public=False,
    name="Sitewise",
    company="Sitewise Ltd",
    status="active",
    grants=frozenset(),
    scope=(),
    redirect_uris=(),
    audience=None,
    customer_id=None,
    secrets=(),
)

REFUSALS: tuple[RefusedError, ...] = (
    RefusedError("that cannot be", code="odd", status=418, headers=(("X-Odd", "1"),)),
    SetUpError("at /var/lib/rovitracker"),
    OAuthError("invalid_scope", "no such scope", detail="for the log"),
    PageError("There is none", "The address is wrong.", 404),
    AempError(404, "page_not_found", "There is no such page.", headers={"X-Odd": "1"}),
    ReadError("fleet.xml: line 7: not well-formed"),
    RegistrationError("audience 'x': another application has it"),
    RedirectUriError("https://a.example/#", "has a fragment"),
    LogoError("the logo is refused: it is animated"),
    SignInError("A password has at most 1,000 characters."),
    CustomerError("Hillside is disabled already"),
    PersonError("name: 1 to 120 printable characters"),
    OperatorError("olga@x.example is an operator already"),
    ApplicationError("the application is deleted"),
    ManualGrantError("reason: 1 to 500 printable characters"),
    SigningKeyError("the last rotation is under way"),
    MachineError("2 machines go by 7"),
    NotWholeError((Rejection(Place(3), None, None, "it has no datetime"),)),
    OffsetError("nan cannot be added to any figure"),
    FlowLostError("the flow state is forged or too old"),
    AlreadyConnectedError(Application(_CLIENT, None, datetime(2026, 5, 4, tzinfo=UTC))),
    AuthorizationRefused(OAuthError("access_denied", "no"), "https://a.example/", None),
    SettingsError("ROVITRACKER_X is not a setting", code="unknown_setting"),
    EmbeddedError("/var/lib/rovitracker is in use"),
    MigrationError("0007 failed and was rolled back"),
    DevelopmentSchemaError("a development version made the database"),
    PassingError("no place for one more"),
    StoreUnavailableError("PostgreSQL: OSError at 10.0.0.7"),
    NotSentError("too many requests wait"),
    StoreBusyError("55P03", "lock not available in table secret_plans"),
    TooManyGuessesError(30),
)


def kinds() -> set[type[RefusedError]]:
    """Every class of the service that is a refusal."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {RefusedError, *_below(RefusedError)}


def _below(kind: type[RefusedError]) -> Iterator[type[RefusedError]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("app."):
            yield each
            yield from _below(each)
