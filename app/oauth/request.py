"""Requests at the endpoints: each kind is read once into one frozen value."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from app.oauth.assertion import ClientAssertion, parse_assertion
from app.oauth.bounds import (
    LARGEST_FORM,
    LONGEST_AUTHORIZATION,
    LONGEST_CONTENT_TYPE,
    LONGEST_STATE,
    MOST_FIELDS,
)
from app.oauth.errors import (
    OAuthError,
    authorization_too_long,
    invalid_client,
    invalid_request,
    refused_link,
    request_object_refused,
    unsupported_response_type,
)
from app.oauth.parameters import Parameters, check_wellformed, decode, parse_form, parse_query
from app.oauth.token_string import LegacyToken, TokenString, is_client_secret, recognise, secret_digest
from app.sentence import Sentence

FORM_TYPE = "application/x-www-form-urlencoded"  # as nearly everybody writes it
# RFC 9110 section 5.6.6: parameters, and a semicolon without one. Possessive, so that no blank is tried in two places.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_FORM = re.compile(
    rf'application/x-www-form-urlencoded[ \t]*+(?:;[ \t]*+(?:{_TOKEN}++=(?:{_TOKEN}++|"[^"\\]*+"))?+[ \t]*+)*+',
    re.IGNORECASE,
)
# RFC 6749 asks for UTF-8 whatever the type says, and libraries name their platform's charset. In these ASCII is itself.
_OTHER_CHARSET = re.compile(
    r';[ \t]*+charset="?+(?!(?:utf-?8|(?:us-)?ascii|(?:iso-8859|windows-125|latin-?)[0-9-]*+)"?+[ \t]*+(?:;|$))',
    re.IGNORECASE,
)

# What no grant spends, and what holds no secret.
_REPEATED = frozenset(("grant_type", "client_id", "scope", "resource"))

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


@dataclass(slots=True)  # not frozen, as a token string
class Credentials:
    """The caller's claim, and the secret or assertion it offers for that (RFC 6749 section 2.3); nothing is proved."""

    client_id: str | None
    secret_digest: bytes | None = field(repr=False)  # a secret of ours itself goes no further than this file
    method: AuthMethod
    assertion: ClientAssertion | None = None
    # A secret that is not spelt like ours, and as it was sent in a Basic header where decoding it makes a difference.
    former_secret: str | None = field(default=None, repr=False, compare=False)
    secret_as_sent: str | None = field(default=None, repr=False, compare=False)

    def read_as_sent(self) -> "Credentials | None":
        """The same with the secret as it was sent, since many programs encode nothing; None where both are alike."""
        if self.secret_as_sent is None:
            return None
        return _of_secret(self.client_id, self.secret_as_sent, self.method)


@dataclass(slots=True)  # not frozen, as a token string
class TokenRequest:
    """A request to the token endpoint (RFC 6749 section 3.2). Its repr is safe to log."""

    grant_type: str | None
    credentials: Credentials
    scope: str | None
    resource: str | None
    parameters: Mapping[str, str] = field(repr=False)  # all of them but secrets; the grant knows its own

    @classmethod
    def parse(cls, content_type: str | None, body: bytes, authorization: str | None) -> Self:
        """Read the body and the Authorization header; the query is not even passed, so nothing in it counts.

        Raises invalid_request or invalid_client when they cannot be read one way only.
        """
        form = _read_form(content_type, body)
        credentials = _read_credentials(authorization, form)
        parameters = dict(form)
        parameters.pop("client_secret", None)  # it goes no further
        return cls(form.get("grant_type"), credentials, form.get("scope"), form.get("resource"), parameters)

    @property
    def repeats(self) -> bool:
        """Whether the same bytes may well come again: they hold nothing but what is sent with every request."""
        return self.parameters.keys() <= _REPEATED and self.credentials.former_secret is None


@dataclass(slots=True)  # not frozen, as a token string
class TokenQuery:
    """A question about a token (RFC 7662 section 2.1) or its end (RFC 7009 section 2.1). Its repr is safe to log.

    token: None for a string that begins like ours and is none.
    """

    token: TokenString | LegacyToken | None
    token_type_hint: str | None
    credentials: Credentials

    @classmethod
    def parse(cls, content_type: str | None, body: bytes, authorization: str | None) -> Self:
        """As a token request. Raises invalid_request when no token is sent."""
        form = _read_form(content_type, body)
        credentials = _read_credentials(authorization, form)
        if "token" not in form:
            raise invalid_request("token is missing")
        return cls(recognise(form["token"]), form.get("token_type_hint"), credentials)

    @property
    def repeats(self) -> bool:
        """As of a token request."""
        return self.credentials.assertion is None and self.credentials.former_secret is None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request to the authorization endpoint (RFC 6749 section 4.1.1), good enough to look its application up.

    Faults that may travel by redirect wait in `repeated` and `malformed` for `check`, until the redirect URI is proved.
    """

    client_id: str
    redirect_uri: str | None
    response_type: str | None
    response_mode: str | None
    state: str | None = field(repr=False)
    scope: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    resource: str | None
    authorization_details: str | None = field(repr=False)
    request: str | None
    request_uri: str | None
    repeated: frozenset[str]
    malformed: frozenset[str]

    @classmethod
    def parse(cls, raw_query: bytes) -> Self:
        """Read the query. Raises PageError when it does not say clearly who asks and where the answer goes."""
        parameters = _read_query(raw_query)
        values, malformed = parameters.values, parameters.malformed
        state = values.get("state")
        if state is not None and len(state.encode()) > LONGEST_STATE:
            # Half a state is worse than none: it would be compared, and differ.
            state, malformed = None, malformed | {"state"}
        return cls(
            client_id=values["client_id"],
            redirect_uri=values.get("redirect_uri"),
            response_type=values.get("response_type"),
            response_mode=values.get("response_mode"),
            state=state,
            scope=values.get("scope"),
            code_challenge=values.get("code_challenge"),
            code_challenge_method=values.get("code_challenge_method"),
            resource=values.get("resource"),
            authorization_details=values.get("authorization_details"),
            request=values.get("request"),
            request_uri=values.get("request_uri"),
            repeated=parameters.repeated,
            malformed=malformed,
        )


def check(request: AuthorizationRequest, *, strict: bool) -> None:
    """Judge the request's form, once its redirect URI is proved. Raises OAuthError when something is wrong with it."""
    check_wellformed(request.repeated, request.malformed)
    # To ignore a request object would be to approve something else than was asked.
    if request.request is not None:
        raise request_object_refused("request")
    if request.request_uri is not None:
        raise request_object_refused("request_uri")
    response_type_of(request, strict=strict)
    if request.response_mode not in (None, "query"):
        raise unsupported_response_type("the only response mode is query")


def response_type_of(request: AuthorizationRequest, *, strict: bool) -> Literal["code"]:
    """The response type asked for; the documented classic request leaves it out and means code.

    Raises invalid_request when a strict request leaves it out, unsupported_response_type when it is another.
    """
    if request.response_type is None and strict:
        raise invalid_request("response_type is missing")
    if request.response_type not in (None, "code"):
        raise unsupported_response_type()
    return "code"


def _read_form(content_type: str | None, body: bytes) -> Mapping[str, str]:
    if not body:
        raise invalid_request("the body is empty")
    if content_type != FORM_TYPE and not _is_form(content_type or ""):
        raise invalid_request("the body must be application/x-www-form-urlencoded", status=415)
    return parse_form(body)


def _is_form(content_type: str) -> bool:
    if len(content_type) > LONGEST_CONTENT_TYPE or not _FORM.fullmatch(content_type):
        return False
    return not _OTHER_CHARSET.search(content_type)


def _read_query(raw_query: bytes) -> Parameters:
    try:
        parameters = parse_query(raw_query)
    except OAuthError as error:
        raise refused_link(
            Sentence(
                "It has more than %(longest)s characters, or more than %(most)s parts.",
                longest=str(LARGEST_FORM),
                most=str(MOST_FIELDS),
            )
        ) from error
    if not {"client_id", "redirect_uri"}.isdisjoint(parameters.repeated | parameters.malformed):
        raise refused_link(
            Sentence("It does not say clearly which application asks, or where the answer goes.")
        )
    if "client_id" not in parameters.values:
        raise refused_link(Sentence("It does not say which application asks."))
    return parameters


def _read_credentials(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    client_id, client_secret = form.get("client_id"), form.get("client_secret")
    if "client_assertion" in form or "client_assertion_type" in form:
        return _read_assertion(authorization, form)
    if authorization is None:
        if client_secret is None:
            return Credentials(client_id, None, "none")
        return _of_secret(client_id, client_secret, "client_secret_post")
    credentials = _read_basic(authorization)
    # RFC 6749 section 2.3: one method per request. An application named twice must at least be the same one.
    if client_secret is not None or client_id not in (None, credentials.client_id):
        raise invalid_request("authenticate in the Authorization header or in the body, not in both")
    return credentials


def _read_assertion(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    if authorization is not None or "client_secret" in form:
        raise invalid_request("authenticate by an assertion or by a secret, not by both")
    assertion = parse_assertion(form.get("client_assertion_type"), form.get("client_assertion"))
    # RFC 7521 section 4.2: client_id is not needed beside it, and names the same application where it is sent.
    if form.get("client_id", assertion.unverified_client_id) != assertion.unverified_client_id:
        raise invalid_client("client_id is another than the assertion's")
    return Credentials(assertion.unverified_client_id, None, "private_key_jwt", assertion)


def _read_basic(authorization: str) -> Credentials:
    if len(authorization) > LONGEST_AUTHORIZATION:
        raise authorization_too_long()
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("the Authorization scheme is not Basic")
    try:
        raw_id, colon, raw_secret = b64decode(encoded.strip(" "), validate=True).partition(b":")
    except (binascii.Error, ValueError) as error:
        raise invalid_client("the Basic credentials are not base64") from error
    # RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. Ours look the same either way.
    client_id, client_secret = decode(raw_id), decode(raw_secret)
    if not colon or not client_id or client_secret is None:
        raise invalid_client("the Basic credentials are malformed")
    # An empty secret is none, as in a form: libraries send their id this way for applications without a secret.
    if not client_secret:
        return Credentials(client_id, None, "none")
    credentials = _of_secret(client_id, client_secret, "client_secret_basic")
    if credentials.former_secret is not None and (b"%" in raw_secret or b"+" in raw_secret):
        credentials.secret_as_sent = raw_secret.decode()  # decoded it is UTF-8, so it was before
    return credentials


def _of_secret(client_id: str | None, secret: str, method: AuthMethod) -> Credentials:
    # Only a former system kept anything but the digest, and only its secret must be hashed once more.
    former = None if is_client_secret(secret) else secret
    return Credentials(client_id, secret_digest(secret), method, None, former)
