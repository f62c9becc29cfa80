"""docs/thresholds.md, printed from the vocabulary of thresholds; a test keeps the two equal."""

from smbench.scenario.thresholds import LATENCIES, METRICS, Metric

_UNITS = {"s": "duration", "requests": "requests", "share": "share", "hz": "rate", "usd": "USD"}

_HEAD = """# Thresholds

What is expected of an endpoint, one comparison a line; in a scenario under `thresholds:`, or as `--assert "p95 <
8m"` of `run` and `report`. The table is printed from `src/smbench/scenario/thresholds.py`.

    metric [(deadline)] [from schedule | from acceptance] operator value [for duration]

Operators are `<`, `<=`, `==`, `!=`, `>=`, `>`. Durations are written `250ms`, `30s`, `8m`, `1h30m`; rates `1.2/s`,
`90/m`; shares `99%`. A duration has its unit: a bare number is refused, and so is
a comparison that holds, or fails, whatever the run comes to. A count takes a share too where the table says
of what: `failed == 0`, `failed < 1%`. Warm-up phases are left out of all: the backlog counts from the first other phase
on, with what a warm-up has left by then.

| metric | value | meaning | example |
|---|---|---|---|
"""

_FOOT = """
A latency is one of {latencies}, with `_pNN`, such as `_p95` or `_p99.9`, or `_max`.

## Met, missed, unknown

A request that had no end when the run was over may still become anything; a threshold that depends on it is
*unknown*, which is neither met nor missed ([decision 10](decisions/0010-percentiles-are-bounds.md)): `expired == 0`
is unknown while a request is pending, and missed as soon as one has expired. A threshold is a question about the
whole schedule: where the run was cut short (a person or the error limit stopped it, or it was killed), each request
that was never sent may have come to any end after any time, and what that could have changed is unknown. What no
source reports (a price, a breach) is unknown too. So is whether a request was taken that was not answered shortly
before the end (at any time, where ends are missed: some are not published, or a notice was lost), and when one left
the endpoint whose end was lost or is never published: `backlog`, `drain` and `oldest_age` count it for as long as it
may have stayed. Of a run that `--stop-when-certain` ended, only the thresholds that it had are certain: for another
one what was never sent is open. Where nothing was accepted, `failed == 0` and `backlog < 3` are unknown: there was
nothing to fail or to wait. A percentile with fewer than ten requests above it can be missed, not met: `p95` takes 200
requests. Of an invalid run all are unknown: its figures are not the endpoint's.

| exit status | |
|---|---|
| 0 | no threshold was missed; unknown ones are named in the report |
| 98 | the run is invalid or was cut short: it says nothing of the endpoint; with `--strict` whatever is unknown |
| 99 | a threshold was missed |

## While the run goes on

The live view shows each figure so far, `~` before an estimate, and a verdict only where nothing that may still come
can change it ([decision 14](decisions/0014-thresholds.md)). With `--stop-when-certain` no more is sent once one
threshold is certain to be missed, or all are certain to be met; what was sent is followed to its end, and the
report judges by the files, as always.

## In CI

`--junit FILE` writes one test case a threshold and a check: a missed threshold is a failure, an invalid check an
error, what is unknown is skipped; it is red exactly where the exit status is not 0. `--summary-md FILE` appends a page
of Markdown; where `GITHUB_STEP_SUMMARY` is set, the job's page gets it too. `summary.json` in the run's folder, and
`report --output json`, have everything, also the command's `exit_status`,
under `schema_version` and [a JSON schema](summary.schema.json) (`smbench schema summary`).

```console
$ smbench run mine.yaml --assert "within(8m) >= 99%" --assert "backlog <= 500 for 5m" --junit smbench.xml
```
"""


def thresholds_markdown() -> str:
    """The grammar, every metric, and what becomes of a verdict."""
    rows = "".join(_row(name, metric) for name, metric in METRICS.items())
    return _HEAD + rows + _FOOT.format(latencies=", ".join(f"`{name}`" for name in LATENCIES))


def _row(name: str, metric: Metric) -> str:
    value = _UNITS[metric.unit] + (f", or a share of {metric.share_of}" if metric.share_of else "")
    written = f"{name}(deadline)" if metric.has_deadline else name
    return f"| `{written}` | {value} | {metric.meaning} | `{metric.example}` |\n"
