"""A program of its own turns a picture from stdin into a small PNG on stdout, or says why not.

Decoding foreign pictures is where memory-safety bugs live, so it happens where a crash or a bomb costs nothing:
limits on memory, processor time and files are set before the first byte is looked at.
"""

import io
import resource
import sys
import warnings

from PIL import Image, UnidentifiedImageError

_FORMATS = ("PNG", "JPEG", "WEBP")
_SMALLEST = 16
_LARGEST = 4096
_SHOWN = 256

_WIDE, _HIGH = 9, 8
# Levels of grey: from where on nothing is drawn, and how far a field is clearly darker.
_PAPER, _CLEARLY = 240, 3
_LEAST_BITS = 8  # of 64; plain pictures with fewer are all near each other

_MEMORY = 512 * 1024 * 1024
_PROCESSOR_S = 5


def decode(picture: bytes) -> tuple[bytes, bytes]:
    """The likeness of the picture, and it encoded anew, at most 256 pixels wide and high.

    Raises ValueError, with the reason, when it is refused.
    """
    with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
        if not all(_SMALLEST <= side <= _LARGEST for side in image.size):
            raise ValueError(
                f"it is {image.width} by {image.height} pixels; {_SMALLEST} to {_LARGEST} are accepted"
            )
        if getattr(image, "is_animated", False):
            raise ValueError("it is animated; one still picture is accepted")
        # Shrunk before it is converted: the largest picture would cost another 64 MB the other way round.
        full = image.convert("RGBA") if image.mode in ("1", "P") else image
        full.thumbnail((_SHOWN, _SHOWN))
        still = full.convert("RGBA")
    encoded = io.BytesIO()
    # Only pixels survive: no metadata, no trailing bytes that another reader would take for a script.
    Image.frombytes("RGBA", still.size, still.tobytes()).save(encoded, "PNG", optimize=True)
    return likeness_of(still), encoded.getvalue()


def likeness_of(still: Image.Image) -> bytes:
    """A difference hash: eight bytes, of which a picture that looks the same has nearly all bits. Zero for a plain one.

    What is drawn is cut out and made nine by eight grey fields. A bit says whether a field is clearly darker than the one
    to its right, so that size, colour, border and encoding play little part (N. Krawetz, "Kind of Like That", 2013).
    """
    shown = Image.new("RGBA", still.size, "white")  # as our pages show it
    shown.alpha_composite(still)
    grey = shown.convert("L")
    drawn = grey.point([255] * _PAPER + [0] * (256 - _PAPER)).getbbox()
    fields = grey.crop(drawn).resize((_WIDE, _HIGH), Image.Resampling.BOX).tobytes()
    pairs = [fields[at : at + 2] for at in range(len(fields)) if (at + 1) % _WIDE]
    bits = [left + _CLEARLY < right for left, right in pairs]
    likeness = sum(bit << place for place, bit in enumerate(bits))
    return (likeness if likeness.bit_count() >= _LEAST_BITS else 0).to_bytes(8, "big")


def _confine() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _PROCESSOR_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def main() -> int:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    _confine()
    try:
        sys.stdout.buffer.write(b"".join(decode(sys.stdin.buffer.read())))
    except ValueError as refused:
        sys.stderr.write(str(refused))
        return 1
    except UnidentifiedImageError:
        sys.stderr.write("it is not a PNG, JPEG or WebP picture")
        return 1
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        sys.stderr.write("it unpacks to far too many pixels")
        return 1
    except (OSError, SyntaxError):
        sys.stderr.write("it is damaged")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
