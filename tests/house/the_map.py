"""docs/map.md, drawn from the modules' own first sentences."""

import ast
import re
from pathlib import Path

ROOMS = {
    "": "The ground: what everything else is made of",
    "scenario": "From a file a person wrote to a frozen question",
    "schedule": "The load as data, before anything is sent",
    "model": "The endpoint as theory: no time but the time it is told",
    "results": "What is on disk, and its law",
    "wire": "Signatures and HTTP/1.1 for the hot calls, without the SDK",
    "run": "One worker's run as one task tree",
    "aws": "The only room that knows the AWS client",
    "emulator": "AWS's wire formats around the model",
    "simulator": "The model without a network, a clock or a loop",
    "analysis": "Frames in, figures and findings out",
    "view": "What a person sees",
    "view/page": "What a person passes on: a run's report and a comparison as one page each, and their plots",
    "fleet": "Processes: parent, worker, emulator",
    "cli": "The command line",
}
READ_FIRST = {  # the others of a room follow in alphabetical order
    "": ("errors", "records", "clock", "ports", "snapshot"),
    "scenario": ("model", "phases", "emulated", "load"),
    "schedule": ("base", "arrivals", "plan"),
    "model": ("agenda", "endpoint", "fleet", "world"),
    "results": ("schema", "store", "manifest", "law"),
    "run": ("control", "ledger", "tracker", "engine", "collector", "receivers", "deletions", "runner"),
    "wire": ("sigv4", "http1", "pool", "origin"),
    "aws": ("clients", "target", "invoke", "notices", "wire_service", "wire_invoke", "wire_notices"),
    "emulator": ("server", "front", "http"),
    "simulator": ("simulate",),
    "analysis": ("frames", "summary", "checks"),
    "view": ("live", "report"),
    "view/page": ("page", "comparison_page", "document", "gallery", "pictures"),
    "fleet": ("plan", "session", "worker"),
    "cli": ("app", "run"),
}
HEAD = """\
# The map

Every module in a sentence, in reading order. A newcomer's ten minutes: the README and one report; one file of
`scenarios/`; `schedule/arrivals.py`; `run/engine.py`; the head of `run/tracker.py`; `analysis/checks.py`;
`tests/engine/test_open_loop.py`.

```
scenario file ─▶ Scenario ─▶ Schedule ─▶ worker: engine ──submit──▶ Transport ─▶ endpoint (AWS, or the emulator)
                                            collector ◀── Notices ◀── SQS ◀── SNS
parent: live view, gauges ◀── snapshots ──  ledger ─▶ parts ─▶ parquet + manifest ─▶ analysis ─▶ report
```

Imports run downhill only, from the last room to the first; import-linter says so (`pyproject.toml`).
Drawn from the modules' own first sentences: `pytest tests/house --update-golden` draws it again.
"""


def the_map(source: Path) -> str:
    """The whole document."""
    rooms = [_room(source, room, title) for room, title in ROOMS.items()]
    return "\n".join([HEAD, *rooms])


def _room(source: Path, room: str, title: str) -> str:
    files = [path for path in (source / room).glob("*.py") if path.name not in ("__init__.py", "__main__.py")]
    first = READ_FIRST[room]
    files.sort(key=lambda path: (first.index(path.stem) if path.stem in first else len(first), path.name))
    rows = [f"| `{path.relative_to(source).as_posix()}` | {first_sentence(path)} |" for path in files]
    return "\n".join(
        [f"## {room or 'smbench'}", "", f"{title}.", "", "| module | what it is |", "|---|---|", *rows, ""]
    )


def first_sentence(path: Path) -> str:
    """Of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    sentence = re.match(r".+?[.!?](?=\s|$)", paragraph)
    return (sentence[0] if sentence else paragraph).replace("|", "\\|")
