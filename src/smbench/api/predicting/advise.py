"""The cheapest policy that keeps the thresholds: as something that can be applied."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from smbench.api.predicting.side_by_side import side_by_side
from smbench.api.predicting.simulate import Progress
from smbench.api.predicting.what_if import Asked, VaryLike, WhatIf, notes_of, read_question, read_space, write_folder
from smbench.api.printed import Printed
from smbench.api.scenarios import Folders, ScenarioLike
from smbench.errors import ExitCode, UsageError
from smbench.prediction.advice import Advice, default_space, service_mean_s
from smbench.prediction.advice import advise as search
from smbench.prediction.apply import ENDPOINT, VARIANT, Applied, cloud_formation
from smbench.prediction.kept import ADVICE_FILE, Kept, predicted_bands
from smbench.printable import json_document
from smbench.results.manifest import Prediction
from smbench.scenario.emulated import Emulated
from smbench.view.report.advice import render, to_json


@dataclass(frozen=True, eq=False, repr=False)
class Advised(Printed):
    """The policy to take, or that none keeps what is demanded.

    Attributes:
        advice: What was chosen, its runner-up, and what binds it.
        what_if: All that was looked at.
        kept: What is predicted of the chosen policy, for `report` to hold its run against; None where there is none.
        before: The target's own scaling as arguments of AWS's calls.
        after: The chosen policy's; None where none keeps what is demanded.
    """

    advice: Advice
    what_if: WhatIf
    kept: Kept | None
    before: Applied
    after: Applied | None

    @property
    def exit_status(self) -> ExitCode:
        """Of the command: a threshold's where no policy keeps what is demanded."""
        return ExitCode.THRESHOLD if self.after is None else ExitCode.OK

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self), "exit_status": int(self.exit_status)}

    def to_text(self) -> RenderableType:
        """As `rich` prints it."""
        return render(self)

    def write(self, results: str | os.PathLike[str]) -> Path:
        """Make a folder below `results`; its path.

        It has `advice.json`, every policy in `policies.parquet`, and where there is a policy to take one JSON file a
        call for `--cli-input-json` of the AWS CLI, and `cloudformation.json`.

        Raises:
            ResultsError: it could not be written.
        """
        documents: dict[str, Any] = {ADVICE_FILE: self.to_json()}
        if self.after is not None:
            documents["register-scalable-target.json"] = self.after.target
            for place, policy in enumerate(self.after.policies):
                documents[f"put-scaling-policy-{place}.json"] = policy
            for place, (_, alarm) in enumerate(self.after.alarms):
                documents[f"put-metric-alarm-{place}.json"] = alarm
            documents["cloudformation.json"] = cloud_formation(self.after)
        files = {name: json_document(document) for name, document in documents.items()}
        table = {"policies.parquet": self.what_if.as_parquet()}
        return write_folder(results, f"advice-{self.what_if.name}", table | files)

    def __repr__(self) -> str:
        return f"<smbench.Advised {self.what_if.name}: {'no policy' if self.after is None else 'a policy'}>"


_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def _require_names(endpoint: str, variant: str) -> None:
    """Whether the arguments of AWS's calls could have these names. Raises UsageError."""
    for what, name, placeholder in (("an endpoint", endpoint, ENDPOINT), ("a variant", variant, VARIANT)):
        if name != placeholder and not _NAME.fullmatch(name):
            raise UsageError(f"'{name}' cannot be the name of {what}", "at most 63 letters, digits and dashes")


def advise(
    target: ScenarioLike,
    *,
    load: ScenarioLike | None = None,
    slo: Sequence[str] = (),
    vary: VaryLike | None = None,
    replications: int = 20,
    endpoint: str = ENDPOINT,
    variant: str = VARIANT,
    force: bool = False,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    progress: Progress | None = None,
) -> Advised:
    """Find the cheapest policy whose bound over the replications keeps what is demanded.

    Args:
        target: As `what_if` takes it.
        load: As `what_if` takes it.
        slo: Thresholds that must hold; empty: the load's own. The first is the one whose margin is reported.
        vary: What to try, as `what_if` takes it; None: limits and targets around what the load needs.
        replications: As `what_if` takes it.
        endpoint: The name in the arguments of AWS's calls.
        variant: The variant's name in them.
        force: As `what_if` takes it.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: What shows how far it is; None: nothing does.

    Raises:
        ScenarioError, UsageError: as `what_if`, and where nothing is demanded, or SageMaker has no such names.
    """
    _require_names(endpoint, variant)
    asked = read_question(
        target, load, slo, replications=replications, force=force, base_dir=base_dir, allow_files=allow_files
    )
    if asked.question.manifest is not None:
        kind = asked.load.scenario.target.kind
        raise UsageError(
            f"{asked.target.scenario.name} has a {kind} endpoint; `smbench advise` handles asynchronous endpoints only",
            "`smbench what-if` compares its policies; `smbench scaling-target` finds a real-time endpoint's target",
        )
    if not asked.is_demanded:
        raise UsageError("there is no objective, so the cheapest policy would be none", 'add --slo "within(8m) >= 99%"')
    emulated = asked.target.scenario.target.emulated
    if vary is None:
        space = default_space(asked.question, emulated, service_mean_s(emulated, asked.question))
    else:
        space = read_space(vary, asked)
    watch = None if progress is None else progress("predicting policies")
    with side_by_side(asked.question) as foresee:
        found = search(asked.question, space, watch, foresee)
    return Advised(
        advice=found,
        what_if=WhatIf(
            name=asked.load.scenario.name,
            sweep=found.sweep,
            question=asked.question,
            label=asked.label,
            is_demanded=True,
            notes=notes_of(found.sweep, space, asked),
        ),
        kept=None if found.chosen is None else _predicted(asked, found.chosen.point.emulated),
        before=Applied.of(emulated, endpoint, variant),
        after=None if found.chosen is None else Applied.of(found.chosen.point.emulated, endpoint, variant),
    )


def _predicted(asked: Asked, emulated: Emulated) -> Kept:
    question = asked.question
    bands = predicted_bands(question, emulated)
    prediction = Prediction(label=asked.label, replications=len(question.scenarios), bands=bands)
    return Kept.of(prediction, question.scenarios[0], emulated)
