"""What each row of a shard submits: the payload that the schedule chose, under the row's own InferenceId."""

from collections.abc import Callable, Sequence
from typing import Any

from smbench.generator.tracking.ledger import Ledger
from smbench.records import Invocation
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload


def invocations(
    scenario: Scenario, payloads: Sequence[Payload], ledger: Ledger, locations: Sequence[str] | None
) -> Callable[[int], Invocation]:
    """A function from a row's index to what it submits.

    Args:
        locations: Where the inputs are in S3: one a payload, or one a row of the shard when payloads are unique;
            None when bodies go inline.
    """
    is_unique = scenario.payloads.unique
    # A view gives Python's own numbers, at a third of what numpy's cost to make and to write.
    places = ledger.payload.data
    seqs = ledger.seq if isinstance(ledger.seq, range) else ledger.seq.data
    prefix = ledger.id_prefix
    headers = [_headers(payload) for payload in payloads]

    def invocation(index: int) -> Invocation:
        place, seq = places[index], seqs[index]
        payload = payloads[place]
        location, body = payload.input_location, None
        if location is None and locations is None:
            body = payload.unique(seq) if is_unique else payload.body
        elif location is None and locations is not None:
            location = locations[index if is_unique else place]
        return Invocation(seq, f"{prefix}{seq}", location, body, *headers[place])

    return invocation


_OWN = ("seq", "inference_id", "input_location", "body")  # of each request; all else is the payload's


def _headers(payload: Payload) -> tuple[Any, ...]:
    """What all requests with this payload share, in the order of Invocation's fields."""
    return tuple(getattr(payload, name) for name in Invocation.__struct_fields__ if name not in _OWN)
