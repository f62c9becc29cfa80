"""What is well written and makes no sense together. Each check names the sections it speaks of."""

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

from smbench.scenario.model import Scenario
from smbench.scenario.payloads import read_payloads
from smbench.scenario.phases import REQUESTS_MAX
from smbench.scenario.source import Misfit, Where

Check = Callable[[Scenario, Path], Iterator[Misfit]]


def sense_problems(scenario: Scenario, base_dir: Path, broken: Collection[str] = ()) -> Iterator[Misfit]:
    """Every misfit among the sections (top-level keys) that are not `broken` in themselves."""
    for sections, check in _CHECKS:
        if not set(sections) & set(broken):
            yield from check(scenario, base_dir)


def _payloads_can_be_sent(scenario: Scenario, base_dir: Path) -> Iterator[Misfit]:
    yield from read_payloads(scenario, base_dir)[1]


def _every_class_has_a_law(scenario: Scenario, base_dir: Path) -> Iterator[Misfit]:
    if scenario.target.endpoint is not None:
        return
    laws = scenario.target.emulated.service.by_class
    classes = sorted({payload.payload_class for payload in read_payloads(scenario, base_dir)[0]})
    where: Where = ("target", "emulated", "service", "by_class")
    for name in laws:
        if name and classes and name not in classes:
            near = get_close_matches(name, classes, n=1)
            yield Misfit((*where, name), f"no payload has the class '{name}', only {', '.join(classes)}", "".join(near))
    if "" not in laws and (without := [name for name in classes if name not in laws]):
        yield Misfit(where, f'gives no law for {", ".join(without)}; the class "" is for all others')


def _something_can_be_planned(scenario: Scenario, _base_dir: Path) -> Iterator[Misfit]:
    expected = sum(phase.expected_requests or 0.0 for phase in scenario.load)
    if expected > REQUESTS_MAX:
        yield Misfit(("load",), f"asks for about {expected:,.0f} requests; a run holds at most {REQUESTS_MAX:,}")
    for index, phase in enumerate(scenario.load[:-1]):
        if phase.kind == "closed" and phase.planned_s is None:
            message = "needs a `for`: without it nobody knows when the next phase begins"
            yield Misfit(("load", index, "closed"), message)


_CHECKS: tuple[tuple[tuple[str, ...], Check], ...] = (
    (("payloads", "request"), _payloads_can_be_sent),
    (("payloads", "request", "target"), _every_class_has_a_law),
    (("load",), _something_can_be_planned),
)
