"""Schema and application; and grants and access tokens as the models hold them after a consent, printed as JSON."""

import json
import os
import sys
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone
from oauthlib.common import generate_token

_REDIRECT_URI = "https://integrator.example/callback"
_USERS = 100
_CODE_LIFE = timedelta(hours=1)
_TOKEN_LIFE = timedelta(days=365)
_BATCH = 1000


def main() -> None:
    codes, tokens = (int(number) for number in sys.argv[1:])
    django.setup()
    call_command("migrate", verbosity=0)
    application, introspector = _register()
    users = _users()
    made = {
        "introspector": introspector,
        "codes": _grants(application, users, codes),
        "tokens": _access_tokens(application, users, tokens),
    }
    print(json.dumps(made))


def _model(name: str) -> Any:
    return apps.get_model("oauth2_provider", name)


def _register() -> tuple[Any, str]:
    """The application, and the token it introspects with: the scope is what the view asks for."""
    application, _ = _model("Application").objects.get_or_create(
        client_id=os.environ["CLIENT_ID"],
        defaults={
            "name": "Bench",
            "client_secret": os.environ["CLIENT_SECRET"],
            "hash_client_secret": os.environ["HASH_CLIENT_SECRET"] == "true",
            "client_type": "confidential",
            "authorization_grant_type": "authorization-code",
            "redirect_uris": _REDIRECT_URI,
        },
    )
    introspector, _ = _model("AccessToken").objects.get_or_create(
        application=application,
        scope="introspection",
        defaults={"token": generate_token(), "expires": timezone.now() + _TOKEN_LIFE},
    )
    return application, introspector.token


def _users() -> list[Any]:
    users = apps.get_model("auth", "User").objects
    if not users.exists():
        users.bulk_create(users.model(username=f"account-{number}") for number in range(_USERS))
    return list(users.all())


def _grants(application: Any, users: list[Any], count: int) -> list[str]:
    grants = _model("Grant")
    made = [
        grants(
            application=application,
            user=user,
            code=generate_token(),
            redirect_uri=_REDIRECT_URI,
            scope="aemp:read",
            expires=timezone.now() + _CODE_LIFE,
        )
        for user in islice(cycle(users), count)
    ]
    return [grant.code for grant in grants.objects.bulk_create(made, batch_size=_BATCH)]


def _access_tokens(application: Any, users: list[Any], count: int) -> list[str]:
    tokens = _model("AccessToken")
    made = [
        tokens(
            application=application,
            user=user,
            token=generate_token(),
            scope="aemp:read",
            expires=timezone.now() + _TOKEN_LIFE,
        )
        for user in islice(cycle(users), count)
    ]
    return [token.token for token in tokens.objects.bulk_create(made, batch_size=_BATCH)]


if __name__ == "__main__":
    main()
