#!/usr/bin/env bash
# Runs the collector against the real API and prints what it collects.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
missing=0
for name in OPENAI_COMPLIANCE_API_KEY OPENAI_WORKSPACE_ID; do
	if [ -z "${!name:-}" ]; then
		echo "make run: the environment variable $name is not set" >&2
		missing=1
	fi
done
if [ "$missing" = 1 ]; then
	cat >&2 <<-TEXT

	make run collects from the real API and needs
	  OPENAI_COMPLIANCE_API_KEY  a compliance or admin key with the log read scope
	  OPENAI_WORKSPACE_ID        the workspace's UUID
	README.md says where both come from. make demo needs neither.
	TEXT
	exit 2
fi
make -C "$root" --no-print-directory build
export OPENAI_COMPLIANCE_STATE="${OPENAI_COMPLIANCE_STATE:-$root/_build/state}"
mkdir -p "$OPENAI_COMPLIANCE_STATE"
echo "Positions are kept in $OPENAI_COMPLIANCE_STATE. Ctrl-C ends it; run it again to go on." >&2
exec "$root/$1" --config "$root/examples/run.yaml"
