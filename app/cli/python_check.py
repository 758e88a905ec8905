"""`doctor` judges the Python that runs the service."""

import platform
import sys

from app.cli.checks import Finding
from app.interpreter import build_variables, built_with_pgo, is_compiled

_OLDEST = (3, 11)


def check_python(*, pgo: bool | None = None) -> Finding:
    """pgo: whether profiles guided its build; None for what its own variables say."""
    version = platform.python_version()
    rooms = "the hot rooms are compiled" if is_compiled() else "the hot rooms are not compiled"
    if sys.version_info < _OLDEST:
        return Finding("Python", "wrong", version, "install Python 3.11 or newer")
    if not (built_with_pgo(build_variables()) if pgo is None else pgo):
        return Finding(
            "Python",
            "warning",
            f"{version}, built without profile-guided optimization (PGO)",
            "serve on one built with it, as the image has and Debian's python3 is: each request takes less time there",
        )
    return Finding("Python", "ok", f"{version}, {rooms}")
