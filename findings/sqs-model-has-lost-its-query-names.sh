#!/usr/bin/env bash
# botocore's SQS model no longer says how the service's query protocol spells its lists and maps.
#
# Guess: a service that still answers two protocols has a model from which both can be written; the model's
#        `flattened` says that the query spelling is still there.
# Seen: 1.29.70 gives CreateQueue's Attributes the name `Attribute` (sent as Attribute.1.Name) and its tags `Tag`. Since
#       the switch to JSON (seen in 1.40.61) both are only `flattened`, without a name. A server or a recorder that reads today's
#       model cannot understand clients older than late 2023, which AWS still answers.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cat > "$tmp/shapes.py" <<'PY'
import botocore
import botocore.session

model = botocore.session.get_session().get_service_model("sqs")
members = model.operation_model("CreateQueue").input_shape.members
spelled = {name: members[name].serialization for name in ("Attributes", "tags")}
print(botocore.__version__, model.metadata["protocol"], spelled)
PY
for package in botocore==1.29.70 botocore==1.40.61; do
  python3.11 -m venv "$tmp/$package"
  "$tmp/$package/bin/python" -m pip install -qq --disable-pip-version-check "$package"
  "$tmp/$package/bin/python" "$tmp/shapes.py" >> "$tmp/seen"
done
cat > "$tmp/expected" <<'TXT'
1.29.70 query {'Attributes': {'flattened': True, 'name': 'Attribute'}, 'tags': {'flattened': True, 'name': 'Tag'}}
1.40.61 json {'Attributes': {'flattened': True}, 'tags': {'flattened': True}}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
