"""The demo, in development only: a customer, an application, and where its browser comes back to."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.web.paths import AUTHORIZE, DEMO_CALLBACK


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo customer's sign-in and the demo application's credentials."""

    email: str
    password: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    issuer: str

    @property
    def consent_url(self) -> str:
        query = {"client_id": self.client_id, "state": "demo", "redirect_uri": self.issuer + DEMO_CALLBACK}
        return f"{self.issuer}{AUTHORIZE}?{urlencode(query)}"
