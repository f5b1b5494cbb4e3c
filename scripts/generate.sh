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
# mdatagen lists the attributes of log records only together with code that builds such
# records, which nothing here would use. They are listed from the table that is made of the
# receiver's own.
{
	printf '\n## Records\n\nEach record has some of these attributes; [docs/mapping.md](docs/mapping.md) says from which fields. '
	printf 'Its EventName is `openai.compliance.` and the event type in lower case, or `openai.compliance.gap`.\n\n'
	awk '/^<!-- end of the generated table -->/ { exit } on { print } /^<!-- begin of the generated table -->/ { on = 1 }' docs/mapping.md
} >>documentation.md
# Generated files come with mode 0600; git keeps only the x bit.
find "$root" -name 'generated_*' -not -path '*/_build/*' -exec chmod 644 {} +
chmod 644 "$root/documentation.md" "$root/README.md"
