"""No module needs one that needs it, not even for a type, none uses a higher layer, and one request's way stays short.

Method: `the_house` measures; import-linter looks at rooms and at what runs, this at every import, those under
TYPE_CHECKING and inside functions too. The way of one request is followed under a profiler.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from the_house import back_arrows, circle_in, graph_of, layers, modules_by_room, points_up, the_graph

THE_HOUSE = Path(__file__).with_name("the_house.py")
WAY_MAX = 39  # modules; take the number down with each that goes


def test_no_module_needs_one_that_needs_it() -> None:
    assert circle_in(the_graph()) == []


def test_no_import_points_up() -> None:
    assert back_arrows(the_graph()) == []


def test_a_room_has_sixteen_modules_at_most_beside_its_rooms() -> None:
    assert {room: n for room, n in modules_by_room().items() if n > 16} == {}


def test_a_circle_for_a_type_alone_is_found() -> None:
    lower = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.upper import Upper\n"
    assert circle_in(graph_of({"room.lower": lower, "room.upper": "from room import lower\n"}))
    assert circle_in(
        graph_of({"room.lower": "def f():\n    import room.upper\n", "room.upper": "from .lower import f\n"})
    )
    assert circle_in(graph_of({"room.lower": "import json\n", "room.upper": "from .lower import f\n"})) == []


def test_an_arrow_that_points_up_is_found_between_rooms_and_inside_one() -> None:
    order = layers()
    assert points_up("smbench.results.store", "smbench.lifecycle.folder", order)
    assert points_up("smbench.analysis.rows.frames", "smbench.analysis.summary", order)
    assert not points_up("smbench.lifecycle.folder", "smbench.results.store", order)
    assert not points_up("smbench.results.store", "smbench.results.damage", order)


@pytest.mark.slow  # a whole run under a profiler, in a process of its own: this one has other threads
def test_the_way_of_one_request_grows_no_longer_and_climbs_nowhere() -> None:
    shown = subprocess.run([sys.executable, THE_HOUSE], capture_output=True, text=True, check=True).stdout
    assert "NOT SEEN" not in shown, "a form has another name now"
    found = re.search(r"the way +(\d+) modules, (\d+) climbs", shown)
    assert found is not None
    assert int(found[2]) == 0, shown
    assert int(found[1]) <= WAY_MAX, shown
