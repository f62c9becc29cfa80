"""A scaling target and how it was tried: a table, and JSON."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Group as Blocks
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from smbench import units
from smbench.sweeping.ranking import Group
from smbench.sweeping.scaling_target import STEEPNESS, Verified
from smbench.view.report.whole_table import WholeTable


class Looked(Protocol):
    """What is shown: `api.deciding.scaling_target.ScalingTarget`."""

    @property
    def name(self) -> str: ...

    @property
    def per_instance_hz(self) -> float: ...

    @property
    def users(self) -> int: ...

    @property
    def targets(self) -> Sequence[Verified]: ...

    @property
    def chosen(self) -> Verified | None: ...

    @property
    def policy(self) -> dict[str, Any] | None: ...


_KEPT = {True: "yes", False: "no", None: "not known"}


def render(looked: Looked) -> RenderableType:
    """Where an instance saturates, each target under each ramp, and which to take."""
    table = WholeTable(
        ("target", "left"), ("of saturation", "right"), ("a minute", "right"), ("ramp", "right"), ("p95", "right"),
        ("errors", "right"), ("USD per 1,000", "right"), ("kept", "right"),
    )  # fmt: skip
    for one in looked.targets:
        for ramp in STEEPNESS:
            table.add_row(one.name, units.share(one.share), f"{one.invocations_per_instance:,.4g}", *_cells(one, ramp))
    found = f"{looked.name}: one instance saturates at {units.rate(looked.per_instance_hz)}, with {looked.users} users"
    return Blocks(Padding(Text(found), (0, 0, 1, 0)), Padding(table, (0, 0, 1, 0)), Text(sentence(looked)))


def _cells(one: Verified, ramp: str) -> tuple[str, ...]:
    group = one.by_ramp.get(ramp)
    if group is None:
        return ramp, "-", "-", "-", "not run"
    p95_s = None if group.p95_s is None else _finite(group.p95_s[1])
    p95 = "unbounded" if p95_s is None and group.p95_s is not None else "-" if p95_s is None else units.duration(p95_s)
    usd = "-" if group.usd_per_1000 is None else units.usd(group.usd_per_1000)
    return ramp, p95, f"{_errors(group):,}", usd, group.why_unfit or _KEPT[group.kept]


def _errors(group: Group) -> int:
    return sum(n for run in group.by_seed.values() for n in run.errors.values())


def sentence(looked: Looked) -> str:
    """Which target to take."""
    one = looked.chosen
    if one is None:
        return "Take: none, because no target is known to keep the thresholds under both ramps."
    return (
        f"Take: {one.invocations_per_instance:,.4g} invocations a minute for each instance ({one.name}), "
        "the highest target that keeps the thresholds under both ramps."
    )


def to_json(looked: Looked) -> dict[str, Any]:
    """All of it; what is not known is null."""
    return {
        "schema_version": 1,
        "kind": "scaling_target",
        "name": looked.name,
        "per_instance_per_second": looked.per_instance_hz,
        "saturated_at_users": looked.users,
        "targets": [
            {
                "name": one.name,
                "share": one.share,
                "invocations_per_instance": one.invocations_per_instance,
                "kept": one.kept,
                "ramps": {
                    ramp: {
                        "kept": None if group.kept and group.why_unfit else group.kept,
                        "p95_s": None if group.p95_s is None else _finite(group.p95_s[1]),
                        "errors": _errors(group),
                        "usd_per_1000": group.usd_per_1000,
                    }
                    for ramp, group in one.by_ramp.items()
                },
            }
            for one in looked.targets
        ],
        "chosen": None if looked.chosen is None else looked.chosen.name,
        "put_scaling_policy": looked.policy,
    }


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
