"""A command's help as one page: options by what they are for, tables as they were written, examples to copy."""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import typer
import typer.core

from smbench.cli.signatures.examples import EXAMPLES
from smbench.errors import UsageError

MEASURED = "What is measured"
SENDING = "How it is sent"
RESULTS = "Results and progress"
VERDICT = "Verdict"
COST = "Cost"
AWS = "AWS access"
JOB = "The job, with --on processing"
_OTHER = "Options"
_GROUPS = (MEASURED, SENDING, RESULTS, VERDICT, COST, AWS, JOB, _OTHER)
_GROUPED_FROM = 10  # fewer options are read at a glance, in one list

_PATHS = frozenset(
    {"DIR", "FILE", "GROUP", "MODEL", "PLACE", "RUN", "S3", "SCENARIO", "TARGET"}
)  # as the help has them

_WORDS_OF_PYDANTIC = {
    "value_error": "{error}",
    "int_parsing": "{input!r} is not a whole number",
    "float_parsing": "{input!r} is not a number",
    "greater_than_equal": "{input} is too small: at least {ge} is possible",
    "less_than_equal": "{input} is too large: at most {le} is possible",
}


class HelpPage(typer.core.TyperCommand):
    """A command whose help can be read from top to bottom, and whose refusals are in our words."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces = [self.options_metavar or ""]
        for param in _arguments(self, ctx):
            name = _name(param) + ("..." if param.nargs != 1 else "")
            pieces.append(name if param.required else f"[{name}]")
        return pieces

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # the signature is typer's
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            formatter.write_paragraph()
            with formatter.indentation():
                _write(formatter, paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments = [(_name(param), _row(param, ctx)[1]) for param in _arguments(self, ctx)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        options = [param for param in self.get_params(ctx) if param.param_type_name == "option"]
        purposes = {getattr(param, "rich_help_panel", None) for param in options}
        is_grouped = len(options) >= _GROUPED_FROM and len(purposes) > 2
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in _GROUPS}
        for param in options:
            groups[(is_grouped and getattr(param, "rich_help_panel", None)) or _OTHER].append(_row(param, ctx))
        for group, rows in groups.items():
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Examples"):
            for arguments, meaning in EXAMPLES[self.name or ""]:
                _fold(formatter, "# ", meaning, "# ")
                command = f"{ctx.command_path} {arguments}".rstrip()  # never folded: it is to be copied
                formatter.write(f"{'':{formatter.current_indent}}{command}\n")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            if not ctx.resilient_parsing:  # as while a shell asks how a word goes on
                self._require_paths(ctx, args)
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if error.message:
                raise typer.BadParameter(_in_our_words(error), ctx=ctx, param=error.param) from None
            missing = error.param
            if missing is None or missing.param_type_name != "argument":
                raise
            raise UsageError(_needs(ctx, missing), f"for example: {_example(ctx, self.name or '')}") from None

    def _require_paths(self, ctx: Any, args: list[str]) -> None:
        """Raises UsageError: a path is empty, as of a variable that was never set: it would be the present folder."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for param in self.get_params(ctx):
            value = given.get(param.name)
            if param.metavar in _PATHS and "" in (value if isinstance(value, list | tuple) else (value,)):
                name = param.opts[0] if param.param_type_name == "option" else _name(param)
                raise UsageError(f"{name} is empty", f"name a {param.metavar}; the present folder is `.`")


def _arguments(command: Any, ctx: Any) -> list[Any]:
    return [param for param in command.get_params(ctx) if param.param_type_name == "argument"]


def _name(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _needs(ctx: Any, missing: Any) -> str:
    meaning = missing.help.partition(". ")[0].rstrip(".")
    if not meaning[1:2].isupper():  # CSV keeps its capitals
        meaning = meaning[:1].lower() + meaning[1:]
    return f"`{ctx.command_path}` needs {_name(missing)}: {meaning}"


def _example(ctx: Any, command: str) -> str:
    """The command's first example, about the latest run here where it is about a run."""
    line = f"{ctx.command_path} {EXAMPLES[command][0][0]}"
    runs = sorted(Path("results").glob("*/manifest.json"), key=lambda path: path.parent.name[-16:])
    return line.replace("results/RUN", runs[-1].parent.as_posix()) if runs else line


def _row(param: Any, ctx: Any) -> tuple[str, str]:
    """Name and help of an option or argument, its range in words."""
    name, text = param.get_help_record(ctx)
    text = re.sub(r"(\d+)<=x<=(\d+)", r"\1 to \2", text)
    text = re.sub(r"x>=(\d+)", r"at least \1", text)
    if param.param_type_name == "argument":
        text = re.sub(r"(  \[|; )required", lambda found: "" if found[1] == "; " else "  [", text).replace("  []", "")
    return name, text


def _write(formatter: Any, paragraph: str) -> None:
    """A paragraph with an indented line is a table: each line stays one, or is folded below its second column."""
    lines = paragraph.splitlines()
    if any(line.startswith(" ") for line in lines):
        for line in lines:
            key = re.match(r"(?: +\S+(?: \S+)* {2,})?", line)
            before = key[0] if key else ""
            _fold(formatter, before, line.removeprefix(before), " " * len(before))
    else:
        formatter.write_text(paragraph)


def _fold(formatter: Any, before: str, text: str, before_others: str) -> None:
    """Lines that are no wider than the page, all behind its indentation."""
    indent = " " * formatter.current_indent
    others = indent + before_others
    folded = textwrap.fill(text, formatter.width, initial_indent=indent + before, subsequent_indent=others)
    formatter.write(f"{folded}\n")


def _in_our_words(error: typer.BadParameter) -> str:
    """Pydantic's message for a value of the wrong kind, as a user reads it; any other as it is."""
    cause = error.__cause__
    if cause is not None and hasattr(cause, "errors"):
        (found, *_) = cause.errors()
        if words := _WORDS_OF_PYDANTIC.get(found["type"]):
            return words.format(input=found["input"], **found.get("ctx", {}))
    return error.message
