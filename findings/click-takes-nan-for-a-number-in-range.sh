#!/usr/bin/env bash
# click 8.5.1 accepts `nan` in every FloatRange; typer 0.29.2, which carries a click of its own, does not.
#
# Guess: an option of 0 to 10 refuses what is not between 0 and 10, as it refuses `inf` and -1, and typer does as click does.
# Seen: with click `nan` passes, as it is neither smaller than the least nor larger than the most. typer, pydantic 2.14.4 and msgspec
#       0.23.0 refuse it for any bound. A limit of `nan` then limits nothing (`cost > limit` is never true), and a rate of
#       `nan` is found far from the command line.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check click==8.5.1 typer==0.29.2 pydantic==2.14.4 msgspec==0.23.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from typing import Annotated

import click
import msgspec
import pydantic
import typer
from click.testing import CliRunner
from typer.testing import CliRunner as TyperRunner

app = typer.Typer()


@app.command()
def of_typer(limit: Annotated[float, typer.Option(min=0, max=10)]) -> None:
    pass


@click.command()
@click.option("--limit", type=click.FloatRange(min=0, max=10))
def of_click(limit):
    pass


def is_accepted(call, *arguments):
    try:
        return getattr(call(*arguments), "exit_code", 0) == 0
    except (pydantic.ValidationError, msgspec.ValidationError):
        return False


ranged = pydantic.TypeAdapter(Annotated[float, pydantic.Field(ge=0, le=10)])
for text in ("5", "-1", "inf", "nan"):
    accepted = {
        "click": is_accepted(CliRunner().invoke, of_click, ["--limit", text]),
        "typer": is_accepted(TyperRunner().invoke, app, ["--limit", text]),
        "pydantic": is_accepted(ranged.validate_python, text),
        "msgspec": is_accepted(msgspec.convert, float(text), Annotated[float, msgspec.Meta(ge=0, le=10)]),
    }
    print(f"{text}:", ", ".join(name for name, is_taken in accepted.items() if is_taken) or "refused by all")
PY
cat > "$tmp/expected" <<'TXT'
5: click, typer, pydantic, msgspec
-1: refused by all
inf: refused by all
nan: click
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
