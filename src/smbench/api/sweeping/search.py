"""The highest rate that keeps thresholds: found by one run after another, with its interval and those runs."""

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from smbench.account.doctor import described
from smbench.account.spending import most_usd
from smbench.api.loops import waited_for
from smbench.api.report import readable
from smbench.api.run import Progress
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.api.stacks import aimed
from smbench.api.sweeping.asked import read_asked, say_what_was_left, write_asked
from smbench.api.sweeping.search_result import Search
from smbench.api.sweeping.searching import Searching
from smbench.errors import NotBegunError, UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.lifecycle.cells import in_warp
from smbench.pricing.table import PriceTable, current_prices
from smbench.records import Unknown
from smbench.results.marks import sole_user
from smbench.results.store import new_run_dir
from smbench.scenario.values.quantities import parse_duration_s, parse_rate_hz
from smbench.sweeping.asked import PROBES, Asked, Bill, asked_of, bill_of, usual_time_s
from smbench.targets.base import AwsAccess
from smbench.units import usd

ASKED_FILE = "search.json"
Rate = str | float
"""Requests a second, or with a unit: `"30/m"`."""


def search(
    scenario: ScenarioLike | None = None,
    *,
    slo: str | Sequence[str] = (),
    endpoint: str | None = None,
    stack: str | None = None,
    between: tuple[Rate, Rate] | None = None,
    requests: int | None = None,
    settle: str | float | None = None,
    probes: int = PROBES,
    max_time: str | float | None = None,
    prices: Mapping[str, float] | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    results: str | os.PathLike[str] = "results",
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    max_cost: float | None = None,
    confirm: Callable[[Bill], bool] = lambda _bill: True,
    progress: Progress = "auto",
    command: Sequence[str] = ("smbench.search",),
) -> Search:
    """Find the highest offered rate that keeps thresholds.

    A rate is kept where the backlog does not grow, every threshold holds, and, unless one of them speaks of errors,
    99 % of the requests complete. Each rate that is tried is a run with a folder of its own; `resume_search` goes on
    after a kill.

    Args:
        scenario: As `run` takes it; its load is one phase, `constant` or `poisson`, whose rate is changed.
        slo: What must hold, such as `"p95 < 30s"`; empty: the scenario's thresholds.
        endpoint: A real endpoint instead of the scenario's target. This uses AWS and costs money.
        stack: The endpoint that `deploy` brought up under this name, instead.
        between: The lowest rate and the highest to try; None: a 64th of the scenario's own to 64 times as much.
        requests: Of a probe of full length; None: 2,000, or more where a threshold is strict.
        settle: How long each rate is offered before it is measured, seconds or with a unit, at least a quarter of the
            probe; None: half an hour where the emulated endpoint scales.
        probes: The most runs.
        max_time: Of all probes on a real endpoint, drains included; None: that of `probes` runs at the scenario's rate.
        prices: As `run` takes it, for every probe.
        region: As `run` takes it, as the two that follow.
        results: Folder in which the search's own is made.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        max_cost: USD that a search of a real endpoint may cost at most; what is not known is refused, too.
        confirm: Given what a search of a real endpoint may take at most; nothing is sent unless it returns True.
        progress: `none`, or a line on stderr for each probe that is over.
        command: What asked for it, for the manifests.

    Raises:
        ScenarioError, UsageError: a file, a threshold or a bound is wrong; nothing was started.
        TargetError: there is no such stack.
        NotBegunError: `confirm` said no.
        ResultsError: the folder cannot be written.
    """
    table = current_prices().with_own(prices or {})
    given = given_scenario(scenario, base_dir, allow_files)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    target = aimed(given, endpoint, stack, **where)
    asked = asked_of(
        target,
        given.origin.base_dir,
        [Path(folder) for folder in allow_files],
        slos=readable((slo,) if isinstance(slo, str) else tuple(slo), "--slo"),
        between_hz=None
        if between is None
        else (_quantity(parse_rate_hz, between[0], "between"), _quantity(parse_rate_hz, between[1], "between")),
        requests=requests,
        settle=None if settle is None else _quantity(parse_duration_s, settle, "settle"),
        probes=probes,
        time_max_s=None if max_time is None else _quantity(parse_duration_s, max_time, "max-time"),
        at_once=2 if in_warp(target) else 1,
        prices=prices or {},
        access=where,
    )
    if target.target.endpoint is not None:
        asked = asked.model_copy(update={"time_max_s": asked.time_max_s or usual_time_s(asked, target)})
        bill = bill_of(asked, target)
        if max_cost is not None:
            _require_within(make_plan(target, given.origin.base_dir), bill, AwsAccess(**where), table, max_cost)
        if not confirm(bill):
            raise NotBegunError("not agreed to: nothing was sent")
    folder = new_run_dir(Path(results), f"search-{target.name}", datetime.datetime.now(datetime.UTC))
    write_asked(folder / ASKED_FILE, asked.model_dump(mode="json"), of="search")
    with sole_user(folder, "search"):
        return Searching(folder, asked, target, progress, command).carried_out()


def _require_within(plan: RunPlan, bill: Bill, access: AwsAccess, prices: PriceTable, max_cost: float) -> None:
    found = waited_for(described, plan, access)
    cost = most_usd(plan, found, bill.requests, bill.hours * 3600, prices)
    if isinstance(cost, Unknown):
        raise UsageError(f"what the search may cost is not known, so --max-cost {max_cost:g} refuses it: {cost.reason}")
    if not cost <= max_cost:  # a limit of nan refuses, too
        raise UsageError(
            f"the search may cost {usd(cost)}, more than --max-cost {max_cost:g}: nothing was sent",
            "a shorter --max-time, fewer --probes or --requests cost less",
        )


def is_search(path: Path) -> bool:
    """Whether a folder is a search's."""
    return (path / ASKED_FILE).is_file()


def resume_search(folder: str | os.PathLike[str], *, progress: Progress = "auto") -> Search:
    """Go on with a search; a probe that is over is not run again, and one that was killed is run anew.

    Args:
        folder: Of the search.
        progress: As `search`.

    Raises:
        ResultsError: its files cannot be read, or another process works on it.
    """
    path = Path(folder)
    with sole_user(path, "search"):
        asked = read_asked(path / ASKED_FILE, Asked.model_validate)
        say_what_was_left(path, progress)
        return Searching(path, asked, asked.scenario, progress, ("smbench.resume_search",)).carried_out()


def _quantity(read: Callable[[object], float], written: object, name: str) -> float:
    try:
        return read(written)
    except ValueError as error:
        raise UsageError(f"--{name} '{written}' {error}") from None
