#!/usr/bin/env bash
# queueing-tool 1.2.5 gives those who still wait a service that began at 0: the mean wait of an overloaded queue is -10.7 s.
#
# Guess: who is not served yet has no row, as in Ciw, or a NaN where the start and the end of the service would be.
# Seen: the row is there and has zeros. An arrival a second, a service of three, thirty seconds: of 30 rows 20 have start 0 and 21 end 0, and
#       the mean of start less arrival, the column arithmetic that the table invites, is -10.7 s. Those who were served
#       waited 8 s. In a queue that is not overloaded the few zeros at the end are not seen: they only make the mean smaller.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check queueing-tool==1.2.5 numpy==1.26.4 networkx==3.6.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import queueing_tool

queue = queueing_tool.QueueServer(num_servers=1, arrival_f=lambda t: t + 1, service_f=lambda t: t + 3, seed=1)
queue.collect_data = True
queue.set_active()
queue.simulate(t=30)
arrival, start, end = queue.fetch_data()[:, :3].T
served = end > 0
print(f"rows {len(arrival)}, with start 0 {sum(start == 0)}, with end 0 {sum(end == 0)}")
print(f"mean wait: of all rows {(start - arrival).mean():.1f} s, of the served {(start - arrival)[served].mean():.1f} s")
PY
cat > "$tmp/expected" <<'TXT'
rows 30, with start 0 20, with end 0 21
mean wait: of all rows -10.7 s, of the served 8.0 s
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
