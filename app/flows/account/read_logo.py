"""An uploaded logo is encoded anew in a confined process, so that no foreign bytes are stored."""

import asyncio
import sys
from hashlib import sha256

from app.refused import RefusedError
from app.storage.people.logos import Logo

LARGEST_LOGO = 1024 * 1024  # bytes
_MOST_S = 10
_LIKENESS_BYTES = 8  # before the PNG, as the decoder writes them; zero for a picture that is too plain


class LogoError(RefusedError):
    """The picture is refused."""

    code = "invalid_logo"


async def read_logo(picture: bytes) -> Logo:
    """The picture as a PNG of at most 256 by 256 pixels, and its likeness. Raises LogoError when it cannot be decoded."""
    if len(picture) > LARGEST_LOGO:
        raise LogoError(f"the logo has {len(picture):,} bytes; {LARGEST_LOGO:,} are accepted")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # no environment, no current folder on the path
        "-m",
        "app.logo.decoder",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        async with asyncio.timeout(_MOST_S):
            decoded, reason = await process.communicate(picture)
    except TimeoutError:
        raise LogoError("the logo takes too long to decode") from None
    finally:
        if process.returncode is None:  # too slow, or nobody waits for the answer any more
            process.kill()
            await process.wait()
    if process.returncode != 0:
        told = reason.decode(errors="replace").strip() if process.returncode == 1 else ""
        raise LogoError(f"the logo is refused: {told or 'it could not be decoded'}")
    likeness, png = decoded[:_LIKENESS_BYTES], decoded[_LIKENESS_BYTES:]
    return Logo(sha256(png).digest(), png, int.from_bytes(likeness, "big", signed=True) or None)
