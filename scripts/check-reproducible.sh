#!/usr/bin/env bash
# Builds the collector twice and compares the digests: from copies of the tree in two
# folders, one of them a git checkout of another commit, with the usual build cache and
# with an empty one.
#
#   check-reproducible.sh CONFIG BUILDER...
set -euo pipefail
cd "$(dirname "$0")/.."
config=$1
builder=("${@:2}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lay() { # FOLDER
	mkdir -p "$1/_build"
	git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --directory="$1"
	cp "$config" "$1/_build/builder-config.yaml"
}
build() { # FOLDER
	(cd "$1" && env "${builder[@]}" --config _build/builder-config.yaml >"$work/log" 2>&1) || { cat "$work/log" >&2; return 1; }
	sha256sum "$1/_build/otelcol-openai-compliance" | cut -d' ' -f1
}
one=$work/one another="$work/another/and deeper"
lay "$one"
lay "$another"
git -C "$another" init -q
git -C "$another" add -A
git -C "$another" -c user.name=x -c user.email=x@example.com commit -q -m "another commit"
first=$(build "$one")
echo "$first  $one"
second=$(GOCACHE=$work/cache build "$another")
echo "$second  $another, a git checkout, empty build cache"
[ "$first" = "$second" ] || { echo "two builds of one tree differ" >&2; exit 1; }
