#!/bin/sh
# Puts facectl into FOLDER/bin: install.sh FOLDER. What to put there is in the variables INSTALL_…, see action.yml.
set -eu

fail() {
  printf 'error: %s\n' "$1" >&2
  printf 'hint: fill in where facectl comes from, see examples/ci/README.md of facectl\n' >&2
  exit 1
}

is_hex() { # TEXT LENGTH
  case "$1" in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" -eq "$2" ]
}

folder="$1"
mkdir -p "$folder/bin"
if [ -n "${INSTALL_BINARY:-}" ]; then
  ln -sf "$INSTALL_BINARY" "$folder/bin/facectl"
elif [ -n "${INSTALL_URL:-}" ]; then
  case "$INSTALL_URL" in https://*) ;; *) fail "the address of facectl must begin with https://" ;; esac
  is_hex "${INSTALL_SHA256:-}" 64 || fail "the SHA-256 of facectl must be 64 hex digits in lower case"
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$folder/facectl.new" "$INSTALL_URL"
  # Only what was written down is ever run, whoever may write to the place that it came from.
  printf '%s  %s\n' "$INSTALL_SHA256" "$folder/facectl.new" | sha256sum --check --quiet - \
    || fail "the file at that address is not the one whose SHA-256 was written down; it was not run"
  chmod 755 "$folder/facectl.new"
  mv "$folder/facectl.new" "$folder/bin/facectl"
elif [ -n "${INSTALL_REPOSITORY:-}" ]; then
  # A branch or a tag can be moved by whoever may write there; a commit is what it is.
  is_hex "${INSTALL_REVISION:-}" 40 || fail "the revision of facectl must be a commit, all 40 hex digits of it"
  cargo install --quiet --locked --git "$INSTALL_REPOSITORY" --rev "$INSTALL_REVISION" --root "$folder" facectl
else
  fail "nothing says where facectl comes from"
fi
"$folder/bin/facectl" version
