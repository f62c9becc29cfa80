"""Groups of runs against a baseline, and the gate: refused where runs are not alike or one is invalid."""

import glob
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from smbench.analysis.comparison.comparability import Difference, differences, is_repetition
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Comparison, Group, RunFigures
from smbench.analysis.comparison.regression import (
    Gate,
    GateError,
    GateResult,
    Outcome,
    judge,
    parse_gate,
    share_of,
    worst,
)
from smbench.analysis.comparison.run_metrics import RUN_METRICS, measure, thin
from smbench.analysis.numbers.rank_tests import N_MAX
from smbench.analysis.rows.frames import load
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.api.printed import Printed
from smbench.api.result import Run
from smbench.errors import ExitCode, InvalidRunError, UsageError
from smbench.findings import Verdict, verdict
from smbench.results.manifest import MANIFEST
from smbench.results.store import RunFiles, open_run
from smbench.units import counted
from smbench.view.page.vega import Vega
from smbench.view.report.comparison import render, to_json

RunLike = str | os.PathLike[str] | Run
"""A run's folder, or a Run. As text also several folders with commas between, or a glob."""

GroupLike = RunLike | Sequence[RunLike]

_AT_ONCE = 2
_SHOWN_MAX = 8  # differences in an error
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,15})=(.+)")


@dataclass(frozen=True, repr=False)
class ComparisonResult(Printed):
    """How groups of runs compare.

    Args:
        comparison: The groups, and each against the baseline, metric by metric.
        gate: What the gate found; empty where there is none.
        is_strict: Not being sure fails the gate too.
    """

    comparison: Comparison
    gate: tuple[GateResult, ...] = ()
    is_strict: bool = False

    @property
    def exit_status(self) -> ExitCode:
        """What the command line would exit with."""
        failing = (Outcome.REGRESSED, Outcome.INCONCLUSIVE) if self.is_strict else (Outcome.REGRESSED,)
        return ExitCode.THRESHOLD if worst(self.gate) in failing else ExitCode.OK

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self.comparison, self.gate), "exit_status": int(self.exit_status)}

    def to_text(self) -> RenderableType:
        """The report as `rich` prints it."""
        return render(self.comparison, self.gate)

    def to_html(self) -> str:
        """The report with plots as one page that needs no network."""
        from smbench.view.page.comparison_page import comparison_page  # its libraries cost half a second

        with Vega() as vega:
            return comparison_page(self.comparison, self.gate, vega)

    def __repr__(self) -> str:
        found = self.comparison
        groups = ", ".join(f"{group.label} ({counted(len(group.runs), 'run')})" for group in found.groups)
        return f"<smbench.ComparisonResult {groups}; baseline {found.baseline}, exit status {int(self.exit_status)}>"


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one group, not yet read."""

    label: str
    runs: tuple[RunFiles, ...]


def compare(
    *groups: GroupLike | Mapping[str, GroupLike],
    against: str | None = None,
    vary: Sequence[str] = (),
    unlike: bool = False,
    force: bool = False,
    metric: str | Sequence[str] = "sojourn_p95",
    margin: str = "10%",
    fail_if: str | None = None,
    strict: bool = False,
) -> ComparisonResult:
    """Compare groups of runs with a baseline: how many times as long, and how sure that is.

    Args:
        groups: Two or more; or one mapping from names to groups. As text, `name=...` names a group.
        against: The group that is the baseline; None: the first.
        vary: Keys of the scenario that are meant to differ, such as `target.emulated.policies`.
        unlike: Compare whatever differs.
        force: Take runs too that are invalid or ended before their load did.
        metric: The one that counts, or several, named before looking; the gate's.
        margin: Differences smaller than this do not matter.
        fail_if: The gate, such as `"slower-than 5%"`; None: there is none.
        strict: Not being sure fails the gate too.

    Returns:
        The comparison, with what the gate found.

    Raises:
        UsageError: groups are written wrongly, or are not alike in what should not vary.
        InvalidRunError: a run says nothing of its endpoint, or sent a part of its load.
        ResultsError: a folder is no run, or its files are damaged.
    """
    gate, share = _gate(fail_if), _margin(margin)
    named = tuple(dict.fromkeys(_metric(one) for one in ([metric] if isinstance(metric, str) else metric)))
    found, notes = _distinct(_grouped(_named(groups)))
    baseline = against or found[0].label
    varies = _varies(found, baseline, vary, is_unlike=unlike)
    read = _read(found)
    compared = comparison(
        read,
        baseline=baseline,
        named=named,
        margin=share,
        varies=varies,
        notes=[*notes, *_judged(read, is_forced=force)],
    )
    return ComparisonResult(compared, () if gate is None else tuple(judge(gate, compared)), strict)


# ---- what was asked for ---------------------------------------------------------------------------------------


def _named(groups: Sequence[GroupLike | Mapping[str, GroupLike]]) -> list[tuple[str | None, GroupLike]]:
    """Each group with its name, None where it has none of its own."""
    named: list[tuple[str | None, GroupLike]] = []
    for group in groups:
        if isinstance(group, Mapping):
            named += group.items()
        else:
            named.append((None, group))
    return named


def _gate(text: str | None) -> Gate | None:
    try:
        return None if text is None else parse_gate(text)
    except GateError as error:
        raise UsageError(f"--fail-if: {error}") from None


def _metric(name: str) -> str:
    """A metric by its name, with or without its unit; a percentile alone is that of the latency from schedule."""
    units = ("", "_s", "_usd", "_share", "_hz")
    spellings = (f"{before}{name}{unit}" for before in ("", "sojourn_") for unit in units)
    found = next((spelling for spelling in spellings if spelling in RUN_METRICS), None)
    if found is None:
        raise UsageError(f"there is no metric '{name}'", f"known are {', '.join(RUN_METRICS)}")
    return found


def _margin(text: str) -> float:
    try:
        share = share_of(text)
    except ValueError as error:
        raise UsageError(f"--margin: '{text}' {error}") from None
    if not 0 < share <= 1:
        raise UsageError(f"--margin: '{text}' must lie above 0% and at most at 100%")
    return share


def _grouped(groups: Sequence[tuple[str | None, GroupLike]]) -> list[_Runs]:
    """The runs of each group, opened."""
    if len(groups) < 2:
        raise UsageError("there is only one run or group", "name two runs or groups: smbench compare A B")
    opened = []
    for place, (name, group) in enumerate(groups):
        label, folders = _label_and_folders(name, group)
        opened.append(_Runs(label or _letter(place), tuple(open_run(folder) for folder in folders)))
    labels = [group.label for group in opened]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise UsageError(f"two groups have the name {min(twice)}", "give each a name of its own")
    if sum(sorted(len(group.runs) for group in opened)[-2:]) > N_MAX:
        raise UsageError(f"two groups together may have {N_MAX} runs at most")
    folders_of = [(run.path.resolve(), run.path) for group in opened for run in group.runs]
    for (resolved, path), (other, _) in itertools.combinations(folders_of, 2):
        if resolved == other:
            raise UsageError(f"{path} is named twice", "a run can be in one group only, once")
    return opened


def _label_and_folders(name: str | None, group: GroupLike) -> tuple[str | None, list[Path]]:
    """A folder, several with commas between, a glob, each with `name=` before it; a Run; or several of these."""
    if isinstance(group, Run):
        if group.path is None:
            raise UsageError("a simulation cannot be compared: it has no folder", "run the scenario in virtual time")
        return name, [group.path]
    if isinstance(group, str):
        match = None if name is not None or Path(group).exists() else _NAMED.fullmatch(group)
        return (match[1], _folders(match[2])) if match else (name, _folders(group))
    if isinstance(group, os.PathLike):
        return name, [Path(group)]
    return name, [folder for one in group for folder in _label_and_folders(name, one)[1]]


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"group-{place + 1}"


def _folders(text: str) -> list[Path]:
    if Path(text).exists():
        return [Path(text)]
    folders = []
    for part in filter(None, text.split(",")):
        if glob.has_magic(part) and not Path(part).exists():
            matches = sorted(Path(match) for match in glob.glob(part))
            runs = [match for match in matches if (match / MANIFEST).exists()]
            if not runs:
                raise UsageError(f"no run matches {part}")
            folders += runs
        else:
            folders.append(Path(part))
    return folders


# ---- what may not be compared ---------------------------------------------------------------------------------


def _distinct(groups: Sequence[_Runs]) -> tuple[list[_Runs], list[str]]:
    """Without runs that only repeat another of their group, and what was left out."""
    distinct, notes = [], []
    for group in groups:
        kept: list[RunFiles] = []
        for run in group.runs:
            first = next((one for one in kept if _repeats(one, run)), None)
            if first is None:
                kept.append(run)
            else:
                notes.append(
                    f"{group.label}: {run.path} is left out, it repeats {first.path}: virtual time with the same seeds "
                    "comes out the same. Give each run a --seed of its own."
                )
        distinct.append(_Runs(group.label, tuple(kept)))
    return distinct, notes


def _repeats(one: RunFiles, other: RunFiles) -> bool:
    return is_repetition(one.manifest, other.manifest) and not differences(one.manifest, other.manifest)


def _varies(
    groups: Sequence[_Runs], baseline: str, vary: Sequence[str], *, is_unlike: bool
) -> dict[str, tuple[Difference, ...]]:
    """What differs from the baseline, by label; refused unless it was meant to."""
    base = next((group for group in groups if group.label == baseline), None)
    if base is None:
        raise UsageError(f"there is no group {baseline}", f"known are {', '.join(group.label for group in groups)}")
    varies = {}
    for group in groups:
        first = group.runs[0]
        for run in group.runs[1:]:
            found = differences(first.manifest, run.manifest)
            if found and not is_unlike:
                raise _unlike(f"the runs of group {group.label}", found, first.path.name, run.path.name)
        found = differences(base.runs[0].manifest, first.manifest)
        unmeant = tuple(difference for difference in found if not difference.lies_under(vary))
        if unmeant and not is_unlike:
            raise _unlike(f"{baseline} and {group.label}", unmeant, baseline, group.label)
        varies[group.label] = found
    return varies


def _unlike(what: str, found: Sequence[Difference], one: str, other: str) -> UsageError:
    lines = [f"\n  {each.key}: {each.baseline} in {one}, {each.other} in {other}" for each in found[:_SHOWN_MAX]]
    if rest := found[_SHOWN_MAX:]:
        lines.append(f"\n  and {len(rest)} more")
    keys = dict.fromkeys(_meant(each.key) for each in found)
    vary = " ".join(f"--vary {key}" for key in keys)
    return UsageError(
        f"{what} are not alike:{''.join(lines)}",
        "compare anyway with --unlike"
        if what.startswith("the runs")
        else f"if that is what you compare: {vary}; or --unlike",
    )


def _meant(key: str) -> str:
    """The part of a scenario that a person would name: without places in lists and what lies below them."""
    parts = list(itertools.takewhile(lambda part: not part.isdigit(), key.split(".")))
    return ".".join(part for part in parts[:3] if part) or key


# ---- the runs -------------------------------------------------------------------------------------------------


def _read(groups: Sequence[_Runs]) -> list[Group]:
    """Two runs at a time: most of the work is done by polars and numpy, which let each other run, and memory holds."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        figures = threads.map(_figures, [run for group in groups for run in group.runs])
        return [Group(label=group.label, runs=tuple(next(figures) for _ in group.runs)) for group in groups]


def _figures(run: RunFiles) -> RunFigures:
    """One run read, judged and measured; its rows are not kept."""
    frames = load(run)
    summary = summarise(frames)
    findings = check(frames, summary)
    judged, counts = verdict(findings), summary.measured
    ended_early = frames.n_cut_short or frames.n_left_out
    return RunFigures(
        run=str(run.path),
        run_id=run.manifest.run_id,
        seed=summary.seed,
        seeds=run.manifest.seeds,
        verdict=judged.value,
        reasons=tuple(
            f"{one.name}: {one.seen}" for one in findings if one.verdict is judged and judged is not Verdict.VALID
        ),
        part=f"{counts.sent:,} of {counts.scheduled:,} requests were sent" if ended_early else "",
        n_accepted=counts.accepted,
        figures=measure(frames, summary),
        thin=thin(summary),
    )


def _judged(groups: Sequence[Group], *, is_forced: bool) -> list[str]:
    """What the verdicts of the runs say against comparing them."""
    runs = [(group.label, run) for group in groups for run in group.runs]
    invalid = [
        f"{run.run} of {label}: {'; '.join(run.reasons)}" for label, run in runs if run.verdict == Verdict.INVALID
    ]
    if invalid and not is_forced:
        raise InvalidRunError(
            "invalid runs say nothing of their endpoint:" + "".join(f"\n  {one}" for one in invalid),
            "leave them out and run them again, or compare anyway with --force",
        )
    partly = [f"{run.run} of {label}: {run.part}" for label, run in runs if run.part]
    if partly and not is_forced:
        raise InvalidRunError(
            "runs that ended before their load did measured another load:" + "".join(f"\n  {one}" for one in partly),
            "run them again, without --stop-when-certain, or compare anyway with --force",
        )
    unknown = [
        f"{run.run} of {label}: {'; '.join(run.reasons)}" for label, run in runs if run.verdict == Verdict.UNKNOWN
    ]
    return [
        *(f"partly sent: {one}" for one in partly),
        *(f"invalid: {one}" for one in invalid),
        *(f"unknown: {one}" for one in unknown),
    ]
