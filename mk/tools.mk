## make                 the library and the command line
# The tools: protobuf-c for ONNX, PNG, JPEG and NIfTI each where its library is.
TOOL_SRC := $(wildcard tools/tmcnn/*.c)
TOOL_LIB_SRC := $(wildcard tools/io/*.c tools/convert/*.c tools/convert/*/*.c)
TOOL_LIB_OBJ := $(TOOL_LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/onnx/onnx.pb-c.o
TOOL_LIB := $(BUILD)/libtmcnn_tools.a
TOOL_OBJ := $(TOOL_SRC:%.c=$(BUILD)/%.o)
TOOL_LIBS := -lprotobuf-c -lsodium
TOOL_FLAGS := -Itools -I$(BUILD) -D_POSIX_C_SOURCE=200809L -DTMC_WITH_PNG=$(strip $(PNG)) -DTMC_WITH_JPEG=$(strip $(JPEG)) \
  -DTMC_WITH_NIFTI=$(strip $(NIFTI))
ifeq ($(strip $(PNG)),1)
TOOL_LIBS += $(shell pkg-config --libs spng)
endif
ifeq ($(strip $(JPEG)),1)
TOOL_LIBS += $(shell pkg-config --libs libjpeg)
endif
ifeq ($(strip $(NIFTI)),1)
TOOL_FLAGS += -isystem /usr/include/nifti
TOOL_LIBS += -lniftiio -lznz -lz
endif

# onnx.proto is ONNX's own, from libonnx-dev; only the generated C is ours to compile.
ONNX_PROTO_DIR ?= /usr/include/onnx
$(BUILD)/onnx/onnx.pb-c.c $(BUILD)/onnx/onnx.pb-c.h &: $(ONNX_PROTO_DIR)/onnx.proto
	@mkdir -p $(BUILD)/onnx
	protoc-c --proto_path=$(ONNX_PROTO_DIR) --c_out=$(BUILD)/onnx onnx.proto
$(BUILD)/onnx/onnx.pb-c.o: $(BUILD)/onnx/onnx.pb-c.c
	$(Q)$(CC) -std=gnu11 $(OPT) -w -fPIC -I$(BUILD) $(SAN) $(EXTRA_CFLAGS) -c $< -o $@

$(BUILD)/tools/%.o: tools/%.c $(BUILD)/onnx/onnx.pb-c.h Makefile config.mk mk/tools.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(TOOL_FLAGS) -c $< -o $@

$(TOOL_LIB): $(TOOL_LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/tmcnn: $(TOOL_OBJ) $(TOOL_LIB) $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TOOL_LIBS) $(LIBS)

tools: $(BUILD)/tmcnn
