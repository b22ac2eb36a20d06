## make bench           kernels, layers and models beside the machine's own ceilings; build/bench/ours.json
.PHONY: bench bench-models bench-static bench-arm64
BENCH_PROGRAMS := bench/threads.c # a program of its own
BENCH_SRC := $(filter-out $(BENCH_PROGRAMS),$(wildcard bench/*.c)) $(foreach d,$(KERNEL_DIRS),$(wildcard bench/$(d)/*.c))
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/%.o)
BENCH_TOOL_OBJ := $(patsubst %,$(BUILD)/tools/io/%.o,file json timing)
BENCH_LIBS := $(LIBS)
BENCH_STATIC ?= 0
BENCH_OPTIONS ?=

# Debian's libpthreadpool and libcpuinfo have no static form: the static program does without them.
static_form = $(filter /%,$(shell $(CC) $(EXTRA_LDFLAGS) -print-file-name=lib$(1).a))
ifeq ($(strip $(BENCH_STATIC)),1)
BENCH_LDFLAGS := -static
ifeq ($(call static_form,pthreadpool),)
BENCH_OBJ += $(if $(filter 1,$(THREADS)),$(BUILD)/bench/static/pthreadpool.o)
BENCH_LIBS := $(filter-out -lpthreadpool,$(LIBS))
endif
endif

$(BUILD)/bench/%.o: bench/%.c Makefile config.mk mk/bench.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(ISA_FLAGS) -Itools -D_POSIX_C_SOURCE=200809L -c $< -o $@

$(BUILD)/tmcnn-bench: $(BENCH_OBJ) $(BENCH_TOOL_OBJ) $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) $(BENCH_LDFLAGS) -o $@ $^ $(BENCH_LIBS)

# The probe's own test.
$(BUILD)/test/bench/%: TEST_EXTRA := $(filter-out $(BUILD)/bench/main.o,$(BENCH_OBJ))
$(patsubst %.c,$(BUILD)/%,$(wildcard test/bench/*.c)): $(filter-out $(BUILD)/bench/main.o,$(BENCH_OBJ))

# The generated networks where PyPI can be reached, and always the model of this repository. A new make, because only
# then it is known which there are.
bench: $(BUILD)/tmcnn-bench $(BUILD)/tmcnn
	@$(MAKE) --no-print-directory build/models/done || echo "SKIPPED: the generated networks, they need PyPI"
	@$(MAKE) --no-print-directory bench-models

BENCH_MODELS = $(patsubst %.onnx,$(BUILD)/bench/%.tmc,$(notdir $(wildcard models/*.onnx build/models/*.onnx)))
bench-models: $(BUILD)/tmcnn-bench $(BENCH_MODELS)
	$(BUILD)/tmcnn-bench all $(BENCH_OPTIONS) --json $(BUILD)/bench/ours.json $(BENCH_MODELS)

$(BUILD)/bench/%.tmc: models/%.onnx $(BUILD)/tmcnn
	@mkdir -p $(@D)
	$(BUILD)/tmcnn convert $< -o $@
$(BUILD)/bench/%.tmc: build/models/%.onnx $(BUILD)/tmcnn
	@mkdir -p $(@D)
	$(BUILD)/tmcnn convert $< -o $@

## make bench-static     build/static/tmcnn-bench: one file, no shared libraries, for any Linux of this architecture
## make bench-arm64      the same for arm64 phones and boards: build/arm64-static/tmcnn-bench (needs make deps-arm64)
STATIC_MAKE = CPUINFO=$(if $(call static_form,cpuinfo),1,0) BENCH_STATIC=1
bench-static:
	$(MAKE) BUILD=build/static $(STATIC_MAKE) build/static/tmcnn-bench
bench-arm64:
	+$(ARM64_MAKE) BUILD=build/arm64-static BENCH_STATIC=1 build/arm64-static/tmcnn-bench

## make bench-peers      ours and the other engines in one alternating run: build/bench/peers.json and .html (needs PyPI)
## make bench-peers-check every engine's output beside a float64 reference, and the records' fields (needs PyPI)
## make bench-peers-docs the last run of bench-peers becomes docs/benchmarks/peers.json and .html
.PHONY: bench-peers bench-peers-check bench-peers-docs
PEERS_VENV := build/bench/venv
PEERS_PYTHON := $(PEERS_VENV)/bin/python
PEERS_OPTIONS ?=
PEERS_RUN = $(PEERS_PYTHON) bench/peers/run.py --build $(BUILD)

# Without their dependencies, which the file spells out: see its head.
$(PEERS_VENV)/done: bench/peers/requirements.txt
	python3 -m venv $(PEERS_VENV)
	grep -E '^[a-zA-Z]' $< | while read -r wheel; do \
	  $(PEERS_PYTHON) -m pip install -q --no-deps "$$wheel" || echo "SKIPPED: $$wheel cannot be installed"; done
	touch $@

# XNNPACK itself only where Debian's libxnnpack-dev is (make deps-bench).
ifneq ($(wildcard /usr/include/xnnpack.h),)
PEERS_XNNPACK := $(BUILD)/bench/xnnpack_runner.so
$(PEERS_XNNPACK): bench/peers/xnnpack_runner.c Makefile config.mk mk/bench.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -shared -o $@ $< -lXNNPACK -lpthreadpool
endif

bench-peers: $(BUILD)/tmcnn $(SO) $(PEERS_VENV)/done $(PEERS_XNNPACK)
	$(PEERS_RUN) --out $(BUILD)/bench/peers.json $(PEERS_OPTIONS)

bench-peers-check: $(BUILD)/tmcnn $(SO) $(PEERS_VENV)/done $(PEERS_XNNPACK)
	$(PEERS_RUN) --out $(BUILD)/bench/peers-check.json --rounds 1 --seconds 0 --min-runs 1 --time-limit 7200 $(PEERS_OPTIONS)
	$(PEERS_PYTHON) test/scripts/check_bench_peers.py $(BUILD)/bench/peers-check.json

bench-peers-docs:
	cp $(BUILD)/bench/peers.json $(BUILD)/bench/peers.html docs/benchmarks

## make bench-threads    own threads beside pthreadpool's: creation, loops, and THREADS_MODELS with 1 and 2 threads
.PHONY: bench-threads
THREADS_MODELS ?=
BUSY ?= 0           # the processor that the second part keeps busy
$(BUILD)/bench/threads: bench/threads.c $(LIB) mk/bench.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS)
bench-threads: $(BUILD)/bench/threads
	$<
	$(if $(strip $(THREADS_MODELS)),$< $(THREADS_MODELS) && $< --busy $(BUSY) $(THREADS_MODELS))
