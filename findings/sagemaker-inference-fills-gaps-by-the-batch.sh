#!/usr/bin/env bash
# sagemaker-inference 1.10.1, which SageMaker's containers decode requests with, makes numbers of missing cells: which, depends on the batch.
#
# Guess: a missing cell of a text/csv payload is NaN or refused, and one row of three features is not three rows of one.
# Seen: `1,,3` is [1, 0, 3]; with a second row below it is [1, -1, 3]. Of decimals it is 0.0 in a single row and NaN in two.
#       Three rows of one feature have the shape of one row of three. A benchmark's payload with a gap measures other predictions at
#       batch size 1 than at 2, and a batch of single features is one prediction.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check sagemaker-inference==1.10.1 numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from sagemaker_inference import decoder

for payload in ("1,,3", "1,,3\n4,5,6", "1.5,,3.5", "1.5,,3.5\n4.5,5.5,6.5", "1,2,3", "1\n2\n3"):
    decoded = decoder.decode(payload, "text/csv")
    kinds = " ".join(str(decoded.dtype[place]) for place in range(3)) if decoded.dtype.names else decoded.dtype
    print(f"{payload!r}: shape {decoded.shape}, {kinds}: {decoded.tolist()}")
PY
cat > "$tmp/expected" <<'TXT'
'1,,3': shape (3,), int64: [1, 0, 3]
'1,,3\n4,5,6': shape (2, 3), int64: [[1, -1, 3], [4, 5, 6]]
'1.5,,3.5': shape (3,), float64: [1.5, 0.0, 3.5]
'1.5,,3.5\n4.5,5.5,6.5': shape (2, 3), float64: [[1.5, nan, 3.5], [4.5, 5.5, 6.5]]
'1,2,3': shape (3,), int64: [1, 2, 3]
'1\n2\n3': shape (3,), int64: [1, 2, 3]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
