"""The functions of the OAuth rules that read what others sent, with what they could take long for."""

from base64 import urlsafe_b64encode
from uuid import UUID

from app.flows.token.grants import GRANTS
from app.oauth import (
    bearer,
    challenge,
    client,
    client_keys,
    fleet_details,
    grant_type,
    keys,
    parameters,
    passkey,
    pkce,
    redirect_uri,
    registration,
    request,
    scope,
    second_factor,
    signing,
    slow_hash,
    token_string,
)
from app.oauth.assertion import ASSERTION_TYPE, parse_assertion
from app.oauth.bounds import LONGEST_UNCOMPOSED_NAME
from app.oauth.client import Client
from app.oauth.relying_party import RelyingParty
from app.process.read_before import ReadBefore
from tests.cost.cases import Case, case

LENGTHS = (200, 2_000)  # within every bound, and beyond most
# Each accent goes before all that stand there already.
BELOW = "\N{COMBINING DOT BELOW}"
ABOVE = "\N{COMBINING ACUTE ACCENT}"

_FORM = "application/x-www-form-urlencoded"
_PAIRS = (
    ("", "a"),
    ("", "&"),
    ("", "a&"),
    ("", "a=b&"),
    ("a=", "%41"),
    ("a=", "%4"),
    ("a=", "+"),
    ("", "%61=%62&"),
    ("client_id=me&state=", ABOVE),
    ("client_id=me&scope=", "a+"),
    ("client_id=me&code=", "a"),
    ("client_id=me&token=", "rovi_at_"),
    ("client_id=me&redirect_uri=", "http%3A"),
    ("client_id=me&code_challenge=", "a"),
    ("client_assertion_type=x&client_assertion=", "."),
)
_PARTY = RelyingParty("localhost", "http://localhost:8000")
_SIGNED = bytes(32)
# Each member of a browser's answer in turn is as long as can be. `gYGB` is a CBOR array in an array in an array.
_CREATED = '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"'
_ANSWERED = (
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"'
)
_KEYS = keys.derive_keys(("0123456789abcdef" * 4,))
_HEADER = urlsafe_b64encode(b'{"alg":"ES256"}').rstrip(b"=").decode()


def _bytes(run: object, *worst: tuple[str, ...]) -> Case:
    assert callable(run)
    return case(run, *worst, makes=str.encode, lengths=LENGTHS)


def _text(run: object, *worst: tuple[str, ...]) -> Case:
    assert callable(run)
    return case(run, *worst, lengths=LENGTHS)


def _registration(**fields: object) -> Client:
    given = {
        "redirect_uris": (),
        "scope": (),
        "audience": None,
        "grants": frozenset({"client_credentials"}),
    } | fields
    return Client(
        id=UUID(int=0),
        kind="strict",
        public=False,
        name="Sitewise",
        company="Sitewise Ltd",
        status="active",
        customer_id=None,
        secrets=(),
        **given,  # type: ignore[arg-type]  # each is of the type that its field has
    )


def _check(client: Client) -> object:
    return registration.check_registration(client, GRANTS.values(), development=True)


CASES: dict[str, tuple[Case, ...]] = {
    "app/oauth/assertion.py:parse_assertion": (
        _text(
            lambda given: parse_assertion(ASSERTION_TYPE, given),
            ("", "."),
            ("", "a"),
            ("", "a."),
            (f"{_HEADER}.", "e", ".AA"),
            (f"{_HEADER}.e30.", "A"),
            (f"{_HEADER}.", "W1tb", ".AA"),
        ),
    ),
    "app/oauth/bearer.py:read_bearer": (
        _text(
            lambda given: bearer.read_bearer([given]),
            ("Bearer ", "a"),
            ("Bearer ", "=", "a"),
            ("Bearer ", " "),
            ("", "Bearer "),
            ("", "a"),
        ),
        case(bearer.read_bearer, ("", "a"), makes=list, lengths=LENGTHS),
    ),
    "app/oauth/passkey.py:read_answer": (
        _text(
            passkey.read_answer,
            ("", "["),
            ("", "a"),
            ("", '{"a":'),
            ('{"rawId":"', "A", '","response":{}}'),
            ('{"rawId":"AA","response":{"userHandle":"', "A", '"}}'),
        ),
    ),
    "app/oauth/passkey.py:read_creation": (
        _text(
            lambda given: passkey.read_creation(_PARTY, _SIGNED, given),
            (_CREATED, "A", '","attestationObject":"AA"}}'),
            (f'{_CREATED}e30","attestationObject":"', "A", '"}}'),
            (f'{_CREATED}e30","attestationObject":"', "gYGB", '"}}'),
            (f'{_CREATED}e30","attestationObject":"AA","transports":[', '"usb",', '"usb"]}}'),
        ),
    ),
    "app/oauth/passkey.py:check_assertion": (
        _text(
            lambda given: passkey.check_assertion(_PARTY, _SIGNED, passkey.read_answer(given), b""),
            (_ANSWERED, "A", '","signature":"AA"}}'),
            (f'{_ANSWERED}AA","signature":"', "A", '"}}'),
            (_CREATED, "A", '","authenticatorData":"AA","signature":"AA"}}'),
        ),
    ),
    "app/oauth/fleet_details.py:parse_details": (
        _text(
            fleet_details.parse_details,
            ("", "["),
            ("", "1"),
            ("", " "),
            ("[{", '"a":1,', '"a":1}]'),
            ('[{"type":"fleet","identifiers":["', "a", '"]}]'),
            ('[{"type":"fleet","identifiers":[', '"a",', '"a"]}]'),
            ('[{"type":"fleet","ends_at":"2027-01-01T00:00:00.', "1", 'Z"}]'),
        ),
    ),
    "app/oauth/challenge.py:printable": (_text(challenge.printable, ("", "a"), ("", '"')),),
    "app/oauth/client.py:parse_client_id": (_text(client.parse_client_id, ("", "a"), ("", "0-")),),
    "app/oauth/client.py:application_id_of": (_text(client.application_id_of, ("", "a"), ("", "0-")),),
    "app/oauth/client_keys.py:check_key_set": (
        _bytes(
            client_keys.check_key_set,
            ("", "["),
            ('{"keys":[', "{},", "{}]}"),
            ('{"keys":[{"kty":"EC","crv":"P-256","x":"', "a", '"}]}'),
            ('{"keys":[{"kty":"EC","kid":"', "a", '"}]}'),
            ('{"keys":[{"kty":"RSA","e":"AQAB","n":"', "_", '"}]}'),
            ('{"keys":[{"kty":"RSA","n":"AQAB","e":"', "_", '"}]}'),
        ),
    ),
    "app/oauth/keys.py:Keys.unseal": (
        _text(
            lambda given: _KEYS.unseal("flow", given, now_s=0, life_s=60),
            ("", "a"),
            ("gAAAAA", "A"),
            ("", "="),
            ("", ABOVE),
        ),
    ),
    "app/oauth/parameters.py:decode": (
        _bytes(parameters.decode, ("", "a"), ("", "%41"), ("", "%"), ("", "+"), ("", "%C3%A9"), ("", ABOVE)),
    ),
    "app/oauth/parameters.py:has_parameter": (
        _bytes(lambda given: parameters.has_parameter(given, "access_token"), *_PAIRS),
    ),
    "app/oauth/parameters.py:parse_form": (
        _bytes(parameters.parse_form, *_PAIRS),
        _bytes(lambda given: parameters.parse_form(given, largest=64 * 1024), *_PAIRS),
    ),
    "app/oauth/parameters.py:parse_query": (_bytes(parameters.parse_query, *_PAIRS),),
    "app/oauth/pkce.py:check_challenge": (
        _text(lambda given: pkce.check_challenge(given, "S256"), ("", "a")),
        _text(lambda given: pkce.check_challenge("a" * 43, given), ("", "S256")),
    ),
    "app/oauth/pkce.py:verifier_matches": (
        _text(lambda given: pkce.verifier_matches("a" * 43, given), ("", "a"), ("", "~", "!")),
    ),
    "app/oauth/redirect_uri.py:append": (
        _text(
            lambda given: redirect_uri.append("https://sitewise.example/callback", [("state", given)]),
            ("", "a"),
            ("", '"'),
            ("", ABOVE),
        ),
    ),
    "app/oauth/redirect_uri.py:check_registrable": (
        _text(
            lambda given: redirect_uri.check_registrable(given, public=True, development=True),
            ("https://", "a"),
            ("https://a", ".a"),
            ("https://a/", "../"),
            ("https://a/", "%2e/"),
            ("https://a/?", "a=b&"),
            ("https://", "a@"),
            ("a.b:", "/"),
            ("", "a"),
            ("", "%41"),
        ),
    ),
    "app/oauth/redirect_uri.py:match": (
        _text(
            lambda given: redirect_uri.match(given, ["http://127.0.0.1/callback"] * 20, public=True),
            ("", "a"),
            ("http://127.0.0.1:", "1"),
            ("http://127.0.0.1/", "a"),
            ("http://127.0.0.1?", "?"),
        ),
    ),
    "app/oauth/registration.py:check_link": (
        _text(
            lambda given: registration.check_link("terms link", given),
            ("https://", "a"),
            ("https://a/", "../"),
            ("https://a/?", "a=b&"),
            ("", " "),
            ("", "a"),
        ),
    ),
    "app/oauth/registration.py:check_name": (
        case(
            lambda given: registration.check_name("name", given),
            ("a", ABOVE + BELOW),
            ("", "e" + ABOVE),
            lengths=(LONGEST_UNCOMPOSED_NAME,),
        ),
        _text(lambda given: registration.check_name("name", given), ("", "a"), ("", " "), ("", "\u200b")),
    ),
    "app/oauth/registration.py:check_registration": (
        case(
            _check,
            ("https://", "a"),
            ("https://[", "a"),
            ("", "a"),
            ("https://", ABOVE + BELOW),
            makes=lambda text: _registration(audience=text),
            lengths=LENGTHS,
        ),
        case(_check, ("", "aemp:read"), makes=lambda text: _registration(scope=(text,)), lengths=LENGTHS),
        case(_check, ("", "refresh_token"), makes=lambda text: _registration(grants={text}), lengths=LENGTHS),
        case(
            _check,
            ("", "a"),
            makes=lambda text: _registration(redirect_uris=tuple(f"https://{letter}/" for letter in text)),
            lengths=LENGTHS,
        ),
    ),
    "app/oauth/request.py:AuthorizationRequest.parse": (_bytes(request.AuthorizationRequest.parse, *_PAIRS),),
    "app/process/read_before.py:ReadBefore.read": (
        _bytes(
            lambda given: ReadBefore(request.TokenQuery.parse).read(_FORM, given, None),
            *_PAIRS,
        ),
    ),
    "app/oauth/request.py:TokenQuery.parse": (
        _bytes(lambda given: request.TokenQuery.parse(_FORM, given, None), *_PAIRS),
    ),
    "app/oauth/request.py:TokenRequest.parse": (
        _bytes(lambda given: request.TokenRequest.parse(_FORM, given, None), *_PAIRS),
        _text(
            lambda given: request.TokenRequest.parse(_FORM, b"code=a", given),
            ("Basic ", "YTpi"),
            ("Basic ", "JTQx"),
            ("Basic ", " "),
            ("", "Basic "),
            ("Basic ", "a", "="),
        ),
        _text(
            lambda given: request.TokenRequest.parse(given, b"code=a", None),
            (_FORM, " ", "x"),
            (f"{_FORM};", " ", "x"),
            ("", "a"),
        ),
    ),
    "app/oauth/grant_type.py:check_resource": (
        _text(lambda given: grant_type.check_resource(given, served="https://auth.example/api"), ("", "a")),
    ),
    "app/oauth/grant_type.py:read_asked": (
        _text(
            lambda given: grant_type.read_asked(
                GRANTS["client_credentials"],
                request.TokenRequest(None, request.Credentials(None, None, "none"), given, None, {}),
                served="https://auth.example/api",
                proved=False,
            ),
            ("", "a"),
            ("a", " a"),
        ),
    ),
    "app/oauth/scope.py:narrow": (
        _text(lambda given: scope.narrow(given, ["aemp:read"]), ("", "a"), ("a", " a"), ("", "aemp:read ")),
    ),
    "app/oauth/scope.py:parse": (
        _text(scope.parse.__wrapped__, ("", "a"), ("a", " a"), ("a", " a", '"'), ("", " ")),
    ),
    "app/oauth/second_factor.py:matching_step": (
        _text(
            lambda given: second_factor.matching_step("A" * 32, given, now_s=0),
            ("", "1"),
            ("1", " "),
            ("", ABOVE),
        ),
    ),
    "app/oauth/second_factor.py:recovery_digest": (
        _text(
            lambda given: second_factor.recovery_digest(UUID(int=0), given),
            ("", "a"),
            ("a", "-"),
            ("", ABOVE),
        ),
    ),
    "app/oauth/signing.py:asks_for_jwt": (
        _bytes(
            signing.asks_for_jwt,
            ("", "a"),
            ("application/token-introspection+jwt", ","),
            ("application/token-introspection+jwt", ";"),
            ("application/token-introspection+jwt;", "q=0;"),
            ("application/token-introspection+jwt;q=0.", "0", "1"),
            ("", "application/token-introspection+jwt,"),
        ),
    ),
    "app/oauth/slow_hash.py:read_slow_hash": (
        _text(
            slow_hash.read_slow_hash,
            ("", "a"),
            ("$argon2id$v=19$", "m=1,"),
            ("$pbkdf2-sha256$1$", "a", "$a"),
            ("pbkdf2_sha256$1$a$", "a", "="),
            ("$scrypt$ln=1,r=1,p=1$", "a", "$a"),
        ),
    ),
    "app/oauth/token_string.py:parse": (_text(token_string.parse, ("", "a"), ("rovi_at_c", "0")),),
    "app/oauth/token_string.py:recognise": (_text(token_string.recognise, ("", "a"), ("rovi_at_c", "0")),),
    "app/oauth/token_string.py:is_client_secret": (_text(token_string.is_client_secret, ("rovi_cs_", "a")),),
    "app/oauth/token_string.py:secret_digest": (_text(token_string.secret_digest, ("", "a"), ("", ABOVE)),),
}

OURS = "what it takes is our own"
READ = "what it takes was read and bounded before"

EXEMPT = {
    "app/oauth/description.py:hosts_of": READ,
    "app/oauth/description.py:live_addresses": READ,
    "app/oauth/second_factor.py:enrolment_uri": OURS,
    "app/oauth/sound_keys.py:objection_to_key": READ,
    "app/oauth/answer.py:introspection_answer": OURS,
    "app/oauth/answer.py:userinfo_answer": OURS,
    "app/oauth/passkey.py:creation_options": OURS,
    "app/oauth/passkey.py:request_options": OURS,
    "app/oauth/passkey.py:text_of": OURS,
    "app/oauth/relying_party.py:objection_to_passkeys": OURS,
    "app/oauth/relying_party.py:relying_party_of": OURS,
    "app/oauth/answer.py:token_answer": OURS,
    "app/oauth/assertion.py:fits": READ,
    "app/oauth/assertion.py:import_keys": READ,
    "app/oauth/assertion.py:key_digests": READ,
    "app/oauth/assertion.py:objection_to": READ,
    "app/oauth/assertion.py:signer_of": READ,
    "app/oauth/base62.py:decode": READ,
    "app/oauth/fleet_details.py:check_asked": READ,
    "app/oauth/fleet_details.py:write_granted": OURS,
    "app/oauth/challenge.py:challenge": OURS,
    "app/oauth/client.py:Client.allows": READ,
    "app/oauth/client.py:Client.is_called": READ,
    "app/oauth/client.py:authenticate": READ,
    "app/oauth/slow_hash.py:is_former": READ,
    "app/oauth/token_string.py:id_of_digest": OURS,
    "app/oauth/code_secret.py:code_secret": OURS,
    "app/oauth/keys.py:Keys.seal": OURS,
    "app/oauth/lifetimes.py:Lifetimes.access": READ,
    "app/oauth/keys.py:Keys.unseal_stored": OURS,
    "app/oauth/keys.py:derive_keys": OURS,
    "app/oauth/metadata.py:authorization_server": OURS,
    "app/oauth/metadata.py:protected_resource": OURS,
    "app/oauth/parameters.py:check_wellformed": READ,
    "app/oauth/refused_grant.py:refuse": OURS,
    "app/oauth/refused_grant.py:verifier_fault": READ,
    "app/oauth/scope.py:opened_by": READ,
    "app/oauth/scope.py:refused_scope": READ,
    "app/oauth/signing.py:introspection_jwt": OURS,
    "app/oauth/signing.py:open_private": OURS,
    "app/oauth/token_string.py:compose": OURS,
}
# Errors are made of our own words.
EXEMPT_FILES = ("app/oauth/errors.py",)
