#!/usr/bin/env bash
# Fails when a generated file is not what metadata.yaml makes of it. The files are
# left as they should be.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
sums() {
	(cd "$root" && find . \( -name 'generated_*' -o -path ./documentation.md -o -path ./README.md \) \
		-not -path './_build/*' -type f | sort | xargs sha256sum)
}
before=$(sums)
"$root/scripts/generate.sh" "$1"
after=$(sums)
if [ "$before" != "$after" ]; then
	echo "Generated files were out of date; they are now up to date, commit them:" >&2
	diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9a-f]*  /  /p' | sort -u >&2
	exit 1
fi
echo "generated files are up to date"
