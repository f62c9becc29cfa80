#!/usr/bin/env bash
# apache-otava 0.8.0 finds a change in several of a hundred benchmarks that never changed, at a `max_pvalue` of 0.001.
#
# Guess: 0.001 is the share of false alarms: one series in a thousand.
# Seen: it is the level of each single comparison, and the places compared are those that were searched out because they differ most, again and again along the series. Of a hundred series of a hundred values of pure noise (2 %
#       of the mean) nine have a change point or more: ninety times the level. A gate over fifty metrics has an alarm of that kind in nearly each history. `min_magnitude` is 0 unless it is set.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check --no-deps apache-otava==0.8.0 numpy==2.2.0 scipy==1.16.3
cat > measure.py <<'PY'
import random

from otava.series import AnalysisOptions, Metric, Series


def changes(seed: int) -> int:
    chance = random.Random(seed)
    values = [100 * (1 + 0.02 * chance.gauss(0, 1)) for _ in range(100)]
    series = Series("noise", None, list(range(100)), {"latency": Metric(1, 1.0)}, {"latency": values}, {})
    return len(series.analyze(AnalysisOptions()).change_points["latency"])


found = [changes(seed) for seed in range(100)]
print(f"max_pvalue {AnalysisOptions().max_pvalue}: changes in {sum(count > 0 for count in found)} of 100 series of noise")
PY
venv/bin/python -W ignore measure.py > seen
cat seen
[ "$(grep -oE "[0-9]+ of" seen | grep -oE "[0-9]+")" -ge 3 ]
