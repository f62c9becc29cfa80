#!/usr/bin/env bash
# prometheus_client 0.26.0 times an async function as some microseconds, whatever it waits for, and counts no failure of it.
#
# Guess: `@histogram.time()` times what it decorates, or refuses a coroutine function; `count_exceptions` counts its exceptions.
# Seen: both end when the coroutine has been made, before it runs. A request of 200 ms counts as one below 5 ms, and one that raises is
#       not counted. The function still works, and count is right, so the p99 of such a service is excellent for ever. In a `with`
#       block inside the function both are right.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check prometheus_client==0.26.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import contextlib

from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()


def metrics(name):
    return Histogram(name, "s", registry=registry), Counter(f"{name}_failures", "n", registry=registry)


(latency, failures), (inside, failures_inside) = metrics("decorated"), metrics("inside")


@failures.count_exceptions()
@latency.time()
async def decorated():
    await asyncio.sleep(0.2)
    raise OSError


async def with_a_block():
    with failures_inside.count_exceptions(), inside.time():
        await asyncio.sleep(0.2)
        raise OSError


for name, call in (("decorated", decorated), ("inside", with_a_block)):
    with contextlib.suppress(OSError):
        asyncio.run(call())
    value = registry.get_sample_value
    print(f"{name}: count {value(f'{name}_count'):.0f}, below 5 ms {value(f'{name}_bucket', {'le': '0.005'}):.0f},"
          f" failures {value(f'{name}_failures_total'):.0f}")
PY
cat > "$tmp/expected" <<'TXT'
decorated: count 1, below 5 ms 1, failures 0
inside: count 1, below 5 ms 0, failures 1
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
