#!/usr/bin/env bash
# Ciw 3.2.7 gives records of those customers only whose service has ended.
#
# Guess: the records of a simulation hold every arrival until its end.
# Seen: an arrival a second, a service of three seconds, one server, thirty seconds: 29 arrive, 9 have a record, and the
#       longest waiting time of a record is 16 s while the first of those still there has waited 18. In an overloaded queue the
#       mean over records understates the wait, for those left out are those who wait longest.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check ciw==3.2.7
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import ciw

ciw.seed(1)
network = ciw.create_network(
    arrival_distributions=[ciw.dists.Deterministic(1.0)],
    service_distributions=[ciw.dists.Deterministic(3.0)],
    number_of_servers=[1],
)
queue = ciw.Simulation(network)
queue.simulate_until_max_time(30)
records = queue.get_all_records()
print("arrived:", queue.nodes[0].number_of_individuals, "records:", len(records))
print("longest wait of a record:", max(record.waiting_time for record in records))
print("still there:", len(queue.nodes[1].all_individuals))
PY
cat > "$tmp/expected" <<'TXT'
arrived: 29 records: 9
longest wait of a record: 16.0
still there: 20
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
