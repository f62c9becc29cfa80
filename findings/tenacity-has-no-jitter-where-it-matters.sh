#!/usr/bin/env bash
# tenacity 9.2.1 and stamina 26.1.0 add jitter before they cap the wait: from the cap on, all clients try again at the same instant.
#
# Guess: a wait that grows, has jitter and a maximum has jitter at each attempt, at the longest waits most of all: it is there to keep
#        a thousand clients from coming back together.
# Seen: it is min(growing wait + jitter, maximum). Of a thousand clients the waits before attempts 2, 3 and 4 are some thousand different ones;
#       once the growing part alone reaches the maximum, all thousand wait the same, and whoever failed together comes back together,
#       every ten seconds. `wait_random_exponential` of tenacity draws between nothing and the cap, also there.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check tenacity==9.2.1 stamina==26.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from types import SimpleNamespace

import stamina
import tenacity


def waits(kind):
    """How many different waits a thousand clients have before each of seven retries."""
    return [len({kind(SimpleNamespace(attempt_number=n)) for _ in range(1000)}) for n in range(1, 8)]


def said(counts):
    return ", ".join("one for all" if n == 1 else "many" if n > 900 else str(n) for n in counts)


def stamina_waits():
    """The same, as stamina says them to its hooks; no time passes, since the sleep is replaced."""
    seen = [set() for _ in range(7)]
    stamina.instrumentation.set_on_retry_hooks([lambda details: seen[details.retry_num - 1].add(round(details.wait_for, 6))])
    for _ in range(1000):
        try:
            for attempt in stamina.retry_context(on=OSError, attempts=8, timeout=None, wait_initial=1, wait_max=10, wait_jitter=1):
                with attempt:
                    raise OSError
        except OSError:
            pass
    return [len(one) for one in seen]


tenacity.nap.time.sleep = lambda seconds: None
print("tenacity wait_exponential_jitter:", said(waits(tenacity.wait_exponential_jitter(initial=1, max=10, jitter=1))))
print("tenacity wait_random_exponential:", said(waits(tenacity.wait_random_exponential(multiplier=1, max=10))))
print("stamina:", said(stamina_waits()))
PY
cat > "$tmp/expected" <<'TXT'
tenacity wait_exponential_jitter: many, many, many, many, one for all, one for all, one for all
tenacity wait_random_exponential: many, many, many, many, many, many, many
stamina: many, many, many, many, one for all, one for all, one for all
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
