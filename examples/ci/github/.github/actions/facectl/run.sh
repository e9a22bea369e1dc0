#!/bin/sh
# Runs facectl with the words of RUN_COMMAND, and ends well also with one of the exit codes in RUN_ACCEPT.
set -eu
# Words end at blanks, and nothing else in them means anything: no pattern is expanded, no variable, no command.
set -f
code=0
# shellcheck disable=SC2086 # it is to be cut into words
facectl $RUN_COMMAND || code=$?
printf 'code=%s\n' "$code" >> "$GITHUB_OUTPUT"
for accepted in 0 ${RUN_ACCEPT:-}; do
  if [ "$code" = "$accepted" ]; then exit 0; fi
done
exit "$code"
