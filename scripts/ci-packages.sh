#!/usr/bin/env bash
# Installs what the tests need beyond Go, make and git and do not build
# themselves: tinyproxy, a real proxy for the end-to-end tests. Does nothing where
# it is there already.
set -euo pipefail
if command -v tinyproxy >/dev/null; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "tinyproxy is missing and this machine has no apt-get: install tinyproxy by its own means" >&2
	exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
	root=(sudo)
fi
"${root[@]}" apt-get update -qq
# The -bin package is the program alone, without a service that would be started.
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tinyproxy-bin
