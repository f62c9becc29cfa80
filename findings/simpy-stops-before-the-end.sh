#!/usr/bin/env bash
# SimPy 4.1.2 ends `run(until=60)` before anything that happens at 60.
#
# Guess: what is due at the last instant happens, as it does in salabim 26.0.9.
# Seen: the end is an event of the highest priority, before all others of its instant. An auto-scaler that looks at each full minute
#       has looked nine times in ten minutes, and the next call of `run` makes up for it: ten minutes in one piece and in ten
#       pieces show different counts on the way. Salabim looks ten times.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check simpy==4.1.2 salabim==26.0.9 greenlet==3.3.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import salabim
import simpy

looked = []


def scaler(env):
    while True:
        yield env.timeout(60)
        looked.append(env.now)


env = simpy.Environment()
env.process(scaler(env))
env.run(until=600)
print("SimPy has looked", len(looked), "times, the last time at", looked[-1], "and it is", env.now)
env.run(until=601)
print("a second later:", len(looked), "times, the last time at", looked[-1])

looked.clear()
world = salabim.Environment()


class Scaler(salabim.Component):
    def process(self):
        while True:
            self.hold(60)
            looked.append(world.now())


Scaler()
world.run(till=600)
print("salabim has looked", len(looked), "times")
PY
cat > "$tmp/expected" <<'TXT'
SimPy has looked 9 times, the last time at 540 and it is 600
a second later: 10 times, the last time at 600
salabim has looked 10 times
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
