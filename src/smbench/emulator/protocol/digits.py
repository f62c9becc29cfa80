"""Digits that a client sent, as a number: never more of them than any number of AWS has."""

_DIGITS_MAX = 18


def whole(text: str) -> int | None:
    """The whole number from 0 that these digits make; None where they are none, or too many.

    `int` alone takes signs, blanks and the digits of other alphabets, and raises beyond 4,300 of them.
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX else None
