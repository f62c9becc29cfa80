"""How many files and connections one process may hold open: the system's limit, raised as far as it lets us."""

import math
import sys

from smbench.errors import UsageError

LEAST = 64  # of any command: libraries, pipes to its processes, a results folder's files
_USEFUL = 65_536  # a limit that nothing here reaches


def allowed(needed: int = LEAST) -> float:
    """Raise the soft limit to `needed`, and beyond where that costs nothing; returns what is allowed then.

    Processes that are started later inherit it. Infinite where the system has no limit.
    """
    if sys.platform == "win32":
        return math.inf
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return math.inf
    most = math.inf if hard == resource.RLIM_INFINITY else hard
    wanted = int(min(most, max(needed, _USEFUL)))
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def require_least() -> None:
    """Raise the limit to what any command needs.

    Raises:
        UsageError: the system allows too few.
    """
    if (most := allowed()) < LEAST:
        raise UsageError(
            f"this system allows {most:,.0f} open files and connections, and every command needs {LEAST}",
            f"raise the limit, `ulimit -n {LEAST}`; a run says how many it needs",
        )
