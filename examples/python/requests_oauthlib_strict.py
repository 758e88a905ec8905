"""requests-oauthlib, as a strict application: PKCE, and tokens of an hour that are refreshed."""

import os

import requests
from callback import ask_customer
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_STRICT_TOKEN_TYPE"] = "1"  # an answer without token_type is refused
if os.environ["ISSUER"].startswith("http://"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # a service of your own, in development

ISSUER = os.environ["ISSUER"]
AUTH = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])

session = OAuth2Session(AUTH[0], redirect_uri=os.environ["REDIRECT_URI"], scope=["aemp:read"], pkce="S256")

url, _ = session.authorization_url(f"{ISSUER}/app/oauth2/authorize")
came_back_to = ask_customer(url)

token_endpoint = f"{ISSUER}/app/oauth2/token"
token = session.fetch_token(token_endpoint, authorization_response=came_back_to, auth=AUTH, timeout=30)
print(f"Connected: token for {token['expires_in']} s, scope {' '.join(token['scope'])}")

# Store the new pair at once: the refresh token before it is worth nothing now.
token = session.refresh_token(token_endpoint, auth=AUTH, timeout=30)
print(f"Refreshed: token for {token['expires_in']} s")

fleet = session.get(f"{ISSUER}/api/v2/Fleet/1", headers={"Accept": "application/json"}, timeout=30)
fleet.raise_for_status()
print("Machines:", len(fleet.json()["Equipment"]))

# The library neither introspects nor revokes; requests alone does.
fields = {"token": token["access_token"], "token_type_hint": "access_token"}
described = requests.post(f"{ISSUER}/app/oauth2/introspect", fields, auth=AUTH, timeout=30).json()
print("Introspected: ends at", described["exp"])

# Only when the customer leaves you. The refresh token takes all that came from this approval along.
fields = {"token": token["refresh_token"], "token_type_hint": "refresh_token"}
requests.post(f"{ISSUER}/app/oauth2/revoke", fields, auth=AUTH, timeout=30).raise_for_status()
print("Revoked")
