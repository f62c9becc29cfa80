"""10,000 requests against a world in which everything goes wrong: each has one outcome, and it is the endpoint's.

Method: the shipped scenario through the real command; then every row is held against `truth.parquet`, by a table of
what a client can know from what happened.
"""

from pathlib import Path

import polars as pl
import pytest

from commands import smbench
from smbench.results.law import Counts, row_violations
from smbench.results.store import open_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SCENARIO = Path(__file__).parents[2] / "scenarios" / "faulty-world.yaml"
SKEW = pl.duration(milliseconds=120)

# What the client must say, by what really happened. The first line that applies counts.
#   never taken:   throttled, 500 or 503 -> rejected;  reset before the request was read -> transport_error
#   taken, and a notice came (on time, late or twice): its outcome, even where the answer was lost
#   taken, no notice: an output found in S3 says completed or failed, but only where the answer told its location;
#       without a location nothing is known of it: transport_error; an expired one leaves no output: lost or pending
WAS_TOLD = pl.col("notice").is_in(["sent", "late"])
ANSWER_LOST = pl.col("fault") == "lost_reply"
EXPECTED = (
    pl.when(~pl.col("accepted_truth") & (pl.col("fault") == "reset"))
    .then(pl.lit("transport_error"))
    .when(~pl.col("accepted_truth"))
    .then(pl.lit("rejected"))
    .when(WAS_TOLD)
    .then(pl.col("outcome_truth"))
    .when(ANSWER_LOST)
    .then(pl.lit("transport_error"))
    .when(pl.col("outcome_truth") == "expired")
    .then(pl.lit("lost"))
    .otherwise(pl.col("outcome_truth"))
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faulty")
    ran = smbench("run", SCENARIO, "--results", folder, "--ui", "none", cwd=folder, timeout_s=850)
    assert ran.returncode in (0, 98, 99), ran.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def both(run: Path) -> pl.DataFrame:
    """Requests beside the truth; every call of the truth has its request."""
    files = open_run(run)
    assert files.truth is not None
    requests, truth = files.requests.collect(), files.truth.collect()
    assert truth["inference_id"].is_duplicated().sum() == 0
    joined = requests.join(truth, on="inference_id", how="full", suffix="_truth", coalesce=True)
    return joined.with_columns(expected=EXPECTED)


def test_the_ledgers_law_holds(run: Path) -> None:
    requests = open_run(run).requests
    counts = Counts.of(requests)
    assert counts.scheduled == 10_000
    assert counts.violations() == []
    assert row_violations(requests, 10_000) == []


def test_every_call_the_endpoint_saw_is_a_request_we_sent_and_the_other_way_round(both: pl.DataFrame) -> None:
    assert both.filter(pl.col("seq").is_null()).height == 0
    assert both.filter(pl.col("send").is_not_null() & pl.col("arrived").is_null()).height == 0


def test_every_outcome_is_the_true_one(both: pl.DataFrame) -> None:
    sent = both.filter(pl.col("send").is_not_null())
    wrong = sent.filter(pl.col("outcome") != pl.col("expected"))
    assert wrong.height == 0, wrong.group_by("outcome", "expected", "fault", "notice").len()


def test_every_fault_really_happened(both: pl.DataFrame) -> None:
    assert set(both["fault"].drop_nulls()) == {"throttled", "server_error", "reset", "lost_reply", "slow_answer"}
    assert set(both["notice"].drop_nulls()) >= {"sent", "late", "lost"}
    assert set(both["outcome_truth"].drop_nulls()) >= {"completed", "failed", "expired"}
    assert both["copies"].max() > 1  # type: ignore[operator]  # a number
    assert both["attempts_truth"].max() > 1  # type: ignore[operator]  # an instance died with work in hand


def test_every_end_told_by_a_notice_has_the_true_instant_to_the_millisecond(both: pl.DataFrame) -> None:
    told = both.filter((pl.col("end_from") == "notice") & pl.col("ended").is_not_null())
    assert told.height > 8000
    assert told.filter(pl.col("done") != (pl.col("ended") + SKEW).dt.truncate("1ms")).height == 0


def test_duplicates_are_seen_and_count_once(run: Path, both: pl.DataFrame) -> None:
    duplicates = both.filter(pl.col("notices") > 1)
    assert duplicates.height > 50
    assert duplicates["seq"].n_unique() == duplicates.height


def test_what_could_not_be_read_is_kept_aside(run: Path) -> None:
    events = open_run(run).events.filter(pl.col("kind") == "malformed_message").collect()
    assert events.height > 20
