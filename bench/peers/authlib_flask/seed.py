"""Schema and client; and codes and tokens as the models hold them after a consent, printed as JSON."""

import json
import os
import sys
import time
from itertools import cycle, islice

from authlib.common.security import generate_token
from models import Base, OAuth2AuthorizationCode, OAuth2Client, OAuth2Token, User, engine, session
from sqlalchemy import insert, select

_REDIRECT_URI = "https://integrator.example/callback"
_USERS = 100
_CODE_LIFE_S = 3600  # the mixin gives a code five minutes from auth_time
_TOKEN_LIFE_S = 365 * 24 * 3600
_CODE_CHARACTERS, _TOKEN_CHARACTERS = 48, 42  # as Authlib makes them


def main() -> None:
    codes, tokens = (int(number) for number in sys.argv[1:])
    Base.metadata.create_all(engine)
    client_id = os.environ["CLIENT_ID"]
    _register(client_id)
    users = session.scalars(select(User.id)).all()
    made = {
        "codes": _codes(client_id, users, codes),
        "tokens": _tokens(client_id, users, tokens),
    }
    session.commit()
    print(json.dumps(made))


def _register(client_id: str) -> None:
    if session.scalar(select(OAuth2Client).filter_by(client_id=client_id)) is not None:
        return
    client = OAuth2Client(client_id=client_id, client_secret=os.environ["CLIENT_SECRET"])
    client.set_client_metadata(
        {
            "redirect_uris": [_REDIRECT_URI],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": "aemp:read",
            "token_endpoint_auth_method": "client_secret_post",
        }
    )
    session.add(client)
    session.add_all(User(username=f"account-{number}") for number in range(_USERS))
    session.commit()


def _codes(client_id: str, users: list[int], count: int) -> list[str]:
    rows = [
        {
            "code": generate_token(_CODE_CHARACTERS),
            "client_id": client_id,
            "redirect_uri": _REDIRECT_URI,
            "scope": "aemp:read",
            "user_id": user_id,
            "auth_time": int(time.time()) + _CODE_LIFE_S,
        }
        for user_id in islice(cycle(users), count)
    ]
    if rows:
        session.execute(insert(OAuth2AuthorizationCode), rows)
    return [row["code"] for row in rows]


def _tokens(client_id: str, users: list[int], count: int) -> list[str]:
    rows = [
        {
            "access_token": generate_token(_TOKEN_CHARACTERS),
            "token_type": "Bearer",
            "client_id": client_id,
            "scope": "aemp:read",
            "user_id": user_id,
            "expires_in": _TOKEN_LIFE_S,
        }
        for user_id in islice(cycle(users), count)
    ]
    if rows:
        session.execute(insert(OAuth2Token), rows)
    return [row["access_token"] for row in rows]


if __name__ == "__main__":
    main()
