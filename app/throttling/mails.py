"""How much mail may be caused: nobody can be bombed through us, and nobody can use us up.

The counts are in PostgreSQL, in the transaction that queues the mail, so they are exact however many processes there are.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.storage.mail.quotas import refund_mail_quotas, select_mail_quotas, upsert_mail_quotas
from app.storage.postgres.database import Statements
from app.throttling.networks import networks_around

# A limit that is used up comes back bit by bit, and is whole after one window.
WINDOW = timedelta(days=1)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose account a mail goes: names, and the part of a mail that each is charged.

    most: mails a day, where each name has this limit alone, because the recipient wants them all. None for all others.
    """

    charged: tuple[tuple[str, float], ...]
    most: int | None = None


def caused_from(network: str) -> Cause:
    """A stranger at a network; the /56 and the /48 around a /64 are charged too."""
    return Cause(tuple((f"network {name}", part) for name, part in networks_around(network)))


def caused_by(person_id: UUID) -> Cause:
    """Somebody who is signed in."""
    return Cause(((f"person {person_id}", 1.0),))


def caused_by_account(customer_id: UUID) -> Cause:
    """The people of a customer account, who invite others."""
    return Cause(((f"account {customer_id}", 1.0),))


def reported_by_account(customer_id: UUID, most: int) -> Cause:
    """The people of a customer account, who report to the operators. No account's reports hold up another's."""
    return Cause(((f"reports of {customer_id}", 1.0),), most)


@dataclass(frozen=True, slots=True)
class MailLimits:
    """Mails a day: to one address of one kind, because of one sender, and in all."""

    per_recipient: int
    per_sender: int
    in_all: int

    def shares(self, template: str, recipient: str, cause: Cause | None) -> Mapping[str, float]:
        """The part of each limit that this mail takes.

        A notice has no cause. No flood of mails that strangers cause may hold it back, since it would hide a theft. Each
        kind of mail has a limit of its own at an address for the same reason.
        """
        if cause is not None and cause.most is not None:
            return {name: part / cause.most for name, part in cause.charged}
        digest = hashlib.sha256(recipient.encode()).hexdigest()
        to_recipient = {f"{template} to {digest}": 1 / self.per_recipient}
        if cause is None:
            return to_recipient
        charged = {name: part / self.per_sender for name, part in cause.charged}
        return {**to_recipient, **charged, "all": 1 / self.in_all}


async def charge(statements: Statements, shares: Mapping[str, float]) -> bool:
    """Count a mail everywhere or nowhere; False when one of its limits is used up."""
    # A flood ends here, at the price of one read: it locks no row, and leaves no dead one behind.
    levels = await select_mail_quotas(statements, tuple(shares), WINDOW)
    if _over({name: level + shares[name] for name, level in levels.items()}):
        return False
    if _over(await upsert_mail_quotas(statements, shares, WINDOW)):
        await refund_mail_quotas(statements, shares)
        return False
    return True


def _over(levels: Mapping[str, float]) -> bool:
    return max(levels.values(), default=0.0) > 1 + _ROUNDING
