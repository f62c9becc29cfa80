"""A run as Python has it: its tables, its figures, its verdict, and the report in every form."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import RenderableType

from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.gate import exit_status
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.api.printed import Printed
from smbench.errors import ExitCode, ResultsError
from smbench.findings import Finding, Verdict, verdict
from smbench.printable import json_document
from smbench.results.files import write_whole
from smbench.results.manifest import Manifest
from smbench.view.page.vega import Vega
from smbench.view.report.junit import to_junit
from smbench.view.report.markdown import to_markdown
from smbench.view.report.summary_file import SUMMARY_FILE, to_json
from smbench.view.report.text import render


@dataclass(frozen=True, eq=False, repr=False)
class Run(Printed):
    """A run that was read and judged.

    Attributes:
        path: Its folder; None for a simulation.
        manifest: What is needed to repeat and to judge it.
        requests: One row a request; `docs/columns.md` has the columns of all four tables.
        readings: What gauges read.
        events: What happened: phases, scaling activities, alarms.
        truth: What an emulated endpoint did with each request; None for a real one.
        summary: Its figures, in seconds and requests per second.
        findings: What each check found.
        thresholds: Met, missed or unknown, one by one.
        interrupted: A person or the system ended it early.
        failure: Why it could not go on, and what to do; empty when it ended by itself or was interrupted.
        ended_with: The exit status of its own process, where its files alone do not tell it; None: they do.
        problems: What could not be written when it was closed.
        is_strict: What is not known fails the gate, too: `exit_status` and JUnit.
    """

    path: Path | None
    manifest: Manifest
    requests: pl.LazyFrame
    readings: pl.LazyFrame
    events: pl.LazyFrame
    truth: pl.LazyFrame | None
    summary: Summary
    findings: tuple[Finding, ...]
    thresholds: tuple[ThresholdResult, ...]
    frames: Frames
    interrupted: bool = False
    failure: str = ""
    ended_with: ExitCode | None = None
    problems: tuple[str, ...] = ()
    is_strict: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether the run measures what it says: valid, unknown or invalid."""
        return verdict(self.findings)

    @property
    def exit_status(self) -> ExitCode:
        """What the command line would exit with."""
        if self.ended_with is not None:
            return self.ended_with
        return (
            ExitCode.INTERRUPTED
            if self.interrupted
            else exit_status(self.findings, self.thresholds, is_strict=self.is_strict)
        )

    def to_json(self) -> dict[str, Any]:
        """What `summary.json` holds (docs/summary.schema.json), as plain JSON values."""
        return to_json(self.summary, self.findings, self.thresholds, self.path, status=self.exit_status)

    def to_text(self) -> RenderableType:
        """The report as `rich` prints it."""
        return render(self.summary, self.findings, self.thresholds, self.path)

    def to_markdown(self) -> str:
        """The report in GitHub's Markdown."""
        return to_markdown(self.summary, self.findings, self.thresholds)

    def to_junit(self) -> bytes:
        """Checks and thresholds as JUnit XML, UTF-8."""
        return to_junit(
            self.summary,
            self.findings,
            self.thresholds,
            self.path,
            is_strict=self.is_strict,
            status=self.exit_status,
        )

    def to_html(self, vega: Vega | None = None) -> str:
        """The report with plots as one page that needs no network.

        Args:
            vega: One that was started before; default: one of its own, which takes half a second to start.
        """
        from smbench.view.page.page import page  # its libraries cost half a second, which no table should wait for

        if vega is not None:
            return page(self.frames, self.summary, self.findings, self.thresholds, vega)
        with Vega() as own:
            return self.to_html(own)

    def write_summary(self) -> None:
        """Write `summary.json` into the run's folder.

        Raises:
            OSError: it could not be written.
        """
        if self.path is not None:
            write_whole(self.path / SUMMARY_FILE, json_document(self.to_json()))

    def __repr__(self) -> str:
        name = self.summary.name or self.summary.run_id
        return f"<smbench.Run {name}: {self.verdict.value}, {self.path or 'simulated'}>"


def write_table_and_page(folder: Path, name: str, table: pl.DataFrame, page: str) -> None:
    """Write `name.parquet` and `name.html` into the folder of several runs.

    Raises:
        ResultsError: they could not be written.
    """
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    try:
        write_whole(folder / f"{name}.parquet", buffer.getvalue())
        write_whole(folder / f"{name}.html", page.encode())
    except OSError as error:
        raise ResultsError(
            f"cannot write {folder}: {error.strerror or error}", "make room for a table and a page"
        ) from error
