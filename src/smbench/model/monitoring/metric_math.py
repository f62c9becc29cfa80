"""Metric math as far as it is known here: arithmetic, comparisons, IF, FILL, RATE, reductions of one series or several.

A series is a value by period start. Arithmetic between two series keeps the periods that both have, as CloudWatch does.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import accumulate, pairwise

Series = dict[int, float]
Value = Series | float
Array = list[Series]

_OPERATORS: dict[type[ast.operator] | type[ast.cmpop], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Pow: operator.pow,
}
_LOGICAL: dict[type[ast.boolop], Callable[[float, float], float]] = {
    ast.And: lambda left, right: float(bool(left) and bool(right)),
    ast.Or: lambda left, right: float(bool(left) or bool(right)),
}
_AS_PYTHON = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or ", "^": "**"}
_FOREIGN = re.compile(r"\*\*|\b(?:and|or|not)\b")
_SPELLED = re.compile(r"\b(?:AND|OR)\b|&&|\|\||\^")
_ACROSS: dict[str, Callable[[list[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}
_EACH: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
    "LOG": lambda value: math.log(value),
    "LOG10": math.log10,
}
_ALONG: dict[str, Callable[[int, float, int, float], float]] = {  # each point and the one before it; instants in ns
    "DIFF": lambda _at, value, _before_at, before: value - before,
    "DIFF_TIME": lambda at, _value, before_at, _before: (at - before_at) / 1e9,
    "RATE": lambda at, value, before_at, before: (value - before) / ((at - before_at) / 1e9),
}


class MathError(ValueError):
    """An expression that is wrong; the text says how."""


class UnknownMath(MathError):  # noqa: N818  # a gap of the emulator's, not an error of the caller's
    """An expression that CloudWatch may know and that is not known here; the text names what."""


def ids_in(expression: str) -> set[str]:
    """The query ids an expression names; METRICS() reads all others beside.

    Raises:
        MathError: it is no expression.
    """
    return {node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name) and node.id[0].islower()}


def reads_all(expression: str) -> bool:
    """Whether it reads every metric of the request, by METRICS().

    Raises:
        MathError: it is no expression.
    """
    calls = (node.func for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Call))
    return any(isinstance(name, ast.Name) and name.id.upper() == "METRICS" for name in calls)


def evaluate(
    expression: str,
    series: Mapping[str, Series],
    periods: Sequence[int],
    metrics: Sequence[str] = (),
    periods_s: Mapping[str, float] | None = None,
) -> Series:
    """The expression's own series.

    Args:
        series: By query id.
        periods: Starts of all periods of the request, ascending; what FILL fills.
        metrics: Ids of what METRICS() gives, in order.
        periods_s: What PERIOD gives, by the id of each metric.

    Raises:
        UnknownMath: it uses what is not known here.
        MathError: it reads an unknown id, or ends in something that is no time series.
    """
    try:
        value = _Evaluation(series, periods, metrics, periods_s or {}).value(_parsed(expression))
    except RecursionError:
        raise MathError("Error in expression: it is nested too deeply.") from None
    if not isinstance(value, dict):
        raise MathError(f"The expression '{expression}' must return a time series.")
    return value


def _parsed(expression: str) -> ast.expr:
    if expression.lstrip()[:7].upper() in ("SELECT ", "SELECT\t", "SELECT\n"):
        raise UnknownMath("Error in expression: the emulator does not know Metrics Insights queries (SELECT).")
    if foreign := _FOREIGN.search(expression):  # the parser's words, which are not CloudWatch's
        raise UnknownMath(f"Error in expression: the emulator does not know '{foreign[0]}'.")
    try:
        text = _SPELLED.sub(lambda match: _AS_PYTHON[match[0]], expression.strip())
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MathError(f"Error in expression: '{expression}' cannot be parsed.") from None


class _Evaluation:
    """One expression over one request's series."""

    def __init__(
        self,
        series: Mapping[str, Series],
        periods: Sequence[int],
        metrics: Sequence[str],
        periods_s: Mapping[str, float],
    ) -> None:
        self._series, self._periods, self._metrics, self._periods_s = series, periods, metrics, periods_s

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _combined(operator.mul, -1.0, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _combined(_OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=[first, *rest]):
                combine = _LOGICAL[type(op)]
                return reduce(lambda left, right: _combined(combine, left, self.value(right)), rest, self.value(first))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _combined(_OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._called(name.upper(), args)
        raise UnknownMath(f"Error in expression: the emulator does not know '{ast.unparse(node)}'.")

    def _named(self, name: str) -> Series:
        if name not in self._series:
            raise MathError(f"Error in expression: the id '{name}' is not among the queries.")
        return self._series[name]

    def _array(self, node: ast.expr) -> Array | None:
        """The series of `[m1, m2]` or METRICS(); None for anything else."""
        match node:
            case ast.List(elts=nodes):
                values = [self.value(each) for each in nodes]
                return [value if isinstance(value, dict) else dict.fromkeys(self._periods, value) for value in values]
            case ast.Call(func=ast.Name(id=name), args=[]) if name.upper() == "METRICS":
                return [self._series[each] for each in self._metrics]
        return None

    def _called(self, name: str, args: list[ast.expr]) -> Value:
        if name == "FILL" and len(args) == 2:
            return self._fill(args)
        if name == "IF" and len(args) in (2, 3):
            return self._if(args)
        if name in _ACROSS and len(args) == 1:
            return self._across(_ACROSS[name], args[0])
        if name in _EACH and len(args) == 1:
            value = self.value(args[0])
            return _combined(lambda _one, each: _EACH[name](each), 1.0, value)
        if name in _ALONG and len(args) == 1:
            return _along(_ALONG[name], self._time_series(name, args[0]))
        if name == "RUNNING_SUM" and len(args) == 1:
            series = sorted(self._time_series(name, args[0]).items())
            sums = accumulate(value for _, value in series)
            return {at: total for (at, _), total in zip(series, sums, strict=True)}
        if name == "METRIC_COUNT" and len(args) == 1 and (array := self._array(args[0])) is not None:
            return float(len(array))
        if name == "DATAPOINT_COUNT" and len(args) == 1 and self._array(args[0]) is None:
            return dict.fromkeys(self._periods, float(len(self._time_series(name, args[0]))))
        if name == "PERIOD" and len(args) == 1:
            return self._period(args[0])
        if name == "TIME_SERIES" and len(args) == 1:
            value = self.value(args[0])
            return value if isinstance(value, dict) else dict.fromkeys(self._periods, value)
        raise UnknownMath(f"Error in expression: the emulator does not know the function '{name}'.")

    def _across(self, sum_up: Callable[[list[float]], float], node: ast.expr) -> Value:
        """Several series at each period, or one series over all its periods."""
        if (array := self._array(node)) is not None:
            at_each = {at: [series[at] for series in array if at in series] for at in self._periods}
            return {at: float(sum_up(values)) for at, values in at_each.items() if values}
        value = self.value(node)
        if isinstance(value, dict) and value:
            return dict.fromkeys(self._periods, float(sum_up(list(value.values()))))
        return value

    def _time_series(self, name: str, node: ast.expr) -> Series:
        value = self.value(node)
        if not isinstance(value, dict):
            raise MathError(f"Error in expression: {name} needs a time series.")
        return value

    def _period(self, node: ast.expr) -> float:
        if not isinstance(node, ast.Name) or node.id not in self._metrics:
            raise MathError("Error in expression: PERIOD takes a metric, not the result of an expression.")
        return self._periods_s[node.id]

    def _fill(self, args: list[ast.expr]) -> Series:
        filled = self._time_series("FILL", args[0])
        if isinstance(args[1], ast.Name) and args[1].id.upper() == "REPEAT":
            return _repeated(filled, self._periods)
        if isinstance(args[1], ast.Name) and args[1].id.upper() == "LINEAR":
            return _between(filled, self._periods)
        number = self.value(args[1])
        if isinstance(number, dict):
            raise MathError("Error in expression: FILL takes a number, REPEAT or LINEAR.")
        return {at: filled.get(at, number) for at in self._periods}

    def _if(self, args: list[ast.expr]) -> Value:
        condition, *branches = (self.value(each) for each in args)
        if not isinstance(condition, dict):
            condition = dict.fromkeys(self._periods, condition)
        chosen: Series = {}
        for at, holds in condition.items():
            branch = branches[0] if holds else branches[1] if len(branches) == 2 else {}
            value = branch.get(at) if isinstance(branch, dict) else branch
            if value is not None:
                chosen[at] = value
        return chosen


def _combined(combine: Callable[[float, float], float], left: Value, right: Value) -> Value:
    def safe(a: float, b: float) -> float | None:  # a division by zero leaves no datapoint, nor does a root of -1
        try:
            result = combine(a, b)
        except (ArithmeticError, ValueError):
            return None
        return None if isinstance(result, complex) else float(result)

    if not isinstance(left, dict) and not isinstance(right, dict):
        number = safe(left, right)
        if number is None:
            raise MathError("Error in expression: a number that there is not, such as a division by zero.")
        return number
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = {at: (value, right[at]) for at, value in left.items() if at in right}
    elif isinstance(left, dict):
        assert not isinstance(right, dict), "the case above"
        pairs = {at: (value, right) for at, value in left.items()}
    else:
        assert isinstance(right, dict), "the cases above"
        pairs = {at: (left, value) for at, value in right.items()}
    return {at: result for at, (a, b) in pairs.items() if (result := safe(a, b)) is not None}


def _along(change: Callable[[int, float, int, float], float], series: Series) -> Series:
    """Of each point with the one before it; the first has none, and so no value."""
    points = sorted(series.items())
    return {at: change(at, value, *before) for before, (at, value) in pairwise(points)}


def _between(series: Series, periods: Sequence[int]) -> Series:
    """Gaps get what lies on the line between their ends; those at the beginning and at the end stay."""
    filled, known = dict(series), sorted(series.items())
    for (left, low), (right, high) in pairwise(known):
        for at in periods:
            if left < at < right:
                filled[at] = low + (high - low) * (at - left) / (right - left)
    return filled


def _repeated(series: Series, periods: Sequence[int]) -> Series:
    """Gaps get the value before them; a gap at the beginning stays one."""
    filled: Series = {}
    last: float | None = None
    for at in periods:
        last = series.get(at, last)
        if last is not None:
            filled[at] = last
    return filled
