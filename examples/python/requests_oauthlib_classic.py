"""requests-oauthlib, as a classic application: one token that lives for years."""

import os

import requests
from callback import ask_customer
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_STRICT_TOKEN_TYPE"] = "1"  # an answer without token_type is refused
if os.environ["ISSUER"].startswith("http://"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # a service of your own, in development

ISSUER = os.environ["ISSUER"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]

session = OAuth2Session(os.environ["CLIENT_ID"], redirect_uri=os.environ["REDIRECT_URI"])

url, _ = session.authorization_url(f"{ISSUER}/app/oauth2/authorize")
came_back_to = ask_customer(url)

token = session.fetch_token(
    f"{ISSUER}/app/oauth2/token",
    authorization_response=came_back_to,
    client_secret=CLIENT_SECRET,
    include_client_id=True,  # both in the body; without it, both in the header
    timeout=30,
)
print(f"Connected: token for {token['expires_in']} s, scope {' '.join(token['scope'])}")

fleet = session.get(f"{ISSUER}/api/v2/Fleet/1", headers={"Accept": "application/json"}, timeout=30)
fleet.raise_for_status()
print("Machines:", len(fleet.json()["Equipment"]))

# The library neither introspects nor revokes; requests alone does. Revoke only when the customer leaves you.
fields = {"token": token["access_token"]}
auth = (session.client_id, CLIENT_SECRET)
described = requests.post(f"{ISSUER}/app/oauth2/introspect", fields, auth=auth, timeout=30).json()
print("Introspected: ends at", described["exp"])

requests.post(f"{ISSUER}/app/oauth2/revoke", fields, auth=auth, timeout=30).raise_for_status()
print("Revoked")
