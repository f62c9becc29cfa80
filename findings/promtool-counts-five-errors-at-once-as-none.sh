#!/usr/bin/env bash
# Prometheus 2.42.0 (Debian 12): five errors that a process reports at once have never increased, and a p99 is never above its last bucket.
#
# Guess: `increase(errors_total[5m])` is 5 when a counter of 5 appears, and `histogram_quantile(0.99, ...) > 1` is true where every request takes longer than a second.
# Seen: a series has no value before its first, so the first is no increase: an error counter with labels, which is born with its first error, misses them, and an alert
#       on them never comes; born with 0 it has 5. What lies above the last bound counts as lying on it: with bounds up to 1 s p99 of requests of a minute is 1, and
#       `> 1` is never true. All below the first bound of 100 ms, the median is 50.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q prometheus=2.42.0+ds-5+deb12u1 >/dev/null 2>&1
dpkg -x prometheus_*.deb root
cat > tests.yml <<'YML'
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'born_with_five_total', values: '_x9 5x20'}
      - {series: 'born_with_none_total', values: '0x9 5x20'}
      - {series: 'slow_bucket{le="0.1"}', values: '0x40'}
      - {series: 'slow_bucket{le="1"}', values: '0x40'}
      - {series: 'slow_bucket{le="+Inf"}', values: '0+10x40'}
      - {series: 'quick_bucket{le="0.1"}', values: '0+10x40'}
      - {series: 'quick_bucket{le="1"}', values: '0+10x40'}
      - {series: 'quick_bucket{le="+Inf"}', values: '0+10x40'}
    promql_expr_test:
      - {expr: 'increase(born_with_five_total[5m])', eval_time: 5m, exp_samples: [{labels: '{}', value: 0}]}
      - {expr: 'increase(born_with_none_total[5m])', eval_time: 5m, exp_samples: [{labels: '{}', value: 5}]}
      - {expr: 'histogram_quantile(0.99, rate(slow_bucket[5m]))', eval_time: 8m, exp_samples: [{labels: '{}', value: 1}]}
      - {expr: 'histogram_quantile(0.99, rate(slow_bucket[5m])) > 1', eval_time: 8m, exp_samples: []}
      - {expr: 'histogram_quantile(0.5, rate(quick_bucket[5m]))', eval_time: 8m, exp_samples: [{labels: '{}', value: 0.05}]}
YML
root/usr/bin/promtool test rules tests.yml > seen 2>&1 || { cat seen; exit 1; }
echo "as seen:"
sed -n "s/.*{expr: '\(.*\)', eval_time.*exp_samples: \[\(.*\)\]}/\1: \2/p" tests.yml | sed "s/{labels: '{}', value: \(.*\)}/\1/; s/: $/: nothing/"
