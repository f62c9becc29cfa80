#!/usr/bin/env bash
# The log writer of hdrhistogram 0.10.8 (Python) rounds each interval's maximum down, drops the tag and cannot write the start.
#
# Guess: HistogramLogWriter writes the format that Java's does: a maximum with decimals, `Tag=`, `#[StartTime: ...]`.
# Seen: a histogram of 1,900 microseconds, written in milliseconds, has the maximum 1.000 in its line, and one of 999 has 0.000: the
#       division by the ratio drops what is behind the point. The default ratio is 1,000,000, so latencies in microseconds are
#       0.000 until they last a second. A tagged histogram is read back without its tag, so all series of a log become one.
#       `output_start_time` raises for every time. The counts are right.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check hdrhistogram==0.10.8
cd "$tmp"
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter


def written(value_us, **ratio):
    """The maximum in the line, and what the reader makes of the line: its largest value and tag."""
    histogram = HdrHistogram(1, 3_600_000_000, 3)
    histogram.record_value(value_us)
    histogram.set_tag("cold")
    with open("log", "w") as file:
        HistogramLogWriter(file).output_interval_histogram(histogram, 1, 2, **ratio)
    with open("log") as file:
        maximum = file.read().split(",")[2]
    read = HistogramLogReader("log", HdrHistogram(1, 3_600_000_000, 3)).get_next_interval_histogram()
    return f"maximum {maximum}; read: {read.get_max_value()}, tag {read.get_tag()}"


print("1,900 us in ms:", written(1900, max_value_unit_ratio=1000))
print("999 us in ms:", written(999, max_value_unit_ratio=1000))
print("999,000 us as it comes:", written(999_000))
for start in (1_700_000_000_000, 1_700_000_000):
    try:
        with open("log", "w") as file:
            HistogramLogWriter(file).output_start_time(start)
        print("start time written")
    except Exception as error:
        print(f"start time {start}:", type(error).__name__)
PY
cat > expected <<'TXT'
1,900 us in ms: maximum 1.000000; read: 1900, tag None
999 us in ms: maximum 0.000000; read: 999, tag None
999,000 us as it comes: maximum 0.000000; read: 999423, tag None
start time 1700000000000: ValueError
start time 1700000000: AttributeError
TXT
cat seen
diff expected seen
