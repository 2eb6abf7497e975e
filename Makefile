# The verbs of this project; each is also what CI calls. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The flags with which everything is built, so that programs, tests and the sandbox share one build cache; why these, and the
# same for what the sandbox builds: sandbox/gobuild.
export GOFLAGS := $(strip $(GOFLAGS) $(if $(findstring -trimpath,$(GOFLAGS)),,-trimpath) $(if $(findstring -gcflags,$(GOFLAGS)),,'-gcflags=all=-dwarf=false -l'))

sandbox := bin/sandbox
# A number of tests at once that keeps two compilers of 3 GB each from meeting.
test := go test -p 1

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: $(sandbox) ## take the production stack from nothing to running on the sandbox
	@$(sandbox) up

.PHONY: preview
preview: $(sandbox) ## show what `make up` would change; exit code 2 where there are changes
	@$(sandbox) preview

.PHONY: destroy
destroy: $(sandbox) ## take the stack away, protected resources included
	@$(sandbox) destroy

.PHONY: sandbox
sandbox: $(sandbox) ## build the sandbox's command, bin/sandbox

# go build itself knows what is up to date; the line is for the first time, when it has everything to compile.
.PHONY: $(sandbox)
$(sandbox):
	@[ -e $@ ] || echo "· building the sandbox's command (the first time about a minute and a half on 2 cores)" >&2
	@cd sandbox && go build -ldflags "-s -w" -o ../$@ .

.PHONY: test
test: ## run all tests, the whole stack on the sandbox included
	@./test/all

# -v for whoever watches; without it what failed is told at the end, beside its name, where CI's reader looks.
.PHONY: test-real
test-real: ## run the stack's real containers under load: releases, drains, failures (root, Linux; CONTRIBUTING says what it needs)
	@go test -vet=off -tags real -count=1 -timeout 70m $(if $(CI),,-v) -run '^TestReal$$' ./test

.PHONY: results
results: ## test-real, and write its figures to docs/results
	@./test/results

.PHONY: pipeline
pipeline: $(sandbox) ## show the workflows of .github at work, from a pull request to production, on a sandbox
	@go run ./test/pipeline/show

.PHONY: lint
lint: ## formatting, the linters, the layers, and the workflows
	@./test/lint

.PHONY: bench
bench: $(sandbox) ## measure the stack's times against a flat program of as many resources
	@go run ./test/bench

.PHONY: clean
clean: $(sandbox) ## stop the sandbox and remove everything built and kept
	@$(sandbox) stop
	@rm -rf .sandbox bin
