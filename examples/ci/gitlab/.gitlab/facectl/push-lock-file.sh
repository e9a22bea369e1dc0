#!/bin/sh
# Pushes the lock file to the default branch with FACECTL_PUSH_TOKEN; without one it is among the job's artifacts.
set -eu
if [ -z "${FACECTL_PUSH_TOKEN:-}" ]; then
  echo "note: FACECTL_PUSH_TOKEN is not set, so facectl.lock.yaml is not pushed: commit it by hand" >&2
  exit 0
fi
# The token is asked for when git wants it: it stands in no command line, no file and no address.
GIT_ASKPASS="$(mktemp)"
trap 'rm -f "$GIT_ASKPASS"' EXIT
cat > "$GIT_ASKPASS" <<'END'
#!/bin/sh
case "$1" in Username*) echo oauth2 ;; *) printf '%s\n' "$FACECTL_PUSH_TOKEN" ;; esac
END
chmod 700 "$GIT_ASKPASS"
export GIT_ASKPASS GIT_TERMINAL_PROMPT=0
# The lock file that facectl pushes starts no pipeline: it records what was done, and asks for nothing.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=push.pushOption GIT_CONFIG_VALUE_0=ci.skip
sh "$CI_PROJECT_DIR/.gitlab/facectl/keep-lock-file.sh" "$CI_SERVER_URL/$CI_PROJECT_PATH.git" "$CI_DEFAULT_BRANCH"
