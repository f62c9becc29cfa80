"""Reads a run from its folder and judges it again: from its files alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smbench.analysis.rows.frames import Frames, load
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import evaluate
from smbench.api.result import Run
from smbench.errors import ResultsError, UsageError
from smbench.findings import Verdict, verdict
from smbench.pricing.table import current_prices
from smbench.results.store import RunFiles, open_run
from smbench.scenario.thresholds import ThresholdError, parse_threshold, written_threshold


def report(
    run: str | os.PathLike[str],
    *,
    thresholds: Sequence[str] = (),
    strict: bool = False,
    against: str | os.PathLike[str] | None = None,
    prices: Mapping[str, float] | None = None,
) -> Run:
    """Read a run's folder, compacted or not, and judge it.

    Args:
        thresholds: Beside those of its scenario, such as `"p95 < 8m"`.
        strict: What is not known fails the gate, too.
        against: The folder of a prediction of this run, as `simulate` with replications or `advise` leaves it; the
            report then has each predicted figure beside the measured one. It changes no verdict.
        prices: USD by the names of `smbench prices`, instead of those of the table and of those that the run was given.

    Returns:
        The run with its figures and its verdict.

    Raises:
        UsageError: a threshold cannot be read, a price has no such name, or the prediction is of another load.
        ResultsError: it is no run, or its files are damaged.
    """
    asserted, own = readable(thresholds), dict(prices or {})
    current_prices().with_own(own)  # what is wrong with them is said before anything is read
    files = open_run(Path(run))
    prediction = None if against is None else _Prediction(Path(against))
    texts = list(dict.fromkeys((*_of_the_scenario(files), *asserted)))  # each once
    frames = load(files)
    frames = replace(frames, prices=frames.prices.with_own(own))
    found = replace(judged(frames, texts, files), is_strict=strict)
    return found if prediction is None else prediction.beside(found)


class _Prediction:
    """What a folder predicts of a run; most reports have none, and do without the engine that it needs."""

    def __init__(self, folder: Path) -> None:
        from smbench.prediction.kept import read_kept

        self._name, self._kept = folder.resolve().name, read_kept(folder)

    def beside(self, found: Run) -> Run:
        """The run with each predicted figure beside the measured one."""
        from smbench.prediction.against_run import against_run
        from smbench.prediction.kept import unlike

        notes = unlike(self._kept, found.frames)
        is_invalid = found.verdict is Verdict.INVALID
        checked = against_run(
            self._kept.prediction, self._name, found.frames, found.summary, notes, is_invalid=is_invalid
        )
        return replace(found, summary=found.summary.model_copy(update={"prediction_check": checked}))


def judged(frames: Frames, thresholds: Sequence[str], files: RunFiles | None = None) -> Run:
    """Figures, checks and thresholds of frames.

    Args:
        files: Where the frames were read from; None for a simulation, whose tables the caller adds.
    """
    frames = replace(frames, asked=tuple(thresholds))
    summary = summarise(frames)
    findings, results = check(frames, summary, asked=thresholds), evaluate(list(thresholds), frames, summary)
    if verdict(findings) is Verdict.INVALID:
        results = [one.of_an_invalid_run() for one in results]
    empty = frames.requests.clear().lazy()
    return Run(
        path=None if files is None else files.path,
        manifest=frames.manifest,
        requests=empty if files is None else files.requests,
        readings=empty if files is None else files.readings,
        events=empty if files is None else files.events,
        truth=None if files is None else files.truth,
        summary=summary,
        findings=tuple(findings),
        thresholds=tuple(results),
        frames=frames,
    )


def readable(asserted: Sequence[str], option: str = "--assert") -> tuple[str, ...]:
    """The thresholds as they are.

    Args:
        option: What they were given by, for the message.

    Raises:
        UsageError: one of them cannot be read.
    """
    for text in asserted:
        try:
            written_threshold(text)
        except ThresholdError as error:
            meant = f"did you mean '{error.meant}'?" if error.meant else "docs/thresholds.md has all metrics"
            raise UsageError(f"{option} '{text}': {error}", meant) from None
    return tuple(asserted)


def _of_the_scenario(files: RunFiles) -> tuple[str, ...]:
    texts = tuple(files.manifest.scenario.get("thresholds", ()))
    try:
        for text in texts:
            parse_threshold(text)
    except ThresholdError as error:
        raise ResultsError(
            f"{files.path} has a threshold that this smbench cannot read: {error}", "upgrade smbench, or correct it"
        ) from None
    return texts
