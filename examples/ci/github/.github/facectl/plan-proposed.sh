#!/bin/sh
# Prints in markdown what the checkout PROPOSED would do, as seen from the checkout TRUSTED: plan-proposed.sh TRUSTED
# PROPOSED. Runs nothing of PROPOSED. Where its manifests are wrong, that is what it prints, and it ends well.
set -eu
trusted="$1"
proposed="$2"
lock=facectl.lock.yaml

# Which face is which is for the default branch to say: a lock file that somebody edited could make a paid training look
# like no change.
if [ -e "$proposed/$lock" ] && ! cmp -s "$trusted/$lock" "$proposed/$lock"; then
  printf '**%s of this branch is not the one of the default branch; the plan stands on the latter.**\n\n' "$lock"
fi
rm -rf "${proposed:?}/$lock"
if [ -f "$trusted/$lock" ]; then cp "$trusted/$lock" "$proposed/$lock"; fi
if ! cmp -s "$trusted/facectl.yaml" "$proposed/facectl.yaml"; then
  printf '**This branch changes facectl.yaml, where the limits stand.**\n\n'
fi
cd "$proposed"
# What is wrong is printed as well; an exit code would only keep it from the pull request.
facectl plan --offline -o markdown || true
