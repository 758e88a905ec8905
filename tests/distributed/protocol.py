"""The protocol's own tests on a database whose tokens lie on workers."""

import os
import subprocess
import sys
from pathlib import Path

from tests.distributed.nodes import run_citus
from tests.support.server import ROOT
from tests.support.spread import VARIABLE

FILES = (
    "tests/web/test_refresh.py",
    "tests/web/test_refresh_ends.py",
    "tests/web/test_refresh_grace.py",
    "tests/web/test_introspect.py",
    "tests/web/test_strict_codes.py",
    "tests/web/test_client_credentials.py",
    "tests/web/test_invalid_grant.py",
    "tests/web/test_bearer.py",
    "tests/web/test_legacy_tokens.py",
    "tests/flows/test_explain_token.py",
    "tests/flows/test_keep_cap.py",
    "tests/flows/test_manual_grant.py",
    "tests/test_races.py",
    "tests/lifecycle/test_lifecycle.py",
)
# These change or read rows by hand in words that Citus refuses, such as an interval taken from a column. The last two want a
# server that listens on a socket.
_BY_HAND = (
    "test_use_renews_a_classic_token_once_a_day_and_never_a_revoked_one",
    "test_a_strangers_question_renews_nothing",
    "test_after_the_grace_it_is_reuse",
    "test_whoever_holds_the_answer_that_was_not_lost_is_caught",
    "test_one_code_redeemed_by_many_at_once_gives_one_pair",
    "test_remembered_token_ends_when_its_time_is_over",
    "test_whatever_does_not_work_is_refused_alike",
    "test_an_expired_token_is_inactive",
    "test_before_it_is_switched_on_and_after_its_end_no_store_is_asked",
    "test_after_a_kill_before_the_answer",
)


def run_protocol(programs: Path, out: Path) -> tuple[int, str]:
    """Exit code and the last line of pytest. out: for the whole of what it says."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600", *FILES]
    command += ["-k", f"not ({' or '.join(_BY_HAND)})"]
    with run_citus(programs, workers=2) as citus, out.open("wb") as log:
        told = {**os.environ, VARIABLE: citus.url("postgres")}
        done = subprocess.run(command, cwd=ROOT, env=told, stdout=log, stderr=log, check=False)
    lines = out.read_text(errors="replace").strip().splitlines()
    return done.returncode, lines[-1] if lines else "pytest said nothing"
