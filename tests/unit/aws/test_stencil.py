"""Goal: a request filled into a stencil is the one that is made from scratch, at every second and for every value.

Method: random headers, values and bodies; a clock that moves or stands; credentials that change.
"""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.aws.transport.wire_service import ServiceClock, Stencil, WireService
from smbench.wire.origin import Origin
from smbench.wire.pool import Pool
from smbench.wire.sigv4 import Credentials, Signer, payload_hash

NOW_NS = 1_795_251_600 * 1_000_000_000
names = st.text(string.ascii_lowercase + "-", min_size=1, max_size=8).map("x-amzn-{}".format)
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12) | st.sampled_from(
    ["%s", "%%s", "100%", "a  b", " %d ", "%(a)s"]
)
keys = st.builds(Credentials, st.just("AKID"), st.sampled_from(["one", "two"]), st.sampled_from([None, "tok%sen"]))


class Service:
    """A service whose time and credentials are what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns, self.keys = NOW_NS, Credentials("AKID", "one")
        monkeypatch.setattr(ServiceClock, "utc_ns", lambda _clock: self.now_ns)
        self.wire = WireService(
            Pool(Origin.of("http://127.0.0.1:1"), limit=1),
            Signer("us-east-1", "sqs"),
            lambda: self.keys,
            clock=ServiceClock(),
            protocol="json",
            user_agent="test/1 100%s",
        )

    def filled(self, stencil: Stencil, values: tuple[str, ...], body: bytes) -> bytes:
        return stencil.filled(values, body, payload_hash(body))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    return Service(monkeypatch)


@pytest.mark.slow
def test_a_filled_stencil_is_the_request_made_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(monkeypatch)  # one for all examples: what is kept from another would be seen
    steps = st.lists(st.tuples(st.integers(0, 2), keys, st.lists(texts, min_size=3, max_size=3), st.binary(max_size=9)))

    @given(
        st.dictionaries(names, texts, max_size=3),
        st.sets(names, max_size=3),
        st.sampled_from(["/", "/a%20b?c=%25"]),
        steps,
    )
    def law(
        constant: dict[str, str],
        varying: set[str],
        path: str,
        steps: list[tuple[int, Credentials, list[str], bytes]],
    ) -> None:
        constant = {name: value for name, value in constant.items() if name not in varying}
        stencil = Stencil(service.wire, "POST", path, constant, tuple(sorted(varying)))
        for seconds, service.keys, texts, body in steps:
            service.now_ns += seconds * 1_000_000_000
            values = tuple(texts[: len(varying)])
            headers = [*constant.items(), *zip(sorted(varying), values, strict=True)]
            whole = service.wire.signed("POST", path, headers, body, payload_hash(body))
            assert service.filled(stencil, values, body) == whole

    law()


def test_the_same_request_in_the_same_second_is_signed_once(service: Service) -> None:
    stencil = Stencil(service.wire, "POST", "/", {})
    first = service.filled(stencil, (), b"x")
    assert service.filled(stencil, (), b"x") is first
    assert service.filled(stencil, (), b"y") != first
    service.now_ns += 1_000_000_000
    assert service.filled(stencil, (), b"x") != first


@pytest.mark.parametrize("varying", [("b", "a"), ("x-amz-a",), ("host",)])
def test_what_varies_comes_sorted_and_behind_the_token(service: Service, varying: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="sorted"):
        Stencil(service.wire, "POST", "/", {}, varying)
