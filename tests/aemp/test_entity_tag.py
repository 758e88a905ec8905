"""Entity tags: of the content and its coding, compared as RFC 9110 has it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.address.negotiation import Coding
from app.web.api.entity_tag import digest_again, digest_rows, entity_tag, is_known, tag_of_rows

TAG = entity_tag(b"a document", None)


def test_tag_stands_for_the_content_and_its_coding() -> None:
    tags = [entity_tag(body, coding) for body in (b"one", b"two") for coding in (None, "gzip", "zstd")]
    assert len(set(tags)) == 6
    assert all(re.fullmatch(r'"[\w-]{24}(-gzip|-zstd)?"', tag) for tag in tags)
    assert entity_tag(b"a document", None) == TAG


def test_tag_of_rows_stands_for_head_rows_and_coding() -> None:
    codings: tuple[Coding | None, ...] = (None, "gzip", "zstd")
    documents = [
        (head, rows, coding)
        for head in (b"head", b"heads")
        for rows in ([], [b""], [b"one"], [b"two"], [b"one", b"two"], [b"two", b"one"], [b"onetwo"])
        for coding in codings
    ]
    tags = {tag_of_rows(head, digest_rows(rows), coding) for head, rows, coding in documents}
    assert len(tags) == len(documents)
    assert all(re.fullmatch(r'"[\w-]{24}(-gzip|-zstd)?"', tag) for tag in tags)
    changed = digest_again(digest_rows([b"one", b"two", b"three"]), [b"one", b"2", b"three"], [1])
    assert changed == digest_rows([b"one", b"2", b"three"])
    assert digest_rows([b"one", b"two"]) == digest_rows([b"one"]) + digest_rows([memoryview(b"two")])


@pytest.mark.parametrize(
    "if_none_match",
    [TAG, f"W/{TAG}", f'"other", {TAG}', f'W/"other",W/{TAG} , "third"', "*", " * ", f'"a,b", {TAG}'],
)
def test_client_that_has_it_is_known_by_any_of_its_tags(if_none_match: str) -> None:
    assert is_known(if_none_match, TAG)


@pytest.mark.parametrize(
    "if_none_match",
    ["", '"other"', TAG.strip('"'), TAG[:-1], "**", f'"*", "{TAG}x"', TAG[:-1] + '-gzip"'],
)
def test_client_that_has_another_is_not(if_none_match: str) -> None:
    assert not is_known(if_none_match, TAG)


@given(st.text(st.characters(codec="latin-1")))
def test_any_header_is_read(if_none_match: str) -> None:
    assert is_known(if_none_match, TAG) == (TAG in if_none_match or if_none_match.strip() == "*")
