"""What is well written and makes no sense together, looked for in the sections that are sound in themselves."""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload, read_payloads
from smbench.scenario.phases import REQUESTS_MAX
from smbench.scenario.source import Misfit, Where


def consistency_problems(scenario: Scenario, base_dir: Path, broken: Collection[str] = ()) -> Iterator[Misfit]:
    """Every misfit that involves no section (top-level key) in `broken`, whose defaults stand in the scenario."""
    if not {"payloads", "request"} & set(broken):  # without the payloads their classes are not known
        read = read_payloads(scenario, base_dir)
        yield from read.misfits
        yield from _classes_and_laws(scenario, read.payloads)
    yield from _what_cannot_be_planned(scenario)


def _classes_and_laws(scenario: Scenario, payloads: Sequence[Payload]) -> Iterator[Misfit]:
    laws = scenario.target.emulated.service.by_class
    classes = sorted({payload.payload_class for payload in payloads})
    where: Where = ("target", "emulated", "service", "by_class")
    for name in laws:
        if name and classes and name not in classes:
            near = get_close_matches(name, classes, n=1)
            yield Misfit((*where, name), f"no payload has the class '{name}', only {', '.join(classes)}", "".join(near))
    if "" not in laws and (without := [name for name in classes if name not in laws]):
        yield Misfit(where, f'gives no law for {", ".join(without)}; the class "" is for all others')


def _what_cannot_be_planned(scenario: Scenario) -> Iterator[Misfit]:
    expected = sum(phase.expected_requests or 0.0 for phase in scenario.load)
    if expected > REQUESTS_MAX:
        yield Misfit(("load",), f"asks for about {expected:,.0f} requests; a run holds at most {REQUESTS_MAX:,}")
    for index, phase in enumerate(scenario.load[:-1]):
        if phase.kind == "closed" and phase.planned_s is None:
            message = "needs a `for`: without it the begin of the next phase is not known"
            yield Misfit(("load", index, "closed"), message)
