#!/usr/bin/env bash
# rich 15.0.0 shows the last speed for as long as nothing comes, and none at all where a step takes longer than half a minute.
#
# Guess: the speed of a task is that of the last seconds: where nothing comes any more it falls, and the time that is left grows.
# Seen: the speed is taken from the steps, not from the clock: after ten seconds at 100 a second and an hour without an answer it is still 100 a second and 90 s
#       are left. An update that moves nothing takes both away. Where one step comes every 40 s there is never a second one within
#       `speed_estimate_period`, 30 s: no speed and no time left, from the first to the last; every 20 s there is. An endpoint that has
#       stopped looks busy, and one that serves slowly looks unknown.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check rich==15.0.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from rich.progress import Progress, Task, TimeRemainingColumn

now_s = 0.0


def told(task: Task) -> str:
    speed = "none" if task.speed is None else f"{task.speed:.3g}/s"
    return f"speed {speed}, left {TimeRemainingColumn().render(task)}"


def stepped(steps: int, every_s: float, at_once: int = 1) -> tuple[Progress, Task]:
    global now_s
    progress = Progress(get_time=lambda: now_s, disable=True)
    progress.add_task("answers", total=10_000)
    for _ in range(steps):
        now_s += every_s
        progress.update(progress.tasks[0].id, advance=at_once)
    return progress, progress.tasks[0]


progress, task = stepped(100, 0.1, at_once=10)
print("ten seconds at 100/s:", told(task))
now_s += 3600
print("an hour without an answer:", told(task))
progress.update(task.id, advance=0)
print("after an update by nothing:", told(task))
for every_s in (20, 40):
    print(f"one step each {every_s} s, ten of them:", told(stepped(10, every_s)[1]))
PY
cat > "$tmp/expected" <<'TXT'
ten seconds at 100/s: speed 100/s, left 0:01:30
an hour without an answer: speed 100/s, left 0:01:30
after an update by nothing: speed none, left -:--:--
one step each 20 s, ten of them: speed 0.05/s, left 55:30:00
one step each 40 s, ten of them: speed none, left -:--:--
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
