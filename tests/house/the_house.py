"""The shape of the product, measured: rooms, circles, arrows that point up, and the way of one request.

    python tests/house/the_house.py

The way: `smbench run` of one request in virtual time, its worker in a thread of this process, all under a profiler.
Wherever the request changes its form (`FORMS`), the functions that are at work then, callers and the starters of their
tasks included, are those that a reader must follow; their modules are the way. What stands for AWS is no part of it.
A climb is a call on this way from one module into a room of a higher layer, by the contracts in `pyproject.toml`.
"""

import ast
import contextlib
import io
import itertools
import sys
import tempfile
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "smbench"
ONE_REQUEST = """\
name: one
target:
  emulated: {instances: {min: 1, max: 1}, service: {constant: 1s}, time: warp}
load:
  - constant: {rate: 1/s, for: 1s}
drain: 1m
"""
FORMS = {
    "scenario/load.py:load_scenario": "a file becomes a scenario",
    "schedule/plan.py:plan": "the scenario becomes due instants",
    "generator/tracking/ledger.py:Ledger.__init__": "a due instant becomes a row of the ledger",
    "generator/requests.py:invocations.<locals>.invocation": "the row becomes an invocation",
    "aws/transport/wire_invoke.py:WireTransport._request": "the invocation becomes a signed request",
    "wire/http1.py:Connection.send": "the signed request becomes bytes on the wire",
    "generator/tracking/tracker.py:Tracker.accepted": "the answer is noted in the row",
    "aws/transport/envelope.py:parse_message": "a message of the queue becomes a notice",
    "generator/tracking/tracker.py:Tracker.noticed": "the notice is noted in the row",
    "generator/tracking/rows.py:requests_frame": "the row becomes a line of a table",
    "results/store.py:PartWriter.write": "the table becomes a part file",
    "results/store.py:_compact_file": "part files become a whole file",
    "results/store.py:open_run": "the file becomes a table again",
    "analysis/rows/frames.py:_derived": "durations follow from the instants",
    "analysis/summary.py:summarise": "durations become a summary,",
    "analysis/numbers/bounds.py:distribution": "of which percentiles are a part",
    "cli/given_out.py:on_stdout": "stdout is opened for the report,",
    "view/report/text.py:render": "which the summary becomes",
}
"""Where the request changes its form, in the order of its life; each is looked for once the one before it was seen."""

_ENDPOINT = ("emulator", "model")  # AWS's side


# ---- rooms and arrows -----------------------------------------------------------------------------------------


def imports_of(source: str, package: str, known: set[str]) -> set[str]:
    """The modules of `known` that a module's text imports, however deep in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found & known


def graph_of(texts: dict[str, str]) -> dict[str, set[str]]:
    """What each module imports, by name."""
    return {name: imports_of(text, name.rpartition(".")[0], set(texts)) - {name} for name, text in texts.items()}


@cache
def the_graph() -> dict[str, set[str]]:
    """What each module of the product imports of it."""
    return graph_of(
        {
            ".".join(path.relative_to(SOURCE).with_suffix("").parts): path.read_text(encoding="utf-8")
            for path in PACKAGE.rglob("*.py")
            if path.name != "__init__.py"
        }
    )


def imported() -> set[str]:
    """Every module that another one, or a package, imports."""
    known = set(the_graph())
    by_packages = (
        imports_of(path.read_text(encoding="utf-8"), ".".join(path.parent.relative_to(SOURCE).parts), known)
        for path in PACKAGE.rglob("__init__.py")
    )
    return set().union(*the_graph().values(), *by_packages)


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """One circle, its first module again at its end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def modules_by_room() -> Counter[str]:
    """How many modules each room has beside its rooms."""
    paths = (path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    return Counter(path.parent.relative_to(SOURCE).as_posix() for path in paths)


def layers() -> dict[str, dict[str, int]]:
    """By room: the layer of each module and room in it, the highest first, as the import contracts have them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return {
        room: {
            name.strip(): place
            for place, layer in enumerate(contract["layers"])
            for name in layer.replace("|", ":").split(":")
        }
        for contract in contracts
        if contract["type"] == "layers"
        for room in contract["containers"]
    }


def points_up(one: str, other: str, order: dict[str, dict[str, int]]) -> bool:
    """Whether a module's use of another goes to a higher layer of the room that both are in."""
    ours, theirs = one.split("."), other.split(".")
    n_shared = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 0)
    places = order.get(".".join(ours[:n_shared]), {})
    if not n_shared or ours[n_shared] not in places or theirs[n_shared] not in places:
        return False
    return places[theirs[n_shared]] < places[ours[n_shared]]


def back_arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that point up."""
    order = layers()
    return [(one, other) for one, used in graph.items() for other in sorted(used) if points_up(one, other, order)]


# ---- the way of one request -----------------------------------------------------------------------------------


@dataclass
class Way:
    """How one request went.

    Attributes:
        stacks: By form, the modules at work when it was taken first, callers before those that they call.
        climbs: Calls that went up, as caller and called.
    """

    stacks: dict[str, list[str]] = field(default_factory=dict)
    climbs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def modules(self) -> list[str]:
        """In the order in which a reader meets them, each once."""
        return list(dict.fromkeys(module for form in FORMS for module in self.stacks.get(form, [])))


class _Follower:
    """A profiler that keeps, for each form, who was at work."""

    def __init__(self) -> None:
        self.stacks: dict[str, list[str]] = {}
        self._awaited = list(FORMS)
        self._starters: dict[CodeType, list[str]] = {}  # of tasks: who was at work when it was started
        self._names: dict[str, str | None] = {}
        self.of_thread: dict[int, list[str]] = {}  # who was at work when a thread that stands for a process was started

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_name in ("start_soon", "start") and "anyio" in code.co_filename and "func" in frame.f_locals:
            function = frame.f_locals["func"]
            function = getattr(function, "__func__", function)
            if hasattr(function, "__code__"):
                self._starters.setdefault(function.__code__, self.at_work(frame))
            return
        module = self._module(code)
        if self._awaited and module is not None and f"{module}:{code.co_qualname}" == self._awaited[0]:
            self.stacks[self._awaited.pop(0)] = self.at_work(frame)

    def at_work(self, frame: FrameType | None) -> list[str]:
        """The product's modules on the stack, callers first; where a task begins, whoever started it before."""
        found: list[str] = []
        while frame is not None:
            module = self._module(frame.f_code)
            if module is not None:
                found.append(module)
                if (started := self._starters.get(frame.f_code)) is not None and self._begins_here(frame):
                    return [*started, *reversed(found)]
            frame = frame.f_back
        return [*self.of_thread.get(threading.get_ident(), []), *reversed(found)]

    @staticmethod
    def _begins_here(frame: FrameType) -> bool:
        return frame.f_back is None or frame.f_back.f_code.co_name in ("_run_wrapped_task", "_run", "run")

    def _module(self, code: CodeType) -> str | None:
        file = code.co_filename
        if file not in self._names:
            path = Path(file)
            inside = path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] not in _ENDPOINT
            self._names[file] = path.relative_to(PACKAGE).as_posix() if inside else None
        return self._names[file]


@contextlib.contextmanager
def _followed_into_threads(follower: _Follower) -> Iterator[None]:
    """In warp time the worker is a thread: what runs in it was started by what started the thread."""
    from smbench.processes import child, session

    def start(name: str, main: Callable[..., None], *arguments: Any) -> Any:
        started_by = follower.at_work(sys._getframe(1))

        def begun(*all_arguments: Any) -> None:
            follower.of_thread[threading.get_ident()] = [*started_by, "processes/child.py"]
            main(*all_arguments)

        return child.start_thread(name, begun, *arguments)

    with mock.patch.object(session, "start_thread", start):
        yield


def walk() -> Way:
    """Send one request and follow it."""
    from smbench.cli.app import app

    follower = _Follower()
    with tempfile.TemporaryDirectory() as folder, _followed_into_threads(follower):
        scenario = Path(folder, "one.yaml")
        scenario.write_text(ONE_REQUEST, encoding="utf-8")
        command = ["run", str(scenario), "--results", folder, "--ui", "none"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            threading.setprofile(follower)
            sys.setprofile(follower)
            try:
                app(command, standalone_mode=False)
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
    order = layers()
    calls = {pair for stack in follower.stacks.values() for pair in itertools.pairwise(stack)}
    climbs = [pair for pair in sorted(calls) if points_up(_dotted(pair[0]), _dotted(pair[1]), order)]
    return Way(follower.stacks, climbs)


def _dotted(module: str) -> str:
    return ".".join(("smbench", *Path(module).with_suffix("").parts))


def main() -> None:
    rooms, graph = modules_by_room(), the_graph()
    (largest, n_modules), circle, back, way = rooms.most_common(1)[0], circle_in(graph), back_arrows(graph), walk()
    lines = [
        f"rooms     {len(rooms)}; the largest is {largest} with {n_modules} modules beside its rooms",
        f"circles   {' -> '.join(circle) or 0}",
        f"arrows    {sum(map(len, graph.values())):,}, of which {len(back)} point up{': ' if back else ''}{back or ''}",
        f"the way   {len(way.modules)} modules, {len(way.climbs)} climbs{': ' if way.climbs else ''}{way.climbs or ''}",
    ]
    met: set[str] = set()
    for form, becomes in FORMS.items():
        new = [module for module in dict.fromkeys(way.stacks.get(form, [])) if module not in met]
        met.update(new)
        lines.append(f"  {becomes}{'' if form in way.stacks else ' (NOT SEEN)'}\n      {', '.join(new) or '-'}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
