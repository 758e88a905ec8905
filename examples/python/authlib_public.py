"""Authlib, as a public application on a person's own device: no secret, PKCE, a callback on any free port."""

import os

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from callback import ask_customer

ISSUER = os.environ["ISSUER"]

server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=30).json()

session = OAuth2Session(
    os.environ["CLIENT_ID"],
    redirect_uri=os.environ["REDIRECT_URI"],
    code_challenge_method="S256",
    token_endpoint=server["token_endpoint"],
    default_timeout=30,
)

code_verifier = generate_token(48)
url, state = session.create_authorization_url(server["authorization_endpoint"], code_verifier=code_verifier)
came_back_to = ask_customer(url)

token = session.fetch_token(authorization_response=came_back_to, state=state, code_verifier=code_verifier)
print(f"Connected: token for {token['expires_in']} s, scope {token['scope']}")

token = session.refresh_token()
print(f"Refreshed: token for {token['expires_in']} s")

fleet = session.get(f"{ISSUER}/api/v2/Fleet/1", headers={"Accept": "application/json"})
fleet.raise_for_status()
print("Machines:", len(fleet.json()["Equipment"]))

# Introspection is for those who can prove who they are, so it is not for public applications.
session.revoke_token(server["revocation_endpoint"], token=token["refresh_token"]).raise_for_status()
print("Revoked")
