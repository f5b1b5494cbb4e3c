# Everything a contributor or a CI job runs. `make` alone lists it.

COLLECTOR := _build/otelcol-openai-compliance
COMMIT    := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DIRTY     := $(shell git status --porcelain --untracked-files=no 2>/dev/null | grep -q . && echo .dirty)
VERSION   := $(shell sed -n 's/^  version: //p' builder-config.yaml)+$(COMMIT)$(DIRTY)
SOURCES   := $(shell find . -name '*.go' -not -name '*_test.go' -not -path './_build/*' -not -path './.tools/*' -not -path './cmd/*' -not -path './e2e/*' -not -path './internal/mutants/*' -not -path './bench/*') go.mod go.sum builder-config.yaml
TOOLS     := $(CURDIR)/.tools
# The packages of the modules of go.work. Other modules are built alone, and so is what ocb makes.
PACKAGES  := ./... ./cmd/... ./e2e/...
ALONE     := GOWORK=off
# The version holds the commit; Go's own stamp would make builds of one tree differ.
BUILDER   := $(ALONE) GOFLAGS=-buildvcs=false $(TOOLS)/builder

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "  %-18s %s\n", $$1, $$2}'

.PHONY: build
build: $(COLLECTOR) ## build the collector of builder-config.yaml
	@$(COLLECTOR) --version

# The stamp changes only when the version does, so that a new commit alone
# rebuilds the collector and nothing else.
.PHONY: FORCE
_build/version: FORCE
	@mkdir -p _build
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@

$(COLLECTOR): $(SOURCES) _build/version | $(TOOLS)/builder
	@sed 's/^  version: .*/  version: $(VERSION)/' builder-config.yaml > _build/builder-config.yaml
	$(BUILDER) --config _build/builder-config.yaml

# The collector that the end-to-end tests kill at named points.
E2E := _build/e2e/otelcol-e2e
$(E2E): $(COLLECTOR) e2e/builder-config.yaml e2e/killstorage/storage.go | $(TOOLS)/builder
	$(BUILDER) --config e2e/builder-config.yaml

.PHONY: demo
demo: $(COLLECTOR) ## show the collector at work against a simulated API; ends by itself
	@go run ./cmd/demo -collector $(COLLECTOR)

.PHONY: demo-ui
demo-ui: $(COLLECTOR) _build/demo-ui $(TOOLS)/victoria-logs ## show the records in a log database with a web page, until Ctrl-C
	@_build/demo-ui

_build/demo-ui: FORCE
	@go build -o $@ ./cmd/demo-ui

.PHONY: run
run: ## collect from the real API; needs OPENAI_COMPLIANCE_API_KEY and OPENAI_WORKSPACE_ID
	@scripts/run.sh $(COLLECTOR)

CLI := _build/openai-compliance
.PHONY: cli
cli: $(CLI) ## build the command openai-compliance: preview, fetch, state, inspect, verify (docs/cli.md)
	@echo $(CLI)

$(CLI): FORCE
	@go build -o $@ ./cmd/openai-compliance

.PHONY: preview
preview: $(CLI) ## print the newest records of each type and keep no state; ARGS="--config collector.yaml", or ARGS=--help
	@$(CLI) preview $(ARGS)

.PHONY: state
state: $(CLI) ## show and change the state of a stopped collector (docs/state.md); ARGS="--config collector.yaml show"
	@$(CLI) state $(ARGS)

.PHONY: test
test: test-unit test-e2e test-rules ## unit tests with -race, end-to-end tests, alerting rules, examples validated

.PHONY: test-unit
test-unit:
	go test -race ./...
	go test -race -count=1 ./cmd/... # Go's test cache does not look at files of another module, such as docs
	go test ./internal/sim # more days than the race detector has time for

.PHONY: test-e2e
test-e2e: $(COLLECTOR) $(E2E)
	OTELCOL=$(CURDIR)/$(COLLECTOR) OTELCOL_E2E=$(CURDIR)/$(E2E) go test -tags e2e -count=1 ./e2e/...

.PHONY: test-rules
test-rules: ## test the alerting rules with promtool
	@scripts/test-rules.sh

.PHONY: test-ui
test-ui: $(COLLECTOR) _build/demo-ui $(TOOLS)/victoria-logs ## open the page of demo-ui in a browser, count what the database holds, run the queries of deploy/sigma
	go test -tags e2e -count=1 -run TestQueriesFindInVictoriaLogs -v ./internal/sigma
	cd e2e/ui && $(ALONE) go test -count=1 -v .

# The collector that validates blocks of docs/backends.md.
BACKENDS := _build/backends/otelcol-backends
$(BACKENDS): internal/backends/builder-config.yaml | $(TOOLS)/builder
	@mkdir -p _build
	$(BUILDER) --config internal/backends/builder-config.yaml

.PHONY: test-backends
test-backends: $(COLLECTOR) $(BACKENDS) $(TOOLS)/victoria-logs ## run and validate what docs/backends.md says: blocks, limits, queries
	go test -tags e2e -count=1 -v ./internal/backends

.PHONY: screenshot
screenshot: test-ui ## take the picture that README.md shows anew
	cp _build/demo-ui.png docs/images/demo-ui.png

.PHONY: validate-examples
validate-examples: $(COLLECTOR) ## let the collector validate every configuration in README, examples and testdata
	OTELCOL=$(CURDIR)/$(COLLECTOR) go test -tags e2e -count=1 -run TestValidate -v ./e2e/...

KILLS ?= 50
POINT_KILLS ?= 5
.PHONY: kill
kill: $(COLLECTOR) $(E2E) ## kill -9 the collector KILLS times at random and POINT_KILLS times at each named point; count what is lost or doubled
	OTELCOL=$(CURDIR)/$(COLLECTOR) OTELCOL_E2E=$(CURDIR)/$(E2E) KILLS=$(KILLS) POINT_KILLS=$(POINT_KILLS) \
		go test -tags e2e -count=1 -timeout 4h -run 'TestKill(Points)?$$' -v ./e2e/... | grep -v '^ *---\|^==='

.PHONY: mutants
mutants: ## test the tests: put known faults into the source, each must be caught
	go run ./internal/mutants

DAYS ?= 200
RELOADS ?= 500
DAMAGES ?= 60
.PHONY: prove
prove: kill mutants check-reproducible ## the longer proofs: DAYS simulated days, KILLS and POINT_KILLS kills, RELOADS, DAMAGES, the mutants, equal builds
	OTELCOL=$(CURDIR)/$(COLLECTOR) RELOADS=$(RELOADS) DAMAGES=$(DAMAGES) \
		go test -tags e2e -count=1 -timeout 4h -run 'TestReloads$$|TestDamagedFile$$' -v ./e2e/... | grep -v '^ *---\|^==='
	go test ./internal/sim -count=1 -timeout 4h -v -run 'TestSimulation|TestPowerLoss' -sim-days $(DAYS) | grep -v '^ *---\|^=== '

FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME each
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z]+' internal receiver cmd e2e | sort | while IFS=: read -r file target; do \
		echo "$$file $${target#func }"; \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME); \
	done

.PHONY: check
check: check-generated check-modules check-lint check-platforms ## generated files and go.mod up to date, vet, lint, builds elsewhere

.PHONY: generate
generate: $(TOOLS)/mdatagen ## make the files that metadata.yaml defines
	@scripts/generate.sh $(TOOLS)/mdatagen

.PHONY: check-generated
check-generated: $(TOOLS)/mdatagen
	@scripts/check-generated.sh $(TOOLS)/mdatagen

.PHONY: check-modules
check-modules: ## go.mod of every module is tidy; the receiver requires nothing that only tools need
	@scripts/check-modules.sh

.PHONY: check-lint
check-lint: $(TOOLS)/golangci-lint
	go vet -tags e2e $(PACKAGES)
	$(TOOLS)/golangci-lint run --build-tags e2e $(PACKAGES)
	for module in e2e/ui e2e/killstorage bench; do (cd $$module && $(ALONE) go vet ./... && $(ALONE) $(TOOLS)/golangci-lint run ./...); done

.PHONY: check-platforms
check-platforms: ## the sources build for Windows and macOS too
	GOOS=windows go build $(PACKAGES)
	GOOS=darwin GOARCH=arm64 go build $(PACKAGES)

MODULES := $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path './_build/*' -not -path './.tools/*'))
.PHONY: check-supply-chain
check-supply-chain: $(COLLECTOR) $(TOOLS)/govulncheck ## known vulnerabilities, licenses, checksums of every module
	scripts/check-vulnerabilities.sh $(TOOLS)/govulncheck $(COLLECTOR)
	go run ./internal/thirdparty _build=. .=./cmd/...
	@for module in $(MODULES) _build; do echo -n "go mod verify in $$module: "; (cd $$module; case $$module in .|./cmd|./e2e) go mod verify;; *) $(ALONE) go mod verify;; esac); done

.PHONY: sbom
sbom: $(COLLECTOR) $(TOOLS)/cyclonedx-gomod ## write the CycloneDX SBOM and the third-party notices of the collector into _build
	scripts/sbom.sh $(TOOLS)/cyclonedx-gomod $(COLLECTOR) '$(VERSION)' _build

.PHONY: check-reproducible
check-reproducible: $(COLLECTOR)
	scripts/check-reproducible.sh _build/builder-config.yaml $(BUILDER)

.PHONY: bench
bench: ## benchmarks, in the form benchstat reads
	go test -run '^$$' -bench . -benchmem -count 6 $(PACKAGES)
	cd bench && $(ALONE) go test -run '^$$' -bench . -benchmem -count 6 ./...

# The collector that bench-collector measures, with the peers it is measured beside.
BENCH := _build/bench/otelcol-bench
$(BENCH): $(SOURCES) bench/builder-config.yaml | $(TOOLS)/builder
	@mkdir -p _build
	$(BUILDER) --config bench/builder-config.yaml

BENCH_ROUNDS ?= 5
.PHONY: bench-collector
bench-collector: $(BENCH) ## measure the built collector: CPU per GB beside file_log and the floor, memory, idle; about 15 minutes
	cd bench && $(ALONE) go build -o ../_build/bench/bench .
	_build/bench/bench -what cpu -rounds $(BENCH_ROUNDS)
	_build/bench/bench -what memory
	_build/bench/bench -what idle

.PHONY: clean
clean: ## remove what the targets above build; the positions of make run stay
	find _build -mindepth 1 -maxdepth 1 -not -name state -exec rm -rf {} + 2>/dev/null || true
	rm -rf .tools

# The tools have modules of their own, so that what they need stays out of go.mod.
$(TOOLS)/builder: internal/tools/go.sum
	cd internal/tools && $(ALONE) go build -o $@ go.opentelemetry.io/collector/cmd/builder
$(TOOLS)/mdatagen: internal/tools/go.sum
	cd internal/tools && $(ALONE) go build -o $@ go.opentelemetry.io/collector/cmd/mdatagen
$(TOOLS)/golangci-lint: internal/tools/lint/go.sum
	cd internal/tools/lint && $(ALONE) go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/govulncheck: internal/tools/supplychain/go.sum
	cd internal/tools/supplychain && $(ALONE) go build -o $@ golang.org/x/vuln/cmd/govulncheck
$(TOOLS)/cyclonedx-gomod: internal/tools/supplychain/go.sum
	cd internal/tools/supplychain && $(ALONE) go build -o $@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(TOOLS)/victoria-logs: internal/tools/victorialogs/go.sum
	cd internal/tools/victorialogs && $(ALONE) CGO_ENABLED=0 go build -o $@ github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-logs
