"""The Flask application: grant, introspection endpoint and resource protector as Authlib's "Flask OAuth 2.0 Server"."""

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.integrations.sqla_oauth2 import (
    create_bearer_token_validator,
    create_query_client_func,
    create_query_token_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant as _AuthorizationCodeGrant
from authlib.oauth2.rfc7662 import IntrospectionEndpoint as _IntrospectionEndpoint
from flask import Flask, Response, jsonify
from models import OAuth2AuthorizationCode, OAuth2Client, OAuth2Token, User, session

_YEAR_S = 365 * 24 * 3600

_find_token = create_query_token_func(session, OAuth2Token)


class AuthorizationCodeGrant(_AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)

    def query_authorization_code(self, code: str, client: OAuth2Client) -> OAuth2AuthorizationCode | None:
        found = (
            session.query(OAuth2AuthorizationCode).filter_by(code=code, client_id=client.client_id).first()
        )
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code: OAuth2AuthorizationCode) -> None:
        session.delete(authorization_code)
        session.commit()

    def authenticate_user(self, authorization_code: OAuth2AuthorizationCode) -> User | None:
        return session.get(User, authorization_code.user_id)


class IntrospectionEndpoint(_IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = ("client_secret_post",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> OAuth2Token | None:
        return _find_token(token_string, token_type_hint)

    def check_permission(self, token: OAuth2Token, client: OAuth2Client, request: Any) -> bool:  # noqa: ARG002
        return token.client_id == client.client_id

    def introspect_token(self, token: OAuth2Token) -> dict[str, Any]:
        return {
            "active": True,
            "client_id": token.client_id,
            "token_type": token.token_type,
            "scope": token.get_scope(),
            "sub": str(token.user_id),
            "exp": token.issued_at + token.expires_in,
            "iat": token.issued_at,
        }


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": _YEAR_S}
    server = AuthorizationServer(
        app, create_query_client_func(session, OAuth2Client), create_save_token_func(session, OAuth2Token)
    )
    server.register_grant(AuthorizationCodeGrant)
    server.register_endpoint(IntrospectionEndpoint)
    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(create_bearer_token_validator(session, OAuth2Token)())

    @app.post("/token")
    def token() -> Response:
        return server.create_token_response()

    @app.post("/introspect")
    def introspect() -> Response:
        return server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME)

    @app.get("/page")
    @require_oauth("aemp:read")
    def page() -> Response:
        return jsonify(account=current_token.user_id)

    @app.get("/alive")
    def alive() -> str:
        return ""

    @app.teardown_appcontext
    def release(_error: BaseException | None) -> None:
        session.remove()

    return app
