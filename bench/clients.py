"""What a call costs a client: InvokeEndpointAsync, InvokeEndpoint, notices received and deleted, in one run.

CPU of the client's process for each call, from its warm-up's end; 64 callers; every client in a process of its own,
one after the other, again and again, and of each the median. Every answer is checked.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

import outsiders
from callers import ACCESS_KEY, AT_ONCE, CALLERS, REGION, SECRET_KEY, Measured, Order
from machine import host
from origin import BATCH, Origin, origin

SCHEMES = ("HTTP", "TLS")
REFERENCE = "wire"
USED = "uvloop"  # by a run's workers: what has no loop of its own is compared with wire on this one


@dataclass(frozen=True, slots=True)
class Contender:
    """A client and what it runs on, with so many calls that it is busy for a second or three."""

    client: str
    loop: str | None
    n_calls: int
    remark: str = ""

    @property
    def title(self) -> str:
        return f"{self.client}{', ' if self.remark else ''}{self.remark}"


@dataclass(frozen=True, slots=True)
class Outsider:
    """A load generator with a command of its own."""

    title: str
    measure: Callable[[str], Measured | str]


@dataclass(frozen=True, slots=True)
class Goal:
    """wire's, on the loop that a run uses: at most so much CPU, and so many times less than aiobotocore."""

    job: str
    scheme: str
    cpu_max_us: float
    ratio_min: float


LOOPS = ("asyncio", "uvloop")
CONTENDERS = {
    "invoke": (
        Contender("boto3", None, 1_920, f"{CALLERS} threads"),
        *(Contender("aiobotocore", loop, 2_000) for loop in LOOPS),
        *(Contender("aiohttp + SigV4Auth", loop, 6_000) for loop in LOOPS),
        *(Contender("wire", loop, 40_000) for loop in LOOPS),
        Contender(AT_ONCE, "uvloop", 40_000),
    ),
    "answers": (
        *(Contender("aiobotocore", loop, 1_500) for loop in LOOPS),
        *(Contender("wire", loop, 30_000) for loop in LOOPS),
    ),
    "notices": (
        *(Contender("aiobotocore", loop, 800) for loop in LOOPS),
        *(Contender("wire", loop, 8_000) for loop in LOOPS),
    ),
}
OUTSIDERS = (
    Outsider("Locust FastHttpUser, unsigned", outsiders.locust),
    Outsider("k6, unsigned", lambda _url: outsiders.K6),
    Outsider("wrk, one request signed once", outsiders.wrk),
)
UNITS = {
    "invoke": ("InvokeEndpointAsync", "call"),
    "answers": ("InvokeEndpoint with 1 KiB", "answer"),
    "notices": (f"Notices, {BATCH} to a receive and {BATCH} to a delete", "notice"),
}
GOALS = (
    Goal("invoke", "HTTP", 60.0, 20.0),
    Goal("invoke", "TLS", 140.0, 12.0),
    Goal("answers", "HTTP", 75.0, 18.0),
    Goal("answers", "TLS", 160.0, 11.0),
    Goal("notices", "HTTP", 20.0, 15.0),
)

# By job, client's title, loop and scheme: its repeats; or what went wrong.
Key = tuple[str, str, str | None, str]
Figures = dict[Key, list[Measured] | str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--jobs", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="only these")
    given = options.parse_args()
    print(host())
    figures: Figures = {}
    with origin() as server:
        for repeat in range(given.repeats):
            for key, measure in _turns(server, given.jobs):
                _show(f"{repeat + 1}/{given.repeats} {' '.join(filter(None, key))}")
                _note(figures, key, measure)
    _show("")
    for job in given.jobs:
        print_table(job, figures)
    for goal in GOALS:
        if goal.job in given.jobs:
            print(verdict(goal, figures))


def _show(now: str) -> None:
    """What is being measured, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{now:<79}\r", end="", file=sys.stderr)


def _turns(server: Origin, jobs: Sequence[str]) -> Iterable[tuple[Key, Callable[[], Measured | str]]]:
    """Everything once. What is compared comes close together, so that what else the machine does meets them alike."""
    for scheme, url in zip(SCHEMES, (server.http_url, server.tls_url), strict=True):
        for job in jobs:
            for one in CONTENDERS[job]:
                order = Order(job, one.client, one.loop, url, str(server.ca_file), one.n_calls)
                yield (job, one.title, one.loop, scheme), partial(carry_out, order)
        for other in OUTSIDERS if "invoke" in jobs else ():
            yield ("invoke", other.title, None, scheme), partial(other.measure, url)


def _note(figures: Figures, key: Key, measure: Callable[[], Measured | str]) -> None:
    """A client that went wrong once is not asked again, and what it did before does not count."""
    before = figures.setdefault(key, [])
    if isinstance(before, str):
        return
    measured = measure()
    if isinstance(measured, str):
        figures[key] = measured
    else:
        before.append(measured)


def carry_out(order: Order) -> Measured | str:
    """One client in a new process; what was wrong, where something was."""
    command = [sys.executable, str(Path(__file__).with_name("callers.py")), json.dumps(asdict(order))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(order.ca_file))
    if ended.returncode:
        return f"failed: {ended.stderr.strip().rpartition(chr(10))[2]}"
    told = json.loads(ended.stdout)
    return str(told["problem"]) if "problem" in told else Measured(**told)


def environment(ca_file: str) -> dict[str, str]:
    """Nothing of the machine's AWS settings and proxies, but credentials and whom to trust."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "BOTO"))}
    kept = {name: value for name, value in kept.items() if not name.upper().endswith("_PROXY")}
    return kept | {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CA_BUNDLE": ca_file,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def print_table(job: str, figures: Figures) -> None:
    """A line a client: its median CPU, half the range of the repeats, against wire, and how fast that was."""
    title, unit = UNITS[job]
    print(f"\n{title}, {CALLERS} at once")
    columns = "".join(f"{scheme + ' us/' + unit:>16}{'+-':>6}{'wire x':>8}{unit + 's/s':>12}" for scheme in SCHEMES)
    print(f"{'client':<32}{'loop':<9}{columns}")
    for name, loop in dict.fromkeys(key[1:3] for key in figures if key[0] == job):
        cells = [cell(figures[job, name, loop, scheme], _of_wire(job, loop, scheme, figures)) for scheme in SCHEMES]
        both = cells[0] if len(set(cells)) == 1 else "".join(cells)  # the same words once
        print(f"{name:<32}{loop or '-':<9}{both}")


def cell(found: list[Measured] | str, of_wire_us: float | None) -> str:
    if isinstance(found, str):
        return f"{'':>4}{found:<38}"
    each = [measured.cpu_us for measured in found]
    middle = median(each)
    spread = (max(each) - min(each)) / 2 / middle
    ratio = "-" if of_wire_us is None else f"{middle / of_wire_us:.1f}"
    return f"{middle:>16,.1f}{spread:>6.0%}{ratio:>8}{median(m.rate_hz for m in found):>12,.0f}"


def verdict(goal: Goal, figures: Figures) -> str:
    """Whether the goal is met, in a sentence."""
    asked = f"{UNITS[goal.job][0].partition(',')[0]} over {goal.scheme}"
    wire_us = _of_wire(goal.job, USED, goal.scheme, figures)
    sdk_us = cpu_us(figures[goal.job, "aiobotocore", USED, goal.scheme])
    if wire_us is None or sdk_us is None:
        return f"{asked}: not measured"
    ratio = sdk_us / wire_us
    cost = f"{wire_us:.1f} us, goal {goal.cpu_max_us:.0f}: {_met(wire_us <= goal.cpu_max_us)}"
    gain = f"{ratio:.1f} times less than aiobotocore, goal {goal.ratio_min:.0f}: {_met(ratio >= goal.ratio_min)}"
    return f"{asked}: {cost}; {gain}"


def cpu_us(found: Sequence[Measured] | str) -> float | None:
    return None if isinstance(found, str) else median(measured.cpu_us for measured in found)


def _of_wire(job: str, loop: str | None, scheme: str, figures: Figures) -> float | None:
    return cpu_us(figures[job, REFERENCE, loop or USED, scheme])


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"


if __name__ == "__main__":
    main()
