"""Whether a key can have been made at random: words, runs and repetitions are what people write in its place."""

import re
from base64 import b64decode
from contextlib import suppress

SHORTEST = 32  # characters; a generated key has 64
_FEWEST_CHARACTERS = 8  # different ones; 32 random hexadecimal digits have them all but once in 28 million
_FRESH = 2 / 3  # of the characters; of random ones more than nine in ten are

# The keys along the rows of the keyboard and down its columns, and back.
_KEYS = (
    "1234567890 qwertyuiop qwertzuiop azertyuiop asdfghjkl qsdfghjklm zxcvbnm yxcvbnm wxcvbn "
    "1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik 9ol"
)
_RUNS = f"{_KEYS} {_KEYS[::-1]}"
_SHORTEST_RUN = 3
_REPEATED = 4  # characters that stood there before are a repetition

# The commonest pairs of letters: seven of ten in words, and fewer than two of ten in random letters.
_PAIRS = (
    "th he er on in or re an li en se ti co is it at of ar ri ic es ed te io nt ce nd ns de st ou di al "
    "ve to ra ut le ha me ro ng op so fo ma ib ne pr ig hi tr ot no si ta il wi wa om us ec ht py ll gh "
    "ho ct as ss la fi rs bu ch ts ur ge pl ie rm pe bl od ac yo nc un im ia if pa yr mi ny ft ai ov tw "
    "ab cl et ee ea be am ca rt sh mo fr ty pu os ry ex ub su vi bi"
)
# Which share of the pairs is enough to call it words: a first figure, and a second one over the number of characters.
# Chance gives a short text many pairs more easily. Less is enough where it is shaped like words besides.
_COMMON, _COMMON_IN_CAMEL_CASE, _COMMON_BETWEEN_HYPHENS = (0.35, 10), (0.1, 11), (0.3, 0)
_FEWEST_PAIRS = 0.65  # of the characters: words with something between them have so many
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+")
_CAMEL = re.compile(r"[a-z]*(?:[A-Z][a-z]+)+[0-9]*")
_FEWEST_WORDS = 3
_SHORTEST_WORDS, _SHORTEST_CAMEL = 3, 4  # characters on the average


def is_random(key: str) -> bool:
    """Whether nothing says that a key was not made at random; its look alone proves nothing.

    Text in hexadecimal digits or base64 is judged as that text.
    """
    return all(_looks_random(text) for text in (key, *_decoded(key)))


def _looks_random(text: str) -> bool:
    return (
        len(text) >= SHORTEST
        and len(set(text)) >= _FEWEST_CHARACTERS
        and _fresh(text) >= _FRESH * len(text)
        and not _is_of_words(text)
    )


def _decoded(key: str) -> list[str]:
    """The texts it may be the code of. Random bytes of this length are printable once in 10 million."""
    found = []
    for decode in (bytes.fromhex, _from_base64):
        with suppress(ValueError):
            text = decode(key).decode("ascii").strip()
            if text.isprintable():
                found.append(text)
    return found


def _from_base64(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _fresh(text: str) -> int:
    """How many characters do not follow from those before, by a run, a row of the keyboard or a repetition."""
    fresh, before = 0, set()
    for at in range(len(text)):
        block = text[max(0, at - _REPEATED + 1) : at + 1]
        fresh += not (_goes_on(text, at) or (len(block) == _REPEATED and block in before))
        before.add(block)
    return fresh


def _goes_on(text: str, at: int) -> bool:
    if at + 1 < _SHORTEST_RUN:
        return False
    return text[at - 2 : at + 1].lower() in _RUNS or any(_is_step(text, at, apart) for apart in (1, 2))


def _is_step(text: str, at: int, apart: int) -> bool:
    """Whether a character goes on as in aaa, abc and 321, perhaps with one other character between each."""
    if at < 2 * apart:
        return False
    steps = {ord(text[end]) - ord(text[end - apart]) for end in (at, at - apart)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def _is_of_words(text: str) -> bool:
    pairs = [text[at : at + 2].lower() for at in range(len(text) - 1) if text[at : at + 2].isalnum()]
    common = sum(pair in _PAIRS for pair in pairs) / max(len(pairs), _FEWEST_PAIRS * len(text))
    return common >= _common_in_words(text)


def _common_in_words(text: str) -> float:
    """The share of common pairs that is enough to call it words."""
    share, more = _COMMON
    if _is_camel_case(text):
        share, more = _COMMON_IN_CAMEL_CASE
    elif _is_of_separate_words(text):
        share, more = _COMMON_BETWEEN_HYPHENS
    return share + more / len(text)


def _is_camel_case(text: str) -> bool:
    return bool(_CAMEL.fullmatch(text)) and sum(map(str.isupper, text)) * _SHORTEST_CAMEL <= len(text)


def _is_of_separate_words(text: str) -> bool:
    words = re.findall(r"[A-Za-z0-9]+", text)
    return (
        len(words) >= _FEWEST_WORDS
        and sum(map(len, words)) >= _SHORTEST_WORDS * len(words)
        and sum(map(str.isalpha, text)) >= len(text) // 2
        and all(_WORD.fullmatch(word) for word in words)
    )
