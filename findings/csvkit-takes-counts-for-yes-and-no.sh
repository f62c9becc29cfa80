#!/usr/bin/env bash
# csvkit 2.2.0 reads a column of zeros and ones as no and yes: a service that fails once a minute at most has no mean of failures.
#
# Guess: a column of integers is one of numbers, whatever their values.
# Seen: 0, 1, 0, 1 is Boolean: csvstat has no mean, sum or maximum of it, csvjson writes true and false, csvsort and the other tools that
#       infer types write True and False into the CSV. One 2 among them makes it a column of numbers. So the quiet runs' failures, retries
#       and instances cannot be averaged, and those of the bad run can. `--no-inference` (`-I`) keeps the text; csvstat then has no numbers at all.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
printf 'minute,failures\n11,0\n12,1\n13,0\n14,1\n' > "$tmp/quiet.csv"
printf 'minute,failures\n11,0\n12,1\n13,0\n14,2\n' > "$tmp/bad.csv"
for run in quiet bad; do
  for figure in type mean sum max; do
    echo "$run, csvstat --$figure: $("$tmp/venv/bin/python" -W ignore -m csvkit.utilities.csvstat -c failures "--$figure" "$tmp/$run.csv")"
  done
  echo "$run, csvjson: $("$tmp/venv/bin/python" -W ignore -m csvkit.utilities.csvjson "$tmp/$run.csv")"
  echo "$run, csvsort: $("$tmp/venv/bin/python" -W ignore -m csvkit.utilities.csvsort -c minute "$tmp/$run.csv" | paste -sd' ')"
done > "$tmp/seen"
cat > "$tmp/expected" <<'TXT'
quiet, csvstat --type: Boolean
quiet, csvstat --mean: None
quiet, csvstat --sum: None
quiet, csvstat --max: None
quiet, csvjson: [{"minute": 11.0, "failures": false}, {"minute": 12.0, "failures": true}, {"minute": 13.0, "failures": false}, {"minute": 14.0, "failures": true}]
quiet, csvsort: minute,failures 11,False 12,True 13,False 14,True
bad, csvstat --type: Number
bad, csvstat --mean: 0.75
bad, csvstat --sum: 3
bad, csvstat --max: 2
bad, csvjson: [{"minute": 11.0, "failures": 0.0}, {"minute": 12.0, "failures": 1.0}, {"minute": 13.0, "failures": 0.0}, {"minute": 14.0, "failures": 2.0}]
bad, csvsort: minute,failures 11,0 12,1 13,0 14,2
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
