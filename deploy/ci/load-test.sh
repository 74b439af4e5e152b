#!/bin/sh
# Load-tests a build several times and compares it with the last build that passed.
#
#   load-test.sh [FLAG or REQUEST of swarmline run]...
#
# Needs swarmline in PATH. Reads the runs of the last good build from $BASELINE and leaves those of this one in $RESULTS,
# which the CI system keeps as the next baseline; what an earlier call left there is deleted. $SUMMARY, if set, is a file that
# the result is appended to as Markdown.
# Exit code: that of the first run that did not pass, else that of the comparison (3: worse than the baseline).
set -eu
: "${BASELINE:=baseline}" "${RESULTS:=results}" "${RUNS:=3}" "${TOLERANCE:=5%}" "${INTERVAL:=1s}"
: "${SUMMARY:=$RESULTS/summary.md}"

report() {
  swarmline report "$@" --markdown "$SUMMARY" --junit "$RESULTS/junit.xml" --html "$RESULTS/report.html"
}

mkdir -p "$RESULTS"
if [ "$(cd "$RESULTS" && pwd -P)" = "$(cd "$BASELINE" 2>/dev/null && pwd -P)" ]; then
  echo "load-test.sh: BASELINE and RESULTS are the same folder, $RESULTS" >&2
  exit 2
fi
# A build with fewer runs must not be compared by the runs of another one.
rm -f "$RESULTS"/run-*.ndjson "$RESULTS"/summary.md "$RESULTS"/junit.xml "$RESULTS"/report.html
run=1
while [ "$run" -le "$RUNS" ]; do
  stream="$RESULTS/run-$run.ndjson"
  # 20 ticks or more in the steady phase make the noise within a run known: 1s, and half a minute.
  swarmline run --await-host 60s --interval "$INTERVAL" --only-summary --telemetry "$stream" "$@" || {
    code=$?
    [ ! -e "$stream" ] || report "$stream" >&2 || true
    exit "$code"
  }
  run=$((run + 1))
done

if [ -e "$BASELINE/run-1.ndjson" ]; then
  set --
  for stream in "$RESULTS"/run-*.ndjson; do
    set -- "$@" "$stream"
  done
  for stream in "$BASELINE"/run-*.ndjson; do
    set -- "$@" --baseline "$stream"
  done
  report "$@" --tolerance "$TOLERANCE"
else
  # The first build is compared with nothing.
  report "$RESULTS/run-1.ndjson"
fi
