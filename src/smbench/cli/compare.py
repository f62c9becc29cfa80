"""`compare`: groups of runs against a baseline, refused where they are not alike or a run is invalid; and the gate."""

import glob
import itertools
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from smbench.analysis.comparison.comparability import Difference, differences, is_repetition
from smbench.analysis.comparison.compare import Comparison, Group, RunFigures, comparison
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
from smbench.analysis.verdict.checks import Verdict, check, verdict
from smbench.cli.given_out import on_stdout, print_json, write_page
from smbench.errors import ExitCode, InvalidRunError, UsageError
from smbench.results.manifest import MANIFEST
from smbench.results.store import RunFiles, open_run
from smbench.view.page.vega import Vega
from smbench.view.report.comparison import render, to_json

_AT_ONCE = 2
_SHOWN_MAX = 8  # differences in an error
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,15})=(.+)")


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The command line of `compare`; `groups` as written."""

    groups: tuple[str, ...]
    against: str | None = None
    vary: tuple[str, ...] = ()
    is_unlike: bool = False
    is_forced: bool = False
    metric: str = "sojourn_p95"
    margin: str = "10%"
    fail_if: str | None = None
    is_strict: bool = False
    output: str = "table"
    html: Path | None = None  # all of it as a page, pictures and all


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one group, not yet read."""

    label: str
    runs: tuple[RunFiles, ...]


def compare_command(options: CompareOptions) -> ExitCode:
    """Print to stdout how the groups compare; returns the exit status that the gate asks for.

    Raises: as `compare_runs`.
    """
    gate = _gate(options.fail_if)
    told = compare_runs(options)
    return _tell(told, gate, options)


def compare_runs(options: CompareOptions) -> Comparison:
    """The runs that the command line names, read and compared.

    Raises:
        UsageError: groups are written wrongly, or are not alike in what should not vary.
        InvalidRunError: a run says nothing of its endpoint.
        ResultsError: a folder is no run, or its files are damaged.
    """
    margin = _margin(options.margin)
    if options.metric not in RUN_METRICS:
        raise UsageError(f"there is no metric '{options.metric}'", f"known are {', '.join(RUN_METRICS)}")
    found, notes = _distinct(_grouped(options.groups))
    baseline = options.against or found[0].label
    varies = _varies(found, baseline, options)
    groups = _read(found)
    return comparison(
        groups,
        baseline=baseline,
        primary=options.metric,
        margin=margin,
        varies=varies,
        notes=[*notes, *_judged(groups, is_forced=options.is_forced)],
    )


def _tell(told: Comparison, gate: Gate | None, options: CompareOptions) -> ExitCode:
    results = [] if gate is None else judge(gate, told)
    if options.output == "json":
        print_json(to_json(told, results))
    else:
        on_stdout().print(render(told, results))
    if options.html is not None:
        _write_page(options.html, told, results)
    failing = (Outcome.REGRESSED, Outcome.INCONCLUSIVE) if options.is_strict else (Outcome.REGRESSED,)
    return ExitCode.THRESHOLD if worst(results) in failing else ExitCode.OK


def _write_page(path: Path, told: Comparison, results: Sequence[GateResult]) -> None:
    from smbench.view.page.comparison_page import comparison_page  # its libraries cost half a second

    with Vega() as vega:
        write_page(path, comparison_page(told, results, vega))


# ---- the command line -----------------------------------------------------------------------------------------


def _gate(text: str | None) -> Gate | None:
    try:
        return None if text is None else parse_gate(text)
    except GateError as error:
        raise UsageError(f"--fail-if: {error}") from None


def _margin(text: str) -> float:
    try:
        share = share_of(text)
    except ValueError as error:
        raise UsageError(f"--margin: '{text}' {error}") from None
    if not 0 < share <= 1:
        raise UsageError(f"--margin: '{text}' must lie above 0% and at most at 100%")
    return share


def _grouped(texts: Sequence[str]) -> list[_Runs]:
    """One group an argument: a folder, several with commas between, a glob; `name=` before it names the group."""
    if len(texts) < 2:
        raise UsageError("there is nothing to compare with", "name two runs or groups: smbench compare A B")
    groups = []
    for place, text in enumerate(texts):
        match = None if Path(text).exists() else _NAMED.fullmatch(text)
        label, folders = (match[1], match[2]) if match else (_letter(place), text)
        groups.append(_Runs(label, tuple(open_run(folder) for folder in _folders(folders))))
    labels = [group.label for group in groups]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise UsageError(f"two groups have the name {min(twice)}", "give each a name of its own")
    if sum(sorted(len(group.runs) for group in groups)[-2:]) > N_MAX:
        raise UsageError(f"two groups together may have {N_MAX} runs at most")
    folders_of = [(run.path.resolve(), run.path) for group in groups for run in group.runs]
    for (resolved, path), (other, _) in itertools.combinations(folders_of, 2):
        if resolved == other:
            raise UsageError(f"{path} is named twice", "a run can stand in one group only, once")
    return groups


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


def _varies(groups: Sequence[_Runs], baseline: str, options: CompareOptions) -> dict[str, tuple[Difference, ...]]:
    """What differs from the baseline, by label; refused unless it was meant to."""
    base = next((group for group in groups if group.label == baseline), None)
    if base is None:
        raise UsageError(f"there is no group {baseline}", f"known are {', '.join(group.label for group in groups)}")
    varies = {}
    for group in groups:
        first = group.runs[0]
        for run in group.runs[1:]:
            found = differences(first.manifest, run.manifest)
            if found and not options.is_unlike:
                raise _unlike(f"the runs of group {group.label}", found, first.path.name, run.path.name)
        found = differences(base.runs[0].manifest, first.manifest)
        unmeant = tuple(difference for difference in found if not difference.lies_under(options.vary))
        if unmeant and not options.is_unlike:
            raise _unlike(f"{baseline} and {group.label}", unmeant, baseline, group.label)
        varies[group.label] = found
    return varies


def _unlike(what: str, found: Sequence[Difference], one: str, other: str) -> UsageError:
    lines = [f"\n  {each.key}: {each.baseline} in {one}, {each.other} in {other}" for each in found[:_SHOWN_MAX]]
    if rest := found[_SHOWN_MAX:]:
        lines.append(f"\n  and {len(rest)} more")
    keys = dict.fromkeys(_meant(each.key) for each in found)
    vary = " ".join(f"--vary {key}" for key in list(keys)[:3])
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
    judged = verdict(findings)
    return RunFigures(
        run=str(run.path),
        run_id=run.manifest.run_id,
        seed=summary.seed,
        verdict=judged.value,
        reasons=tuple(
            f"{one.name}: {one.seen}" for one in findings if one.verdict is judged and judged is not Verdict.VALID
        ),
        n_accepted=summary.measured.accepted,
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
    unknown = [
        f"{run.run} of {label}: {'; '.join(run.reasons)}" for label, run in runs if run.verdict == Verdict.UNKNOWN
    ]
    return [*(f"invalid: {one}" for one in invalid), *(f"unknown: {one}" for one in unknown)]
