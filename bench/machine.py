"""The machine that a benchmark ran on, in words."""

import os
import platform


def host() -> str:
    """The machine in a line; figures of unlike machines are not compared."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{platform.platform()}, {os.cpu_count()} cores, {platform.python_implementation()} "
        f"{platform.python_version()}, load average {load}"
    )
