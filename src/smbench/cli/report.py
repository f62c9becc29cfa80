"""`report`: what a run's files say, printed again; and the exit status that follows from it."""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from smbench.analysis.rows.frames import Frames, load
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import Finding, check
from smbench.analysis.verdict.thresholds import ThresholdResult, evaluate
from smbench.cli.given_out import as_json, on_stdout, print_json, write_page
from smbench.errors import ExitCode, ResultsError, UsageError
from smbench.results.files import write_whole
from smbench.results.store import RunFiles, open_run
from smbench.scenario.thresholds import ThresholdError, parse_threshold
from smbench.view.page.vega import Vega
from smbench.view.report.junit import to_junit
from smbench.view.report.markdown import to_markdown
from smbench.view.report.summary_file import SUMMARY_FILE, exit_status, to_json
from smbench.view.report.text import render

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is said of a run, and where."""

    output: str = "table"
    asserted: tuple[str, ...] = ()  # thresholds beside the scenario's
    junit: Path | None = None
    summary_md: Path | None = None
    has_summary_file: bool = False  # summary.json is written into the run's folder
    html: Path | None = None  # the whole report as a page, pictures and all


def print_report(run_dir: Path, options: ReportOptions) -> ExitCode:
    """Say what the files say; returns the exit status that the verdict and the thresholds ask for.

    Raises:
        UsageError: an asserted threshold cannot be read.
        ResultsError: it is no run, its files are damaged, or what was asked for cannot be written.
    """
    asserted = readable(options.asserted)
    run = open_run(run_dir)
    with nullcontext() if options.html is None else Vega() as vega:  # it starts while the figures are made
        return _print(run_dir, run, asserted, options, vega)


def _print(
    run_dir: Path, run: RunFiles, asserted: Sequence[str], options: ReportOptions, vega: Vega | None
) -> ExitCode:
    texts = dict.fromkeys((*_of_the_scenario(run), *asserted))  # each once
    frames = load(run)
    summary = summarise(frames)
    findings = check(frames, summary)
    thresholds = evaluate(list(texts), frames, summary)
    told = summary, findings, thresholds
    if options.output == "json":
        print_json(to_json(*told, run_dir))
    else:
        on_stdout().print(render(*told, run_dir))
    _leave(run_dir, options, *told)
    if options.html is not None and vega is not None:
        _write_page(options.html, vega, frames, *told)
    return exit_status(findings, thresholds)


def readable(asserted: Sequence[str]) -> tuple[str, ...]:
    """The thresholds of the command line as they are.

    Raises:
        UsageError: one of them cannot be read.
    """
    for text in asserted:
        try:
            parse_threshold(text)
        except ThresholdError as error:
            meant = f"did you mean '{error.meant}'?" if error.meant else "docs/thresholds.md has all metrics"
            raise UsageError(f"--assert '{text}': {error}", meant) from None
    return tuple(asserted)


def _of_the_scenario(run: RunFiles) -> tuple[str, ...]:
    texts = tuple(run.manifest.scenario.get("thresholds", ()))
    try:
        for text in texts:
            parse_threshold(text)
    except ThresholdError as error:
        raise ResultsError(
            f"{run.path} has a threshold that this smbench cannot read: {error}", "upgrade smbench, or correct it"
        ) from None
    return texts


def _leave(
    run_dir: Path,
    options: ReportOptions,
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
) -> None:
    """What programs read: summary.json, JUnit XML, the summary page of a CI job."""
    told = summary, findings, thresholds
    step_summary = os.environ.get(_STEP_SUMMARY)
    pages = dict.fromkeys(path for path in (options.summary_md, Path(step_summary) if step_summary else None) if path)
    path = run_dir
    try:
        if options.has_summary_file:
            path = run_dir / SUMMARY_FILE
            write_whole(path, as_json(to_json(*told, run_dir)))
        if options.junit is not None:
            path = options.junit
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, to_junit(*told))
        for path in pages:
            with path.open("a", encoding="utf-8") as page:  # a job's page belongs to all its steps
                page.write(to_markdown(*told))
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "name another place") from error


def _write_page(
    path: Path,
    vega: Vega,
    frames: Frames,
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
) -> None:
    from smbench.view.page.page import page  # its libraries cost half a second, which a table is not made to wait

    write_page(path, page(frames, summary, findings, thresholds, vega))
