"""What each row of a shard submits: the payload that the schedule chose, under the row's own InferenceId."""

from collections.abc import Callable, Sequence

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

    def invocation(index: int) -> Invocation:
        place = int(ledger.payload[index])
        payload = payloads[place]
        seq = int(ledger.seq[index])
        location, body = payload.input_location, None
        if location is None and locations is None:
            body = payload.unique(seq) if is_unique else payload.body
        elif location is None and locations is not None:
            location = locations[index if is_unique else place]
        return Invocation(
            seq=seq,
            inference_id=ledger.inference_id(index),
            input_location=location,
            body=body,
            content_type=payload.content_type,
            accept=payload.accept,
            custom_attributes=payload.custom_attributes,
            ttl_s=payload.ttl_s,
            timeout_s=payload.timeout_s,
            output_extension=payload.output_extension,
            filename=payload.filename,
            target_model=payload.target_model,
            target_variant=payload.target_variant,
            target_container=payload.target_container,
            inference_component=payload.inference_component,
            explanations=payload.explanations,
        )

    return invocation
