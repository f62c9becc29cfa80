"""The order of a run that several machines share: written once, refused where it was changed since.

It has the whole plan: the scenario, what its schedule and payloads must be, how many shards there are and when they
begin. Each shard reads it and needs no other word.
"""

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.errors import DiskError, OrderError, ResultsError, ScenarioError, TargetError, UsageError
from smbench.generator.plan import RunPlan
from smbench.generator.shares import check_workers
from smbench.generator.stopping import stopping_phases
from smbench.lifecycle.folder import new_manifest, planned_again
from smbench.lifecycle.origin import Origin
from smbench.printable import printable_json
from smbench.results.manifest import Manifest
from smbench.results.place import Place
from smbench.results.secrets import redacted
from smbench.scenario.values.quantities import parse_duration_s
from smbench.targets.base import AwsAccess
from smbench.version import __version__

ORDER = "order.json"
WHEN_READY = "ready"  # in place of an instant
_ELSEWHERE = "name another place with --to"


class Order(BaseModel):
    """What every shard of a run is started with.

    Args:
        manifest: The run as planned; `workers` is the number of shards.
        go_utc_ns: UTC nanoseconds at scenario time zero of all shards; None: each begins when it is ready.
        begins_together: All begin once the last of them is ready, at an instant that they agree on.
    """

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    region: str | None = None
    profile: str | None = None
    go_utc_ns: int | None = None
    begins_together: bool = False

    @property
    def access(self) -> AwsAccess:
        """How each shard reaches AWS, with credentials of its own."""
        return AwsAccess(self.region, self.profile, self.manifest.endpoint_url)

    def plan(self, place: Place, base_dir: Path | None) -> RunPlan:
        """The run drawn again on this machine.

        Args:
            place: Of the order.
            base_dir: Folder of the files that the scenario names; None: where it was when the order was written.

        Raises:
            OrderError: a payload or trace file is missing here, or is another.
        """
        try:
            return planned_again(self.manifest, str(place), base_dir)
        except (ResultsError, ScenarioError, UsageError) as error:
            raise OrderError(error.message, error.advice) from error


def agreed_instant(text: str, now_utc_ns: int) -> int:
    """UTC nanoseconds, whole microseconds, of `2026-11-29T12:00:00Z` or of `+5m` from now.

    Raises:
        UsageError: it is neither, names no zone, or has passed.
    """
    advice = "write it as 2026-11-29T12:00:00Z, or as +5m from now"
    try:
        if text.startswith("+"):
            go_ns = now_utc_ns + round(parse_duration_s(text[1:]) * 1e9)
        else:
            go_ns = round(_aware(text).timestamp() * 1e6) * 1000
    except ValueError as error:
        raise UsageError(f"--go {text} is not an instant: {error}", advice) from error
    if go_ns <= now_utc_ns:
        raise UsageError(f"--go {text} has passed", advice)
    return go_ns - go_ns % 1000


def _aware(text: str) -> datetime.datetime:
    at = datetime.datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("it names no time zone, such as Z")
    return at


def write_order(
    place: Place,
    plan: RunPlan,
    origin: Origin,
    access: AwsAccess,
    n_shards: int,
    go_utc_ns: int | None,
    command: Sequence[str],
    *,
    begins_together: bool = False,
    prices: Mapping[str, float] | None = None,
    option: str = "--shards",
) -> Order:
    """Write the order into a place that has none.

    Args:
        option: Which one of the command line asked for so many shards.
        prices: USD in the place of list prices, for the manifest.

    Raises:
        UsageError: the run cannot be shared, or the place has an order.
        ResultsError, TargetError: it cannot be written to a folder, or to S3.
    """
    if plan.is_emulated:
        raise UsageError(
            "shards need one endpoint, and this scenario would emulate one inside each",
            "name a real one with --endpoint; to try it, use `smbench emulate` and --endpoint-url",
        )
    check_workers(plan, n_shards, option)
    if n_shards > 1 and (stopping := stopping_phases(plan.scenario.load, plan.schedule.spans)):
        named = ", ".join(span.name for _, span in stopping)
        raise UsageError(
            f"{option} {n_shards} cannot share a phase that stops by itself ({named}): no process sees "
            "them all while they send, and each would stop at another step",
            "`smbench run --workers` and `smbench run --on ray` have a parent that sees all workers; or leave `stop` "
            f"out of the phase, or {option} out",
        )
    now = datetime.datetime.now(datetime.UTC)
    manifest = new_manifest(plan, origin, command, now, n_shards)
    manifest = manifest.model_copy(update={"endpoint_url": access.endpoint_url, "prices": dict(prices or {})})
    order = Order(
        manifest=manifest,
        region=access.region,
        profile=access.profile,
        go_utc_ns=go_utc_ns,
        begins_together=begins_together,
    )
    values = redacted(order.model_dump(mode="json"))
    document = {"smbench": __version__, "checksum": _checksum(values), "order": values}
    try:
        with at_the_place(_ELSEWHERE):
            is_made = place.make(ORDER, printable_json(orjson.dumps(document, option=orjson.OPT_INDENT_2)))
    except DiskError as error:
        raise ResultsError(error.message, error.advice or _ELSEWHERE) from error
    place.let_go(ORDER)
    if not is_made:
        raise UsageError(f"{place} has an order already, and its shards may have begun", _ELSEWHERE)
    return order


@contextmanager
def at_the_place(or_else: str = "") -> Iterator[None]:
    """A block before or after the sending: what AWS refuses of a place is the target's fault, as any refusal is.

    Args:
        or_else: Advice, beside that which there is.

    Raises:
        TargetError: AWS or the network refuses; what a folder's disk refuses goes on up as it is.
    """
    try:
        yield
    except ResultsError as error:
        if not isinstance(error.__cause__, TargetError):
            raise
        raise TargetError(error.message, "; ".join(filter(None, [error.advice, or_else]))) from error


def read_order(place: Place) -> Order:
    """The order in a place.

    Raises:
        OrderError: there is none, it was changed since it was written, or another smbench wrote it.
    """
    path = f"{place}/{ORDER}"
    try:
        content = place.read(ORDER)
        if content is None:
            raise OrderError(f"there is no {path}", "`smbench order` writes one")
        document = orjson.loads(content)
        version, values, checksum = document["smbench"], document["order"], document["checksum"]
        if version != __version__:
            raise OrderError(
                f"{path} is of smbench {version}, and this is smbench {__version__}",
                "install the same version on every machine",
            )
        if checksum != _checksum(values):
            raise OrderError(f"{path} was changed after it was written", "write a new order, in another place")
        return Order.model_validate(values)
    except ResultsError as error:
        raise OrderError(error.message, error.advice) from error
    except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise OrderError(
            f"{path} is damaged, or no order of smbench", "`smbench order` writes a new one, in another place"
        ) from error


def _checksum(values: Any) -> str:
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
