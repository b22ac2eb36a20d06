## make demo            convert the shipped brain model and run it on a real head MRI (needs make deps)
.PHONY: demo demo-run
MRICRON ?= /usr/share/mricron/templates
DEMO_SRC := $(wildcard examples/brain/*.c)
DEMO_OBJ := $(DEMO_SRC:%.c=$(BUILD)/%.o)

$(BUILD)/examples/%.o: examples/%.c Makefile config.mk mk/demo.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(TOOL_FLAGS) -c $< -o $@

$(BUILD)/brain: $(DEMO_OBJ) $(TOOL_LIB) $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TOOL_LIBS) $(LIBS)

$(BUILD)/brain2d.tmc: models/brain2d.onnx $(BUILD)/tmcnn
	$(BUILD)/tmcnn convert $< -o $@ --meta intended_use="demonstration only, not a medical device"

# A new make: what `make deps` has just installed was not there when this one looked.
demo: $(filter deps,$(MAKECMDGOALS))
	@$(MAKE) --no-print-directory demo-run

demo-run: $(BUILD)/brain $(BUILD)/brain2d.tmc
	$(BUILD)/brain $(BUILD)/brain2d.tmc $(MRICRON)/ch2.nii.gz $(BUILD)/brain.png $(MRICRON)/ch2bet.nii.gz
