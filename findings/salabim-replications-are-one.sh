#!/usr/bin/env bash
# salabim 26.0.9 seeds itself, and Python's own generator with it: thirty replications are one replication thirty times.
#
# Guess: a simulation without a seed differs from run to run, as in SimPy and Ciw; or a seed is each Environment's own affair.
# Seen: `Environment()` uses 1234567 unless told otherwise, so all replications are equal and their interval has no width. It
#       seeds the `random` module, too: whatever else the program draws after it is the same each time. `random_seed="*"` is what
#       the guess expects of a simulation.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check salabim==26.0.9 greenlet==3.3.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import random

import salabim


def waits(**options):
    env = salabim.Environment(**options)
    found = []

    class Customer(salabim.Component):
        def process(self):
            self.request(desk)
            found.append(round(env.now() - self.creation_time(), 3))
            self.hold(salabim.Exponential(0.9).sample())
            self.release()

    desk = salabim.Resource(capacity=1)
    salabim.ComponentGenerator(Customer, iat=salabim.Exponential(1))
    env.run(till=50)
    return tuple(found)


print("different replications of thirty:", len({waits() for _ in range(30)}))
drawn = set()
for _ in range(30):
    salabim.Environment()
    drawn.add(random.random())
print("different numbers of Python's own generator after it:", len(drawn))
print("different replications with random_seed='*':", len({waits(random_seed="*") for _ in range(30)}))
PY
cat > "$tmp/expected" <<'TXT'
different replications of thirty: 1
different numbers of Python's own generator after it: 1
different replications with random_seed='*': 30
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
