#!/bin/sh
# Runs an example graph in a store of its own, then looks at what was recorded. `actbook` must be on the PATH.
set -eu

graphs="$(dirname "$0")/graphs"
folder="$(mktemp -d "${TMPDIR:-/tmp}/actbook-demo-XXXXXX")"
ACTBOOK_STORE="sqlite:///$folder/demo.db"
export ACTBOOK_STORE

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
if [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ]; then say() { printf '\n$ %s\n' "$*"; }; fi
try() { say actbook "$@"; actbook "$@"; }

try graph "$graphs/coffee-bar.json"
try run "$graphs/coffee-bar.json"
try run "$graphs/greeting.json" --input Name=Ada --input Hour=15
try ls
id="$(actbook ls --graph "$graphs/coffee-bar.json" --limit 1 --output ids)"
try show "$id" --limit 12
try verify --all

cat <<END

Everything above is in one file, $folder/demo.db. Look on:
  export ACTBOOK_STORE=$ACTBOOK_STORE
  actbook graph $id               the graph with the states of that run
  actbook replay $id --at 40      its state at event 40
  actbook run $graphs/temperature.json --input Celsius=21 -o json
  actbook --help
END
