# libtmcnn. Start with `make help`.
have = $(shell pkg-config --exists $(1) 2>/dev/null && echo 1 || echo 0)
include config.mk

VERSION := 0.1.0
SOVERSION := 0
ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)

ifneq ($(strip $(SANITIZE)),)
SAN := -fsanitize=$(strip $(SANITIZE)) -fno-sanitize-recover=all -fno-omit-frame-pointer -g
endif

# V=1 shows the commands.
ifneq ($(V),1)
Q = @echo "  CC $@";
endif

# -ffp-contract=off: a multiply and an add are fused where the source says fmaf, and nowhere else (contract 1).
WARN := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wno-psabi
CFLAGS_ALL := -std=c11 $(OPT) $(WARN) -ffp-contract=off -fno-math-errno -fPIC -fvisibility=hidden -ffunction-sections \
  -fdata-sections -MMD -MP -Iinclude -Isrc -I. -DTMC_THREADS=$(strip $(THREADS)) -DTMC_CPUINFO=$(strip $(CPUINFO)) $(SAN) $(EXTRA_CFLAGS)
# Code and constants in one segment: two more would round the file up by 4 KiB each, and map as many pages. The
# library's own calls of its functions do not go through the symbol table.
LDFLAGS_ALL := -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-Bsymbolic-functions $(SAN) $(EXTRA_LDFLAGS)
LIBS := -lm
ifeq ($(strip $(THREADS)),1)
LIBS += -lpthreadpool -lpthread
endif
# x86 answers for itself.
ifeq ($(strip $(CPUINFO))$(filter x86_64 i686,$(ARCH)),1)
LIBS += -lcpuinfo
endif

ifneq ($(filter x86_64 i686,$(ARCH)),)
KERNEL_DIRS := ref x86
else ifneq ($(filter aarch64,$(ARCH)),)
KERNEL_DIRS := ref arm
else
KERNEL_DIRS := ref
endif
LIB_SRC := $(wildcard src/*/*.c) $(wildcard kernels/*.c) $(foreach d,$(KERNEL_DIRS),$(wildcard kernels/$(d)/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB := $(BUILD)/libtmcnn.a
SO := $(BUILD)/libtmcnn.so.$(VERSION)

# A kernel's file suffix names the instruction set it is compiled for.
$(BUILD)/%__avx2.o: ISA_FLAGS := -mavx2 -mfma
$(BUILD)/%__avx512.o: ISA_FLAGS := -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma -mprefer-vector-width=512
$(BUILD)/%__sse41.o: ISA_FLAGS := -msse4.1
$(BUILD)/%_vnni__avx2.o: ISA_FLAGS := -mavx2 -mavxvnni
$(BUILD)/%_vbmi__avx512.o: ISA_FLAGS := -mavx512f -mavx512vl -mavx512bw -mavx512vbmi -mprefer-vector-width=512
$(BUILD)/%_vnni__avx512.o: ISA_FLAGS := -mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx512vnni -mprefer-vector-width=512
$(BUILD)/%_dot__neon.o: ISA_FLAGS := -march=armv8.2-a+dotprod
$(BUILD)/%_i8mm__neon.o: ISA_FLAGS := -march=armv8.2-a+i8mm

# Small where time does not go: everything but the kernels below and the loops of the operators, see
# docs/decisions/0005-library-size.md. The sanitizers and debug builds override OPT and keep it. Unwind tables serve C++
# exceptions, which do not pass through here.
CFLAGS_ALL += -fno-asynchronous-unwind-tables -fno-unwind-tables
ifeq ($(strip $(OPT)),-O2)
FAST_KERNELS := gem dwconv blend unary binary winograd
FAST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(foreach k,$(FAST_KERNELS),$(wildcard kernels/x86/f32_$(k)*.c kernels/arm/f32_$(k)*.c)) \
  src/ops/strided.c $(wildcard kernels/x86/qs8_*.c kernels/arm/qs8_*.c))
# As fast with -Os, see docs/decisions/0009-levels.md.
FAST_OBJ := $(filter-out %__sse41.o $(BUILD)/kernels/x86/f32_dwconv%__avx512.o $(BUILD)/kernels/arm/f32_binary%.o \
  $(BUILD)/kernels/x86/qs8_dwconv%.o,$(FAST_OBJ))
# What checks a file, plans and keeps states, but walks no data: smaller still, where the compiler knows how.
CALM_OBJ := $(filter-out %/pool.o %/exec.o %/checksum.o %/packing.o %/finite.o %/f32_gemm_cut.o \
  %/qs8_dwconv_gather.o, \
  $(patsubst %.c,$(BUILD)/%.o,$(foreach d,arena base cpu format graph plan runtime,$(wildcard src/$(d)/*.c)) $(wildcard kernels/*.c)))
CALM_FLAGS := $(shell $(CC) -Oz -E -x c /dev/null > /dev/null 2>&1 && echo -Oz || echo -Os)
ifeq ($(findstring clang,$(shell $(CC) --version 2>/dev/null)),)
CALM_FLAGS += -fno-inline-small-functions -fno-move-loop-invariants
PACKED := -falign-functions=1 -falign-jumps=1 -falign-labels=1
$(FAST_OBJ): SIZE_FLAGS := $(PACKED) -falign-loops=1
# Loops of a few instructions: 64 bytes of their place in the library were worth a fifth of their time.
$(filter $(BUILD)/kernels/x86/f32_unary%.o $(BUILD)/kernels/x86/f32_binary%.o,$(FAST_OBJ)): SIZE_FLAGS := $(PACKED) -falign-loops=64
$(filter $(BUILD)/kernels/x86/qs8_math%.o,$(FAST_OBJ)): SIZE_FLAGS := $(PACKED) -falign-loops=32
# As fast with the test of a loop in one place, see docs/decisions/0005-library-size.md.
ONE_TEST := f32_gemm_6x16 f32_dwconv_row f32_binary $(addprefix qs8_gemm_,12x32 12x8 6x16 8x8 4x4)
$(filter $(ONE_TEST:%=$(BUILD)/kernels/x86/%%.o),$(FAST_OBJ)): SIZE_FLAGS += -fno-tree-ch
# These sources have the order that in-order cores need; gcc's own costs registers (docs/decisions/0024-int8-on-arm.md).
$(filter $(BUILD)/kernels/arm/qs8_gemm% $(BUILD)/kernels/arm/qs8_dwconv_dot%,$(FAST_OBJ)): SIZE_FLAGS += -fno-schedule-insns
endif
$(filter-out $(FAST_OBJ) $(CALM_OBJ),$(LIB_OBJ)): SIZE_FLAGS := -Os
$(CALM_OBJ): SIZE_FLAGS := $(CALM_FLAGS)
endif

.PHONY: all lib tools clean help
all: lib tools
lib: $(LIB) $(SO)

help:
	@sed -n 's/^## //p' Makefile mk/*.mk

$(BUILD)/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(ISA_FLAGS) $(SIZE_FLAGS) -c $< -o $@

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(SO): $(LIB_OBJ) src/libtmcnn.map
	$(Q)$(CC) -shared -Wl,-soname,libtmcnn.so.$(SOVERSION) -Wl,--version-script=src/libtmcnn.map -Wl,--no-undefined \
	  $(LDFLAGS_ALL) -o $@ $(LIB_OBJ) $(LIBS)
	ln -sf libtmcnn.so.$(VERSION) $(BUILD)/libtmcnn.so.$(SOVERSION)
	ln -sf libtmcnn.so.$(SOVERSION) $(BUILD)/libtmcnn.so

clean:
	rm -rf $(BUILD)

include mk/tools.mk mk/deps.mk mk/test.mk mk/demo.mk mk/bench.mk mk/install.mk
-include mk/fuzz.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

## make format-check    clang-format agrees with every C file (format: rewrites them)
.PHONY: format format-check
C_FILES = $(shell git ls-files '*.c' '*.h' '*.inl')
format:
	clang-format -i $(C_FILES)
format-check:
	clang-format --dry-run -Werror $(C_FILES)
