"""A stack for each configuration of a sweep: brought up ahead of its runs, measured, and removed whatever happened.

Stacks come up beside one another and beside the runs, because each takes minutes in which nothing is sent; runs take
turns, because they share this machine.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from smbench.api.deploy import deploy, destroy, require_model
from smbench.api.stacks import check_name, priced
from smbench.errors import SmbenchError, UsageError
from smbench.processes.interrupts import Interrupts
from smbench.scenario.deploy import Deploy
from smbench.stack.cost import hourly_cost
from smbench.stack.template import stack_name
from smbench.sweeping.benchmarks import CONCURRENCY
from smbench.sweeping.question import Cell

AT_ONCE = 3  # stacks there at one time, one of them measured
_APART_S = 1.0  # between two deployments, so that CloudFormation's rate for changes is not met
_LOOK_S = 0.2
_OF_ANY_ENDPOINT = {"target.kind", "target.instance_hour"}


class Account(BaseModel):
    """Where a sweep measures: the account, and the name that its stacks begin with; None: it makes no stacks."""

    model_config = ConfigDict(frozen=True)

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """One configuration's stack, and the numbers of the cells that are measured on it."""

    name: str
    wanted: Deploy
    cells: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StacksBill:
    """What is about to be made.

    Args:
        stacks: All of them; at most `AT_ONCE` are there at one time.
        hour_usd: What so many of the dearest cost an hour at most; None: not known.
        unknown: Why not; empty where it is.
    """

    stacks: tuple[Stack, ...]
    hour_usd: float | None
    unknown: str = ""

    @property
    def sentence(self) -> str:
        """For a person who is about to pay."""
        cost = f"not known ({self.unknown})" if self.hour_usd is None else f"at most {self.hour_usd:.2f} USD"
        names = [stack_name(one.name) for one in self.stacks]
        named = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        at_once = min(AT_ONCE, len(names))
        return f"{named} are brought up, {at_once} at one time, measured and removed; cost an hour: {cost}"


def stacks_of(name: str, cells: Sequence[Cell]) -> tuple[Stack, ...]:
    """A stack for each `deploy` section that differs in more than its price, in the order of the cells.

    Raises:
        UsageError: a cell has no such section, or says what else it is measured on; or the name will not do.
    """
    groups: dict[str, list[tuple[int, Deploy, float | None]]] = {}
    for cell in cells:
        wanted = cell.scenario.deploy
        if wanted is None:
            raise UsageError("--stack brings up what the scenario's `deploy` section says, and there is none")
        require_model(wanted)
        if cell.scenario.target.endpoint is not None:
            raise UsageError("target.endpoint and --stack both name what is measured", "give one of them")
        if cell.benchmark == CONCURRENCY and wanted.kind != "serverless":
            raise UsageError(
                f"the benchmark `concurrency` sets a serverless endpoint's maximum, and deploy.kind is {wanted.kind}",
                "take the benchmark `saturation`, which adds users",
            )
        varied = [key for key in cell.settings if key.startswith("target.") and key not in _OF_ANY_ENDPOINT]
        if varied:
            raise UsageError(f"{varied[0]} means nothing for a stack", "vary keys of `deploy`")
        usd = priced(cell.scenario).target.instance_hour
        groups.setdefault(wanted.model_dump_json(exclude={"instance_hour"}), []).append((cell.number, wanted, usd))
    stacks = tuple(
        Stack(f"{name}-{place}", _dearest(group), tuple(number for number, _, _ in group))
        for place, group in enumerate(groups.values(), 1)
    )
    for one in stacks:
        check_name(one.name)
    return stacks


def _dearest(group: Sequence[tuple[int, Deploy, float | None]]) -> Deploy:
    """What is deployed for these cells, at the highest price that one of them has; None: list price."""
    wanted = group[0][1]
    prices = [usd for _, _, usd in group if usd is not None]
    return wanted.model_copy(update={"instance_hour": max(prices)}) if prices else wanted


def bill_of(stacks: Sequence[Stack]) -> StacksBill:
    """What they cost while they are there; requests come on top."""
    costs = [hourly_cost(one.wanted) for one in stacks]
    known = sorted((cost.at_most for cost in costs if cost.at_most is not None), reverse=True)
    unknown = next((cost.unknown for cost in costs if cost.at_most is None), "")
    return StacksBill(tuple(stacks), None if unknown else sum(known[:AT_ONCE]), unknown)


def on_stacks(
    stacks: Sequence[Stack],
    over: Sequence[Stack],
    account: Account,
    base_dir: Path,
    measure: Callable[[Stack], None],
    drop: Callable[[Stack, SmbenchError], None],
    say: Callable[[str], None],
    interrupts: Interrupts,
) -> list[str]:
    """Bring them up, have each measured in this thread, and remove each.

    After an interrupt no other is begun and none is measured; those that are there are removed.

    Args:
        stacks: Those with cells to measure.
        over: Those without, which a sweep that was killed may have left.
        measure: Called when a stack is there.
        drop: Called instead where it could not be brought up.
        say: Given what happens, from several threads.

    Returns:
        A sentence on each stack of which something is left.
    """
    left: list[str] = []

    def up(stack: Stack) -> None:
        say(f"{stack_name(stack.name)} is brought up")
        deploy(
            stack.name,
            stack.wanted,
            base_dir=base_dir,
            region=account.region,
            profile=account.profile,
            endpoint_url=account.endpoint_url,
        )

    def down(stack: Stack, being_made: Future[None] | None = None) -> None:
        if being_made is not None:
            wait([being_made])
        try:
            done = destroy(
                stack.name, region=account.region, profile=account.profile, endpoint_url=account.endpoint_url
            )
        except SmbenchError as error:
            left.append("; ".join(filter(None, (error.message, error.advice))))
            return
        left.extend(f"{arn} is left of {stack_name(stack.name)}" for arn in done.left)
        if done.was_there:
            say(f"{stack_name(stack.name)} is removed")

    waiting, coming = deque(stacks), deque[tuple[Stack, Future[None]]]()
    with ThreadPoolExecutor(AT_ONCE, "smbench-stack") as pool, interrupts.from_signals():
        leaving = [pool.submit(down, stack) for stack in over]
        try:
            while coming or (waiting and not interrupts.names):
                leaving = [one for one in leaving if not one.done()]
                if waiting and not interrupts.names and len(coming) + len(leaving) < AT_ONCE:
                    coming.append((waiting[0], pool.submit(up, waiting.popleft())))
                    interrupts.pause(_APART_S, 0)
                    continue
                first = coming[0][1] if coming else leaving[0]
                if not wait([first], _LOOK_S).done or not coming:
                    continue
                stack, made = coming[0]
                error = made.exception()
                if error is None and not interrupts.names:
                    measure(stack)
                elif isinstance(error, SmbenchError):
                    drop(stack, error)
                elif error is not None:
                    raise error
                coming.popleft()
                leaving.append(pool.submit(down, stack, made))
        finally:  # whatever ended it, what is there is removed
            for stack, made in coming:
                pool.submit(down, stack, made)
    return left
