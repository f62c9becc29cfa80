#!/usr/bin/env bash
# The short commit 12e4567 is infinity to papermill 2.7.0, to texts read by pyarrow 26.0.1, and 1234e56 is 1.234e+59 to jo 1.9 (Debian 12).
#
# Guess: a label is a number if it is digits; a commit has letters, so it is text, at least where the number would not fit.
# Seen: one short commit in fifty has digits and one e only, and is a float: the parameter of a notebook is `inf`, a column of commits is doubles, a payload has another label, and 0012345 loses its
#       zeros. Several commits are inf alike, and a join of results on them finds nothing. `papermill -r` and `jo -s` take text; pyarrow needs `column_types`.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q jo=1.9-1 >/dev/null 2>&1
dpkg -x jo_*.deb root
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check papermill==2.7.0 pyarrow==26.0.1
cat > in.ipynb <<'JSON'
{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [], "source": "commit = ''"}],
 "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
JSON
cat > measure.py <<'PY'
import io
import json
import subprocess
import sys

from pyarrow import csv

for commit in ("12e4567", "1234e56", "0012345", "12a4567"):
    subprocess.run(
        [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "--prepare-only", "-p", "commit", commit], check=True, capture_output=True
    )
    cell = json.load(open("out.ipynb"))["cells"][1]["source"]
    source = (cell if isinstance(cell, str) else "".join(cell)).splitlines()[-1]
    built = json.loads(subprocess.run(["root/usr/bin/jo", f"commit={commit}"], check=True, capture_output=True, text=True).stdout)
    read = csv.read_csv(io.BytesIO(f"commit\n{commit}\n".encode()))["commit"][0].as_py()
    print(f"{commit}: papermill {source}, jo {built['commit']!r}, pyarrow {read!r}")
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
12e4567: papermill commit = float('inf'), jo '12e4567', pyarrow inf
1234e56: papermill commit = 1.234e+59, jo 1.234e+59, pyarrow 1.234e+59
0012345: papermill commit = 12345, jo 12345, pyarrow 12345
12a4567: papermill commit = "12a4567", jo '12a4567', pyarrow '12a4567'
TXT
cat seen
diff expected seen
