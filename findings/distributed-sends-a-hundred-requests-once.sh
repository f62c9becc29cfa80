#!/usr/bin/env bash
# distributed 2026.8.0 (Dask) sends a hundred equal requests once and gives its one answer a hundred times.
#
# Guess: `client.map(send, bodies)` calls `send` for each body; a pool with the interface of concurrent.futures does so in any case.
# Seen: a call is a key made of the function and its arguments, and what has the same key is done once: a hundred calls with the same body are one
#       request with a hundred answers, as long as a result is held. `submit` in a loop is the same, and so is `get_executor()`, which stands for Python's
#       own executors. A load test of one payload, spread over a cluster, measures one request; its percentiles are all the same
#       number. `pure=False` sends all; dask's `delayed` and bags, and joblib on the same cluster, do so without.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
cat > "$tmp/sender.py" <<'PY'
sent = []


def send(body: str) -> int:
    sent.append(body)
    return len(sent)
PY
cat > "$tmp/measure.py" <<'PY'
import dask
import sender
from distributed import Client


def tell(way: str, answers: list[int]) -> None:
    print(f"{way}: {len(answers)} answers of {len(sender.sent)} requests")
    sender.sent.clear()


def main() -> None:
    with Client(processes=False, dashboard_address=None, n_workers=1, threads_per_worker=4) as client:
        tell("map", client.gather(client.map(sender.send, ["first"] * 100)))
        tell("map, pure=False", client.gather(client.map(sender.send, ["second"] * 100, pure=False)))
        tell("submit", client.gather([client.submit(sender.send, "third") for _ in range(100)]))
        tell("executor.map", list(client.get_executor().map(sender.send, ["fourth"] * 100)))
        tell("dask.delayed", dask.compute(*[dask.delayed(sender.send)("fifth") for _ in range(100)]))


if __name__ == "__main__":
    main()
PY
(cd "$tmp" && venv/bin/python -W ignore measure.py) > "$tmp/seen" 2>"$tmp/errors" || { cat "$tmp/errors"; exit 1; }
cat > "$tmp/expected" <<'TXT'
map: 100 answers of 1 requests
map, pure=False: 100 answers of 100 requests
submit: 100 answers of 1 requests
executor.map: 100 answers of 1 requests
dask.delayed: 100 answers of 100 requests
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
