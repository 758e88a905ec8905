"""`make audit`: known vulnerabilities of every pinned package, with a status of its own where nobody could be asked."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
PINNED = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
VULNERABLE, UNKNOWN = 1, 3  # 2 is argparse's

# PyPI's own feed is not used: a mirror without it answers 404, and pip-audit then calls everything free of faults.
_OSV = "https://api.osv.dev/v1/query"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every package was asked after and none has a known vulnerability."""
    options = _read_arguments(arguments)
    packages, last_words = _ask(options.osv_url, options.timeout)
    if not packages:
        _say(f"not known: whether a pinned package has a known vulnerability, for {options.osv_url}")
        _say(f"could not be asked ({last_words})")
        return UNKNOWN
    unasked = [each for each in packages if "skip_reason" in each]
    faults = [line for each in packages for line in _faults(each)]
    for each in unasked:
        _say(f"not known: {each['name']}: {each['skip_reason']}")
    for line in faults:
        _say(line)
    _say(f"{len(packages) - len(unasked)} packages were asked after, {len(faults)} vulnerabilities are known")
    if faults:
        return VULNERABLE
    return UNKNOWN if unasked else 0


def _ask(osv_url: str, patience_s: int) -> tuple[list[dict[str, Any]], str]:
    """The facts that pip-audit learnt of each package, or none and its last words."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pinned = [word for path in PINNED for word in ("--requirement", str(path))]
        service = ("--vulnerability-service", "osv", "--osv-url", osv_url, "--timeout", str(patience_s))
        output = ("--format", "json", "--output", str(report), "--progress-spinner", "off")
        command = ["pip_audit", "--disable-pip", "--require-hashes", *pinned, *service, *output]
        done = subprocess.run(
            [sys.executable, "-m", *command], check=False, stderr=subprocess.PIPE, text=True
        )
        if not report.exists():
            return [], done.stderr.strip().rpartition("\n")[2]
        packages: list[dict[str, Any]] = json.loads(report.read_text())["dependencies"]
        return packages, ""


def _faults(package: dict[str, Any]) -> list[str]:
    """A line for each."""
    return [
        f"{package['name']} {package['version']}: {each['id']}, mended in {' '.join(each['fix_versions']) or 'no release'}"
        for each in package.get("vulns", ())
    ]


def _say(line: str) -> None:
    sys.stderr.write(f"audit: {line}\n")


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    statuses = f"It ends with {VULNERABLE} when a vulnerability is known, with {UNKNOWN} when that could not be learnt."
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__, epilog=statuses)
    parser.add_argument("--osv-url", default=_OSV, help=f"who is asked ({_OSV})")
    parser.add_argument("--timeout", type=int, default=15, help="seconds that an answer may take (15)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
