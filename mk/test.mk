# Every test/<kind>/test_*.c is one program; `make test-unit` runs those of test/unit. Helpers are in test/lib.
TEST_KINDS := unit kernel api fault convert
TEST_LIB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard test/lib/*.c))
TEST_SRC := $(foreach k,$(TEST_KINDS),$(wildcard test/$(k)/test_*.c))
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)
TEST_LIBS := -lcmocka

$(BUILD)/test/%.o: test/%.c Makefile config.mk mk/test.mk $(BUILD)/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(TOOL_FLAGS) -Itest -c $< -o $@

$(BUILD)/test/%: $(BUILD)/test/%.o $(TEST_LIB_OBJ) $(TOOL_LIB) $(LIB)
	$(CC) $(LDFLAGS_ALL) $(TEST_WRAP) -o $@ $< $(TEST_LIB_OBJ) $(TOOL_LIB) $(LIB) $(TEST_LIBS) $(TOOL_LIBS) $(LIBS)

define test_kind
.PHONY: test-$(1)
test-$(1): $(filter $(BUILD)/test/$(1)/%,$(TEST_BIN))
	@for t in $$^; do echo "== $$$$t"; $(RUN_TEST) $$$$t || exit 1; done
endef
$(foreach k,$(TEST_KINDS),$(eval $(call test_kind,$(k))))
