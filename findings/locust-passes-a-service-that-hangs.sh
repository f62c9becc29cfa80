#!/usr/bin/env bash
# Locust 2.47.0 ends with exit status 0, no requests and no failures where the service never answers.
#
# Guess: requests without an answer at the end are failures, or let the run fail; a gate that has seen nothing does not pass.
# Seen: a request counts when it ends. What is in flight at the end of `--run-time` is stopped and is in no figure: five users that wait for a server which takes connections and does not answer
#       are 0 requests, 0 failures, exit status 0, and empty percentiles. The slowest requests of every run are the ones cut off. `--stop-timeout` waits for
#       them; a time-out of the client has to be shorter than the run.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"; kill "${server:-}" 2>/dev/null || true' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check locust==2.47.0
cat > server.py <<'PY'
import socket
import time

listening = socket.create_server(("127.0.0.1", 0), backlog=50)
print(listening.getsockname()[1], flush=True)
time.sleep(120)
PY
cat > users.py <<'PY'
from locust import HttpUser, task


class Caller(HttpUser):
    @task
    def invoke(self) -> None:
        self.client.get("/")
PY
python3 server.py > port &
server=$!
until [ -s port ]; do sleep 0.1; done
status=0
venv/bin/locust -f users.py --headless --users 5 --spawn-rate 5 --run-time 5s --host "http://127.0.0.1:$(cat port)" --csv out >/dev/null 2>&1 || status=$?
{
  echo "exit status $status"
  tail -1 out_stats.csv | cut -d, -f2-4
} > seen
cat > expected <<'TXT'
exit status 0
Aggregated,0,0
TXT
cat seen
diff expected seen
