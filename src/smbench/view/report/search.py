"""A capacity search as text, rows and JSON: the answer in sentences, its probes in a table."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Group as Blocks
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from smbench import units
from smbench.sweeping.capacity import BACKLOG, CONFIDENCE, Found
from smbench.sweeping.demands import Demand
from smbench.sweeping.figures import Figures, row_of
from smbench.sweeping.probe import DECIDED, Evidence
from smbench.view.report.whole_table import WholeTable

SCHEMA_VERSION = 1
HEADS = ("probe", "rate", "requests", "kept", "backlog grows", "served", "p95", "misses")


class Kept(Protocol):
    """What is kept of a probe: `api.sweeping.search_result.Kept`."""

    @property
    def purpose(self) -> str: ...

    @property
    def evidence(self) -> Evidence: ...

    @property
    def figures(self) -> Figures: ...

    @property
    def spoiled(self) -> str: ...


class Probe(Protocol):
    """One run of a search: `api.sweeping.search_result.Probe`."""

    @property
    def number(self) -> int: ...

    @property
    def run(self) -> Path: ...

    @property
    def kept(self) -> Kept: ...


class Looked(Protocol):
    """What is shown: `api.sweeping.search_result.Search`."""

    @property
    def path(self) -> Path: ...

    @property
    def name(self) -> str: ...

    @property
    def demands(self) -> tuple[Demand, ...]: ...

    @property
    def probes(self) -> Sequence[Probe]: ...

    @property
    def lowest_hz(self) -> float: ...

    @property
    def highest_hz(self) -> float: ...

    @property
    def stopped(self) -> str: ...

    @property
    def interrupted(self) -> bool: ...

    @property
    def found(self) -> Found: ...

    @property
    def rate_hz(self) -> float | None: ...


def progress_line(number: int, found: Mapping[str, Any]) -> str:
    """One probe that is over, in words."""
    if "dropped" in found:
        return f"probe {number}: could not begin: {found['dropped']}"
    evidence = Evidence.model_validate(found["evidence"])
    growth = "" if evidence.growth_hz is None else f", backlog {evidence.growth_hz.mean:+.3f}/s"
    misses = ", ".join(f"{one.text}: {units.share(one.least)} miss" for one in evidence.misses)
    left_out = f"; left out: {found['spoiled']}" if found["spoiled"] else ""
    return f"probe {number}: {units.rate(evidence.rate_hz)} {said(evidence.said)}{growth}; {misses}{left_out}"


def measuring(looked: Looked) -> list[Probe]:
    """The probes that measured the endpoint, in the order in which they were made: what the answer is made of."""
    return [probe for probe in looked.probes if not probe.kept.spoiled]


def said(word: str) -> str:
    """What a probe says, as a word of a sentence."""
    return {"keeps": "is kept", "fails": "is not kept", "unsure": "is not decided"}[word]


def render(looked: Looked) -> RenderableType:
    """The answer, the probes and what they mean."""
    table = WholeTable(*((head, "left" if head in ("kept", "misses") else "right") for head in HEADS))
    for row in table_rows(looked):
        table.add_row(*row)
    title = Text(f"{looked.name}: {units.counted(len(looked.probes), 'probe')}", "bold")
    blocks: list[RenderableType] = [title, Text("\n".join(sentences(looked))), table, Text("\n".join(notes(looked)))]
    return Blocks(*(Padding(block, (0, 0, 1, 0)) for block in blocks))


def sentences(looked: Looked) -> list[str]:
    """The answer."""
    found = looked.found
    if looked.interrupted:
        return [f"Not over: `smbench resume {looked.path}` goes on.", *_so_far(looked)]
    if looked.stopped:
        return [f"Not known: {looked.stopped}.", *_so_far(looked)]
    if found.rate_hz is None:
        return [_outside(looked)]
    confirmed = "confirmed by a run of its own at the lower end" if found.is_confirmed else "not confirmed"
    return [
        f"Highest rate kept: {units.rate(found.rate_hz)}, between {units.rate(found.low_hz)} and "
        f"{units.rate(found.high_hz)} ({CONFIDENCE:.0%} of such intervals or more hold it), {confirmed}.",
        f"Beyond it: {_binds(found)}.",
    ]


def _so_far(looked: Looked) -> list[str]:
    found = looked.found
    low = f"{units.rate(found.low_hz)} is kept" if found.low_hz else "no rate is known to be kept"
    high = "" if math.isinf(found.high_hz) else f", {units.rate(found.high_hz)} is not"
    return [f"So far: {low}{high}."] if looked.probes else []


def _outside(looked: Looked) -> str:
    found = looked.found
    if not looked.probes:
        return "Not known: no probe was made."
    if math.isinf(found.high_hz) and found.low_hz >= looked.highest_hz * (1 - 1e-9):
        return (
            f"Not found: even the highest rate, {units.rate(looked.highest_hz)}, is kept: try higher ones, --between."
        )
    tried = [probe.kept.evidence for probe in measuring(looked)]
    if not found.low_hz and any(one.rate_hz <= looked.lowest_hz * (1 + 1e-9) for one in tried):
        lowest = min(tried, key=lambda one: one.rate_hz)
        word = "fails" if lowest.said == "fails" else "is not known to be kept"
        why = f" ({_binds(found)})" if found.binds else ""
        return (
            f"Not found: even the lowest rate, {units.rate(looked.lowest_hz)}, {word}{why}: try lower ones, --between."
        )
    return "Not known: there were too few probes to find a rate that is kept and one that is not."


def _binds(found: Found) -> str:
    return found.binds if found.binds == BACKLOG else f"{found.binds} is missed"


def table_rows(looked: Looked) -> list[tuple[str, ...]]:
    """A row a probe, by rate."""
    return [_cells(probe) for probe in sorted(looked.probes, key=lambda one: one.kept.evidence.rate_hz)]


def _cells(probe: Probe) -> tuple[str, ...]:
    evidence, figures = probe.kept.evidence, probe.kept.figures
    growth, served = evidence.growth_hz, evidence.served_hz
    is_kept = {"keeps": "yes", "fails": "no", "unsure": "not decided"}[evidence.said]
    return (
        f"{probe.number}",
        units.rate(evidence.rate_hz),
        f"{evidence.n:,}",
        "left out" if probe.kept.spoiled else is_kept,
        "-" if growth is None else f"{growth.mean:+.3f} ±{growth.half(DECIDED):.2g}/s",
        "-" if served is None else f"{served.mean:.4g} ±{served.half(CONFIDENCE):.2g}/s",
        "-" if figures.p95 is None else figures.p95.text(),
        ", ".join(units.share(one.least) for one in evidence.misses),
    )


def notes(looked: Looked) -> list[str]:
    """What had to hold and what the columns mean."""
    held = "; ".join(f"{demand.text}, so {units.share(demand.allowed)} may miss" for demand in looked.demands)
    return [
        f"Kept: the backlog does not grow, and {held}.",
        f"Growth with its {DECIDED:.0%} interval; served: completions while it grows. Misses in the order above.",
        *(f"Left out: probe {one.number}: {one.kept.spoiled}." for one in looked.probes if one.kept.spoiled),
        "Each probe is a run with a folder of its own, which `smbench report` reads.",
    ]


def rows_of(looked: Looked) -> list[dict[str, Any]]:
    """Every probe as a row of `search.parquet`, in the order in which they were made."""
    return [_row(looked, probe) for probe in looked.probes]


def _row(looked: Looked, probe: Probe) -> dict[str, Any]:
    evidence = probe.kept.evidence
    growth, served = evidence.growth_hz, evidence.served_hz
    return {
        "probe": probe.number,
        "purpose": probe.kept.purpose,
        "rate_hz": evidence.rate_hz,
        "said": evidence.said,
        "spoiled": probe.kept.spoiled or None,
        "growth_hz": None if growth is None else growth.mean,
        "growth_error_hz": None if growth is None else growth.error,
        "served_hz": None if served is None else served.mean,
        "served_error_hz": None if served is None else served.error,
        **{f"missed_{place}": one.least for place, one in enumerate(evidence.misses)},
        "run": str(probe.run.relative_to(looked.path)),
        **{name: value for name, value in row_of(probe.kept.figures).items() if name not in ("kept", "missed")},
    }


def to_json(looked: Looked) -> dict[str, Any]:
    """All of it; what is not known is null."""
    found = looked.found
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "search",
        "name": looked.name,
        "demands": [{"text": one.text, "allowed": one.allowed} for one in looked.demands],
        "rate_hz": looked.rate_hz,
        "low_hz": found.low_hz or None,
        "high_hz": None if math.isinf(found.high_hz) else found.high_hz,
        "confidence": CONFIDENCE,
        "binds": found.binds,
        "confirmed": found.is_confirmed,
        "stopped": looked.stopped,
        "interrupted": looked.interrupted,
        "sentences": sentences(looked),
        "probes": rows_of(looked),
    }
