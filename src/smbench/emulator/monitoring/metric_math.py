"""The metric math this emulator knows: + - * /, numbers, FILL, and the sums and extremes of series.

A series is a value by period start. Arithmetic between two series keeps the periods that both have, as CloudWatch does.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence

Series = dict[int, float]
Value = Series | float

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ACROSS: dict[str, Callable[[list[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}


class MathError(ValueError):
    """An expression that is wrong, or that this emulator does not know; the text says which."""


def ids_in(expression: str) -> set[str]:
    """The query ids an expression reads.

    Raises:
        MathError: it is no expression.
    """
    return {node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name) and node.id[0].islower()}


def evaluate(expression: str, series: Mapping[str, Series], periods: Sequence[int]) -> Series:
    """The expression's own series.

    Args:
        series: By query id.
        periods: Starts of all periods of the request, ascending; what FILL fills.

    Raises:
        MathError: it reads an unknown id, ends in a number, or uses what is not known here.
    """
    value = _value(_parsed(expression), series, periods)
    if not isinstance(value, dict):
        raise MathError(f"The expression '{expression}' must return a time series.")
    return value


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MathError(f"Error in expression: '{expression}' cannot be parsed.") from None


def _value(node: ast.expr, series: Mapping[str, Series], periods: Sequence[int]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            if name not in series:
                raise MathError(f"Error in expression: the id '{name}' is not among the queries.")
            return series[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combined(operator.mul, -1.0, _value(operand, series, periods))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combined(_OPERATORS[type(op)], _value(left, series, periods), _value(right, series, periods))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _called(name.upper(), args, series, periods)
    raise MathError(f"Error in expression: the emulator does not know '{ast.unparse(node)}'.")


def _combined(combine: Callable[[float, float], float], left: Value, right: Value) -> Value:
    def safe(a: float, b: float) -> float | None:  # a division by zero leaves no datapoint
        try:
            return combine(a, b)
        except ZeroDivisionError:
            return None

    if not isinstance(left, dict) and not isinstance(right, dict):
        number = safe(left, right)
        if number is None:
            raise MathError("Error in expression: division by zero.")
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


def _called(name: str, args: list[ast.expr], series: Mapping[str, Series], periods: Sequence[int]) -> Value:
    if name == "FILL" and len(args) == 2:
        filled = _value(args[0], series, periods)
        if not isinstance(filled, dict):
            raise MathError("Error in expression: FILL needs a time series.")
        if isinstance(args[1], ast.Name) and args[1].id.upper() == "REPEAT":
            return _repeated(filled, periods)
        number = _value(args[1], series, periods)
        if isinstance(number, dict):
            raise MathError("Error in expression: FILL takes a number or REPEAT.")
        return {at: filled.get(at, number) for at in periods}
    if name in _ACROSS and len(args) == 1:
        reduced = _value(args[0], series, periods)
        if isinstance(reduced, dict) and reduced:
            number = _ACROSS[name](list(reduced.values()))
            return dict.fromkeys(periods, number)
        return reduced
    if name == "ABS" and len(args) == 1:
        value = _value(args[0], series, periods)
        return {at: abs(v) for at, v in value.items()} if isinstance(value, dict) else abs(value)
    raise MathError(f"Error in expression: the emulator does not know the function '{name}'.")


def _repeated(series: Series, periods: Sequence[int]) -> Series:
    """Gaps get the value before them; a gap at the beginning stays one."""
    filled: Series = {}
    last: float | None = None
    for at in periods:
        last = series.get(at, last)
        if last is not None:
            filled[at] = last
    return filled
