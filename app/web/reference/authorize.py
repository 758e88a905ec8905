"""The authorization endpoint: a page for the customer, and the answer that comes back to the application."""

from urllib.parse import quote

from app.oauth.bounds import LONGEST_STATE
from app.oauth.errors import OAuthError, unsupported_response_type
from app.oauth.fleet_details import NARROWED_SCOPE, PARAMETER, unknown_type
from app.oauth.scope import DEFAULT_SCOPE, offered_scopes, refused_scope
from app.policy import audience_of
from app.web.error_pages import error_uri
from app.web.paths import AUTHORIZE
from app.web.reference import details, examples
from app.web.reference.notation import Json, answer, example, page_content
from app.web.reference.schemas import CHALLENGE_PATTERN, CODE_PATTERN

_REFUSED = unsupported_response_type()
_SCOPE_REFUSED = refused_scope("fleet:write")
_DETAILS_REFUSED = unknown_type()


def _query(name: str, description: str, schema: Json, *, required: bool = False, **more: object) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
        **more,
    }


def _parameters(issuer: str) -> list[Json]:
    return [*_first(), *_later(issuer)]


def _first() -> list[Json]:
    """The parameters of RFC 6749."""
    text: Json = {"type": "string"}
    return [
        _query("client_id", "Your client id, from registration.", text, required=True)
        | {"example": examples.CLIENT_ID},
        _query(
            "state",
            f"It comes back byte for byte, and has at most {LONGEST_STATE} bytes. Make it unguessable and keep it in the "
            "customer's session. It tells you that the answer belongs to the customer you sent.",
            {**text, "maxLength": LONGEST_STATE},
            example=examples.STATE,
        ),
        _query(
            "redirect_uri",
            "One of your registered addresses, compared letter by letter. You may leave it out when there is only one.",
            {**text, "format": "uri"},
            example=examples.REDIRECT_URI,
        ),
        _query(
            "response_type",
            "It may be left out. Strict applications always send it.",
            {**text, "enum": ["code"], "default": "code"},
        ),
        _query(
            "scope", "It may be left out.", {**text, "enum": list(offered_scopes()), "default": DEFAULT_SCOPE}
        ),
    ]


def _later(issuer: str) -> list[Json]:
    """The parameters of other documents."""
    text: Json = {"type": "string"}
    return [
        _query(
            "code_challenge",
            "The base64url SHA-256 of a `code_verifier` that you send with the code (PKCE, RFC 7636). It is recommended, "
            "and required for strict applications.",
            {**text, "pattern": CHALLENGE_PATTERN},
        ),
        _query("code_challenge_method", "Required with `code_challenge`.", {**text, "enum": ["S256"]}),
        _query(
            "resource",
            "RFC 8707. There is one API, so it may be left out.",
            {**text, "enum": [audience_of(issuer)]},
        ),
        _query(
            PARAMETER,
            "RFC 9396, in JSON: machines, history and an end that the consent page begins with. The customer may change all of "
            f"it. It goes with the scope `{NARROWED_SCOPE}`. You never hear whether a machine that you named is the customer's.",
            details.PARAMETER,
        ),
        _query("response_mode", "It may be left out.", {**text, "enum": ["query"], "default": "query"}),
    ]


def _location(issuer: str, error: OAuthError) -> str:
    answered = {
        "error": error.code,
        "error_description": error.what,
        "error_uri": str(error_uri(issuer, error.code)),
        "state": examples.STATE,
        "iss": issuer,
    }
    return f"{examples.REDIRECT_URI}?" + "&".join(
        f"{name}={quote(value, safe='')}" for name, value in answered.items()
    )


def _refused(issuer: str) -> Json:
    return {
        "unsupported_response_type": example("`response_type` is not `code`.", _location(issuer, _REFUSED)),
        "invalid_scope": example(
            "`scope` names something that the application may not ask for.",
            _location(issuer, _SCOPE_REFUSED),
        ),
        "invalid_authorization_details": example(
            "`authorization_details` is not what we take.",
            _location(issuer, _DETAILS_REFUSED),
        ),
    }


def _responses(issuer: str) -> Json:
    return {
        "200": answer(
            "The sign-in page or, for a signed-in customer, the consent page. It is always shown, even when the application "
            "was connected before.",
            page_content("For the customer's browser."),
        ),
        "303": {
            "description": "The request is refused, and your address receives the reason.",
            "headers": {
                "Location": {
                    "description": "Your `redirect_uri` with `error`, `error_description`, `error_uri`, `state` and `iss`.",
                    "schema": {"type": "string", "format": "uri"},
                    "examples": _refused(issuer),
                }
            },
        },
        "400": answer(
            "`client_id` is unknown, or `redirect_uri` is not registered for it. Our error page tells the customer. Nothing "
            "is ever sent to an address that is not yours.",
            page_content("For the customer's browser."),
        ),
        "503": answer(
            "Our database is unavailable. Once `redirect_uri` is verified, this too comes by redirect, as "
            "`error=temporarily_unavailable`.",
            page_content("For the customer's browser."),
            headers={"Retry-After": "RetryAfter"},
        ),
    }


def _comes_back(issuer: str) -> Json:
    """What the customer's browser brings to the application's address, as OpenAPI's callback."""
    text: Json = {"type": "string"}
    return {
        "summary": "The customer's browser comes back to your address",
        "description": "Compare `state` with the one in the session, and `iss` with ours. Stop if either differs.",
        "parameters": [
            _query(
                "code",
                "The customer approved. The code lives 60 seconds and works once. A second use revokes the tokens that "
                "came from it.",
                {**text, "pattern": CODE_PATTERN},
                example=examples.CODE,
            ),
            _query(
                "error",
                "The customer did not approve (`access_denied`), or the request was refused.",
                {**text, "pattern": "^[a-z_]+$"},
            ),
            _query("error_description", "Explains `error`, for your log.", text),
            _query("error_uri", "A page about `error`.", {**text, "format": "uri"}),
            _query("state", "The `state` that you sent.", text, example=examples.STATE),
            _query("iss", "The issuer that answers (RFC 9207).", {**text, "const": issuer}, required=True),
        ],
        "responses": {"200": {"description": "Your own page. You decide what it answers."}},
    }


def _get(issuer: str) -> Json:
    return {
        "operationId": "authorize",
        "tags": ["connect"],
        "summary": "Send the customer to approve",
        "description": "Link or redirect the customer's browser here. The customer signs in, sees your name, company, "
        "logo and what you ask for, and decides. Then the browser comes back to your `redirect_uri`.",
        "security": [],
        "parameters": _parameters(issuer),
        "responses": _responses(issuer),
        "callbacks": {"answer": {"{$request.query.redirect_uri}": {"get": _comes_back(issuer)}}},
    }


def _post(issuer: str) -> Json:
    fields = {
        each["name"]: {**each["schema"], "description": each["description"]} for each in _parameters(issuer)
    }
    asked = {
        "client_id": examples.CLIENT_ID,
        "state": examples.STATE,
        "redirect_uri": examples.REDIRECT_URI,
    }
    form = {
        "schema": {"type": "object", "required": ["client_id"], "properties": fields},
        "examples": {"documented": example("Three fields", asked)},
    }
    too_large = answer(
        "The request would be longer than 8 KiB as a link.", page_content("For the customer's browser.")
    )
    return {
        "operationId": "authorizeByPost",
        "tags": ["connect"],
        "summary": "Send the customer by a form",
        "description": "The same request in a body. It continues as `GET` with the same parameters.",
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": form}},
        "responses": {
            "303": {
                "description": "Leads to the same request by `GET`.",
                "headers": {"Location": {"schema": {"type": "string"}}},
            },
            "413": too_large,
        },
    }


def paths(issuer: str) -> Json:
    return {AUTHORIZE: {"get": _get(issuer), "post": _post(issuer)}}
