"""The secrets that applications prove themselves by: one each, or either of two while a rotation overlaps."""

from random import Random
from uuid import UUID

from bench.ground.codes import Application


class SecretsInUse:
    """All callers look here at each request. At first each application has the secret that it was registered with."""

    def __init__(self) -> None:
        self._good: dict[UUID, list[str]] = {}

    def credentials(self, application: Application, chance: Random) -> dict[str, str]:
        good = self._good_of(application)
        secret = chance.choice(good) if len(good) > 1 else good[0]
        return {"client_id": str(application.client_id), "client_secret": secret}

    def newest(self, application: Application) -> str:
        return self._good_of(application)[-1]

    def add(self, application: Application, secret: str) -> None:
        self._good_of(application).append(secret)

    def remove(self, application: Application, secret: str) -> None:
        self._good_of(application).remove(secret)

    def _good_of(self, application: Application) -> list[str]:
        return self._good.setdefault(application.client_id, [application.client_secret])
