"""The command `recommend`: Inference Recommender's answers as a table."""

from pathlib import Path
from typing import Any

import typer

from smbench.api.recommend import Recommended, read_ask, recommend
from smbench.cli.given_out import on_stdout, print_json
from smbench.errors import ExitCode
from smbench.units import usd
from smbench.view.report.whole_table import WholeTable

_UNKNOWN = "-"


def recommend_command(asked: dict[str, Any], job: Path | None, output: str) -> ExitCode:
    """Ask, follow, print; returns the exit status.

    Raises:
        UsageError, ScenarioError, TargetError, ResultsError: nothing was recommended.
    """
    found = recommend(ask=None if job is None else read_ask(job), **asked)
    if output == "json":
        print_json({"job": found.job, "status": found.status, "rows": found.table.to_dicts()})
    else:
        _print(found)
    return ExitCode.INTERRUPTED if found.is_interrupted else ExitCode.OK


def _print(found: Recommended) -> None:
    out = on_stdout()
    what = f"the job {found.job}" if found.job else "recommended without a test"
    out.print(f"{what}: {found.status}")
    table = WholeTable(
        ("what", "left"),
        ("endpoint of", "left"),
        ("environment", "left"),
        ("a minute", "right"),
        ("latency", "right"),
        ("per hour", "right"),
        ("1,000 inferences", "right"),
    )
    for row in found.table.iter_rows(named=True):
        kind = row["instance"] or (f"{row['memory_mb']} MB serverless" if row["memory_mb"] else row["endpoint"])
        failed = f" ({row['why']})" if row["why"] else ""
        table.add_row(
            f"{row['what']} {row['status'].lower()}".strip() + failed,
            kind or _UNKNOWN,
            row["environment"],
            _shown(row["max_invocations_per_minute"], "{:,}"),
            _shown(row["model_latency_ms"], "{:,} ms"),
            _UNKNOWN if row["usd_per_hour"] is None else usd(row["usd_per_hour"]),
            _UNKNOWN if row["usd_per_inference"] is None else usd(row["usd_per_inference"] * 1000),
        )
    if found.table.height:
        out.print(table)
    elif not found.job:
        out.print("SageMaker recommends nothing for this model without a test; --role ARN asks for a job that tests")
    if found.path is not None:
        typer.echo(f"smbench: {found.path}", err=True)


def _shown(value: int | None, form: str) -> str:
    return _UNKNOWN if value is None else form.format(value)
