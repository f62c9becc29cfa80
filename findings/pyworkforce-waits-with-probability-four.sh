#!/usr/bin/env bash
# pyworkforce 0.5.1 gives a probability of waiting above 1 where there are fewer servers than work.
#
# Guess: an overloaded Erlang C queue has a probability of waiting of 1, or raises.
# Seen: ten Erlangs on nine servers wait with probability 1.42, on five with 4.41, and occupy them to 200 %; only the service level says 0.
#       The average wait that textbooks make of it, probability x service time / (servers - work), is negative: with nine servers -4.3
#       minutes.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pyworkforce==0.5.1 ortools==9.15.6755 joblib==1.6.0 \
  numpy==2.3.5 pandas==2.3.3
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from pyworkforce.queuing import ErlangC

queue = ErlangC(transactions=100, aht=3, interval=30, asa=0.33)  # a hundred of 3 minutes in 30 minutes: ten Erlangs
for servers in (5, 9, 10, 11, 14):
    wait = queue.waiting_probability(servers) * queue.aht / (servers - queue.intensity) if servers != 10 else float("inf")
    print(
        f"{servers} servers: waits with probability {queue.waiting_probability(servers):.2f},"
        f" service level {queue.service_level(servers):.2f}, occupancy {queue.achieved_occupancy(servers):.2f}, mean wait {wait:.1f} min"
    )
PY
cat > "$tmp/expected" <<'TXT'
5 servers: waits with probability 4.41, service level 0.00, occupancy 2.00, mean wait -2.6 min
9 servers: waits with probability 1.42, service level 0.00, occupancy 1.11, mean wait -4.3 min
10 servers: waits with probability 1.00, service level 0.00, occupancy 1.00, mean wait inf min
11 servers: waits with probability 0.68, service level 0.39, occupancy 0.91, mean wait 2.0 min
14 servers: waits with probability 0.17, service level 0.89, occupancy 0.71, mean wait 0.1 min
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
