"""Goal: ten minutes with the README and a newcomer can draw the processes and the rooms.

Method: count its words; hold its picture against the packages there are.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS_MAX = 1200


def test_the_readme_can_be_read_in_six_minutes() -> None:
    assert len(README.split()) < WORDS_MAX


def test_the_picture_of_the_readme_has_the_rooms_of_a_request_s_way_and_none_that_is_not_there() -> None:
    picture = re.search(r"## How it is built\n+```\n(.+?)```", README, re.DOTALL)
    assert picture is not None
    drawn = set(re.findall(r"\b([a-z]+)/", picture[1]))
    rooms = {room.parent.name for room in (ROOT / "src" / "smbench").glob("*/__init__.py")}
    assert drawn <= rooms
    way = {"scenario", "schedule", "processes", "targets", "generator", "aws", "wire", "results", "analysis", "view"}
    assert way <= drawn
