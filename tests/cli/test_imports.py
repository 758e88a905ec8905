"""What the command line loads before it does anything, since every verb waits for it."""

import subprocess
import sys


def test_no_verb_loads_what_only_the_pages_of_passkeys_need() -> None:
    """The library of passkeys takes as long to import as a short verb runs."""
    asked = "import sys, app.cli.main; print(sorted({'webauthn', 'OpenSSL', 'cbor2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
