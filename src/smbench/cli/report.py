"""The command `report`: prints what a run's files say, and exits with the status that follows from it."""

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from smbench.api.report import report
from smbench.api.result import Run
from smbench.cli.given_out import on_stdout, print_json, write_page
from smbench.errors import ExitCode, ResultsError
from smbench.pricing.table import prices_from_options
from smbench.results.files import write_whole
from smbench.view.page.vega import Vega

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is said of a run, and where."""

    output: str = "table"
    asserted: tuple[str, ...] = ()  # thresholds beside the scenario's
    junit: Path | None = None
    summary_md: Path | None = None
    strict: bool = False  # what is not known fails, too
    html: Path | None = None  # the whole report as a page, pictures and all
    against: Path | None = None  # the folder of a prediction of the run
    prices: tuple[str, ...] = ()  # NAME=USD, as written


def report_command(run_dir: Path, options: ReportOptions) -> ExitCode:
    """Say what the files say; returns the exit status that the verdict and the thresholds ask for.

    Raises:
        UsageError: a threshold or a price cannot be read, or the prediction is of another load.
        ResultsError: it is no run, its files are damaged, or what was asked for cannot be written.
    """
    with nullcontext() if options.html is None else Vega() as vega:  # it starts while the figures are made
        result = report(
            run_dir,
            thresholds=options.asserted,
            strict=options.strict,
            against=options.against,
            prices=prices_from_options(options.prices),
        )
        print_report(result, options)
        if options.html is not None:
            write_page(options.html, result.to_html(vega))
    return result.exit_status


def print_report(result: Run, options: ReportOptions) -> None:
    """The report to stdout, and to the files that were asked for.

    Raises:
        ResultsError: a file cannot be written.
    """
    if options.output == "json":
        print_json(result.to_json())
    else:
        on_stdout().print(result.to_text())
    step_summary = os.environ.get(_STEP_SUMMARY)
    pages = dict.fromkeys(path for path in (options.summary_md, Path(step_summary) if step_summary else None) if path)
    path = Path()
    try:
        if options.junit is not None:
            path = options.junit
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, result.to_junit())
        for path in pages:
            with path.open("a", encoding="utf-8") as page:  # a job's page belongs to all its steps
                page.write(result.to_markdown())
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "name another place") from error
