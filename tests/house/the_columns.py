"""docs/columns.md, printed from the schema; a test keeps the two equal."""

import inspect
import re

from pydantic import BaseModel

from smbench.aws.endpoint.metrics import ASYNC_METRICS
from smbench.results.manifest import ClockFacts, Manifest
from smbench.results.schema import FILES, SCHEMA_VERSION, Column

_OF = {
    "requests": "One row a request, sorted by `seq`. Present in every run.",
    "readings": "One row a reading of a gauge; a gap is a reading without a value.",
    "events": "What happened to the run or to the endpoint, one row each. A scaling activity that was seen twice, "
    "under way and over, has two rows; the one with the later `seen` holds.",
    "truth": "What the emulated endpoint really did, one row a call, to check what the client concluded. Only where "
    "the endpoint was emulated.",
}

GAUGES = {  # source, name: unit and meaning; CloudWatch's are AWS's own
    ("ledger", "backlog_seen"): ("requests", "accepted and not known to have ended"),
    ("ledger", "in_flight"): ("requests", "submitted, without an answer yet"),
    ("ledger", "oldest_age_s"): ("s", "since the oldest open request was due; no reading while none is open"),
    ("generator", "cpu_share"): ("of a core", "CPU of the worker since the last reading"),
    ("generator", "rss_bytes"): ("bytes", "memory of the worker"),
    ("generator", "loop_lag_max_s"): ("s", "the longest that the worker's event loop was late; not in warp time"),
    ("generator", "receivers"): ("count", "long polls that overlap now"),
    ("generator", "receivers_max"): ("count", "as many as may overlap, `collector.receivers`"),
    ("generator", "receivers_saturated_s"): ("s", "the longest time so far with all receivers in use and full"),
    ("generator", "full_receives_share"): ("share", "receives with ten messages; no reading without a receive"),
    ("generator", "received_messages"): ("count", "messages so far"),
    ("generator", "receive_errors"): ("count", "receives that failed so far"),
    ("generator", "undeleted_messages"): ("count", "messages read and not deleted yet"),
    ("generator", "waits_for_deletion"): ("count", "times that receivers waited for deletes so far"),
    ("generator", "foreign_messages"): ("count", "notices of others so far"),
    ("generator", "malformed_messages"): ("count", "messages that could not be read so far"),
    ("generator", "duplicate_notices"): ("count", "notices of a request that had ended, so far"),
    ("generator", "look_heads"): (
        "count",
        "HEADs that looked for an output so far; only where no notice is waited for",
    ),
    ("generator", "look_lists"): ("count", "LISTs that looked for outputs so far; as above"),
    ("generator", "look_errors"): ("count", "of both, those without an answer so far"),
    ("endpoint", "instances_current"): ("instances", "CurrentInstanceCount of DescribeEndpoint"),
    ("endpoint", "instances_desired"): ("instances", "DesiredInstanceCount of DescribeEndpoint"),
}
_TIME_ZERO = """\
## Time zero

A run's time begins when its schedule does: the first phase starts at zero, and what is set up before has no time or a
negative one. `manifest.json` has that instant as `clock.epoch_ns`. Every instant in the files is UTC; seconds of the
run are the difference:

```python
import json
from pathlib import Path

import polars as pl

epoch_ns = json.loads(Path("results/sample/manifest.json").read_text())["clock"]["epoch_ns"]
readings = pl.read_parquet("results/sample/readings.parquet")
seconds = readings.select((pl.col("at").dt.epoch("ns") - epoch_ns) / 1e9)
```

In real time an instant is that of the machine's clock. In scaled and warp time instants are `epoch_ns` plus scenario
time, so they run ahead of it; `started` and `ended` of the manifest are always the machine's. `recv`, `done` and `pub`
are stamps of AWS's clock: `summary.json` says under `clocks` how far it is from ours.
"""


def columns_markdown() -> str:
    """Every column of every file: type, unit, meaning, and when it is null; gauges; the manifest; time zero."""
    parts = [
        "# Columns\n",
        f"What stands in a run's folder, schema {SCHEMA_VERSION}. Printed from `src/smbench/results/schema.py`.\n",
        "Instants are UTC with microseconds, in scenario time: on an emulated endpoint that may run faster than the "
        "wall's, and `manifest.json` says how (`clock`).\n",
    ]
    for file, columns in FILES.items():
        parts.append(f"## {file}.parquet\n\n{_OF[file]}\n\n{_table(columns)}\n")
        if file == "readings":
            parts.append(f"### Gauges\n\n{_gauges()}\n")
    parts.append(f"## manifest.json\n\n{_members(Manifest)}\n")
    parts.append(f"`clock` has\n\n{_members(ClockFacts)}\n")
    return "\n".join([*parts, _TIME_ZERO])


def _gauges() -> str:
    rows = [
        f"| {source} | `{name}` | value | {unit} | {meaning} |" for (source, name), (unit, meaning) in GAUGES.items()
    ]
    stats: dict[str, list[str]] = {}
    for metric in ASYNC_METRICS:
        if metric.stat not in (known := stats.setdefault(metric.name, [])):
            known.append(metric.stat)
    aws = [f"| cloudwatch | `{name}` | {', '.join(each)} | AWS's | minute by minute |" for name, each in stats.items()]
    head = "| source | name | stat | unit | meaning |\n|---|---|---|---|---|\n"
    gap = (
        "\n\nA call that failed is a reading without a value under the call's name (`GetMetricData`), with the reason."
    )
    return head + "\n".join([*rows, *aws]) + gap


def _members(model: type[BaseModel]) -> str:
    """A table of a model's fields, with the comments that stand behind them in the source.

    Raises:
        KeyError: A field has no comment: write one.
    """
    comments = dict(re.findall(r"^    (\w+): .+?  # (.+)$", inspect.getsource(model), re.MULTILINE))
    return "| member | meaning |\n|---|---|\n" + "\n".join(
        f"| `{name}` | {comments[name].replace('|', 'or')} |" for name in model.model_fields
    )


def _table(columns: tuple[Column, ...]) -> str:
    head = "| column | type | unit | meaning | null when |\n|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| `{column.name}` | {_type(column)} | {column.unit} | {column.meaning} | {column.null or 'never'} |"
        for column in columns
    )


def _type(column: Column) -> str:
    return str(column.dtype).replace("time_unit='us', time_zone='UTC'", "us, UTC")
