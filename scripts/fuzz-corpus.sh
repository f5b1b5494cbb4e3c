#!/usr/bin/env bash
# Copies inputs that fuzzing found interesting from the build cache into the
# packages' testdata, at most LIMIT for each target and none above 2 kB, so that
# plain `go test` runs them for ever after.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=${LIMIT:-60}
cache=$(go env GOCACHE)/fuzz/$(GOWORK=off go list -m)
grep -roE --include='*_test.go' '^func Fuzz[A-Za-z]+' internal | sort | while IFS=: read -r file target; do
	package=$(dirname "$file") target=${target#func }
	corpus=$package/testdata/fuzz/$target
	arguments=$(awk -v RS='' '1' "$file" | grep -oE 'f\.Fuzz\(func\(t \*testing\.T, [^)]*' | tr -cd ',' | wc -c)
	mkdir -p "$corpus"
	for input in "$cache/$package/$target"/*; do
		[ "$(find "$corpus" -type f | wc -l)" -lt "$limit" ] || break
		# a target whose arguments changed has left inputs of the old form
		if [ -f "$input" ] && [ "$(stat -c %s "$input")" -lt 2048 ] && [ "$(wc -l < "$input")" -eq $((arguments + 1)) ]; then
			cp -n "$input" "$corpus"
		fi
	done
	echo "$target: $(find "$corpus" -type f | wc -l) inputs"
done
