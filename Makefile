# Every target does its whole set-up, packages included; nothing else has to be run before it.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup up test check faults e2e e2e-changes e2e-rotation bench bench-broker bench-burst bench-failover bench-redis bench-runtime bench-tasks cluster-up cluster-down images deploy generate format

help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: node_modules/.ready
node_modules/.ready: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

up: setup ## From nothing to a Ready sample platform
	node hack/up.ts

test: setup ## Everything that needs no cluster of pods
	node hack/test.ts

check: setup ## Format, lint, types, import directions, generated files, dead code
	npm run --silent check

faults: setup ## 100,000 schedules of the queue and the reflector; every crash point and 100 seeds of the fault injection suite (hours)
	npm run --silent properties
	KUBEBUILDER_ASSETS=$${KUBEBUILDER_ASSETS:-$$(node hack/cluster/main.ts assets | tail -1)} npm run --silent faults

e2e: setup ## The end-to-end suite, on the cluster in KUBECONFIG or on one it makes
	node hack/e2e.ts

e2e-changes: setup ## What takes longer: TLS and pooler turned on and off, nodes more and fewer, each while clients write
	node hack/e2e.ts 'test/e2e/changes/*.test.ts'

e2e-rotation: setup ## The authority and every password replaced at once under load, with TLS everywhere (an hour)
	node hack/e2e.ts 'test/e2e/rotation/*.test.ts'

bench: bench-runtime bench-tasks ## Measure the figures in docs/benchmarks anew
	node hack/bench.ts

bench-broker: setup ## Measure RabbitMQ and the workers under faults, with a ledger of every task
	node hack/bench-broker.ts

bench-burst: setup ## Measure a burst of 10,000 tasks, and draw it
	node hack/bench-burst.ts

bench-failover: setup ## Measure how Postgres fails over, beside Patroni alone
	node hack/bench-failover.ts

bench-redis: setup ## Measure Redis under faults, beside Redis alone
	node hack/bench-redis.ts

bench-runtime: setup ## Measure those of the runtime, for which no cluster is needed (an hour)
	node test/bench/runtime.ts

bench-tasks: setup ## Measure the worker beside Celery's, for which no cluster is needed (some minutes)
	node test/bench/tasks.ts

cluster-up: setup ## A cluster: kind where Docker answers, else three local nodes
	node hack/cluster/main.ts up

cluster-down: setup ## Take the cluster away, with all that belongs to it
	node hack/cluster/main.ts down

images: setup ## Build the images and load them onto the nodes
	node hack/images/main.ts build
	node hack/cluster/main.ts load $$(node hack/images/main.ts list | cut -d= -f2)

deploy: setup ## Install the CRD and the operator into the cluster
	node hack/deploy.ts

generate: setup ## Write the generated files anew: CRD, reference, chart
	node hack/generate.ts

format: setup ## Format the code
	npm run --silent format
