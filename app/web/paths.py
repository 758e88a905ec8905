"""Every address of the service, and what is settled for it: one table that all others read.

It imports nothing of ours, so that everybody may import it. `routes.py` binds each row to its handler, and
`front/service.py` binds each hot one to what answers it before the framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

HOME = "/"
DOCUMENTATION = "/docs"
OPENAPI = "/openapi.json"

OAUTH = "/app/oauth2/"
AUTHORIZE = "/app/oauth2/authorize"
CONSENT = "/app/oauth2/consent"
TOKEN = "/app/oauth2/token"
INTROSPECT = "/app/oauth2/introspect"
REVOKE = "/app/oauth2/revoke"
USERINFO = "/app/oauth2/userinfo"
JWKS = "/app/oauth2/jwks"

WELL_KNOWN = "/.well-known/"
SERVER_METADATA = "/.well-known/oauth-authorization-server"
OPENID_METADATA = "/.well-known/openid-configuration"  # the same, for libraries that look nowhere else
RESOURCE_METADATA = "/.well-known/oauth-protected-resource/api"

API = "/api/"
V1, V2 = "/api/v1/", "/api/v2/"
FLEET_V1, FLEET_V2 = "/api/v1/Fleet", "/api/v2/Fleet"
FLEET_BEFORE_V1 = "/api/Fleet"  # RoviTracker's own address before there were versions
FIRST_PAGE = "/api/v2/Fleet/1"
TELEMETRY = "/api/v2/telemetry"
# As the router reads them: `fleet` in any letter case, and below it whatever `aemp/address/` can parse.
FLEET_V1_ROUTE, FLEET_V2_ROUTE = "/api/v1/{fleet:fleet}", "/api/v2/{fleet:fleet}"
BELOW_FLEET_V1, BELOW_FLEET_V2 = f"{FLEET_V1_ROUTE}/{{address:path}}", f"{FLEET_V2_ROUTE}/{{address:path}}"
FLEET_BEFORE_V1_ROUTE = "/api/{fleet:fleet}"
BELOW_FLEET_BEFORE_V1 = f"{FLEET_BEFORE_V1_ROUTE}/{{address:path}}"

LOGIN = "/app/login"
LOGIN_CODE = "/app/login/code"
LOGIN_PASSKEY = "/app/login/passkey"
LOGIN_PASSKEY_ASKED = "/app/login/passkey/ask"
LOGOUT = "/app/logout"
LANGUAGE = "/app/language"
PASSWORD_FORGOTTEN = "/app/password/forgotten"
PASSWORD_NEW = "/app/password/new"
INVITATION = "/app/invitation/{secret}"
ACCOUNT = "/app/account"
MACHINES = "/app/account/machines"
CONNECTIONS = "/app/account/applications"
DISCONNECT = "/app/account/applications/disconnect"
DISCONNECT_ALL = "/app/account/applications/disconnect-all"
CONNECTION = "/app/account/applications/{application:uuid}"
REPORT = "/app/account/applications/{application:uuid}/report"
REQUESTS = "/app/account/requests"
REQUEST = "/app/account/requests/{request:uuid}"
PROFILE = "/app/account/profile"
CHANGE_NAME = "/app/account/profile/name"
CHANGE_TIME_ZONE = "/app/account/profile/time-zone"
CHANGE_EMAIL = "/app/account/profile/email"
WITHDRAW_EMAIL = "/app/account/profile/withdraw-email"
OWN_DATA = "/app/account/profile/data"
LEAVE = "/app/account/profile/leave"
CLOSE_ACCOUNT = "/app/account/profile/close"
EMAIL_LINK = "/app/email"
STAFF = "/app/operator/staff"
STAFF_ROLE = "/app/operator/staff/role"
STAFF_SWITCH = "/app/operator/staff/switch"
REQUEST_QUEUE = "/app/operator/requests"
JUDGE_REQUEST = "/app/operator/requests/judge"
ENTER_REQUEST = "/app/operator/requests/enter"
REVIEWS = "/app/operator/reviews"
REVIEW = "/app/operator/reviews/{review:uuid}"
REVIEW_APPROVE = "/app/operator/reviews/{review:uuid}/approve"
REVIEW_REFUSE = "/app/operator/reviews/{review:uuid}/refuse"
PROVE = "/app/operator/prove"
PEOPLE = "/app/account/people"
RENAME_ACCOUNT = "/app/account/people/account-name"
INVITE = "/app/account/people/invite"
RESEND_INVITATION = "/app/account/people/invitations/resend"
WITHDRAW_INVITATION = "/app/account/people/invitations/withdraw"
CHANGE_ROLE = "/app/account/people/role"
REMOVE_MEMBER = "/app/account/people/remove"
LEAVE_ACCOUNT = "/app/account/people/leave"
TRANSFER_OWNERSHIP = "/app/account/people/transfer"
SECURITY = "/app/account/security"
CHANGE_PASSWORD = "/app/account/security/password"
END_SESSION = "/app/account/security/sessions/end"
END_OTHER_SESSIONS = "/app/account/security/sessions/end-others"
AUTHENTICATOR = "/app/account/security/authenticator"
AUTHENTICATOR_OFF = "/app/account/security/authenticator/off"
RECOVERY_CODES = "/app/account/security/recovery-codes"
PASSKEY_ADD = "/app/account/security/passkeys/add"
PASSKEY_ASKED = "/app/account/security/passkeys/ask"
PASSKEY_NEW = "/app/account/security/passkeys/new"
PASSKEY_RENAME = "/app/account/security/passkeys/rename"
PASSKEY_REMOVE = "/app/account/security/passkeys/remove"
REGISTER = "/app/register"
SIGN_UP = "/app/register/{secret}"
DEVELOPER = "/app/developer"
NEW_APPLICATION = "/app/developer/new"
OWN_APPLICATION = "/app/developer/{application:uuid}"
OWNERS = "/app/developer/{application:uuid}/people"
INVITE_OWNER = "/app/developer/{application:uuid}/people/invite"
WITHDRAW_OWNER = "/app/developer/{application:uuid}/people/withdraw"
REMOVE_OWNER = "/app/developer/{application:uuid}/people/remove"
CREDENTIALS = "/app/developer/{application:uuid}/credentials"
ROTATE_SECRET = "/app/developer/{application:uuid}/credentials/rotate"
RETIRE_SECRET = "/app/developer/{application:uuid}/credentials/retire"
REPLACE_KEYS = "/app/developer/{application:uuid}/credentials/keys"
USAGE = "/app/developer/{application:uuid}/usage"
USAGE_CSV = "/app/developer/{application:uuid}/usage.csv"
REFUSED_REQUEST = "/app/developer/requests"
REFUSED_REQUESTS = "/app/developer/{application:uuid}/requests"
OWN_CONNECTIONS = "/app/developer/{application:uuid}/connections"
ASK_CUSTOMER = "/app/developer/{application:uuid}/connections/ask"
WITHDRAW_REQUEST = "/app/developer/{application:uuid}/connections/withdraw"
RESEND_PICK_UP = "/app/developer/{application:uuid}/connections/resend"
PICK_UP = "/app/developer/pick-up"
OWN_NOTICES = "/app/developer/{application:uuid}/notices"
OWN_SETTINGS = "/app/developer/{application:uuid}/settings"
PUBLISH = "/app/developer/{application:uuid}/publish"
WITHDRAW_PROPOSAL = "/app/developer/{application:uuid}/publish/withdraw"
DELETE_APPLICATION = "/app/developer/{application:uuid}/publish/delete"
TRY = "/app/developer/{application:uuid}/try"
TRY_TOKEN = "/app/developer/{application:uuid}/try/token"
TRY_FLEET = "/app/developer/{application:uuid}/try/fleet"
LOGO = "/app/logo/{digest}.png"
STATIC_FILES = "/app/static"

DEMO_CALLBACK = "/app/demo/callback"
DEMO_TOKEN = "/app/demo/token"
DEMO_FLEET = "/app/demo/fleet"
DEMO_MAIL = "/app/demo/mail"

HEALTH = "/health/"
ALIVE = "/health/alive"
READY = "/health/ready"
VERSION = "/version"

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


def _forms(*paths: str) -> Iterator[Row]:
    """Pages whose form is posted to their own address."""
    return (Row(path, methods, "page") for path in paths for methods in (GET, POST))


def _pages(*paths: str) -> Iterator[Row]:
    """Pages that are read alone, or whose forms have addresses of their own."""
    return (Row(path, GET, "page") for path in paths)


def _posts(*paths: str) -> Iterator[Row]:
    """Forms of other pages."""
    return (Row(path, POST, "page") for path in paths)


TABLE = (
    # AEMP. The router looks at the rows in turn, and nearly all that it is asked for is a page of a fleet.
    Row(BELOW_FLEET_V2, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(FLEET_V2_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(FLEET_V1_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(BELOW_FLEET_V1, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(FLEET_BEFORE_V1_ROUTE, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(BELOW_FLEET_BEFORE_V1, READ, "aemp", cross_origin="readings", hot=True, documented=True),
    Row(TELEMETRY, POST, "aemp", hot=True, documented=True),
    # OAuth2. Cookies decide at the first three, and introspection tells of tokens: no other origin reads them.
    Row(AUTHORIZE, GET, "page", documented=True),
    Row(AUTHORIZE, POST, "page", documented=True),
    Row(CONSENT, POST, "page"),
    Row(TOKEN, POST, "json", cross_origin="answers", hot=True, documented=True),
    Row(INTROSPECT, POST, "json", hot=True, documented=True),
    Row(REVOKE, POST, "json", cross_origin="answers", documented=True),
    Row(USERINFO, READ, "json", cross_origin="readings", documented=True),
    Row(JWKS, READ, "json", cross_origin="document", documented=True),
    Row(SERVER_METADATA, READ, "json", cross_origin="document", documented=True),
    Row(OPENID_METADATA, READ, "json", cross_origin="document", documented=True),
    Row(RESOURCE_METADATA, READ, "json", cross_origin="document", documented=True),
    # For integrators: the same, for programs and for people
    Row(OPENAPI, READ, "page", cross_origin="document", hot=True),
    Row(DOCUMENTATION, READ, "page", hot=True),
    # Pages
    Row(HOME, READ, "page"),
    *_forms(LOGIN),
    *_posts(LOGIN_CODE, LOGIN_PASSKEY, LOGIN_PASSKEY_ASKED, LOGOUT, LANGUAGE),
    *_forms(PASSWORD_FORGOTTEN, PASSWORD_NEW, INVITATION),
    *_pages(ACCOUNT, MACHINES, CONNECTIONS),
    Row(DISCONNECT, POST, "page"),
    *_forms(DISCONNECT_ALL, CONNECTION),
    Row(REPORT, POST, "page"),
    Row(REQUESTS, GET, "page"),
    *_forms(REQUEST),
    Row(PROFILE, GET, "page"),
    *_posts(CHANGE_NAME, CHANGE_TIME_ZONE, CHANGE_EMAIL, WITHDRAW_EMAIL, OWN_DATA, LEAVE, CLOSE_ACCOUNT),
    *_forms(EMAIL_LINK, REGISTER, SIGN_UP),
    Row(DEVELOPER, GET, "page"),
    *_forms(NEW_APPLICATION),
    *_pages(OWN_APPLICATION, OWNERS),
    *_posts(INVITE_OWNER, WITHDRAW_OWNER, REMOVE_OWNER),
    Row(CREDENTIALS, GET, "page"),
    *_posts(ROTATE_SECRET, RETIRE_SECRET, REPLACE_KEYS),
    Row(OWN_CONNECTIONS, GET, "page"),
    *_posts(ASK_CUSTOMER, WITHDRAW_REQUEST, RESEND_PICK_UP),
    *_forms(PICK_UP),
    *_pages(USAGE, USAGE_CSV, REFUSED_REQUEST, REFUSED_REQUESTS),
    *_forms(OWN_NOTICES, OWN_SETTINGS, PUBLISH),
    *_posts(WITHDRAW_PROPOSAL, DELETE_APPLICATION),
    Row(TRY, GET, "page"),
    *_posts(TRY_TOKEN, TRY_FLEET),
    *_pages(STAFF, REQUEST_QUEUE, REVIEWS, REVIEW),
    *_posts(STAFF_ROLE, STAFF_SWITCH, JUDGE_REQUEST, ENTER_REQUEST, REVIEW_APPROVE, REVIEW_REFUSE),
    *_forms(PROVE),
    Row(PEOPLE, GET, "page"),
    *_posts(
        RENAME_ACCOUNT,
        INVITE,
        RESEND_INVITATION,
        WITHDRAW_INVITATION,
        CHANGE_ROLE,
        REMOVE_MEMBER,
        LEAVE_ACCOUNT,
        TRANSFER_OWNERSHIP,
    ),
    Row(SECURITY, GET, "page"),
    *_posts(CHANGE_PASSWORD, END_SESSION, END_OTHER_SESSIONS),
    *_forms(AUTHENTICATOR),
    *_posts(
        AUTHENTICATOR_OFF,
        RECOVERY_CODES,
        PASSKEY_ADD,
        PASSKEY_ASKED,
        PASSKEY_NEW,
        PASSKEY_RENAME,
        PASSKEY_REMOVE,
    ),
    Row(LOGO, READ, "page"),
    Row(STATIC_FILES, READ, "page"),
    # The demo application and the mails, in development only
    Row(DEMO_CALLBACK, GET, "page"),
    *_posts(DEMO_TOKEN, DEMO_FLEET),
    Row(DEMO_MAIL, GET, "page"),
    # For those who run it
    Row(ALIVE, READ, "json", documented=True),
    Row(READY, READ, "json", documented=True),
    Row(VERSION, READ, "json", documented=True),
)

_FORMS = {row.path: row.errors for row in TABLE}
# Addresses that no row has, by their beginning.
_UNSERVED: dict[str, ErrorForm] = {
    API: "aemp",
    OAUTH: "json",
    WELL_KNOWN: "json",
    HEALTH: "json",
    VERSION: "json",
}
_ENDINGS_OF_PAGES = tuple(f"/{page.removeprefix(OAUTH)}" for page in (AUTHORIZE, CONSENT))


def error_form(path: str) -> ErrorForm:
    """The form of an error at an address, whether it is served or not."""
    return _FORMS.get(path) or _unserved_form(path)


def without_secret(path: str) -> str:
    """A path as a log may have it: a mailed link has its secret there."""
    return next((f"{beginning}..." for beginning in _BEFORE_SECRETS if path.startswith(beginning)), path)


_BEFORE_SECRETS = tuple({row.path.partition("{")[0] for row in TABLE if "{secret}" in row.path})


def is_aemp_1_2(path: str) -> bool:
    """Whether an address speaks the first version of the standard, which is XML only."""
    return path.lower().startswith((V1, FLEET_BEFORE_V1.lower()))


def _unserved_form(path: str) -> ErrorForm:
    # People follow a link to a page, also one with a segment or a slash too many.
    if path.startswith(OAUTH) and path.endswith(_ENDINGS_OF_PAGES):
        return "page"
    return next((form for beginning, form in _UNSERVED.items() if path.startswith(beginning)), "page")
