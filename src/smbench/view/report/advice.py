"""An advice in words: the policy to take, its margin, what binds it, and how to apply it."""

import math
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from smbench import units
from smbench.prediction.advice import Advice, margin
from smbench.prediction.apply import Applied, cloud_formation, differences
from smbench.prediction.kept import Kept
from smbench.prediction.space import policy_words
from smbench.prediction.sweep import UPPER, Row
from smbench.view.report.what_if import Looked, cost_text, figure_text, is_kept, metric_of
from smbench.view.report.what_if import to_json as of_what_if

SCHEMA_VERSION = 1
_KEPT = {True: "keeps it", False: "does not keep it", None: "seems to keep it"}


class Given(Protocol):
    """What is shown: `api.predicting.advise.Advised`."""

    @property
    def advice(self) -> Advice: ...

    @property
    def what_if(self) -> Looked: ...

    @property
    def kept(self) -> Kept | None: ...

    @property
    def before(self) -> Applied: ...

    @property
    def after(self) -> Applied | None: ...


def render(given: Given) -> RenderableType:
    """The answer first, then its reasons, then what changes."""
    looked, advice = given.what_if, given.advice
    head, n = Text(), units.counted(looked.sweep.n_points, "policy", "policies")
    if advice.chosen is None:
        head.append("NO POLICY", "bold red")
        head.append(f"  {looked.name}: of {n} none keeps {_demanded(looked)}\n")
    else:
        head.append("TAKE", "bold green")
        head.append(f"  {policy_words(advice.chosen.point.emulated)}\n")
        which = "the cheapest" if advice.is_cheapest else "the simplest as cheap as the cheapest, within chance,"
        keep = "seem to keep" if looked.question.too_few else "keep"
        head.append(f"{looked.name}: {which} of those that {keep} {_demanded(looked)}, among {n}\n")
    head.append(f"A prediction; model {looked.label}.", "dim")
    blocks: list[RenderableType] = [head, Text("\n".join(reasons(given)))]
    if given.after is not None:
        changes = differences(given.before, given.after) or ("nothing: it is the target's own",)
        blocks.append(Text("\n".join(("What changes", *(f"  {line}" for line in changes)))))
    if looked.notes:
        blocks.append(Text("\n".join(f"{note}." for note in looked.notes), style="dim"))
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks))


def reasons(given: Given) -> list[str]:
    """One line each: cost and margin, runner-up, now, what binds, the cold floor."""
    looked, advice = given.what_if, given.advice
    lines = [f"{'Cost' if advice.chosen is not None else 'Nearest'}: {_row(looked, advice.best)}; {_margin(given)}."]
    if advice.chosen is None:
        lines[0] = f"Nearest: {policy_words(advice.best.point.emulated)}: {lines[0].removeprefix('Nearest: ')}"
    if advice.runner_up is not None:
        words = policy_words(advice.runner_up.point.emulated)
        lines.append(f"Runner-up: {words}: {_row(looked, advice.runner_up)}.")
    elif advice.chosen is not None:
        lines.append("Runner-up: none that is not alike keeps it.")
    if (now := looked.sweep.current) is not advice.best:
        kept = _KEPT[is_kept(now, looked.question)]
        lines.append(f"Now: {policy_words(now.point.emulated)}: {_row(looked, now)}; {kept}.")
    lines.append(_binds(given))
    floor = advice.floor
    lines.append(
        f"Cold floor: from zero instances the first answer takes about {units.duration(floor.total_s)} "
        f"(detection {units.duration(floor.detection_s)}, provisioning {units.duration(floor.provision_s)}, "
        f"service {units.duration(floor.service_s)}): no policy that starts one instance from zero beats it on average."
    )
    lines += [f"Extrapolated: {flag}." for flag in advice.best.flags]
    return lines


def _demanded(looked: Looked) -> str:
    return ", ".join(one.text for one in looked.question.objectives)


def _row(looked: Looked, row: Row) -> str:
    objective = looked.question.objectives[0]
    bound = figure_text(row.bound(0, objective), objective)
    return f"{cost_text(row.cost, looked.question)}, {metric_of(objective)} {bound} in {UPPER:.0%} of the replications"


def _margin(given: Given) -> str:
    question = given.what_if.question
    left, share = margin(given.advice.best, question)
    if not math.isfinite(left):
        return "without bound beyond the limit"
    of_it = "" if share is None else f", {units.share(abs(share))} of the limit"
    word = "in hand" if left >= 0 else "short"
    return f"{figure_text(abs(left), question.objectives[0])} {word}{of_it}"


def _binds(given: Given) -> str:
    objective = given.what_if.question.objectives[0]
    binding = given.advice.binding
    if not binding:
        return "Binding: the service itself; none of detection, provisioning, MaxCapacity and scale-in alone holds it."
    parts = [f"{one.name} (without it {figure_text(one.without, objective)})" for one in binding]
    return f"Binding: {', then '.join(parts)}."


def to_json(given: Given) -> dict[str, Any]:
    """All of it; figures without a bound are null."""
    advice, looked = given.advice, given.what_if
    left, share = margin(advice.best, looked.question)
    floor = advice.floor
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "advice",
        "model": looked.label,
        "objectives": [one.text for one in looked.question.objectives],
        "is_kept": advice.chosen is not None and is_kept(advice.chosen, looked.question),
        "policy": policy_words(advice.best.point.emulated),
        "cost": advice.best.cost,
        "bound": _finite(advice.best.bound(0, looked.question.objectives[0])),
        "margin": _finite(left),
        "margin_share": None if share is None else _finite(share),
        "runner_up": None if advice.runner_up is None else policy_words(advice.runner_up.point.emulated),
        "binding": [{"name": one.name, "without": _finite(one.without)} for one in advice.binding],
        "cold_floor_s": {
            "total": floor.total_s,
            "detection": floor.detection_s,
            "provisioning": floor.provision_s,
            "service": floor.service_s,
        },
        "reasons": reasons(given),
        "scenario": {
            "instances": advice.best.point.emulated.instances.model_dump(mode="json", exclude_none=True),
            "policies": [one.model_dump(mode="json", exclude_none=True) for one in advice.best.point.emulated.policies],
        },
        "changes": [] if given.after is None else list(differences(given.before, given.after)),
        "register_scalable_target": None if given.after is None else given.after.target,
        "put_scaling_policy": [] if given.after is None else list(given.after.policies),
        "put_metric_alarm": [] if given.after is None else [alarm for _, alarm in given.after.alarms],
        "cloud_formation": None if given.after is None else cloud_formation(given.after),
        "prediction": None if given.kept is None else given.kept.model_dump(mode="json", by_alias=True),
        "what_if": of_what_if(looked),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
