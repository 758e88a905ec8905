#!/usr/bin/env python3
"""The secrets of compose.yaml, made once: a folder for each service that reads some, the owner's DSN for the migration alone.

Run as root by the run-once service `secrets`, which mounts a volume of each reader below one folder. Compose gives
`secrets:` from files the owner and mode of the host, so a file that is private there cannot be read by a container
that does not run as root; a volume can be given to its reader.
"""

import argparse
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

# The group each reader's container runs with. Root owns the files, so a reader can read and not change them.
READERS = {"postgres": 999, "valkey": 1000, "migrate": 10001, "service": 10001}


def create_secrets(root: Path, readers: Mapping[str, int] = READERS) -> None:
    """Make what is missing and keep what stands: an interrupted or repeated run ends in the same secrets."""
    owner_url = _keep(root, "migrate/rovitracker_migration_database_url", _database_url("rovitracker_owner"))
    login_url = _keep(root, "service/rovitracker_database_url", _database_url("rovitracker_login"))
    redis_url = _keep(
        root,
        "service/rovitracker_redis_url",
        f"redis://rovitracker:{secrets.token_hex(20)}@valkey:6379/0",
    )
    secret_keys = _keep(root, "service/rovitracker_secret_keys", secrets.token_hex(32))
    # A migration reads all settings, as every verb does.
    _keep(root, "migrate/rovitracker_database_url", login_url)
    _keep(root, "migrate/rovitracker_redis_url", redis_url)
    _keep(root, "migrate/rovitracker_secret_keys", secret_keys)
    _keep(root, "postgres/superuser_password", secrets.token_hex(20))
    _keep(root, "postgres/owner_password", _password(owner_url))
    _keep(root, "postgres/login_password", _password(login_url))
    _keep(root, "valkey/users.acl", _access_list(_password(redis_url)))
    _give(root, readers)


def rotate_key(root: Path, readers: Mapping[str, int] = READERS) -> None:
    """A new key that seals from the next start on; the one before it still opens what it sealed."""
    newest, *_ = _keep(root, "service/rovitracker_secret_keys", secrets.token_hex(32)).split(",")
    keys = f"{secrets.token_hex(32)},{newest}"
    for reader in ("service", "migrate"):
        _write(root / reader / "rovitracker_secret_keys", keys)
    _give(root, readers)


def _give(root: Path, readers: Mapping[str, int]) -> None:
    for reader, group in readers.items():
        for file in (root / reader).iterdir():
            os.chown(file, -1, group)


def _keep(root: Path, name: str, text: str) -> str:
    """What the file says; written first where there is none."""
    file = root / name
    if not file.exists():
        _write(file, text)
    kept = file.read_text("utf-8").strip()
    if not kept:
        raise SystemExit(f"{name} is empty: restore it, or remove it together with the data that it opens")
    return kept


def _write(file: Path, text: str) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(".draft")
    draft.unlink(missing_ok=True)
    with draft.open("x", encoding="utf-8") as draft_file:
        os.fchmod(draft_file.fileno(), 0o440)
        draft_file.write(text)
        draft_file.flush()
        os.fsync(draft_file.fileno())  # an empty password after a power cut would be kept for ever
    draft.rename(file)


def _database_url(role: str) -> str:
    return f"postgresql://{role}:{secrets.token_hex(20)}@postgres:5432/rovitracker"


def _password(url: str) -> str:
    password = urlsplit(url).password
    if not password:
        raise SystemExit("an address kept in service/ or migrate/ has no password")
    return password


def _access_list(password: str) -> str:
    """Nobody without a name; the service without what only operators need; anybody may ask whether it answers."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        "user default off\n"
        f"user rovitracker on #{digest} ~* &* +@all -@admin -@dangerous +info\n"
        "user health on nopass -@all +ping\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="folder of the readers' folders")
    parser.add_argument("--rotate-key", action="store_true", help="put a new sealing key before the newest")
    options = parser.parse_args()
    if options.rotate_key:
        rotate_key(options.root)
    else:
        create_secrets(options.root)


if __name__ == "__main__":
    main()
