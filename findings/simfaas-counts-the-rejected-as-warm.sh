#!/usr/bin/env bash
# simfaas 0.2.2 counts rejected requests as warm ones in its table by state: a platform that rejects half of all has no rejection.
#
# Guess: `get_request_custom_states` splits the requests into cold, warm and rejected as the totals do.
# Seen: ten requests of a second each come in a second and five may run: more than half are rejected, as the totals (and Erlang's formula, 56 %) say. The
#       table has a column `rej`, which is 0, and all rejected requests in `warm`.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check simfaas==0.2.2 numpy==2.3.5 pandas==2.3.3 scipy==1.16.3
MPLBACKEND=agg "$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from simfaas.ServerlessSimulator import ServerlessSimulator
from simfaas.SimProcess import ConstSimProcess, ExpSimProcess

np.random.seed(1)
platform = ServerlessSimulator(
    arrival_process=ExpSimProcess(rate=10), warm_service_process=ConstSimProcess(rate=1), cold_service_process=ConstSimProcess(rate=0.5),
    expiration_threshold=600, max_time=2000, maximum_concurrency=5,
)
platform.generate_trace(progress=False)
n, n_rejected = platform.total_req_count, platform.total_reject_count
print(f"totals: rejected {n_rejected / n:.0%}, warm {platform.total_warm_count / n:.0%}")
(row,) = platform.get_request_custom_states(["any"] * len(platform.hist_times)).to_dict("records")
print(f"by state: rejected {row['rej'] / row['total']:.0%}, warm {row['warm'] / row['total']:.0%}")
PY
cat > "$tmp/expected" <<'TXT'
totals: rejected 56%, warm 44%
by state: rejected 0%, warm 100%
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
