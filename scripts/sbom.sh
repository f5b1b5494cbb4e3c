#!/usr/bin/env bash
# Writes what the built collector is made of: a CycloneDX SBOM, and the notices of
# third parties that it must be passed on with.
#
#   sbom.sh CYCLONEDX_GOMOD COLLECTOR VERSION FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
cyclonedx=$1 collector=$2 version=$3 folder=$4
receiver=$(GOWORK=off go list -m)
"$cyclonedx" bin -json -std -noserial -notimestamp -version "$version" "$collector" 2>/dev/null |
	sed -e "s|pkg:golang/\.\.@(devel)|pkg:golang/$receiver@$version|g" \
		-e "s|\"name\": \"\.\.\"|\"name\": \"$receiver\"|; s|\"version\": \"(devel)\"|\"version\": \"$version\"|" >"$folder/sbom.cdx.json"
grep -q "\"name\": \"$receiver\"" "$folder/sbom.cdx.json"
go run ./internal/thirdparty -notices "$folder/THIRD_PARTY_NOTICES" _build=. .=./cmd/...
ls -l "$folder/sbom.cdx.json" "$folder/THIRD_PARTY_NOTICES"
