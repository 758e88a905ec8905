"""`doctor` judges the passkeys: each is bound to the host it was made for, and works at no other."""

from collections.abc import Mapping

from app.cli.checks import Finding
from app.oauth.relying_party import objection_to_passkeys, relying_party_of
from app.settings import Settings


def check_passkeys(hosts: Mapping[str, int], settings: Settings) -> Finding:
    """hosts: how many passkeys are bound to each."""
    party = relying_party_of(settings.issuer)
    if party is None:
        return _check_none_possible(sum(hosts.values()), settings)
    here = hosts.get(party.id, 0)
    lost = {host: count for host, count in hosts.items() if host != party.id}
    if lost:
        bound = ", ".join(f"{count} to {host}" for host, count in sorted(lost.items()))
        return Finding(
            "passkeys",
            "warning",
            f"{here} bound to {party.id}; bound to other hosts, and of no use at this one: {bound}",
            "set ROVITRACKER_PUBLIC_URL back to that host, or tell their owners to sign in by password and add new ones",
        )
    return Finding("passkeys", "ok", f"{here}, bound to {party.id}, the host of ROVITRACKER_PUBLIC_URL")


def _check_none_possible(kept: int, settings: Settings) -> Finding:
    why = f"not offered at {settings.issuer}, because {objection_to_passkeys(settings.issuer)}"
    found = f"{why}; {kept} are kept and of no use" if kept else why
    todo = "set ROVITRACKER_PUBLIC_URL to an https origin with a host name"
    return Finding("passkeys", "warning", found, todo)
