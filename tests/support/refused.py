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
from app.flows.account.change_customer import RenamedError
from app.flows.account.change_member import MemberError
from app.flows.account.close import LastOwnerError
from app.flows.account.invite import InvitationError
from app.flows.account.passkey_answer import NoPasskeysError
from app.flows.account.prove import FieldError
from app.flows.account.read_logo import LogoError
from app.flows.account.rights import OwnerError, RoleError
from app.flows.account.sign_in import SignInError
from app.flows.approval.authorize import AuthorizationRefused
from app.flows.approval.browser_flow import FlowLostError
from app.flows.approval.choose_machines import MachinesError
from app.flows.approval.decide import AlreadyConnectedError
from app.flows.approval.manual_grant import ManualGrantError
from app.flows.approval.report import ReportError
from app.flows.approval.terms import ConnectionChangedError
from app.flows.developer.act_alone import ActAloneError
from app.flows.developer.proposing import ReviewError
from app.flows.developer.ready import NotReadyError
from app.flows.developer.review import ReviewerError
from app.flows.developer.sign_up import SignUpError
from app.flows.developer.test_customer import InTestModeError
from app.flows.fleet.find_machine import LineFault, MachineError
from app.flows.fleet.set_offset import OffsetError
from app.flows.fleet.write_history import NotWholeError
from app.flows.mail.links import LinkError
from app.flows.mail.send_mails import MailError
from app.flows.manual.standing import AccessRequestError
from app.flows.moving.fields import LineError
from app.flows.upkeep.signing_keys import SigningKeyError
from app.oauth.client import Client
from app.oauth.errors import OAuthError, PageError
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.oauth.slow_hash import SlowHashError
from app.refused import RefusedError, SetUpError, ToldError
from app.sentence import Sentence
from app.settings import SettingsError
from app.storage.distributed.distribute import DistributionError
from app.storage.errors import (
    ForgetfulSessionError,
    NotSentError,
    OtherKindError,
    PassingError,
    RedirectedError,
    RetiredError,
    StandbyError,
    StoreBusyError,
    StoreUnavailableError,
)
from app.storage.people.applications import Application
from app.storage.schema.migrations import DevelopmentSchemaError, MigrationError
from app.storage.schema.requirements import UnfitServerError
from app.storage.schema.surroundings import SurroundingsError
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
    ToldError(Sentence("that cannot be, and a page says so")),
    SetUpError("at /var/lib/rovitracker"),
    OAuthError("invalid_scope", "no such scope", detail="for the log"),
    PageError(Sentence("There is none"), Sentence("The address is wrong."), 404),
    AempError(404, "page_not_found", "There is no such page.", headers={"X-Odd": "1"}),
    ReadError("fleet.xml: line 7: not well-formed"),
    RegistrationError("audience 'x': another application has it"),
    RedirectUriError("https://a.example/#", "has a fragment"),
    LogoError("the logo is refused: it is animated"),
    SignInError(Sentence("A password has at most 1,000 characters.")),
    CustomerError("Hillside is disabled already"),
    LastOwnerError(Sentence("ann@x.example is the only owner of Hillside")),
    PersonError(Sentence("name: 1 to 120 printable characters")),
    FieldError("password", Sentence("This is not your present password.")),
    NoPasskeysError(Sentence("No passkey can be used here.")),
    RoleError("connect"),
    RenamedError(Sentence("somebody else gave the account another name meanwhile")),
    MemberError(Sentence("An account keeps at least one owner."), code="last_owner"),
    InvitationError(Sentence("This address is invited already.")),
    OwnerError(Sentence("You do not own this application any more.")),
    ReviewError(Sentence("Nothing waits for review any more.")),
    ReviewerError(Sentence("Only a reviewer or an admin decides about applications.")),
    NotReadyError(Sentence("This is missing: a logo")),
    SignUpError(Sentence("Somebody signs in with this address already. Please sign in.")),
    ActAloneError(Sentence("The application is suspended or deleted, so nothing was changed.")),
    InTestModeError(Sentence("Only its own makers can connect it.")),
    OperatorError("olga@x.example is an operator already"),
    ApplicationError("the application is deleted"),
    AccessRequestError(Sentence("It no longer waits for RoviTracker.")),
    ManualGrantError("reason: 1 to 500 printable characters"),
    ReportError(Sentence("Your account sent %(most)s reports within a day.", most="5")),
    LineError("sha256 is missing"),
    SlowHashError("an argon2 hash that is malformed"),
    MailError("mail 7 was sent already"),
    LinkError(
        Sentence("A link works once."),
        code="link_used",
        status=410,
        title=Sentence("This link was used already"),
    ),
    SigningKeyError("the last rotation is under way"),
    MachineError("2 machines go by 7"),
    NotWholeError((Rejection(Place(3), None, None, "it has no datetime"),)),
    OffsetError("nan cannot be added to any figure"),
    FlowLostError("the flow state is forged or too old"),
    ConnectionChangedError(Sentence("Somebody else changed it.")),
    MachinesError(
        Sentence("One line means no machine."),
        [LineFault("D 7", Sentence("None of your machines goes by this."))],
    ),
    AlreadyConnectedError(Application(_CLIENT, None, datetime(2026, 5, 4, tzinfo=UTC))),
    AuthorizationRefused(OAuthError("access_denied", "no"), "https://a.example/", None),
    SettingsError("ROVITRACKER_X is not a setting", code="unknown_setting"),
    EmbeddedError("/var/lib/rovitracker is in use"),
    MigrationError("0007 failed and was rolled back"),
    DistributionError("a foreign key stands in the way"),
    DevelopmentSchemaError("a development version made the database"),
    UnfitServerError("PostgreSQL 15.7 is too old"),
    SurroundingsError("the role rovitracker_ingest does not exist"),
    PassingError("no place for one more"),
    StoreUnavailableError("PostgreSQL: OSError at 10.0.0.7"),
    NotSentError("too many requests wait"),
    RetiredError("Valkey: READONLY You can't write against a read only replica."),
    RedirectedError("Valkey: MOVED 3999 10.0.0.7:6379"),
    OtherKindError("10.0.0.7:6379 is no node of a cluster"),
    StandbyError("PostgreSQL takes no writes: it is a standby, or read-only"),
    ForgetfulSessionError("synchronous_commit is off behind the pooler"),
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
