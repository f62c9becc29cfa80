"""SageMaker's Inference Recommender, asked and followed: what it recommends, beside our own measurements."""

import datetime
import io
import os
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from smbench.aws.access.clients import AwsSettings
from smbench.aws.access.own_loop import own_loop
from smbench.aws.access.roles import check_role
from smbench.aws.jobs.recommender import SERVICES, Recommender, Recommending, Row, request_of
from smbench.errors import Problem, ResultsError, ScenarioError, TargetError, UsageError
from smbench.printable import json_document, printable
from smbench.processes.interrupts import Interrupts
from smbench.results.files import write_whole
from smbench.results.store import new_run_dir
from smbench.scenario.explain import explain
from smbench.scenario.recommendation import RecommendationAsk
from smbench.scenario.source import TEXT_MAX, read_source
from smbench.scenario.values.files import read_regular

TABLE, JOB = "recommendations.parquet", "job.json"
_LOOK_S, _LOOK_LOOPBACK_S = 15.0, 0.2
_UNSEEN_MAX = 12
_BYTES_A_CHARACTER = 4
_TEXT, _WHOLE, _SHARE = pl.String, pl.Int64, pl.Float64
_COLUMNS = {
    "what": _TEXT,
    "instance": _TEXT,
    "n_instances": _WHOLE,
    "memory_mb": _WHOLE,
    "max_concurrency": _WHOLE,
    "environment": _TEXT,
    "endpoint": _TEXT,
    "max_invocations_per_minute": _WHOLE,
    "model_latency_ms": _WHOLE,
    "usd_per_hour": _SHARE,
    "usd_per_inference": _SHARE,
    "cpu_percent": _SHARE,
    "memory_percent": _SHARE,
    "setup_time": _WHOLE,
    "status": _TEXT,
    "why": _TEXT,
}


@dataclass(frozen=True, slots=True)
class Recommended:
    """What was recommended.

    Args:
        job: Its name; empty where only what SageMaker recommends without a test was asked.
        status: Of the job, or of the recommendation without a test, in SageMaker's words.
        table: A row for each recommendation, best first, and each test; columns as in `docs/recommend.md`.
        path: The folder of it; None where there was no job.
        is_interrupted: A person stopped the job, or left it.
    """

    job: str
    status: str
    table: pl.DataFrame
    path: Path | None = None
    is_interrupted: bool = False


def recommend(
    *,
    model: str | None = None,
    package: str | None = None,
    endpoint: str | None = None,
    role: str | None = None,
    ask: RecommendationAsk | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    results: str | os.PathLike[str] = "results",
) -> Recommended:
    """What Inference Recommender recommends. With a role it makes endpoints and loads them, which costs money.

    The first SIGINT stops the job, and keeps what was found; the second leaves it to itself.

    Args:
        model: A SageMaker model; without a role what SageMaker recommends for it without a test is returned.
        package: ARN of a model package's version, instead.
        endpoint: One that exists, to be loaded instead of new ones.
        role: ARN of the job's role.
        ask: Of an Advanced job; None: a Default one.
        results: Folder in which the job's own is made.

    Raises:
        UsageError: what is asked is not clear; nothing was started.
        TargetError: SageMaker refuses the job, or it failed.
    """
    if (model is None) == (package is None):
        raise UsageError("name what to recommend for", "give one of --model NAME and --package ARN")
    if role is None and (model is None or ask is not None or endpoint is not None):
        raise UsageError("a job needs a role", "add --role ARN, which costs money")
    if role is not None:
        check_role(role)
    settings = AwsSettings(region, profile, endpoint_url, services=SERVICES)
    interrupts = Interrupts()
    with own_loop(settings) as loop, interrupts.from_signals():
        recommender = Recommender(loop)
        if role is None:
            assert model is not None
            status, rows = recommender.instant(model)
            return Recommended("", status, _table(rows))
        now = datetime.datetime.now(datetime.UTC)
        name = f"smbench-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # two may be started in one second
        request = request_of(name, role, model, package, endpoint, ask)
        recommender.start(request)
        look_s = _LOOK_LOOPBACK_S if loop.clients.is_loopback else _LOOK_S
        seen = _followed(recommender, name, interrupts, look_s)
    if not seen.rows and seen.status == "FAILED":
        raise TargetError(f"the job {name} failed: {printable(seen.why) or 'no reason is given'}")
    found = Recommended(name, seen.status, _table(seen.rows), is_interrupted=bool(interrupts.names))
    path = new_run_dir(Path(results), "recommend", now)
    buffer = io.BytesIO()
    found.table.write_parquet(buffer)
    try:
        write_whole(path / TABLE, buffer.getbuffer())
        write_whole(path / JOB, json_document({"request": request, "status": seen.status, "why": seen.why}))
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "see that there is room") from error
    return replace(found, path=path)


def read_ask(path: Path) -> RecommendationAsk:
    """What a file asks of an Advanced job.

    Raises:
        ScenarioError: with every problem found.
    """
    try:
        text = read_regular(path, TEXT_MAX * _BYTES_A_CHARACTER).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise ScenarioError(str(path), [Problem("", reason)]) from None
    source = read_source(text)
    problems = dict(source.problems)
    if not problems:
        try:
            return RecommendationAsk.model_validate(source.value, by_alias=True, by_name=False)
        except ValidationError as error:
            known = [field.alias or name for name, field in RecommendationAsk.model_fields.items()]
            problems |= explain(error, source, known).problems
    raise ScenarioError(str(path), sorted(problems.values(), key=lambda one: (one.line, one.column)))


def _followed(recommender: Recommender, name: str, interrupts: Interrupts, look_s: float) -> Recommending:
    """The job when it has ended, or when a person leaves it; its progress is said on stderr."""
    said, n_unseen, n_asked = "", 0, 0
    while True:
        seen = None
        try:
            seen, n_unseen = recommender.look(name), 0
        except TargetError as error:
            n_unseen += 1
            if n_unseen >= _UNSEEN_MAX:
                raise TargetError(error.message, f"the job {name} still runs: look for it in SageMaker") from error
        if seen is not None:
            said = _say(f"{name}: {seen.status}, {seen.n_steps_over} of {seen.n_steps} tests so far have ended", said)
            if seen.is_over or len(interrupts.names) > 1:
                return seen
        if len(interrupts.names) > n_asked:
            n_asked = len(interrupts.names)
            recommender.stop(name)
        interrupts.pause(look_s, n_asked)


def _say(text: str, before: str) -> str:
    if text != before:
        print(f"smbench: {text}", file=sys.stderr, flush=True)  # noqa: T201  # what a command says
    return text


def _table(rows: tuple[Row, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=_COLUMNS)
