"""What is settled for every address of the service: one table that all others read.

It imports nothing of ours but the addresses, so that everybody may import it. `routes.py` binds each row to its handler,
and `front/hot.py` binds each hot one to what answers it before the framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.web import paths

Methods: TypeAlias = tuple[str, ...]
GET: Methods = ("GET",)
POST: Methods = ("POST",)
# Documents whose head alone may be asked for too (RFC 9110 section 9.3.2). Pages of a person's own begin or go on with
# something when they are read, so they are only ever read whole.
READ: Methods = ("GET", "HEAD")

# OAuth's JSON (RFC 6749 section 5.2), a document of AEMP, or a page for people.
ErrorForm: TypeAlias = Literal["json", "aemp", "page"]

# What scripts of other origins may read: nothing, a document but not its errors, every answer to what they ask by POST, or
# every answer to what they read with a token.
CrossOrigin: TypeAlias = Literal["nothing", "document", "answers", "readings"]


@dataclass(frozen=True, slots=True)
class Row:
    """One handler's address.

    path: as the router reads it; other rows may have it, for other methods.
    hot: whether the front answers it before the framework.
    documented: whether the OpenAPI document describes it.
    """

    path: str
    methods: Methods
    errors: ErrorForm
    cross_origin: CrossOrigin = "nothing"
    hot: bool = False
    documented: bool = False


def _forms(*addresses: str) -> Iterator[Row]:
    """Pages whose form is posted to their own address."""
    return (Row(path, methods, "page") for path in addresses for methods in (GET, POST))


def _pages(*addresses: str) -> Iterator[Row]:
    """Pages that are read alone, or whose forms have addresses of their own."""
    return (Row(path, GET, "page") for path in addresses)


def _posts(*addresses: str) -> Iterator[Row]:
    """Forms of other pages."""
    return (Row(path, POST, "page") for path in addresses)


TABLE = (
    # AEMP. The router looks at the rows in turn, and nearly all that it is asked for is a page of a fleet.
    Row(paths.BELOW_FLEET_V2, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.FLEET_V2_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.FLEET_V1_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.BELOW_FLEET_V1, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.FLEET_BEFORE_V1_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.BELOW_FLEET_BEFORE_V1, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(paths.TELEMETRY, POST, "aemp", hot=True, documented=True),
    # OAuth2. Cookies decide at the first three, and introspection tells of tokens: no other origin reads them.
    Row(paths.AUTHORIZE, GET, "page", documented=True),
    Row(paths.AUTHORIZE, POST, "page", documented=True),
    Row(paths.CONSENT, POST, "page"),
    Row(paths.TOKEN, POST, "json", cross_origin="answers", hot=True, documented=True),
    Row(paths.INTROSPECT, POST, "json", hot=True, documented=True),
    Row(paths.REVOKE, POST, "json", cross_origin="answers", documented=True),
    Row(paths.USERINFO, READ, "json", cross_origin="readings", documented=True),
    Row(paths.JWKS, READ, "json", cross_origin="document", documented=True),
    Row(paths.SERVER_METADATA, READ, "json", cross_origin="document", documented=True),
    Row(paths.OPENID_METADATA, READ, "json", cross_origin="document", documented=True),
    Row(paths.RESOURCE_METADATA, READ, "json", cross_origin="document", documented=True),
    # For integrators: the same, for programs and for people
    Row(paths.OPENAPI, READ, "page", cross_origin="document", hot=True),
    Row(paths.DOCUMENTATION, READ, "page", hot=True),
    # Pages
    Row(paths.HOME, READ, "page"),
    Row(paths.LOGIN, GET, "page"),
    Row(paths.LOGIN, POST, "page", hot=True),  # a flood of guesses costs half as much before the framework
    *_posts(paths.LOGIN_CODE, paths.LOGIN_PASSKEY, paths.LOGIN_PASSKEY_ASKED, paths.LOGOUT, paths.LANGUAGE),
    *_forms(paths.PASSWORD_FORGOTTEN, paths.PASSWORD_NEW, paths.INVITATION),
    *_pages(paths.ACCOUNT, paths.MACHINES, paths.CONNECTIONS),
    Row(paths.DISCONNECT, POST, "page"),
    *_forms(paths.DISCONNECT_ALL, paths.CONNECTION),
    Row(paths.REPORT, POST, "page"),
    Row(paths.REQUESTS, GET, "page"),
    *_forms(paths.REQUEST),
    Row(paths.PROFILE, GET, "page"),
    *_posts(
        paths.CHANGE_NAME,
        paths.CHANGE_TIME_ZONE,
        paths.CHOOSE_NOTICES,
        paths.CHANGE_EMAIL,
        paths.WITHDRAW_EMAIL,
        paths.OWN_DATA,
        paths.LEAVE,
        paths.CLOSE_ACCOUNT,
    ),
    *_forms(paths.EMAIL_LINK, paths.REGISTER, paths.SIGN_UP),
    Row(paths.DEVELOPER, GET, "page"),
    *_forms(paths.NEW_APPLICATION),
    *_pages(paths.OWN_APPLICATION, paths.OWNERS),
    *_posts(paths.CONNECT_TEST_CUSTOMER, paths.INVITE_OWNER, paths.WITHDRAW_OWNER, paths.REMOVE_OWNER),
    Row(paths.CREDENTIALS, GET, "page"),
    *_posts(paths.ROTATE_SECRET, paths.RETIRE_SECRET, paths.REPLACE_KEYS),
    Row(paths.OWN_CONNECTIONS, GET, "page"),
    *_posts(paths.ASK_CUSTOMER, paths.WITHDRAW_REQUEST, paths.RESEND_PICK_UP),
    *_forms(paths.PICK_UP),
    *_pages(paths.USAGE, paths.USAGE_CSV, paths.REFUSED_REQUEST, paths.REFUSED_REQUESTS),
    *_forms(paths.OWN_NOTICES, paths.OWN_SETTINGS, paths.PUBLISH),
    *_posts(paths.WITHDRAW_PROPOSAL, paths.DELETE_APPLICATION),
    Row(paths.TRY, GET, "page"),
    *_posts(paths.TRY_TOKEN, paths.TRY_FLEET),
    *_pages(paths.STAFF, paths.REQUEST_QUEUE, paths.REVIEWS, paths.REVIEW),
    *_posts(
        paths.STAFF_ROLE,
        paths.STAFF_SWITCH,
        paths.JUDGE_REQUEST,
        paths.ENTER_REQUEST,
        paths.REVIEW_APPROVE,
        paths.REVIEW_REFUSE,
    ),
    *_forms(paths.PROVE),
    Row(paths.PEOPLE, GET, "page"),
    *_posts(
        paths.RENAME_ACCOUNT,
        paths.INVITE,
        paths.RESEND_INVITATION,
        paths.WITHDRAW_INVITATION,
        paths.CHANGE_ROLE,
        paths.REMOVE_MEMBER,
        paths.LEAVE_ACCOUNT,
        paths.TRANSFER_OWNERSHIP,
    ),
    Row(paths.SECURITY, GET, "page"),
    *_posts(paths.CHANGE_PASSWORD, paths.END_SESSION, paths.END_OTHER_SESSIONS),
    *_forms(paths.AUTHENTICATOR),
    *_posts(
        paths.AUTHENTICATOR_OFF,
        paths.RECOVERY_CODES,
        paths.PASSKEY_ADD,
        paths.PASSKEY_ASKED,
        paths.PASSKEY_NEW,
        paths.PASSKEY_RENAME,
        paths.PASSKEY_REMOVE,
    ),
    Row(paths.LOGO, READ, "page"),
    Row(paths.STATIC_FILES, READ, "page"),
    # The demo application and the mails, in development only
    Row(paths.DEMO_CALLBACK, GET, "page"),
    *_posts(paths.DEMO_TOKEN, paths.DEMO_FLEET),
    Row(paths.DEMO_MAIL, GET, "page"),
    # For those who run it
    Row(paths.ALIVE, READ, "json", documented=True),
    Row(paths.READY, READ, "json", documented=True),
    Row(paths.VERSION, READ, "json", documented=True),
)

_FORMS = {row.path: row.errors for row in TABLE}
# Addresses that no row has, by their beginning.
_UNSERVED: dict[str, ErrorForm] = {
    paths.API: "aemp",
    paths.OAUTH: "json",
    paths.WELL_KNOWN: "json",
    paths.HEALTH: "json",
    paths.VERSION: "json",
}
_ENDINGS_OF_PAGES = tuple(f"/{page.removeprefix(paths.OAUTH)}" for page in (paths.AUTHORIZE, paths.CONSENT))


def error_form(path: str) -> ErrorForm:
    """The form of an error at an address, whether it is served or not."""
    return _FORMS.get(path) or _unserved_form(path)


def is_bounded(path: str) -> bool:
    """Whether an answer is called off after a while: a program waits for it, and only stores make it late.

    Telemetry takes as long as it is large.
    """
    return path in _ASKED_BY_PROGRAMS or (path.startswith(paths.API) and path != paths.TELEMETRY)


_ASKED_BY_PROGRAMS = frozenset({paths.TOKEN, paths.INTROSPECT, paths.REVOKE, paths.USERINFO})


def without_secret(path: str) -> str:
    """A path as a log may have it: a mailed link has its secret there."""
    if not path.startswith(_BEFORE_SECRETS):
        return path
    return next(f"{beginning}..." for beginning in _BEFORE_SECRETS if path.startswith(beginning))


_BEFORE_SECRETS = tuple({row.path.partition("{")[0] for row in TABLE if "{secret}" in row.path})


def is_aemp_1_2(path: str) -> bool:
    """Whether an address speaks the first version of the standard, which is XML only."""
    return path.lower().startswith((paths.V1, paths.FLEET_BEFORE_V1.lower()))


def _unserved_form(path: str) -> ErrorForm:
    # People follow a link to a page, also one with a segment or a slash too many.
    if path.startswith(paths.OAUTH) and path.endswith(_ENDINGS_OF_PAGES):
        return "page"
    return next((form for beginning, form in _UNSERVED.items() if path.startswith(beginning)), "page")
