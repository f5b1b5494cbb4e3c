#!/usr/bin/env bash
# Installs the programs that some tests need and that Go cannot build, from Debian's
# packages. Does nothing where they are there already.
set -euo pipefail
packages=(
	chromium      # make test-ui: opens the page
	jq            # make test-backends: queries over messages of Kafka
	prometheus    # make test: alerting rules, dashboard
	tinyproxy-bin # make test: a real proxy; the program alone, without a service that would be started
)
missing=()
for package in "${packages[@]}"; do
	dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "missing, and this machine has no apt-get: install ${missing[*]} by its own means" >&2
	exit 1
fi
root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
