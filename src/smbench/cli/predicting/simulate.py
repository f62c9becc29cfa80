"""The command `simulate`: a run as the model predicts it, with the files and the report of a run."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smbench.api.predicting.simulate import simulate
from smbench.cli.report import ReportOptions, print_report
from smbench.errors import ExitCode
from smbench.view.live.counting import Counting


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The command line of `simulate`."""

    scenario: Path | None
    asked: dict[str, Any]  # what `api.predicting.simulate.simulate` takes by name
    output: str
    junit: Path | None = None
    summary_md: Path | None = None


def simulate_command(options: SimulateOptions) -> ExitCode:
    """Predict, report, judge; returns the exit status.

    Raises:
        ScenarioError, UsageError: the scenario cannot be simulated.
        ResultsError: the folder cannot be written.
    """
    with Counting() as progress:
        result = simulate(options.scenario, command=("smbench", *sys.argv[1:]), progress=progress, **options.asked)
    print_report(result, ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md))
    return result.exit_status
