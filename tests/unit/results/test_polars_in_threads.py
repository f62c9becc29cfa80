"""Goal: threads that make frames of numpy's arrays at the same moment all get them.

Method: a race that is lost once in some hundred times cannot be waited for, so what is looked at is its cause: polars
loads numpy at the first array it is given, and a second thread that does so in between meets half of it.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import polars._dependencies as of_polars
import smbench.results.schema
import numpy
print(of_polars.numpy is numpy)
"""


@pytest.mark.slow
def test_polars_has_numpy_before_any_thread_of_ours_gives_it_an_array() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "True", said.stderr
