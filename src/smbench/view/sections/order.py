"""A report's sections, in the order in which they are read."""

from collections.abc import Callable

from smbench.view.sections import answers, decision, endpoint, judgement, prediction, price, requests, steps
from smbench.view.sections.blocks import Judged, Section

SECTIONS: tuple[Callable[[Judged], Section | None], ...] = (
    decision.decision,
    judgement.law,
    judgement.thresholds,
    prediction.against_run,
    prediction.replications,
    requests.load,
    steps.steps,
    requests.latency,
    requests.streams,
    requests.stages,
    decision.parts,
    requests.errors,
    answers.answers,
    requests.retries,
    endpoint.scaling,
    endpoint.endpoint,
    endpoint.cost,
    price.price,
    judgement.observations,
    requests.slowest,
    judgement.measuring,
    judgement.checks,
)
"""Each makes one section, or None where there is nothing to say. One more here is in every rendering."""


def sections(judged: Judged) -> list[Section]:
    """Those that have something to say."""
    made = (make(judged) for make in SECTIONS)
    return [section for section in made if section is not None and section.blocks]
