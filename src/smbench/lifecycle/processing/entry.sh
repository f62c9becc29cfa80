#!/bin/sh
# The first thing that runs in the container of a processing job. Arguments: those of entry.py.
here=$(cd "$(dirname "$0")" && pwd)
ml=$(cd "$here/../../.." && pwd) # /opt/ml

refuse() {
    mkdir -p "$ml/output" && printf '%s' "$1" >"$ml/output/message"
    echo "smbench: $1" >&2
    exit 3
}

python=$(command -v python3) || refuse "the image has no python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || refuse "the image's python3 is older than 3.11"
exec "$python" "$here/entry.py" "$ml" "$@"
