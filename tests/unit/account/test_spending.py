"""Goal: what a run may cost is foreseen from above, in closed form, and refused before anything is spent.

Method: plans of known size and endpoints in memory; the command where nothing answers.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import smbench
from fake_aws import target
from smbench.account.spending import Spending, spending
from smbench.api.account import require_within
from smbench.cli.app import app
from smbench.errors import UsageError
from smbench.generator.plan import make_plan
from smbench.pricing.table import shipped_prices
from smbench.records import Unknown
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess
from whole_story import story

USD = shipped_prices()


def planned(load: list[dict[str, Any]], found: Any = None, kind: str = "async", **more: Any) -> Spending:
    document = {"name": "n", "target": {"endpoint": "mine", "kind": kind}, "load": load, "drain": "30m"} | more
    return spending(make_plan(Scenario.model_validate(document), Path()), found, shipped_prices())


HOUR = [{"constant": {"rate": "2/s", "for": "30m"}}]


def test_instances_are_paid_at_their_most_until_the_drain_is_over() -> None:
    found = planned(HOUR, target(scalable_target={"MaxCapacity": 4}))
    assert found.n_requests == 3600
    assert found.least_s == pytest.approx(1800, abs=1)
    assert found.most_s == pytest.approx(3600, abs=1)
    assert found.endpoint_usd == pytest.approx(4 * USD.instance_hour["ml.m5.large"], rel=1e-3)
    assert "4 x ml.m5.large" in found.endpoint_of
    fixed = planned(HOUR, target())
    assert fixed.endpoint_usd == pytest.approx(1 * USD.instance_hour["ml.m5.large"], rel=1e-3)
    own = planned(HOUR, target(), target={"endpoint": "mine", "instance_hour": 7})
    assert own.endpoint_usd == pytest.approx(7, rel=1e-3)


def test_measuring_is_each_call_at_its_price() -> None:
    found = planned(HOUR, target())
    n, per = 3600, {name: usd or 0.0 for name, usd in USD.per.items()}
    of_requests = n * (2 * per["s3.put"] + 3 * per["s3.get"] + per["sns.publish"] + 2 * per["sqs.request"])
    of_hour = 180 * per["sqs.request"] + 120 * 28 * per["cloudwatch.metric"]
    assert found.measuring_usd == pytest.approx(of_requests + of_hour, rel=0.01)
    assert found.usd == found.endpoint_usd + found.measuring_usd  # type: ignore[operator]


def test_looks_for_outputs_are_foreseen_by_the_open_requests_of_each_round_and_never_above_their_pace() -> None:
    silent, per = target(tracking="s3"), {name: usd or 0.0 for name, usd in USD.per.items()}
    of_hour = 120 * 28 * per["cloudwatch.metric"]
    few = planned([{"constant": {"rate": "1/s", "for": "10s"}}], silent, drain="50s", collector={"look_every": "10s"})
    assert few.measuring_usd == pytest.approx(
        20 * per["s3.put"] + (10 + 4 * 10 * 7) * per["s3.get"] + 2 * 28 * per["cloudwatch.metric"], rel=0.01
    )
    many = planned(HOUR, silent, collector={"look_every": "1s"})
    of_pace = 3600 * 100 * 12.5 * per["s3.get"]
    assert many.measuring_usd == pytest.approx(3600 * (2 * per["s3.put"] + per["s3.get"]) + of_pace + of_hour, rel=0.01)
    assert "looked for every 1.00 s, with at most 100 calls a second" in dict(many.lines)["measuring"]
    assert "SNS" not in many.measuring_of


def test_a_serverless_inference_is_paid_for_as_long_as_it_may_take() -> None:
    found = planned(HOUR, target(kind="serverless", serverless={"MemorySizeInMB": 2048}), "serverless")
    out_gb = 3600 * 4 / 1024  # each answer as large as AWS lets it be
    priced = 3600 * 60 * 2 * (USD.per["serverless.gb_second"] or 0) + out_gb * (USD.per["data.gb_out"] or 0)
    assert found.endpoint_usd == pytest.approx(priced, rel=1e-3)
    assert found.in_flight == 120  # what is due within the minute that an answer may take
    kept = planned(
        HOUR, target(kind="serverless", serverless={"MemorySizeInMB": 2048, "ProvisionedConcurrency": 1}), "serverless"
    )
    assert isinstance(kept.usd, Unknown)


def test_a_real_time_endpoint_costs_its_instances_and_the_most_that_goes_in_and_out() -> None:
    found = planned(HOUR, target(kind="realtime"), "realtime", payloads={"synthetic": "1MiB"})
    per_gb_in, per_gb_out = (USD.per[name] or 0.0 for name in ("data.gb_in", "data.gb_out"))
    assert found.most_s is not None
    paid = USD.instance_hour["ml.m5.large"] * found.most_s / 3600
    data = 3600 * (per_gb_in + 25 * per_gb_out) / 1024
    assert found.endpoint_usd == pytest.approx(paid + data, rel=1e-6)


def test_what_cannot_be_known_says_why() -> None:
    unpriced = planned(HOUR, target(instance_type="ml.p9.huge"))
    assert isinstance(unpriced.usd, Unknown)
    assert "ml.p9.huge" in unpriced.usd.reason
    closed = planned([{"closed": {"outstanding": 3, "requests": 50}}], target())
    assert isinstance(closed.usd, Unknown)
    assert "closed loop" in closed.usd.reason
    assert (closed.in_flight, closed.peak_hz) == (3, None)
    assert closed.to_json()["usd"] is None
    assert "closed loop" in str(closed.to_json()["usd_unknown"])


def test_bytes_are_counted_once_for_each_request_and_put_once_for_each_payload() -> None:
    payloads = {"synthetic": "2KiB"}
    found = planned([{"burst": {"requests": 10, "within": "0s"}}], target(), payloads=payloads)
    assert (found.n_bytes, found.n_bytes_put, found.peak_hz) == (10 * 2048, 2048, 10)
    unique = planned([{"burst": {"requests": 10}}], target(), payloads=payloads | {"unique": True})
    assert unique.n_bytes_put == 10 * 2048
    inline = planned([{"burst": {"requests": 10}}], target(), payloads=payloads | {"inline": True})
    assert inline.n_bytes_put == 0


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, 300))
def test_no_more_is_sent_than_the_limit_and_no_second_has_more_than_all(n: int, limit: int) -> None:
    found = planned([{"burst": {"requests": n, "within": "3s"}}], target(), limits={"requests": limit})
    assert found.n_requests == min(n, limit)
    assert found.peak_hz is not None
    assert found.n_requests / 4 <= found.peak_hz <= found.n_requests


def test_an_emulated_endpoint_costs_nothing_and_passes_every_limit() -> None:
    plan = make_plan(Scenario.model_validate(story()), Path())
    require_within(plan, AwsAccess(), 0.0, shipped_prices())
    printed = CliRunner().invoke(app, ["run", "--dry-run"])
    assert printed.exit_code == 0, printed.output
    assert "cost       nothing" in printed.stdout
    assert printed.stdout.splitlines()[-1] == "nothing was sent or made"


def test_a_run_that_may_cost_more_is_refused_in_a_sentence_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = planned(HOUR, target(scalable_target={"MaxCapacity": 4}))
    monkeypatch.setattr("smbench.api.account._spending", lambda *_: foreseen)
    with pytest.raises(UsageError, match=r"the run may cost 0\.\d+ USD, more than --max-cost 0\.1"):
        smbench.run(story(), max_cost=0.1, results=tmp_path / "results", progress="none")
    with pytest.raises(UsageError, match="more than --max-cost nan"):  # nothing is larger than nan
        smbench.run(story(), max_cost=float("nan"), results=tmp_path / "results", progress="none")
    assert not (tmp_path / "results").exists()
    unknown = planned(HOUR, target(instance_type="ml.p9.huge"))
    monkeypatch.setattr("smbench.api.account._spending", lambda *_: unknown)
    with pytest.raises(UsageError, match="not known, so --max-cost 5 refuses it"):
        smbench.run(story(), max_cost=5, results=tmp_path / "results", progress="none")


@pytest.mark.slow
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_dry_run_shows_what_it_may_cost_and_refuses_what_costs_too_much(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = planned(HOUR, target(scalable_target={"MaxCapacity": 4}))
    monkeypatch.setattr("smbench.api.account._spending", lambda *_: foreseen)
    monkeypatch.chdir(tmp_path)
    words = ["run", "quick-start", "--dry-run", "--output", output, "--max-cost"]
    refused = CliRunner().invoke(app, [*words, "0.1"])
    assert isinstance(refused.exception, UsageError)
    assert "more than --max-cost 0.1" in refused.exception.message
    passed = CliRunner().invoke(app, [*words, "100"])
    assert (passed.exit_code, passed.stdout) == (0, refused.stdout)
