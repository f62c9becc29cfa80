"""Goal: our signatures are AWS's.

Method: AWS's own published vectors, and botocore's signer on 10,000 random requests at one frozen instant: twenty in an
example, because drawing one takes ten times as long as signing it twice.
"""

import datetime
import json
import string
from pathlib import Path
from random import Random  # noqa: TID251 - numpy takes ten times as long for one choice

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.wire.sigv4 import (
    EMPTY_SHA256,
    NEVER_SIGNED,
    UNSIGNED_PAYLOAD,
    Credentials,
    Signer,
    canonical_path,
    canonical_query,
    canonical_request,
    canonical_value,
    payload_hash,
)

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "sigv4_vectors.json").read_text("utf-8"))
PUBLISHED = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
STAMP = "20150830T123600Z"
NOW = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.UTC)

Parts = tuple[str, str, str, list[tuple[str, str]], bytes]


def parsed(request: str) -> Parts:
    """Method, path, query, headers and body of a request as the vectors write it: some break lines inside values."""
    head, _, body = request.partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    method, target = first.split(" ", 1)
    target = target.removesuffix(" HTTP/1.1")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[0] in " \t":
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
        else:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value))
    path, _, query = target.partition("?")
    return method, path, query, headers, body.encode()


def joined(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Repeated headers as one, values in the order in which they came, names in order."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(canonical_value(value))
    return [(name, ",".join(values[name])) for name in sorted(values)]


@pytest.mark.parametrize("name", VECTORS)
def test_a_published_vector_has_the_published_signature(name: str) -> None:
    vector = VECTORS[name]
    method, path, query, headers, body = parsed(vector["request"])
    if "token" in vector:
        headers.append(("x-amz-security-token", vector["token"]))
    signed = joined(headers)
    encoded_query = canonical_query("".join(one if one.isascii() else quoted(one) for one in query))
    canonical = canonical_request(
        method, canonical_path(path, service="service"), encoded_query, signed, payload_hash(body)
    )
    assert canonical == vector["canonical"]
    names = ";".join(one for one, _ in signed)
    assert Signer("us-east-1", "service").authorization(PUBLISHED, STAMP, names, canonical) == vector["authorization"]


def quoted(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


VISIBLE = "".join(chr(code) for code in range(0x20, 0x7F))
SECRETS = string.ascii_letters + string.digits + "/+="
SEGMENTS = ["%20", "%2F", "%C3%A9", "%25", "", "..", ".", "*", "a=b", "a:b", "(x)", "a+b", "@"]


class Drawn:
    """A request with a secret to sign it, of any shape that can be sent."""

    def __init__(self, random: Random) -> None:
        def text(alphabet: str, longest: int, shortest: int = 0) -> str:
            return "".join(random.choices(alphabet, k=random.randint(shortest, longest)))

        def plain() -> str:
            return text(string.ascii_letters + string.digits + "-._~", 12, 1)

        self.method = random.choice(["GET", "POST", "PUT", "HEAD"])
        self.path = "/" + "/".join(random.choice([plain(), *SEGMENTS]) for _ in range(random.randint(0, 6)))
        pairs = [(plain(), random.choice([plain(), ""])) for _ in range(random.randint(0, 4))]
        self.query = "&".join(f"{name}={value}" for name, value in pairs)
        names = [text(string.ascii_lowercase + string.digits + "-", 20, 1) for _ in range(random.randint(0, 6))]
        self.headers = {name: text(VISIBLE, 30) for name in names if not _is_ours(name)}
        self.body = random.randbytes(random.randint(0, 200))
        token = random.choice([None, text(SECRETS, 200, 1)])
        self.credentials = Credentials("AKIDEXAMPLE", text(SECRETS[:-1], 40, 1), token)


def by_botocore(
    service: str, region: str, credentials: Credentials, method: str, url: str, given: dict[str, str], body: bytes
) -> dict[str, str]:
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    keys = botocore.credentials.Credentials(credentials.access_key, credentials.secret_key, credentials.token)
    request = botocore.awsrequest.AWSRequest(method=method, url=url, headers=given, data=body)
    kind(keys, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.slow
@pytest.mark.parametrize("service", ["sagemaker", "s3"])
def test_a_signature_is_botocores(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW)
    signer = Signer("eu-central-1", service)  # one for all: a key kept from another request would be seen

    @settings(max_examples=250, deadline=None)
    @given(st.integers(0, 2**64))
    def law(seed: int) -> None:
        random = Random(seed)
        for _ in range(20):
            asked = Drawn(random)
            url = f"https://host.example:8443{asked.path}" + (f"?{asked.query}" if asked.query else "")
            theirs = by_botocore(
                service, "eu-central-1", asked.credentials, asked.method, url, asked.headers, asked.body
            )
            signed = [
                (name, canonical_value(value))
                for name, value in sorted((theirs | {"host": "host.example:8443"}).items())
                if name not in NEVER_SIGNED
            ]
            canonical = canonical_request(
                asked.method,
                canonical_path(asked.path, service=service),
                canonical_query(asked.query),
                signed,
                payload_hash(asked.body),
            )
            names = ";".join(name for name, _ in signed)
            assert signer.authorization(asked.credentials, STAMP, names, canonical) == theirs["authorization"]

    law()


def _is_ours(name: str) -> bool:
    return name in NEVER_SIGNED or name.startswith("x-amz-") or name in ("date", "host")


def test_an_unsigned_body_is_signed_as_such() -> None:
    head = [("host", "h"), ("x-amz-content-sha256", UNSIGNED_PAYLOAD)]
    assert canonical_request("PUT", "/k", "", head, UNSIGNED_PAYLOAD).endswith(f"\n{UNSIGNED_PAYLOAD}")


def test_another_day_and_another_secret_have_another_key() -> None:
    signer = Signer("us-east-1", "sqs")
    others = [
        signer.signature(Credentials("A", secret), stamp, "x")
        for secret in ("one", "two")
        for stamp in ("20150830T123600Z", "20150831T123600Z")
    ]
    assert len(set(others)) == 4
    assert signer.signature(Credentials("A", "one"), "20150830T123600Z", "x") == others[0]


def test_the_hash_of_nothing_is_known() -> None:
    assert payload_hash(b"") == EMPTY_SHA256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.slow
def test_credentials_do_not_print_their_secret() -> None:
    text = repr(Credentials("AKIDEXAMPLE", "wJalrXUtn", "AQoDYXdzEPT"))
    assert "wJalrXUtn" not in text
    assert "AQoDYXdzEPT" not in text
