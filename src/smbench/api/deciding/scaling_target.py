"""The scaling target of a real-time endpoint: from where one instance saturates, and tried under two ramps."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from smbench.api.printed import Printed
from smbench.api.report import readable
from smbench.api.run import Progress
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.api.sweeping.sweep import sweep
from smbench.api.sweeping.sweep_result import Sweep
from smbench.errors import ExitCode, NotBegunError, UsageError
from smbench.scenario.values.quantities import parse_duration_s
from smbench.sweeping.scaling_target import (
    DEFAULT_THRESHOLD,
    Verified,
    check_scalable,
    cooldowns_of,
    highest_kept,
    one_instance,
    put_scaling_policy,
    saturated,
    verification,
    verified,
)
from smbench.view.report.scaling_target import render, to_json

USERS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, eq=False, repr=False)
class ScalingTarget(Printed):
    """What came of it.

    Attributes:
        saturation: The stairs of users on one instance.
        check: The runs under both ramps.
        per_instance_hz: Where one instance saturates.
        targets: Each target and whether it keeps the thresholds, the lowest first.
        policy: The arguments of PutScalingPolicy for the highest that does; None: none does. Its endpoint is a
            place for a name.
    """

    name: str
    saturation: Sweep
    check: Sweep
    per_instance_hz: float
    users: int
    targets: tuple[Verified, ...]
    policy: dict[str, Any] | None

    @property
    def chosen(self) -> Verified | None:
        """The highest target that keeps the thresholds under both ramps; None: none does."""
        return highest_kept(self.targets)

    @property
    def exit_status(self) -> ExitCode:
        """0. 99: no target keeps the thresholds. 98: of one it is not known. 130: a person ended it."""
        if self.saturation.interrupted or self.check.interrupted:
            return ExitCode.INTERRUPTED
        if self.chosen is not None:
            return ExitCode.OK
        return ExitCode.INVALID if any(one.kept is None for one in self.targets) else ExitCode.THRESHOLD

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self), "exit_status": int(self.exit_status)}

    def to_text(self) -> RenderableType:
        """As `rich` prints it."""
        return render(self)

    def __repr__(self) -> str:
        return f"<smbench.ScalingTarget {self.name}: {'none' if self.chosen is None else self.chosen.name}>"


def scaling_target(
    scenario: ScenarioLike | None = None,
    *,
    users: Sequence[int] = USERS,
    ramp: str | float = "15m",
    thresholds: Sequence[str] = (),
    results: str | os.PathLike[str] = "results",
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    progress: Progress = "auto",
) -> ScalingTarget:
    """Find where one instance of an emulated real-time endpoint saturates, and which target of it scales well.

    40 % of that is the target for availability, 50 % balanced, 70 % for cost. Each is tried while the load rises from
    one instance's share to that of all, and while it does so in a third of the time. The scenario's own load is not
    used; its policy's cooldowns are.

    Args:
        scenario: As `run` takes it.
        users: Ascending numbers of users, each a closed loop, on one instance.
        ramp: How long the slower rise takes, and how long its end is held; seconds or with a unit.
        thresholds: What must hold under both ramps; empty: the scenario's, or else `error_share < 1%`.
        results: Folder in which those of two sweeps are made.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: `none`, or a line on stderr for each run that is finished.

    Raises:
        ScenarioError, UsageError: the scenario or an argument is wrong, or the users do not saturate an instance.
        NotBegunError: a person ended it before one instance was known.
        ResultsError: a folder cannot be written.
    """
    given = given_scenario(scenario, base_dir, allow_files).scenario
    check_scalable(given)
    asserted = tuple(readable(thresholds)) or (() if given.thresholds else (DEFAULT_THRESHOLD,))
    try:
        ramp_s = parse_duration_s(ramp)
    except ValueError as error:
        raise UsageError(f"ramp {error}") from None
    common: dict[str, Any] = {
        "results": results, "base_dir": base_dir, "allow_files": allow_files, "progress": progress,
    }  # fmt: skip
    alone = sweep(
        given,
        matrix={"instances": {"one": one_instance()}},
        benchmarks={"saturation": {"users": list(users)}},
        **common,
    )
    if alone.interrupted:
        raise NotBegunError(f"interrupted: `smbench resume {alone.path}` goes on with the stairs")
    stair, per_instance_hz = saturated(alone.groups, given.name, str(alone.path))
    check = sweep(given, matrix=verification(given, per_instance_hz, ramp_s), thresholds=asserted, **common)
    targets = verified(check.groups, per_instance_hz)
    chosen = highest_kept(targets)
    policy = None
    if chosen is not None:
        policy = put_scaling_policy(chosen.invocations_per_instance, "ENDPOINT", "AllTraffic", cooldowns_of(given))
    return ScalingTarget(given.name, alone, check, per_instance_hz, int(stair.trial["users"]), targets, policy)
