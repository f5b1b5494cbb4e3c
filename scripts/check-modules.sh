#!/usr/bin/env bash
# Fails when a go.mod or go.sum is not what `go mod tidy` would make of it, when modules
# require different versions of one module, or when the receiver requires what only tools
# need. With -fix it tidies the modules of go.work.
#
# cmd and e2e require a version of the receiver that no proxy has before its release, and
# `go mod tidy` does not look into go.work. So it works on a copy of their go.mod that
# replaces the receiver by this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
fix=false
[ "${1:-}" != -fix ] || fix=true
export GOWORK=off
receiver=github.com/openaicompliance/openaicompliancereceiver
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

tidy_beside_receiver() { # module folder
	cp "$1/go.mod" "$tmp/go.mod"
	cp "$1/go.sum" "$tmp/go.sum"
	go mod edit -replace "$receiver=$PWD" "$tmp/go.mod"
	(cd "$1" && go mod tidy -modfile "$tmp/go.mod")
	go mod edit -dropreplace "$receiver" "$tmp/go.mod"
	if $fix; then
		cp "$tmp/go.mod" "$1/go.mod"
		cp "$tmp/go.sum" "$1/go.sum"
	fi
	diff -u "$1/go.mod" "$tmp/go.mod"
	diff -u "$1/go.sum" "$tmp/go.sum"
}

if $fix; then go mod tidy; fi
go mod tidy -diff
for module in cmd e2e; do tidy_beside_receiver "$module"; done
find . -name go.mod -not -path './_build/*' -not -path './.tools/*' | sed 's|/go.mod$||' | sort | grep -vxE '\.|\./cmd|\./e2e' |
	while read -r module; do (cd "$module" && go mod tidy -diff); done
go mod verify

# What is built together is tested with one version of each module.
versions=$(for module in . cmd e2e; do (cd "$module" && go mod edit -json); done |
	sed -n '/"Require"/,/^\t]/p' | awk -F'"' '$2=="Path"{path=$4} $2=="Version"{print path, $4}' | sort -u)
twice=$(echo "$versions" | cut -d' ' -f1 | uniq -d)
if [ -n "$twice" ]; then
	echo "modules of go.work require different versions of: $twice" >&2
	exit 1
fi
for unwanted in spf13/cobra etcd.io/bbolt storage/filestorage; do
	if grep -q "$unwanted" go.mod; then
		echo "go.mod requires $unwanted, which belongs to cmd or e2e" >&2
		exit 1
	fi
done
