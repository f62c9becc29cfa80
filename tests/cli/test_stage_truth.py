"""Goal: stage times, reconstructed from what a client can know, are the endpoint's own, its clock off or not.

Method: the real command against the emulated endpoint, whose instances come one by one, between looks; then the
summary's stages beside `truth.parquet`, request by request the same ones.
"""

import numpy as np
import polars as pl
import pytest

from commands import in_here
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.rows.frames import load
from smbench.analysis.summary import Summary, summarise
from smbench.results.store import open_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCENARIO = """\
name: skewed
seed: 3
target:
  emulated:
    instances: {{min: 0, max: 4, concurrency: 3}}
    service: {{lognormal: {{median: 2s, sigma: 0.4}}}}
    service_spread: 0.04
    provision: {{lognormal: {{median: 90s, sigma: 0.25}}}}
    policies:
      - target_tracking: {{backlog_per_instance: 10, out_cooldown: 60s}}
      - step_from_zero: {{add: 1, cooldown: 120s}}
    time: warp
    faults:
      clock_skew: {skew}
      clock_drift_ppm: {drift}
      slow_answers: {{share: 5%, delay: {{uniform: {{low: 50ms, high: 300ms}}}}}}
load:
  - burst: {{requests: 600, within: 30s}}
  - poisson: {{rate: 3/s, for: 15m}}
drain: 20m
"""


@pytest.fixture(scope="module", params=[(0.5, 0.0), (-0.5, 100.0)], ids=["ahead", "behind-and-faster"])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[float, float], Summary, pl.DataFrame]:
    """The skew in seconds and the drift in ppm, what the summary says, and what happened."""
    folder = tmp_path_factory.mktemp("skewed")
    scenario = folder / "skewed.yaml"
    scenario.write_text(SCENARIO.format(skew=f"{round(request.param[0] * 1000)}ms", drift=request.param[1]))
    ran = in_here("run", scenario, "--results", folder / "results", "--ui", "none", cwd=folder)
    assert ran.returncode in (0, 98), ran.stderr
    (made,) = (folder / "results").iterdir()
    files = open_run(made)
    assert files.truth is not None
    return request.param, summarise(load(files)), files.truth.collect()


def test_the_offset_of_the_clocks_is_found_within_its_stated_error(
    run: tuple[tuple[float, float], Summary, pl.DataFrame],
) -> None:
    (skew_s, drift_ppm), summary, _ = run
    clocks = summary.clocks
    assert clocks.agreement is (Agreement.DRIFT if drift_ppm else Agreement.OFFSET)
    assert clocks.drift * 1e6 == pytest.approx(drift_ppm, rel=0.02)
    ahead_s = skew_s + drift_ppm * 1e-6 * clocks.at_ns / 1e9
    assert abs(clocks.offset_s - ahead_s) <= clocks.uncertainty_s


@pytest.mark.parametrize(
    ("name", "since", "until"), [("queue wait", "arrived", "started"), ("service", "started", "ended")]
)
def test_stage_times_are_the_true_ones(
    run: tuple[tuple[float, float], Summary, pl.DataFrame], name: str, since: str, until: str
) -> None:
    _, summary, truth = run
    true_s = (truth[until] - truth[since]).dt.total_nanoseconds().drop_nulls().to_numpy() / 1e9
    stage = next(one for one in summary.stages if one.name == name)
    assert stage.n > 0.9 * len(true_s), stage.reason
    for share, figure, within in ((0.5, stage.spread.p50, 0.02), (0.99, stage.spread.p99, 0.05)):
        assert isinstance(figure, Bounded)
        expected_s = float(np.quantile(true_s, share, method="inverted_cdf"))
        assert figure.value == pytest.approx(expected_s, rel=within), (name, share)


def test_the_notification_takes_as_long_as_it_took(run: tuple[tuple[float, float], Summary, pl.DataFrame]) -> None:
    _, summary, truth = run
    true_s = (truth["published"] - truth["ended"]).dt.total_nanoseconds().drop_nulls().to_numpy() / 1e9
    found = next(one for one in summary.stages if one.name == "notification").spread
    assert found.p50 is not None
    # Both stamps are cut to the millisecond, of some eighty.
    assert found.p50.value == pytest.approx(float(np.quantile(true_s, 0.5)), abs=0.0015)
