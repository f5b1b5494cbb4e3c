#!/usr/bin/env bash
# Runs mdatagen. It names the package of the tests it generates after the folder
# it runs in, and a checkout may have any name, so it runs through a link that
# has the right one.
set -euo pipefail
mdatagen=$1
root=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ln -s "$root" "$tmp/openaicompliancereceiver"
cd "$tmp/openaicompliancereceiver"
"$mdatagen" metadata.yaml
# Generated files come with mode 0600; git keeps only the x bit.
find "$root" -name 'generated_*' -not -path '*/_build/*' -exec chmod 644 {} +
chmod 644 "$root/documentation.md" "$root/README.md"
