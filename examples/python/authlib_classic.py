"""Authlib, as a classic application: one token that lives for years."""

import os

from authlib.integrations.requests_client import OAuth2Session
from callback import ask_customer

ISSUER = os.environ["ISSUER"]

session = OAuth2Session(
    os.environ["CLIENT_ID"],
    os.environ["CLIENT_SECRET"],
    redirect_uri=os.environ["REDIRECT_URI"],
    token_endpoint_auth_method="client_secret_post",
    default_timeout=30,
)

url, state = session.create_authorization_url(f"{ISSUER}/app/oauth2/authorize")
came_back_to = ask_customer(url)

token = session.fetch_token(f"{ISSUER}/app/oauth2/token", authorization_response=came_back_to, state=state)
print(f"Connected: token for {token['expires_in']} s, scope {token['scope']}")

fleet = session.get(f"{ISSUER}/api/v2/Fleet/1", headers={"Accept": "application/json"})
fleet.raise_for_status()
print("Machines:", len(fleet.json()["Equipment"]))

described = session.introspect_token(f"{ISSUER}/app/oauth2/introspect", token=token["access_token"]).json()
print("Introspected: ends at", described["exp"])

# Only when the customer leaves you: a classic token is kept and used for years.
session.revoke_token(f"{ISSUER}/app/oauth2/revoke", token=token["access_token"]).raise_for_status()
print("Revoked")
