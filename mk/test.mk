# Every test/<kind>/test_*.c is one program; `make test-unit` runs those of test/unit. Helpers are in test/lib.
TEST_KINDS := unit kernel api fault convert bench
TEST_LIB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard test/lib/*.c))
ifneq ($(filter x86_64 i686,$(ARCH)),)
TEST_LIB_OBJ += $(BUILD)/muladd/kernels.o
endif
TEST_SRC := $(foreach k,$(TEST_KINDS),$(wildcard test/$(k)/test_*.c))
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)
TEST_LIBS := -lcmocka
ONNX_TESTDATA ?= /usr/share/libonnx-testdata/data/node
CXX ?= g++
RUN_TEST ?=         # an emulator

$(BUILD)/test/%.o: test/%.c Makefile config.mk mk/test.mk $(BUILD)/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(TOOL_FLAGS) -Itest -c $< -o $@

$(BUILD)/test/%: $(BUILD)/test/%.o $(TEST_LIB_OBJ) $(TOOL_LIB) $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) $(TEST_WRAP) -o $@ $< $(TEST_LIB_OBJ) $(TEST_EXTRA) $(TOOL_LIB) $(LIB) $(TEST_LIBS) $(TOOL_LIBS) $(LIBS)

# The portable twin of the level SSE4.1: kernels/ref and the tables once more, see test/lib/muladd.h. All their names but
# the entry become local, so that they do not meet the library's.
MULADD_SRC := $(wildcard kernels/*.c kernels/ref/*.c)
$(BUILD)/muladd/%.o: %.c test/lib/muladd.h Makefile config.mk mk/test.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -include test/lib/muladd.h -c $< -o $@
$(BUILD)/muladd/kernels.o: $(MULADD_SRC:%.c=$(BUILD)/muladd/%.o)
	$(Q)$(CC) -r -nostdlib -o $@ $^
	objcopy --keep-global-symbol=tmc_muladd_select $@

# The kernels for AVX-VNNI as AVX-512 encodes them, for CPUs that have only that.
ifeq ($(ARCH),x86_64)
QS8_EVEX := $(patsubst %,$(BUILD)/test/evex/qs8_gemm_%.o,6x16_vnni 8x8_vnni 4x4_vnni)
$(BUILD)/test/evex/%.o: kernels/x86/%__avx2.c Makefile config.mk mk/test.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Dtmc_$*__avx2=tmc_$*__evex -mavx2 -mavx512vl -mavx512vnni -c $< -o $@
$(BUILD)/test/kernel/test_qs8_gemm: TEST_EXTRA := $(QS8_EVEX)
$(BUILD)/test/kernel/test_qs8_gemm: $(QS8_EVEX)
$(BUILD)/test/kernel/test_qs8_dwconv: TEST_EXTRA := $(BUILD)/test/evex/qs8_dwconv_vnni.o
$(BUILD)/test/kernel/test_qs8_dwconv: $(BUILD)/test/evex/qs8_dwconv_vnni.o
endif

# Counts and fails what is allocated behind the caller's allocator; other fault tests define the functions themselves.
$(BUILD)/test/fault/test_alloc_fault: TEST_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=posix_memalign

define test_kind
.PHONY: test-$(1)
test-$(1): $(filter $(BUILD)/test/$(1)/%,$(TEST_BIN))
	@for t in $$^; do echo "== $$$$t"; $(RUN_TEST) $$$$t || exit 1; done
endef
$(foreach k,$(TEST_KINDS),$(eval $(call test_kind,$(k))))

# The session's threads, sleeping in each of the two ways.
.PHONY: test-pool
test-pool: $(filter $(BUILD)/test/unit/test_pool%,$(TEST_BIN))
	@for t in $^; do echo "== $$t"; $(RUN_TEST) $$t || exit 1; done

## make check           every test of this machine's architecture (with `make deps check`: nothing installed before)
.PHONY: check check-run programs conformance test-library test-layers test-cli test-bench-cli
check: $(filter deps,$(MAKECMDGOALS))
	@$(MAKE) --no-print-directory check-run

check-run: programs conformance test-layers test-library test-cli test-bench-cli
	@echo "all checks passed"

programs: $(foreach k,$(TEST_KINDS),test-$(k))

## make conformance     ONNX's own operator tests
conformance: $(BUILD)/test/conformance/conformance
	$(RUN_TEST) $< $(ONNX_TESTDATA)

test-layers:
	python3 test/scripts/check_layers.py

test-library: all
	test/scripts/check_library.sh $(BUILD) $(CC) $(CXX)

test-cli: $(BUILD)/tmcnn
	test/cli/test_cli.sh $(BUILD)/tmcnn

test-bench-cli: $(BUILD)/tmcnn-bench $(BUILD)/tmcnn
	test/bench/test_bench.sh $(BUILD)/tmcnn-bench $(BUILD)/tmcnn

## make asan|ubsan|tsan the test programs under a sanitizer
.PHONY: asan ubsan tsan
asan ubsan:
	$(MAKE) BUILD=build/$@ SANITIZE=$(if $(filter asan,$@),address,undefined) OPT=-O1 programs conformance
tsan:
	$(MAKE) BUILD=build/tsan SANITIZE=thread OPT=-O1 test-api test-pool

## make levels-check   tests as CPUs without AVX-512, without AVX and without SSE4.1 see them (needs qemu-user)
.PHONY: levels-check
# Of Haswell only the choice: qemu 7.2 reads the whole operand of a masked load, also where the mask is not set, so that
# AVX2 kernels fault at guard pages there as they do on no CPU.
LEVELS_ALL := unit/test_cpu unit/test_plan unit/test_resize $(patsubst %,kernel/test_f32_%,math gemm dwconv pool blend) \
  $(patsubst %,kernel/test_qs8_%,gemm gemm_ops dwconv math ops)
LEVELS_RUNS := Haswell:unit/test_cpu $(foreach cpu,Westmere core2duo,$(LEVELS_ALL:%=$(cpu):%))
levels-check: $(LEVELS_ALL:%=$(BUILD)/test/%)
	@for run in $(LEVELS_RUNS); do echo "== $$run"; \
	  TMC_TEST_EMULATED=1 qemu-x86_64 -cpu $${run%%:*} $(BUILD)/test/$${run#*:} > $(BUILD)/levels.log 2>&1; \
	  grep -q PASSED $(BUILD)/levels.log && ! grep -q FAILED $(BUILD)/levels.log || { cat $(BUILD)/levels.log; exit 1; }; \
	done

## make arm64-check     cross build, test programs and conformance under emulation (needs make deps-arm64)
.PHONY: arm64-check
ARM64_LIB := $(ARM64_ROOT)/usr/lib/aarch64-linux-gnu
ARM64_RUN := qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu -E TMC_TEST_EMULATED=1 -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib:$(ARM64_LIB)
ARM64_MAKE := $(MAKE) BUILD=build/arm64 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar CPUINFO=0 PNG=0 JPEG=0 NIFTI=0 \
  EXTRA_LDFLAGS="-L$(ARM64_LIB) -Wl,-rpath-link,$(ARM64_LIB)"
# The int8 kernels' tests for CPUs without dot product, with it, with i8mm: <cpu>:<TMC_TEST_FEATURES>.
ARM64_CPUS := cortex-a72:0 cortex-a76:8 max:18
ARM64_ALL := unit/test_cpu $(patsubst test/%.c,%,$(wildcard test/kernel/test_qs8_*.c))
arm64-check: arm64-cpus-check
	$(ARM64_MAKE) RUN_TEST="$(ARM64_RUN)" programs conformance

.PHONY: arm64-cpus-check arm64-cpus-run
arm64-cpus-check:
	$(ARM64_MAKE) arm64-cpus-run
arm64-cpus-run: $(ARM64_ALL:%=$(BUILD)/test/%)
	@for cpu in $(ARM64_CPUS); do for t in $^; do echo "== $$cpu $$t"; \
	  $(patsubst max,$${cpu%%:*},$(ARM64_RUN)) -E TMC_TEST_FEATURES=$${cpu#*:} $$t || exit 1; done; done

## make models-check    whole models against onnxruntime and LiteRT, medical tables, digests across levels (needs PyPI and ../shared)
.PHONY: models-check venv
VENV := build/venv
SHARED ?= ../shared
$(VENV)/done: test/models/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q -r $<
	touch $@
venv: $(VENV)/done

# Our generator's graphs, and those of the shared one where it is.
build/models/done: bench/gen_models.py $(wildcard bench/models/*.py) $(VENV)/done
	$(VENV)/bin/python bench/gen_models.py build/models
	if [ -f $(SHARED)/tools/gen_models.py ]; then generator=$$(realpath $(SHARED)/tools/gen_models.py); \
	  venv=$$(realpath $(VENV)); mkdir -p build/models/shared; cd build/models/shared && $$venv/bin/python $$generator; fi
	touch $@

MODELS := build/models $(wildcard $(SHARED)/data/general/onnx-zoo $(SHARED)/data/general/ultralight) \
  $(filter-out %brain-meshnet-model5_gw_ae.onnx,$(wildcard $(SHARED)/data/derived-onnx/*.onnx))
models-check: $(BUILD)/tmcnn build/models/done
	$(VENV)/bin/python test/models/check_models.py --tmcnn $(BUILD)/tmcnn --shared $(SHARED) $(MODELS)
	$(VENV)/bin/python test/models/check_operators.py --tmcnn $(BUILD)/tmcnn
	$(VENV)/bin/python test/models/check_medical.py --tmcnn $(BUILD)/tmcnn --shared $(SHARED)
	$(VENV)/bin/python test/models/check_tflite.py --tmcnn $(BUILD)/tmcnn --shared $(SHARED)

## make digests-check   the same bits at every level and thread count, also under emulation (about half an hour)
.PHONY: digests-check
digests-check: $(BUILD)/tmcnn build/models/done
	$(ARM64_MAKE) build/arm64/tmcnn
	$(VENV)/bin/python test/models/check_models.py --tmcnn $(BUILD)/tmcnn --shared $(SHARED) --digests \
	  --emulator "$(ARM64_RUN) build/arm64/tmcnn" $(MODELS)
