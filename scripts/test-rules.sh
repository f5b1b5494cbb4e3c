#!/usr/bin/env bash
# Checks and tests the rules in deploy/prometheus with promtool.
set -euo pipefail
cd "$(dirname "$0")/../deploy/prometheus"
if ! command -v promtool >/dev/null; then
	echo "SKIP test-rules: promtool is not installed (Debian's package prometheus; scripts/ci-packages.sh installs it)"
	exit 0
fi
promtool check config prometheus.yaml
promtool test rules rules_test.yaml
