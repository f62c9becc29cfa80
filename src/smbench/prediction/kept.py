"""A prediction kept in a folder: to compare it with the run that it was made for.

`simulate --replications` leaves one as the folder of a run, `advise` one of the policy to take in `advice.json`.
"""

from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.analysis.rows.frames import Frames
from smbench.calibration.configured import configured
from smbench.errors import ResultsError, UsageError
from smbench.prediction.figures import Measured, figure, instance_s
from smbench.prediction.replications import band
from smbench.prediction.space import policy_words
from smbench.prediction.sweep import Question, foreseen, load_of_replication
from smbench.results.manifest import MANIFEST, Band, Prediction, read_manifest
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import parse_threshold

ADVICE_FILE = "advice.json"
_MORE = "predict it with `smbench simulate SCENARIO --replications 20`"
_REFUSED, _NOTED = ("load", "limits"), ("request", "payloads")  # parts of a scenario in which a run may differ
_AS_THRESHOLDS = {
    **{f"sojourn_{name}": f"sojourn_{name} < 1s" for name in ("p50", "p90", "p95", "p99")},
    "backlog_max": "backlog_max < 1",
    "drain_s": "drain_s < 1s",
    "first_completion_s": "first_completion < 1s",
}
"""Metrics of `compare` that a prediction of many policies has; the values are not looked at."""


class Kept(BaseModel):
    """What was predicted, and of what."""

    model_config = ConfigDict(frozen=True)

    prediction: Prediction
    load: Any  # of the scenario, with every default written out
    limits: Any
    request: Any = None  # None: of an older prediction
    payloads: Any = None
    emulated: Emulated

    @classmethod
    def of(cls, prediction: Prediction, scenario: Scenario, emulated: Emulated) -> "Kept":
        """The prediction of a scenario's load with an endpoint."""
        written = scenario.model_dump(mode="json", by_alias=True)
        parts = {part: written[part] for part in (*_REFUSED, *_NOTED)}
        return cls(prediction=prediction, emulated=emulated, **parts)


def predicted_bands(question: Question, emulated: Emulated) -> tuple[Band, ...]:
    """The band of each metric, and of each objective, over the replications of one policy."""
    values: dict[str, list[float]] = {}
    thresholds = {name: parse_threshold(text) for name, text in _AS_THRESHOLDS.items()}
    thresholds |= {one.text: one for one in question.objectives}
    for number, schedule in enumerate(question.schedules):
        load, measured = load_of_replication(question, number), Measured.of(schedule.spans)
        seen = foreseen(question, load, number, emulated)
        paid_s = instance_s(seen, measured.from_ns)
        found = {"instance_s": paid_s}
        usd = None if question.price_usd is None else paid_s / 3600 * question.price_usd
        if usd is not None:
            found["cost_usd"] = usd
        found |= {name: figure(one, seen, measured, usd) for name, one in thresholds.items()}
        for name, value in found.items():
            if value == value:  # NaN: nothing was measured
                values.setdefault(name, []).append(value)
    return tuple(band(name, each) for name, each in values.items())


def read_kept(folder: Path) -> Kept:
    """The prediction in a folder.

    Raises:
        UsageError: there is none that one run can be held against.
        ResultsError: a file is damaged.
    """
    if (folder / ADVICE_FILE).is_file():
        return _of_advice(folder / ADVICE_FILE)
    if not (folder / MANIFEST).is_file():
        raise UsageError(f"{folder} has no prediction", f"{_MORE}, or name the folder that `smbench advise` left")
    manifest = read_manifest(folder)
    if manifest.prediction is None:
        raise UsageError(f"{folder} is a run and no prediction", _MORE)
    if not manifest.prediction.bands:
        raise UsageError(f"{folder} has one replication, so its figures have no band", _MORE)
    scenario = manifest.scenario
    try:
        return Kept(
            prediction=manifest.prediction,
            **{part: scenario.get(part) for part in (*_REFUSED, *_NOTED)},
            emulated=Emulated.model_validate((scenario.get("target") or {}).get("emulated")),
        )
    except ValidationError as error:
        raise ResultsError(f"{folder / MANIFEST} is damaged: it has no emulated endpoint") from error


def _of_advice(path: Path) -> Kept:
    try:
        written = orjson.loads(path.read_bytes())["prediction"]
        kept = None if written is None else Kept.model_validate(written)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise ResultsError(f"{path} is damaged, or an older smbench wrote it", "ask for the advice again") from error
    if kept is None:
        raise UsageError(f"{path.parent} advises no policy, so it predicts none", _MORE)
    return kept


def unlike(kept: Kept, frames: Frames) -> tuple[str, ...]:
    """What the run had other than what was predicted, in sentences.

    Raises:
        UsageError: it had another load, or sent a part of it.
    """
    if n_unsent := frames.n_cut_short + frames.n_left_out:
        n = frames.measured.height
        raise UsageError(f"the prediction is of all its load, and the run sent {n - n_unsent:,} of {n:,} requests")
    scenario = frames.manifest.scenario
    for part in _REFUSED:
        if scenario.get(part) != getattr(kept, part):
            raise UsageError(f"the prediction is of other {part} than the run's", _MORE)
    found = configured(frames)
    limits = kept.emulated.instances.model_copy(update={"min": found.min, "max": found.max})
    own = kept.emulated.model_copy(update={"instances": limits, "policies": found.policies})
    noted = [part for part in _NOTED if getattr(kept, part) not in (None, scenario.get(part))]
    notes = [f"the run's `{part}` is not that of the prediction, so its figures may differ by that" for part in noted]
    if policy_words(own) != policy_words(kept.emulated):
        notes.append(f"the run's endpoint had {policy_words(own)}; predicted was {policy_words(kept.emulated)}")
    return tuple(notes)
