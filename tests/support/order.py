"""The order of a parallel run: what runs alone comes first, then the files that take long, so that no worker ends late."""

import pytest
from xdist.scheduler import LoadFileScheduling

# Their tests judge by the clock. One worker has all of them, one after the other, and the others wait once.
ALONE = (
    "tests/door/test_floods.py",
    "tests/bench/test_strain.py",
    "tests/web/test_equal_time.py",
    "tests/web/test_equal_time_of_people.py",
    "tests/cost/test_counting_reads.py",
    "tests/test_restart.py",
    "tests/test_secret_rotation.py",
)

# The other workers begin with what is over at once, so that the turn of those alone comes soon.
QUICK = ("tests/test_order.py", "tests/test_recent.py", "tests/oauth/test_pkce.py")

# The longest come first. A file that is missing here costs nothing but some seconds at the end of a run.
LONG = (
    "tests/docs/test_readme_commands.py",
    "tests/pages/test_accessibility.py",
    "tests/door/test_shutdown.py",
    "tests/bench/test_bench.py",
    "tests/test_deployment.py",
    "tests/bench/test_compare.py",
    "tests/door/test_workers.py",
    "tests/pages/test_spanish.py",
    "tests/lifecycle/test_lifecycle.py",
    "tests/pages/test_people.py",
    "tests/bench/test_peers.py",
    "tests/sharing/test_sharing.py",
    "tests/cli/test_serve.py",
    "tests/test_processes.py",
    "tests/test_races.py",
    "tests/pages/test_passkeys.py",
    "tests/pages/test_sharing.py",
    "tests/soak/test_soak.py",
    "tests/bench/test_growth.py",
    "tests/test_backup.py",
    "tests/pages/test_flow.py",
    "tests/bench/test_aemp.py",
    "tests/bench/test_limit.py",
    "tests/bench/test_kills.py",
    "tests/test_metrics.py",
    "tests/docs/test_moving_in.py",
    "tests/web/test_every_answer.py",
    "tests/oauth/test_passkey_answers.py",
    "tests/cli/test_flow.py",
    "tests/pages/test_docs.py",
    "tests/web/test_forwarded.py",
    "tests/pages/test_attacks.py",
    "tests/pages/test_manual_route.py",
    "tests/cli/test_applications.py",
    "tests/web/test_refresh.py",
    "tests/cost/test_readers.py",
    "tests/clients/test_refreshing.py",
    "tests/language/test_catalogue.py",
    "tests/conformance/test_faults.py",
    "tests/web/test_isolation.py",
    "tests/cli/test_terminal.py",
    "tests/web/test_paths.py",
    "tests/faults/test_smoke.py",
    "tests/failover/test_failover.py",
    "tests/bench/test_flames.py",
)


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it ships no types
    """A file is one worker's, and so are all that run alone."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What one worker runs whole: a file, or all files whose tests run alone."""
    file = nodeid.partition("::")[0]
    return "alone" if file in ALONE else file


def runs_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


def sort(items: list[pytest.Item]) -> None:
    """Bring the files named above to the front, in the order of the lists. All others keep theirs behind them."""
    places = {file: place for place, file in enumerate((*ALONE, *QUICK, *LONG))}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
