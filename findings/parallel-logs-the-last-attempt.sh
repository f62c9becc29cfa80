#!/usr/bin/env bash
# GNU parallel 20221122 (Debian 12) logs a job that failed twice and then succeeded as one quick success.
#
# Guess: with `--retries` the job log has a line for each attempt, or one whose JobRuntime goes from the first start to the last end.
# Seen: one line, that of the last attempt, with its own start and time and exit value 0: two attempts that took five seconds each and failed are nowhere.
#       Whoever takes latencies or an error rate of a batch from the log finds neither the failures nor the time that they took; only that
#       Starttime lies late says something was before. Without `--retries` the failed attempt has its line.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q parallel=20221122+ds-2 >/dev/null 2>&1
dpkg -x parallel_*.deb root
cat > call.sh <<'SH'
#!/usr/bin/env bash
echo attempt >> attempts
[ "$(wc -l < attempts)" -gt 2 ] || { sleep 5; exit 1; }
SH
chmod +x call.sh
export HOME="$tmp"
tell() { awk -F'\t' -v name="$1" 'NR > 1 { print name ": exit " $7 ", " ($4 < 5 ? "under" : "over") " 5 s" }' log; }
perl root/usr/bin/parallel --will-cite --retries 5 --joblog log ./call.sh ::: one 2>/dev/null
{ tell "retries 5"; echo "attempts: $(wc -l < attempts)"; } > seen
rm attempts
perl root/usr/bin/parallel --will-cite --joblog log ./call.sh ::: one 2>/dev/null || true
tell "without retries" >> seen
cat > expected <<'TXT'
retries 5: exit 0, under 5 s
attempts: 3
without retries: exit 1, over 5 s
TXT
cat seen
diff expected seen
