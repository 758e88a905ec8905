"""Authlib, as a strict application: PKCE, addresses by discovery, and tokens of an hour that are refreshed."""

import os

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from callback import ask_customer

ISSUER = os.environ["ISSUER"]

server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=30).json()


def store(token: dict[str, object], **_spent: str) -> None:
    """Authlib calls this after each refresh, its own included: the refresh token before is worth nothing now."""
    print(f"Refreshed: token for {token['expires_in']} s")


session = OAuth2Session(
    os.environ["CLIENT_ID"],
    os.environ["CLIENT_SECRET"],
    redirect_uri=os.environ["REDIRECT_URI"],
    code_challenge_method="S256",
    token_endpoint=server["token_endpoint"],
    update_token=store,
    default_timeout=30,
)

code_verifier = generate_token(48)
url, state = session.create_authorization_url(server["authorization_endpoint"], code_verifier=code_verifier)
came_back_to = ask_customer(url)

token = session.fetch_token(authorization_response=came_back_to, state=state, code_verifier=code_verifier)
print(f"Connected: token for {token['expires_in']} s, scope {token['scope']}")

session.refresh_token()  # done by itself when the hour is over

fleet = session.get(f"{ISSUER}/api/v2/Fleet/1", headers={"Accept": "application/json"})
fleet.raise_for_status()
print("Machines:", len(fleet.json()["Equipment"]))

access_token, refresh_token = session.token["access_token"], session.token["refresh_token"]
described = session.introspect_token(server["introspection_endpoint"], token=access_token).json()
print("Introspected: ends at", described["exp"])

# Only when the customer leaves you. The refresh token takes all that came from this approval along.
session.revoke_token(server["revocation_endpoint"], token=refresh_token).raise_for_status()
print("Revoked")
