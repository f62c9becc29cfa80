"""Scenarios to begin with: those that ship, and the commented one that `smbench init` writes."""

import re
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from smbench.errors import UsageError

QUICK_START = "quick-start"


def shipped_folder() -> Path:
    """The folder of the shipped scenarios: inside the installed package, or beside `src` in a checkout."""
    package = Path(str(files("smbench")))
    installed = package / "scenarios"
    return installed if installed.is_dir() else package.parents[1] / "scenarios"


def shipped_names() -> list[str]:
    """Names of the shipped scenarios, the quick start first."""
    names = sorted(path.stem for path in shipped_folder().glob("*.yaml"))
    return sorted(names, key=lambda name: name != QUICK_START)


def shipped_scenario(name: str) -> Path:
    """The file of a shipped scenario, by its name with or without `.yaml`.

    Raises:
        UsageError: none of this name ships.
    """
    stem = name.removesuffix(".yaml")
    known = shipped_names()
    if stem in known:
        return shipped_folder() / f"{stem}.yaml"
    near = get_close_matches(stem, known, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"no scenario '{name}' ships with smbench{meant}", f"There are: {', '.join(known)}.")


def starter_scenario(name: str, *, is_calibration: bool = False) -> str:
    """A commented scenario that runs as it is, against the emulated endpoint.

    Args:
        is_calibration: One from whose run a model can be fitted, in the place of one that asks a question.

    Raises:
        UsageError: a scenario cannot have this name.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        advice = "A name is at most 63 lower case letters, digits and dashes; it names the results folder too."
        raise UsageError(f"a scenario cannot be called '{name}'", advice)
    return (_CALIBRATION if is_calibration else _STARTER).replace("NAME", name)


_STARTER = """\
# yaml-language-server: $schema=scenario.schema.json
# (`smbench schema > scenario.schema.json`, and your editor checks and explains this file while you write.)
#
# Replace this line with the question that this scenario asks.
name: NAME
description: How long do requests wait when they come faster than the endpoint can scale?

# The same seed gives the same arrivals, the same choice of payloads and the same emulated endpoint.
seed: 1

target:
  # To measure a real endpoint, remove `emulated` with all below it and write:
  # endpoint: my-endpoint
  emulated:
    # `min` and `max` as in the scalable target; `start` are in service when the run begins (default: min).
    instances: {min: 0, max: 4, start: 1, concurrency: 2}
    # How long an inference takes in the container: a plain duration, or one of lognormal, gamma, exponential,
    # uniform, empirical (measured seconds from a file). `by_class: {small: 1s, large: 5s}` says it by payload class.
    service: {lognormal: {median: 1.2s, sigma: 0.3}}
    # From the decision to add an instance until it serves.
    provision: {lognormal: {median: 170s, sigma: 0.25}}
    # How it scales: target_tracking, step_from_zero, step. Without any, it never does.
    policies:
      - target_tracking: {backlog_per_instance: 5, out_cooldown: 60s, in_cooldown: 300s}
      - step_from_zero: {add: 1, cooldown: 300s}
    # What goes wrong, as shares: container_errors, throttled, notices_lost and more.
    faults: {container_errors: 0.5%}
    # warp jumps over the waiting: the run takes seconds. `real` is real time, {scaled: 20} is 20 times as fast.
    time: warp

# What is sent. Files beside this one: `files: [payloads/*.json]`. Invoke arguments, one JSON object a line:
# `lines: requests.jsonl`. Several, weighted: `mix: [{name: small, files: [a.json], weight: 9}, ...]`.
payloads: {synthetic: 2KiB}

# What each submission carries: `ttl` is its time in the queue, `timeout` its time in the container.
request: {ttl: 1h, timeout: 1m}

# When it is sent: phases, one after another. constant, poisson, ramp, steps, burst, sine, replay, closed, pause.
# A phase with `warmup: true` is sent and recorded, and left out of the figures.
load:
  - poisson: {rate: 1/s, for: 2m, warmup: true}
  - poisson: {rate: 3/s, for: 5m}
  - burst: {requests: 200, within: 10s}

# After the last send, wait this long for the ends of what is open.
drain: 20m

# Where the run stops by itself, and how many submissions may be unanswered at once.
limits: {in_flight: 1000, errors: 20%}

# What must hold; a run that misses one ends with exit status 99. Percentiles of sojourn, service_view and ack,
# counts such as expired, failed and lost, backlog_max, drain_s, error_share.
thresholds:
  - sojourn_p95 < 15m
  - lost == 0
"""

_CALIBRATION = """\
# yaml-language-server: $schema=scenario.schema.json
# A run from which `smbench calibrate` can fit a model of the endpoint: some two hours, most of them idle.
name: NAME
description: Everything that a model of the endpoint needs to know.
seed: 1

target:
  # Of a real endpoint, in the place of `emulated` with all below it:
  # endpoint: my-endpoint
  # What an hour of an instance costs, USD: the run's cost is then shown before it starts and in its report.
  instance_hour: 1.00
  emulated:
    instances: {min: 0, max: 4, start: 1, concurrency: 2}
    service: {lognormal: {median: 1.2s, sigma: 0.3}}
    provision: {lognormal: {median: 170s, sigma: 0.25}}
    policies:
      - target_tracking: {backlog_per_instance: 5, out_cooldown: 60s, in_cooldown: 60s}
      - step_from_zero: {add: 1, cooldown: 300s}
    time: warp

# Send what your users send, in its classes: each class gets a law of its own from 30 requests on.
payloads: {synthetic: 2KiB}
request: {ttl: 1h, timeout: 5m}

load:
  # 1. One at a time: the service by itself. `for`: at least 40 times the service.
  - closed: {outstanding: 1, requests: 40, for: 5m, name: probes}
  - pause: {for: 1m}
  # 2. More than can be served at once: concurrency, detection, provisioning, and several instances at work together.
  #    Twelve minutes of one instance's work, 720 * concurrency / service, at least 40 a slot, and 3 times the target
  #    value for each instance up to MaxCapacity. Spread, so that the order of receipt is known.
  - burst: {requests: 1200, within: 30s, name: burst}
  # 3. Until all of it is done, and AlarmLow has removed instances again.
  - pause: {for: 35m}
  # 4. 1.2 times what one instance can do: 1.2 * concurrency / service.
  - poisson: {rate: 1.9/s, for: 15m, name: steady}
  # 5. Idle, so that the endpoint scales in, to zero where MinCapacity is 0; then one request that wakes it.
  - pause: {for: 40m}
  - burst: {requests: 1, name: wake-up}

drain: 30m
limits: {errors: 20%}
"""
