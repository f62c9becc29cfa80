"""Numbers as a person reads them: 1.24 s, 310 ms, 4 m 12 s, 12,345, 3.01/s. ASCII only: any stream can carry them."""

_ABSENT = "-"
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def seconds(value_s: float | None) -> str:
    """A duration to three digits below a minute, in two units above it; `-` when there is none."""
    if value_s is None:
        return _ABSENT
    if value_s < 0:
        return "-" + seconds(-value_s)
    whole_s = round(value_s)
    if value_s >= 59.95:
        return _two_units(whole_s)
    for size_s, unit in _UNITS:
        if value_s >= 0.9995 * size_s:
            return f"{_three_digits(value_s / size_s)} {unit}"
    return "0 s" if value_s == 0 else "<1 us"


def _two_units(whole_s: int) -> str:
    minutes, rest_s = divmod(whole_s, 60)
    if minutes < 60:
        return f"{minutes} m {rest_s:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} m"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h"


def stopwatch(value_s: float) -> str:
    """Time since the run began as hh:mm:ss, the part of a second dropped; steady in width while it counts."""
    minutes, rest_s = divmod(max(0, int(value_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest_s:02d}"


def count(value: float) -> str:
    """A whole number with its thousands parted."""
    return f"{round(value):,}"


def hertz(value_hz: float | None) -> str:
    """Events per second, to three digits below a thousand."""
    if value_hz is None:
        return _ABSENT
    if value_hz == 0:
        return "0/s"
    return f"{value_hz:,.0f}/s" if value_hz >= 999.5 else f"{_three_digits(value_hz)}/s"


def share(value: float) -> str:
    """A share of one as a percentage; a share that is not nothing never reads as 0 %, nor one short of all as 100 %."""
    if 0 < value < 0.01:
        return "<1 %"
    if 0.99 < value < 1:
        return "99 %"
    return f"{value * 100:.0f} %"


def size(value_bytes: float) -> str:
    """Memory in units of 1,000."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value_bytes >= 0.9995 * factor:
            return f"{_three_digits(value_bytes / factor)} {unit}"
    return f"{value_bytes:.0f} B"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
