"""Every room can be looked over: none has more modules side by side than a reader keeps in mind."""

from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "smbench"
MODULES_MAX = 16


def test_no_room_has_more_than_sixteen_modules() -> None:
    rooms = Counter(path.parent for path in SOURCE.rglob("*.py") if path.stem not in ("__init__", "__main__"))
    crowded = {str(room.relative_to(SOURCE)): n for room, n in rooms.items() if n > MODULES_MAX}
    assert crowded == {}
