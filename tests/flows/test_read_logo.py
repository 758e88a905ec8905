"""Logos from outside: what is refused, what comes back clean, and that a decoder's death is its own."""

import asyncio
import io
import os
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable

import psutil
import pytest
from PIL import Image, ImageDraw, ImageEnhance
from PIL.PngImagePlugin import PngInfo

from app.flows.account.read_logo import LogoError, read_logo
from app.flows.developer.likeness import pictures_alike


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def drawn(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, size)
    ImageDraw.Draw(image).line((0, 0, *size), fill=255)
    return image


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG whose header says any size, whatever its data holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return bytes.fromhex("89504e470d0a1a0a") + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "green", "blue")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


ZEROS = zlib.compress(bytes(60_000_000), 9)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.domain)</script>"

REFUSED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "bomb of 50,000 by 50,000": lambda: png_of(50_000, 50_000, ZEROS),
    "bomb just below the library's own limit": lambda: png_of(9_000, 9_000, ZEROS),
    "bomb with an honest small header": lambda: png_of(64, 64, b"x" * 100_000),
    "svg named png": lambda: SVG,
    "html named png": lambda: HTML,
    "html behind the first bytes of a png": lambda: bytes.fromhex("89504e470d0a1a0a") + HTML,
    "gif": lambda: encoded(drawn(), "GIF"),
    "bmp": lambda: encoded(drawn(), "BMP"),
    "tiff": lambda: encoded(drawn(), "TIFF"),
    "icon": lambda: encoded(drawn((64, 64)), "ICO"),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n",
    "animated png": lambda: animated("PNG"),
    "animated webp": lambda: animated("WEBP"),
    "truncated png": lambda: encoded(Image.effect_noise((200, 200), 90))[:3000],
    "truncated jpeg": lambda: encoded(drawn((200, 200)), "JPEG")[:700],
    "truncated webp": lambda: encoded(drawn((200, 200)), "WEBP")[:60],
    "too small": lambda: encoded(drawn((15, 64))),
    "one pixel": lambda: encoded(drawn((1, 1))),
    "too wide": lambda: encoded(drawn((4097, 16))),
    "10 MB": lambda: encoded(drawn()) + bytes(10_000_000),
    "random": lambda: bytes.fromhex("89504e470d0a1a0a") + os.urandom(5000),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_still_picture_of_sane_size_is_refused(make: Callable[[], bytes]) -> None:
    """R-65, R-66: by content, whatever it is called, and soon."""
    picture = make()
    began = time.perf_counter()
    with pytest.raises(LogoError) as refused:
        await read_logo(picture)
    assert time.perf_counter() - began < 3  # one second on a machine with nothing else to do
    assert "Traceback" not in str(refused.value)
    assert "site-packages" not in str(refused.value)


PICTURES: dict[str, Callable[[], bytes]] = {
    "png": lambda: encoded(drawn()),
    "jpeg": lambda: encoded(drawn(), "JPEG"),
    "webp": lambda: encoded(drawn(), "WEBP"),
    "jpeg of four inks": lambda: encoded(drawn(mode="CMYK"), "JPEG"),
    "grey": lambda: encoded(drawn(mode="L")),
    "palette": lambda: encoded(drawn(mode="P")),
    "two colours": lambda: encoded(drawn(mode="1")),
    "see-through": lambda: encoded(drawn(mode="RGBA")),
    "smallest": lambda: encoded(drawn((16, 16))),
    "largest": lambda: encoded(drawn((4096, 4096))),
}


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES.keys())
async def test_pictures_of_the_known_kinds_become_small_pngs(make: Callable[[], bytes]) -> None:
    """R-66"""
    picture = make()
    png = (await read_logo(picture)).png
    assert png != picture
    with Image.open(io.BytesIO(png)) as logo:
        assert logo.format == "PNG"
        assert logo.mode == "RGBA"
        assert max(logo.size) <= 256
        assert logo.info == {}
    assert len(png) < 300_000


async def test_only_pixels_survive() -> None:
    """R-65, R-66: a polyglot loses what made it one; comments, profiles and places go too."""
    notes = PngInfo()
    notes.add_text("comment", "<script>in a comment</script>")
    picture = encoded(drawn(), pnginfo=notes) + HTML + b"PK\x03\x04an archive"
    assert b"<script>in a comment" in picture
    png = (await read_logo(picture)).png
    for trace in (b"script", b"comment", b"PK\x03\x04", b"doctype"):
        assert trace not in png
    assert png.endswith(b"IEND\xaeB`\x82")


def emblem(seed: int) -> Image.Image:
    """Shapes on transparent ground, as a logo may have them."""
    drawing = random.Random(seed)  # noqa: S311  # pictures, not secrets
    image = Image.new("RGBA", (240, 200))
    pencil = ImageDraw.Draw(image)
    for _ in range(9):
        left, top = drawing.randrange(200), drawing.randrange(160)
        box = (left, top, left + drawing.randrange(20, 90), top + drawing.randrange(20, 90))
        color = tuple(drawing.randrange(200) for _ in range(3))
        drawing.choice((pencil.ellipse, pencil.rectangle))(box, fill=color)
    return image


def on_ground(image: Image.Image, color: str, border: int = 0) -> Image.Image:
    ground = Image.new("RGBA", (image.width + 2 * border, image.height + 2 * border), color)
    ground.alpha_composite(image, (border, border))
    return ground.convert("RGB")


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "half as large": lambda image: encoded(image.resize((120, 100))),
    "on white": lambda image: encoded(on_ground(image, "white")),
    "with a border": lambda image: encoded(on_ground(image, "white", 60)),
    "a poor jpeg": lambda image: encoded(on_ground(image, "white"), "JPEG", quality=25),
    "a webp": lambda image: encoded(image, "WEBP", quality=40),
    "without colour": lambda image: encoded(on_ground(image, "white").convert("L")),
    "paler": lambda image: encoded(ImageEnhance.Brightness(on_ground(image, "white")).enhance(1.15)),
    "a little stretched": lambda image: encoded(image.resize((260, 190))),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
async def test_a_copy_is_like_its_picture_and_no_other(copy: Callable[[Image.Image], bytes]) -> None:
    pictures = [emblem(seed) for seed in range(6)]
    own = [(await read_logo(encoded(picture))).likeness for picture in pictures]
    copied = (await read_logo(copy(pictures[0]))).likeness
    assert None not in own
    assert [pictures_alike(copied, each) for each in own] == [True, *[False] * 5]


@pytest.mark.parametrize(
    "picture",
    [Image.new("RGB", (64, 64), "white"), Image.new("RGB", (64, 64), "navy"), drawn((64, 64))],
    ids=["white", "blue", "line"],
)
async def test_a_plain_picture_has_no_likeness(picture: Image.Image) -> None:
    """All of them would be alike."""
    assert (await read_logo(encoded(picture))).likeness is None


# The decoder as read_logo starts it, telling afterwards how much memory it ever held.
MEASURED = """
import pathlib, sys
from app.logo.decoder import main
main()
status = pathlib.Path("/proc/self/status").read_text()
sys.stderr.write("peak " + next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize(
    "make",
    [lambda: png_of(50_000, 50_000, ZEROS), lambda: encoded(drawn((4096, 4096)))],
    ids=["bomb", "largest"],
)
def test_decoder_stays_within_its_memory(make: Callable[[], bytes]) -> None:
    """R-65: a bomb costs less than 200 MB, and so does the largest picture there may be."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", MEASURED], input=make(), capture_output=True, check=True, env={}
    )
    assert int(done.stderr.rpartition(b"peak ")[2]) < 200 * 1024


async def test_decoder_that_is_killed_takes_nobody_with_it() -> None:
    """R-68: only the subprocess dies; the next picture is read as if nothing had been."""
    reading = asyncio.create_task(read_logo(encoded(Image.effect_noise((900, 900), 90))))
    victim = await decoder()
    victim.kill()
    with pytest.raises(LogoError, match="could not be decoded"):
        await reading
    assert (await read_logo(encoded(drawn()))).png


async def test_decoder_nobody_waits_for_is_stopped() -> None:
    """R-68, R-86: the request was given up, so its decoder is too."""
    reading = asyncio.create_task(read_logo(encoded(Image.effect_noise((900, 900), 90))))
    running = await decoder()
    running.suspend()  # as if it hung
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not running.is_running()


async def decoder() -> psutil.Process:
    """The decoder process this test started."""
    async with asyncio.timeout(5):
        while True:
            for child in psutil.Process().children():
                if "app.logo.decoder" in child.cmdline():
                    return child
            await asyncio.sleep(0.002)
