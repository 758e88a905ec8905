"""Every regular expression of ours as it is used, with what it could take long for: beginnings that never end as it wants."""

from contextlib import suppress
from urllib.parse import urlsplit

from app import logs, randomness, setting_addresses, setting_kinds, setting_sources, settings, weighted
from app.aemp.address import addresses, negotiation, paging, ranges
from app.aemp.model import identifiers, text, times
from app.aemp.read import children
from app.aemp.write import render_xml
from app.door import addresses as proxies
from app.door import framing
from app.embedded import folders
from app.flows.approval import report
from app.flows.developer import likeness
from app.flows.manual import words
from app.flows.moving import fields
from app.language import typed_times
from app.oauth import (
    bearer,
    challenge,
    client,
    fleet_details,
    parameters,
    pkce,
    redirect_uri,
    request,
    scope,
    signing,
    slow_hash,
    token_string,
)
from app.storage.schema import address, rights
from app.storage.valkey import pipe
from app.web.api import entity_tag, wanted
from app.web.front import access_log
from app.web.pages import prove, terms_form
from app.web.reference import aemp, examples
from tests.cost.cases import Case, case
from tests.cost.routes import match_routes


def check_redis(path: str) -> None:
    with suppress(ValueError):
        setting_addresses._check_redis(urlsplit(f"redis://host/{path}"))


def check_redis_hosts(path: str) -> None:
    with suppress(ValueError):
        setting_addresses._check_redis_hosts(urlsplit(f"redis+sentinel://host/{path}"), "sentinel")


CASES: dict[str, Case] = {
    "app/flows/developer/likeness.py:_DROPPED": case(
        lambda given: likeness._DROPPED.sub("", given), ("", "a"), ("", " "), ("", "_a"), ("", "a ")
    ),
    "app/flows/developer/likeness.py:_SMALL_CAPITAL": case(
        likeness._SMALL_CAPITAL.fullmatch, ("LATIN LETTER SMALL CAPITAL ", "A"), ("", "L"), ("", "LATIN ")
    ),
    "app/web/pages/prove.py:_LEAD_BACK": case(
        prove._LEAD_BACK.fullmatch, ("/app/operator/reviews", "/a"), ("", "/app/operator/"), ("", "a")
    ),
    "app/flows/approval/report.py:_LINK": case(
        lambda given: report._LINK.sub("", given),
        ("", "a"),
        ("", "www."),
        ("", "a://"),
        ("", "a+"),
        ("", "mailto"),
    ),
    "app/flows/approval/report.py:_LINE_BREAKS": case(
        lambda given: report._LINE_BREAKS.sub("", given), ("", "\n"), ("", "\r"), ("", "\r\n"), ("", "\n\na")
    ),
    "app/flows/manual/words.py:_SPACE": case(words._SPACE.split, ("", " "), ("", "a "), ("", "a")),
    "app/flows/manual/words.py:_HOST": case(
        words._HOST.search, ("", "a"), ("", "."), ("", "a."), ("", "a.b")
    ),
    "app/embedded/folders.py:_SERVER_ID": case(folders._SERVER_ID.fullmatch, ("", "a"), ("", "a", "g")),
    "app/setting_addresses.py:_HALF_ENCODED": case(
        setting_addresses._HALF_ENCODED.search, ("", "a"), ("", "%41"), ("", "%41", "%4")
    ),
    "app/setting_addresses.py:_HOST": case(
        setting_addresses._HOST.fullmatch, ("", "a", "]"), ("[", "1"), ("[", ":"), ("a:", "1"), ("", ":")
    ),
    "app/setting_addresses.py:_check_redis": case(check_redis, ("", "1"), ("", "a"), ("", "/")),
    "app/setting_sources.py:_REFERENCE": case(
        lambda given: list(setting_sources._REFERENCE.finditer(given)),
        ("", "$"),
        ("", "${"),
        ("${", "a"),
        ("", "${a"),
        ("", "${a}"),
    ),
    "app/storage/schema/rights.py:_COMMENT": case(
        lambda given: rights._COMMENT.sub("", given), ("", "-"), ("--", "a"), ("", "--\n")
    ),
    "app/storage/schema/rights.py:_PART": case(
        rights._PART.findall, ("", "a"), ("", ","), ("", "a,"), ("", "a("), ("a(", "b"), ("", "a(b),")
    ),
    "app/storage/schema/rights.py:_PRIVILEGE": case(
        rights._PRIVILEGE.fullmatch, ("", "a", "!"), ("a", " ", "!"), ("a(", "b"), ("a(", "b", ")!")
    ),
    "app/setting_addresses.py:_check_redis_hosts": case(
        check_redis_hosts, ("", "a"), ("", "/"), ("a/", "1"), ("", "a/")
    ),
    "app/storage/valkey/pipe.py:_ELSEWHERE": case(
        pipe._ELSEWHERE.match, ("", "M"), ("", "MOVE"), ("MOVED", "X"), ("", "a")
    ),
    "app/storage/valkey/pipe.py:_WRONG_SERVER": case(
        pipe._WRONG_SERVER.search, ("", "-"), ("", "READONL"), ("", "-READONLYX"), ("", "a")
    ),
    "app/aemp/address/addresses.py:_DATE": case(addresses._DATE.match, ("", "1"), ("2025-01-", "1")),
    "app/door/addresses.py:_WITH_PORT": case(
        proxies._WITH_PORT.fullmatch,
        ("", "1"),
        ("", "."),
        ("[", "a"),
        ("[", "["),
        ("1:_", "a", "!"),
        ("1:", "1"),
    ),
    "app/door/framing.py:_HOST": case(
        lambda given: framing._HOST.fullmatch(given.encode()),
        ("", "a", "/"),
        ("[", "1"),
        ("[", ":"),
        ("a:", "1"),
    ),
    "app/web/api/entity_tag.py:_TAG": case(
        entity_tag._TAG.findall, ("", '"'), ('"', "a"), ("", "W/"), ("", 'W/"'), ("", '""'), ("", '"a" ', '"')
    ),
    "app/aemp/model/identifiers.py:_BROKEN_ESCAPE": case(
        identifiers._BROKEN_ESCAPE.search, ("", "a"), ("", "%41"), ("", "%4"), ("", "%25", "%")
    ),
    "app/aemp/model/identifiers.py:_CONTROL": case(identifiers._CONTROL.search, ("", "a"), ("", "é")),
    "app/aemp/read/children.py:_NUMBER": case(
        children._NUMBER.fullmatch,
        ("", "1", "x"),
        ("-", "1", ".x"),
        (".", "1", "x"),
        ("1.", "1", "e"),
        ("1e", "1"),
        ("", "1."),
    ),
    "app/aemp/address/negotiation.py:_MEDIA_RANGE": case(
        negotiation._MEDIA_RANGE.fullmatch, ("", "a"), ("a/", "a", "/"), ("", "a/")
    ),
    "app/aemp/address/negotiation.py:_CODING": case(negotiation._CODING.fullmatch, ("", "a"), ("", "a", "/")),
    "app/weighted.py:_WEIGHT": case(
        weighted._WEIGHT.fullmatch, ("0.", "1"), ("1.", "0"), ("", "0"), ("", "1")
    ),
    "app/weighted.py:_MEMBERS": case(
        weighted._MEMBERS.findall,
        ("", '"'),
        ("", '"\\'),
        ("", '\\"'),
        ("", ',a"'),
        ("", ","),
        ("", "a,"),
        ('"', "a"),
        ('a"', "\\a"),
    ),
    "app/weighted.py:_PARTS": case(
        weighted._PARTS.findall, ("", '"'), ("", '"\\'), ("", ';a"'), ("", ";"), ("", "a;"), ('"', "a")
    ),
    "app/aemp/address/paging.py:_DECIMAL": case(
        paging._DECIMAL.fullmatch, ("", "1"), ("", "1", "x"), ("", "0")
    ),
    "app/aemp/address/paging.py:_NUMBER": case(
        paging._NUMBER.fullmatch, ("", "1"), ("", "1", "x"), ("-1.", "1"), ("1.", "1", "x")
    ),
    "app/aemp/address/paging.py:_PAGE": case(
        lambda given: list(paging._PAGE.finditer(given)),
        ("", "&"),
        ("", "page"),
        ("", "&page"),
        ("page=", "1"),
        ("", "page=1&"),
    ),
    "app/aemp/address/ranges.py:_DAY": case(
        ranges._DAY.fullmatch, ("", "1"), ("2024-05-01", "1"), ("", "1-")
    ),
    "app/aemp/write/render_xml.py:_SPECIAL": case(
        lambda given: render_xml._SPECIAL.sub(render_xml._replacement, given),
        ("", "a"),
        ("", "&"),
        ("", "\x01"),
        ("", "<a>"),
    ),
    "app/aemp/model/text.py:FORBIDDEN": case(
        lambda given: text.FORBIDDEN.sub(text.REPLACEMENT, given), ("", "a"), ("", "\x01"), ("", "a\ud800")
    ),
    "app/aemp/model/times.py:_TIME": case(
        times._TIME.fullmatch, ("2025-01-01T00:00:00.", "1"), ("", "1"), ("2025-01-01T00:00:00Z", "Z")
    ),
    "app/aemp/model/times.py:_DURATION": case(
        times._DURATION.fullmatch, ("P", "1"), ("PT", "1", "H"), ("PT1.", "1"), ("P1DT1H1M", "1")
    ),
    "app/logs.py:_OURS": case(
        lambda given: logs._OURS.sub("x", given),
        ("", "rovi_"),
        ("", "rovi_at_"),
        ("rovi_at_", "a"),
        ("", "rovi_at_a "),
        ("", "r"),
    ),
    "app/logs.py:_OURS_IN_BYTES": case(
        lambda given: logs._OURS_IN_BYTES.sub(b"x", given),
        ("", "rovi_"),
        ("", "rovi_at_"),
        ("rovi_at_", "a"),
        ("", "rovi_at_a "),
        makes=str.encode,
    ),
    "app/oauth/bearer.py:_TOKEN68": case(
        bearer._TOKEN68.fullmatch, ("", "a", "!"), ("", "="), ("a", "=", "a"), ("", "a=")
    ),
    "app/oauth/bearer.py:_VISIBLE": case(bearer._VISIBLE.fullmatch, ("", "a", " "), ("", "!")),
    "app/oauth/client.py:_FORMER_CLIENT_ID": case(
        client._FORMER_CLIENT_ID.fullmatch, ("", "a"), ("", "a", " ")
    ),
    "app/oauth/slow_hash.py:_ARGON2": case(
        slow_hash._ARGON2.fullmatch,
        ("$argon2id$v=19$m=", "1", ","),
        ("$argon2id$v=19$m=1,t=1,p=1$", "a", "!"),
        ("$argon2id$v=19$m=1,t=1,p=1$a$", "a", "!"),
    ),
    "app/oauth/slow_hash.py:_PBKDF2": case(
        slow_hash._PBKDF2.fullmatch,
        ("$pbkdf2-sha256$", "1", "$"),
        ("$pbkdf2-sha256$1$", "a", "!"),
        ("$pbkdf2-sha256$1$a$", "a", "!"),
    ),
    "app/oauth/slow_hash.py:_DJANGO": case(
        slow_hash._DJANGO.fullmatch,
        ("pbkdf2_sha256$1$", "a", "$!"),
        ("pbkdf2_sha256$1$a$", "a", "!"),
        ("pbkdf2_sha256$1$a$a", "=", "!"),
    ),
    "app/oauth/slow_hash.py:_SCRYPT": case(
        slow_hash._SCRYPT.fullmatch,
        ("$scrypt$ln=1,r=1,p=1$", "a", "!"),
        ("$scrypt$ln=1,r=1,p=1$a$", "a", "!"),
    ),
    "app/flows/moving/fields.py:_SHA_256": case(fields._SHA_256.fullmatch, ("", "a"), ("", "a", "g")),
    "app/setting_kinds.py:_DATE": case(setting_kinds._DATE.fullmatch, ("", "1"), ("2025-01-", "1")),
    "app/oauth/challenge.py:_OUTSIDE": case(
        lambda given: challenge._OUTSIDE.sub("?", given), ("", "a"), ("", '"'), ("", "a\\")
    ),
    "app/oauth/parameters.py:_BROKEN_PERCENT": case(
        parameters._BROKEN_PERCENT.search, ("", "a"), ("", "%41"), ("", "%25", "%4"), makes=str.encode
    ),
    "app/oauth/parameters.py:_PLAIN": case(
        parameters._PLAIN.fullmatch,
        ("", "a"),
        ("a=", "a", "%"),
        ("a=a", "&a=a", "&"),
        ("a=a", "&a=a", "="),
        ("a=", "a", "&"),
        ("a=a&", "a"),
        makes=str.encode,
    ),
    "app/oauth/parameters.py:_SPEAKABLE": case(parameters._SPEAKABLE.fullmatch, ("", "a"), ("", "a", "!")),
    "app/oauth/pkce.py:_CHALLENGE": case(pkce._CHALLENGE.fullmatch, ("", "a"), ("", "-")),
    "app/oauth/pkce.py:_VERIFIER": case(pkce._VERIFIER.fullmatch, ("", "a"), ("", "~", "!")),
    "app/oauth/redirect_uri.py:_CHARACTERS": case(
        redirect_uri._CHARACTERS.fullmatch, ("", "a", "\n"), ("", "%41", "%"), ("", "a%41", "%4"), ("", "%4")
    ),
    "app/oauth/redirect_uri.py:_ENCODED_TRICK": case(
        redirect_uri._ENCODED_TRICK.search, ("", "a"), ("", "/"), makes=str.encode
    ),
    "app/oauth/redirect_uri.py:_PARTS": case(
        redirect_uri._PARTS.fullmatch,
        ("", "a"),
        ("a://", "a", "?\n"),
        ("a:", "/", "?\n"),
        ("a:", "//", "?\n"),
        ("a://a/", "a", "?\n"),
        ("a:?", "?", "\n"),
        ("a://", "@", "?\n"),
    ),
    "app/oauth/redirect_uri.py:_ANY_PARTS": case(
        redirect_uri._ANY_PARTS.fullmatch,
        ("", "a"),
        ("", ":"),
        ("//", "a"),
        ("", "/"),
        ("?", "?"),
        ("#", "#"),
        ("", "a:"),
    ),
    "app/oauth/redirect_uri.py:_AUTHORITY": case(
        redirect_uri._AUTHORITY.fullmatch,
        ("", "a", "!"),
        ("a", ".a", "."),
        ("a", ".a", "!"),
        ("a:", "1"),
        ("[", "a"),
        ("[", ":", "!"),
        ("", "-"),
    ),
    "app/oauth/redirect_uri.py:_LOOPBACK_URI": case(
        redirect_uri._LOOPBACK_URI.fullmatch,
        ("http://127.0.0.1:", "1"),
        ("http://127.0.0.1/", "a", "\n"),
        ("http://[::1]:1?", "?", "\n"),
        ("", "http://"),
    ),
    "app/oauth/request.py:_OTHER_CHARSET": case(
        request._OTHER_CHARSET.search,
        ("", ";"),
        ("", "; "),
        (";", " "),
        (";charset=iso-8859", "1", "x"),
        ("", ";charset=latin1"),
    ),
    "app/oauth/request.py:_FORM": case(
        request._FORM.fullmatch,
        ("application/x-www-form-urlencoded", ";  ", "x"),
        ("application/x-www-form-urlencoded", ";a=b ", '"'),
        ("application/x-www-form-urlencoded;", "a", "="),
        ('application/x-www-form-urlencoded;a="', " "),
        ("application/x-www-form-urlencoded", " ", "x"),
        ("application/x-www-form-urlencoded", "\t", ";"),
        ("application/x-www-form-urlencoded;", " ", "x"),
        ("application/x-www-form-urlencoded;charset=utf-8", " ", "x"),
    ),
    "app/oauth/scope.py:_SCOPE": case(
        scope._SCOPE.fullmatch, ("", "a", '"'), ("a", " a", '"'), ("a", " a", " "), ("", "a ", " ")
    ),
    "app/oauth/fleet_details.py:_SPEAKABLE": case(
        fleet_details._SPEAKABLE.fullmatch, ("", "a"), ("", "a", "!")
    ),
    "app/oauth/fleet_details.py:_IS_DAY": case(fleet_details._IS_DAY.fullmatch, ("", "1"), ("2026-01-", "1")),
    "app/oauth/fleet_details.py:_IS_INSTANT": case(
        fleet_details._IS_INSTANT.fullmatch,
        ("", "1"),
        ("2026-01-01T00:00:00", ":00"),
        ("2026-01-01T00:00:00.", "1"),
    ),
    "app/oauth/scope.py:_SPEAKABLE": case(scope._SPEAKABLE.fullmatch, ("", "a"), ("", "a", "!")),
    "app/oauth/signing.py:_REFUSED": case(
        signing._REFUSED.fullmatch, ("q=0.", "0", "1"), ("q=0.", "0"), ("q=", "0"), makes=str.encode
    ),
    "app/oauth/token_string.py:_SHAPE": case(
        token_string._SHAPE.fullmatch, ("rovi_at_c", "a"), ("", "rovi_at_c"), ("rovi_", "r")
    ),
    "app/randomness.py:_WORD": case(
        randomness._WORD.fullmatch,
        ("", "a", "-"),
        ("", "A", "-"),
        ("", "1", "-"),
        ("A", "a", "-"),
        ("a", "1", "-"),
    ),
    "app/randomness.py:_CAMEL": case(
        randomness._CAMEL.fullmatch,
        ("", "a", "-"),
        ("", "Aa", "-"),
        ("A", "a", "-"),
        ("Aa", "1", "-"),
        ("", "A"),
    ),
    "app/randomness.py:_is_of_separate_words": case(
        randomness._is_of_separate_words,
        ("", "a"),
        ("", "-"),
        ("", "a-"),
        ("", "Aa"),
        ("", "abc-"),
        ("", "Aa1-"),
    ),
    "app/setting_kinds.py:_ORIGIN": case(
        setting_kinds._ORIGIN.fullmatch,
        ("https://", "a"),
        ("https://a", ".a", "."),
        ("https://[", ":", "!"),
        ("https://a:", "1"),
    ),
    "app/setting_kinds.py:parse_duration": case(
        setting_kinds.parse_duration, ("", "1"), ("1", " ", "x"), ("1", " ", "m"), ("", " 1"), ("1", "m")
    ),
    "app/settings.py:_nearest_choice": case(
        lambda given: settings._nearest_choice("x", given), ("", "'"), ("'", "a"), ("", "'a"), ("", "'a' ")
    ),
    "app/storage/schema/address.py:_PASSWORD": case(
        address.shown_address,
        ("", "://:"),
        ("", "://:", "@"),
        ("@", "://:"),
        ("://", "a"),
        ("://", ":"),
        ("://a:", "@"),
        ("", "://a"),
        ("", "://", "@"),
    ),
    "app/storage/schema/address.py:_SECRET_PARAMETER": case(
        lambda given: address._SECRET_PARAMETER.sub(r"\g<name>****", given),
        ("", "?"),
        ("", "&"),
        ("?", "password"),
        ("?", "password="),
        ("?", "a"),
        ("", "&password="),
        ("", "?password"),
    ),
    "app/web/front/access_log.py:_ACCEPTED_ID": case(
        access_log._ACCEPTED_ID.fullmatch, ("", "a"), ("", "a", "!"), makes=str.encode
    ),
    "app/web/pages/terms_form.py:_KEY": case(terms_form._KEY.fullmatch, ("", "0"), ("", "x")),
    "app/language/typed_times.py:_DAY": case(typed_times._DAY.fullmatch, ("", "2"), ("2027-01-0", "1")),
    "app/language/typed_times.py:_MOMENT": case(
        typed_times._MOMENT.fullmatch, ("", "2"), ("2027-01-01", "T"), ("2027-01-01T10:00", ":00")
    ),
    "app/web/api/aemp.py:regex": case(
        match_routes,
        ("/api/v2/", "fleet"),
        ("/api/v2/Fleet/", "a"),
        ("/api/v2/Fleet/", "a/", "\n"),
        ("", "/"),
    ),
    "app/web/api/wanted.py:_PLAIN": case(
        wanted._PLAIN.fullmatch,
        ("/api/v2/Fleet/", "1"),
        ("/api/", "v1/"),
        ("", "/api/v2/Fleet"),
    ),
    "app/web/reference/aemp.py:_PARAMETER": case(
        aemp._PARAMETER.findall, ("", "{"), ("{", "a"), ("", "{a"), ("", "{a}")
    ),
    "app/web/reference/examples.py:_XML_PIECE": case(
        examples._XML_PIECE.findall,
        ("", "<"),
        ("<", "a"),
        ("", "<a"),
        ("", "<a>"),
        ("<a>", "a"),
        ("<a ", " "),
        ("", "<a></b>"),
        ("<a>", "</a"),
    ),
}
