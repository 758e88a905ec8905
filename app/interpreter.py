"""How the Python that runs was built, and whether the hot rooms are compiled."""

import sysconfig
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec


def built_with_pgo(known: Mapping[str, str]) -> bool:
    """Judge by the variables of its build whether profiles of real programs guided it.

    Debian's build leaves one trace. Its Makefile names the flag that makes a profile, and not the one that uses it.
    Any other build names both, whether or not it used them.
    """
    flags = " ".join(known.get(name, "") for name in ("CONFIG_ARGS", "PY_CFLAGS", "PY_CORE_CFLAGS"))
    debian = known.get("PGO_PROF_GEN_FLAG") and known.get("PGO_PROF_USE_FLAG") == ""
    return "--enable-optimizations" in flags or "-fprofile-use" in flags or bool(debian)


def build_variables() -> dict[str, str]:
    """Those of the interpreter that runs."""
    return {name: str(value) for name, value in sysconfig.get_config_vars().items()}


def is_compiled() -> bool:
    """Whether the rooms of every request are machine code, or read by the interpreter."""
    door = find_spec("app.door.protocol")
    return door is not None and str(door.origin).endswith(tuple(EXTENSION_SUFFIXES))
