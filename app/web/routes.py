"""Every row of the table of addresses with its handler, on one screen."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.routing import Mount

from app.web import health, paths
from app.web.api import aemp, telemetry
from app.web.cross_origin import READABLE, READINGS, preflight, preflight_of_reading
from app.web.developer import (
    applications,
    connections,
    credentials,
    new,
    notices,
    owners,
    pick_up,
    publish,
    quick_start,
    refused_requests,
    register,
    settings,
    try_out,
    usage,
)
from app.web.oauth.introspect import introspect
from app.web.oauth.jwks import jwks
from app.web.oauth.metadata import openid_metadata, resource_metadata, server_metadata
from app.web.oauth.revoke import revoke
from app.web.oauth.token import token
from app.web.oauth.userinfo import userinfo
from app.web.pages import (
    account,
    account_home,
    account_notices,
    answer_request,
    authenticator,
    connection,
    consent,
    demo,
    demo_mail,
    disconnect_all,
    email_link,
    invitation,
    invite,
    login,
    passkey_login,
    passkey_proof,
    passkeys,
    password,
    people,
    profile,
    prove,
    report,
    request_queue,
    reviews,
    security,
    staff,
)
from app.web.pages.home import home
from app.web.pages.language import submit_language
from app.web.pages.logo import logo
from app.web.pages.static_files import PageFiles
from app.web.reference.docs import docs
from app.web.reference.document import openapi
from app.web.table import GET, POST, READ, TABLE, Methods

HANDLERS: dict[tuple[str, Methods], Callable[..., Any]] = {
    # OAuth2
    (paths.AUTHORIZE, GET): consent.authorize,
    (paths.AUTHORIZE, POST): consent.authorize_by_post,
    (paths.CONSENT, POST): consent.submit_consent,
    (paths.TOKEN, POST): token,
    (paths.INTROSPECT, POST): introspect,
    (paths.REVOKE, POST): revoke,
    (paths.USERINFO, READ): userinfo,
    (paths.JWKS, READ): jwks,
    (paths.SERVER_METADATA, READ): server_metadata,
    (paths.OPENID_METADATA, READ): openid_metadata,
    (paths.RESOURCE_METADATA, READ): resource_metadata,
    # AEMP
    (paths.FLEET_BEFORE_V1_ROUTE, READ): aemp.read_v1,
    (paths.BELOW_FLEET_BEFORE_V1, READ): aemp.read_v1,
    (paths.FLEET_V1_ROUTE, READ): aemp.read_v1,
    (paths.BELOW_FLEET_V1, READ): aemp.read_v1,
    (paths.FLEET_V2_ROUTE, READ): aemp.read_v2,
    (paths.BELOW_FLEET_V2, READ): aemp.read_v2,
    (paths.TELEMETRY, POST): telemetry.write,
    # For integrators
    (paths.OPENAPI, READ): openapi,
    (paths.DOCUMENTATION, READ): docs,
    # Pages
    (paths.HOME, READ): home,
    (paths.LOGIN, GET): login.login,
    (paths.LOGIN, POST): login.submit_login,
    (paths.LOGIN_CODE, POST): login.submit_code,
    (paths.LOGIN_PASSKEY, POST): passkey_login.submit_passkey,
    (paths.LOGIN_PASSKEY_ASKED, POST): passkey_login.ask,
    (paths.LOGOUT, POST): login.submit_logout,
    (paths.LANGUAGE, POST): submit_language,
    (paths.PASSWORD_FORGOTTEN, GET): password.forgotten,
    (paths.PASSWORD_FORGOTTEN, POST): password.submit_forgotten,
    (paths.PASSWORD_NEW, GET): password.new_password,
    (paths.PASSWORD_NEW, POST): password.submit_new_password,
    (paths.INVITATION, GET): invitation.invitation,
    (paths.INVITATION, POST): invitation.submit_invitation,
    (paths.ACCOUNT, GET): account_home.account_home,
    (paths.MACHINES, GET): account.machines,
    (paths.CONNECTIONS, GET): account.connections,
    (paths.DISCONNECT, POST): account.submit_disconnect,
    (paths.DISCONNECT_ALL, GET): disconnect_all.disconnect_all,
    (paths.DISCONNECT_ALL, POST): disconnect_all.submit_disconnect_all,
    (paths.CONNECTION, GET): connection.connection,
    (paths.CONNECTION, POST): connection.submit_terms,
    (paths.REPORT, POST): report.submit_report,
    (paths.REQUESTS, GET): answer_request.requests,
    (paths.REQUEST, GET): answer_request.request_page,
    (paths.REQUEST, POST): answer_request.submit_answer,
    (paths.PROFILE, GET): profile.profile,
    (paths.CHANGE_NAME, POST): profile.submit_name,
    (paths.CHANGE_TIME_ZONE, POST): profile.submit_time_zone,
    (paths.CHOOSE_NOTICES, POST): account_notices.submit_notices,
    (paths.CHANGE_EMAIL, POST): profile.submit_email,
    (paths.WITHDRAW_EMAIL, POST): profile.submit_withdrawal,
    (paths.OWN_DATA, POST): profile.submit_own_data,
    (paths.LEAVE, POST): profile.submit_leave,
    (paths.CLOSE_ACCOUNT, POST): profile.submit_close,
    (paths.EMAIL_LINK, GET): email_link.email_link,
    (paths.EMAIL_LINK, POST): email_link.submit_email_link,
    (paths.REGISTER, GET): register.register,
    (paths.REGISTER, POST): register.submit_register,
    (paths.SIGN_UP, GET): register.sign_up,
    (paths.SIGN_UP, POST): register.submit_sign_up,
    (paths.DEVELOPER, GET): applications.applications,
    (paths.NEW_APPLICATION, GET): new.new_application,
    (paths.NEW_APPLICATION, POST): new.submit_new,
    (paths.OWN_APPLICATION, GET): quick_start.quick_start,
    (paths.CONNECT_TEST_CUSTOMER, POST): quick_start.submit_test_customer,
    (paths.OWNERS, GET): owners.owners,
    (paths.INVITE_OWNER, POST): owners.submit_invitation,
    (paths.WITHDRAW_OWNER, POST): owners.submit_withdrawal,
    (paths.REMOVE_OWNER, POST): owners.submit_removal,
    (paths.CREDENTIALS, GET): credentials.credentials,
    (paths.ROTATE_SECRET, POST): credentials.submit_rotation,
    (paths.RETIRE_SECRET, POST): credentials.submit_retirement,
    (paths.REPLACE_KEYS, POST): credentials.submit_keys,
    (paths.USAGE, GET): usage.usage,
    (paths.USAGE_CSV, GET): usage.usage_csv,
    (paths.REFUSED_REQUEST, GET): refused_requests.find,
    (paths.REFUSED_REQUESTS, GET): refused_requests.refused_requests,
    (paths.OWN_CONNECTIONS, GET): connections.connections,
    (paths.ASK_CUSTOMER, POST): connections.submit_ask,
    (paths.WITHDRAW_REQUEST, POST): connections.submit_withdraw,
    (paths.RESEND_PICK_UP, POST): connections.submit_resend,
    (paths.PICK_UP, GET): pick_up.pick_up,
    (paths.PICK_UP, POST): pick_up.submit_pick_up,
    (paths.OWN_NOTICES, GET): notices.notices,
    (paths.OWN_NOTICES, POST): notices.submit_notices,
    (paths.OWN_SETTINGS, GET): settings.settings,
    (paths.OWN_SETTINGS, POST): settings.submit_settings,
    (paths.PUBLISH, GET): publish.publish,
    (paths.PUBLISH, POST): publish.submit_hand_in,
    (paths.WITHDRAW_PROPOSAL, POST): publish.submit_withdrawal,
    (paths.DELETE_APPLICATION, POST): publish.submit_deletion,
    (paths.TRY, GET): try_out.callback,
    (paths.TRY_TOKEN, POST): try_out.fetch_token,
    (paths.TRY_FLEET, POST): try_out.read_fleet,
    (paths.STAFF, GET): staff.staff,
    (paths.STAFF_ROLE, POST): staff.submit_role,
    (paths.STAFF_SWITCH, POST): staff.submit_switch,
    (paths.REQUEST_QUEUE, GET): request_queue.queue,
    (paths.JUDGE_REQUEST, POST): request_queue.submit_judgement,
    (paths.ENTER_REQUEST, POST): request_queue.submit_entry,
    (paths.REVIEWS, GET): reviews.reviews,
    (paths.REVIEW, GET): reviews.review,
    (paths.REVIEW_APPROVE, POST): reviews.submit_approval,
    (paths.REVIEW_REFUSE, POST): reviews.submit_refusal,
    (paths.PROVE, GET): prove.prove,
    (paths.PROVE, POST): prove.submit_prove,
    (paths.PEOPLE, GET): people.people,
    (paths.RENAME_ACCOUNT, POST): people.submit_name,
    (paths.INVITE, POST): invite.submit_invite,
    (paths.RESEND_INVITATION, POST): invite.submit_resend,
    (paths.WITHDRAW_INVITATION, POST): invite.submit_withdraw,
    (paths.CHANGE_ROLE, POST): people.submit_role,
    (paths.REMOVE_MEMBER, POST): people.submit_remove,
    (paths.LEAVE_ACCOUNT, POST): people.submit_leave,
    (paths.TRANSFER_OWNERSHIP, POST): people.submit_transfer,
    (paths.SECURITY, GET): security.security,
    (paths.CHANGE_PASSWORD, POST): security.submit_password,
    (paths.END_SESSION, POST): security.submit_end_session,
    (paths.END_OTHER_SESSIONS, POST): security.submit_end_others,
    (paths.AUTHENTICATOR, GET): authenticator.set_up,
    (paths.AUTHENTICATOR, POST): authenticator.submit_set_up,
    (paths.AUTHENTICATOR_OFF, POST): authenticator.submit_off,
    (paths.RECOVERY_CODES, POST): authenticator.submit_renewal,
    (paths.PASSKEY_ADD, POST): passkeys.submit_begin,
    (paths.PASSKEY_ASKED, POST): passkey_proof.ask,
    (paths.PASSKEY_NEW, POST): passkeys.submit_new,
    (paths.PASSKEY_RENAME, POST): passkeys.submit_rename,
    (paths.PASSKEY_REMOVE, POST): passkeys.submit_remove,
    (paths.LOGO, READ): logo,
    (paths.STATIC_FILES, READ): PageFiles(),
    # The demo application and the mails
    (paths.DEMO_CALLBACK, GET): demo.callback,
    (paths.DEMO_TOKEN, POST): demo.fetch_token,
    (paths.DEMO_FLEET, POST): demo.call_api,
    (paths.DEMO_MAIL, GET): demo_mail.mails,
    # For those who run it
    (paths.ALIVE, READ): health.alive,
    (paths.READY, READ): health.ready,
    (paths.VERSION, READ): health.version,
}

router = APIRouter()

for row in TABLE:
    handler = HANDLERS[row.path, row.methods]
    if isinstance(handler, PageFiles):  # many files below one address
        router.routes.append(Mount(row.path, handler))
    else:
        router.add_api_route(row.path, handler, methods=[*row.methods])
for readable in sorted(READABLE):
    router.add_api_route(readable, preflight, methods=["OPTIONS"])
for reading in sorted(READINGS):
    router.add_api_route(reading, preflight_of_reading, methods=["OPTIONS"])
