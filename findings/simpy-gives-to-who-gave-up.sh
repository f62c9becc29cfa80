#!/usr/bin/env bash
# simpy 4.1.2 hands an item, or the only server, to a process that stopped waiting for it.
#
# Guess: `yield store.get() | env.timeout(1)` is a get with a time-out: who timed out is no longer in line, as with asyncio.wait_for.
# Seen: the get stays in line. A client gives up after 1 s; the item of second 5 goes to it and is gone, and the client who came in
#       between waits for the next: of two items one is lost. A resource that was asked for in the same way is held until the end by
#       a process that has ended: a server with one slot serves nobody any more. `with store.get() as get:` takes it back.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check simpy==4.1.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import simpy


def asking(env, name, store, comes, patience, taking_back):
    yield env.timeout(comes)
    get = store.get()
    got = yield get | env.timeout(patience)
    print(f"  {name} at {env.now:2} s:", got[get] if get in got else "gives up")
    if taking_back:
        get.cancel()


def supply(env, store):
    for i in (1, 2):
        yield env.timeout(5)
        yield store.put(f"item {i}")


for taking_back in (False, True):
    print("taken back by hand:" if taking_back else "as it is:")
    env = simpy.Environment()
    store = simpy.Store(env)
    env.process(asking(env, "impatient", store, 0, 1, taking_back))
    env.process(asking(env, "patient", store, 2, 100, taking_back))
    env.process(supply(env, store))
    env.run()

env = simpy.Environment()
server = simpy.Resource(env, capacity=1)


def serve(env):
    with server.request() as turn:
        yield turn
        yield env.timeout(5)


def impatient(env):
    yield server.request() | env.timeout(1)


env.process(serve(env))
env.process(impatient(env))
env.run()
print("all processes have ended; slots in use:", server.count)
PY
cat > "$tmp/expected" <<'TXT'
as it is:
  impatient at  1 s: gives up
  patient at 10 s: item 2
taken back by hand:
  impatient at  1 s: gives up
  patient at  5 s: item 1
all processes have ended; slots in use: 1
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
