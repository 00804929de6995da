# SPDX-License-Identifier: MIT
# Every verb of the project; `make help` explains them in reading order. The work is done in scripts/.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A variable on the command line or in the environment reaches every script.
VARIABLES := KERNEL KERNEL_SRC KERNEL_MIRROR KERNEL_SHA256 ACCEL SAMPLES WARMUP ROUNDS PERIOD_US RAW JOBS CACHE DEBUG BPF SANITIZE \
    PREEMPT PIN SWITCHES \
    BOOTS FUZZ_SECONDS FUZZ_CALLS FUZZ_SEED FUZZ_LEAST LADDER_SOAK MUTANT MUTANTS FAULTS_CTRL_C
export $(foreach variable,$(VARIABLES),$(if $(value $(variable)),$(variable)))

STAGES := 0 1 2 3

.PHONY: help doctor setup table budget ablation alternatives throughput plots report keep diff test mutants ring-mutants bench model litmus fuzz soak faults boots trust test-full lint book clean distclean
.PHONY: $(foreach verb,run shell debug test diff,$(STAGES:%=stage%-$(verb)))

help:
	@scripts/help.sh

.DEFAULT:
	@echo "there is no verb '$@': make help lists them all" >&2; exit 2

doctor:
	@scripts/doctor.sh

setup:
	@scripts/setup.sh

$(STAGES:%=stage%-run): stage%-run:
	@scripts/run-stage.sh $*

$(STAGES:%=stage%-shell): stage%-shell:
	@scripts/shell.sh $*

$(STAGES:%=stage%-debug): stage%-debug:
	@scripts/debug.sh $*

$(STAGES:%=stage%-test): stage%-test:
	@scripts/test-stage.sh $*

$(STAGES:%=stage%-diff): stage%-diff:
	@scripts/diff.sh $$(($* - 1)) $*

diff:
	@scripts/diff.sh "$(FROM)" "$(TO)"

table:
	@scripts/table.sh

budget:
	@scripts/budget.sh

ablation:
	@scripts/ablation.sh

alternatives:
	@scripts/alternatives.sh

throughput:
	@scripts/throughput.sh

plots:
	@scripts/plots.sh

report:
	@scripts/report.sh

keep:
	@scripts/keep.sh

test:
	@scripts/test.sh

mutants:
	@scripts/mutants.sh $(STAGE)

ring-mutants:
	@scripts/ring-mutants.sh

bench:
	@scripts/bench.sh

model:
	@scripts/model.sh

litmus:
	@scripts/litmus.sh

fuzz:
	@scripts/fuzz.sh "$(or $(STAGE),3)"

soak:
	@scripts/soak.sh

faults:
	@scripts/test-faults.sh

boots:
	@scripts/boots.sh

trust:
	@scripts/trust.sh

test-full:
	@scripts/test-full.sh

lint:
	@scripts/lint.sh

book:
	@scripts/book.sh

clean:
	@scripts/clean.sh build

distclean:
	@scripts/clean.sh build .cache
