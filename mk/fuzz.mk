## make fuzz            fuzz the model reader and the runtime with clang for FUZZ_SECONDS
## make fuzz-tflite     the same for the TFLite importer; FUZZ_CORPUS names a folder of models to start from
## make fuzz-onnx       the same for the ONNX importer
FUZZ_SECONDS ?= 60
FUZZ_CORPUS ?=
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_SANITIZE := address,undefined
FUZZ_SRC := test/fuzz/fuzz_model.c test/lib/tmc_build.c test/lib/tmc_samples.c
FUZZ_TFLITE_SRC := test/fuzz/fuzz_tflite.c test/fuzz/fuzz_graph.c test/lib/tflite_samples.c test/lib/flatbuffer_build.c
FUZZ_ONNX_SRC := test/fuzz/fuzz_onnx.c test/fuzz/fuzz_graph.c
FUZZ_CC := clang -std=c11 -g -O1 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror \
  -fsanitize=fuzzer,$(FUZZ_SANITIZE) -fno-sanitize-recover=all -Iinclude -Isrc -Itools -I. -Itest
FUZZ_LIBS = $(FUZZ_BUILD)/libtmcnn.a $(filter-out -lpthreadpool,$(LIBS))
FUZZ_RUN := -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -len_control=0 -timeout=10 -rss_limit_mb=2048 \
  -print_final_stats=1

# The library is built a second time, serial and with coverage hooks; a crash leaves its input in $(FUZZ_BUILD)/crashes.
.PHONY: fuzz fuzz-tflite fuzz-onnx fuzz-lib
fuzz-lib:
	$(MAKE) CC=clang BUILD=$(FUZZ_BUILD) THREADS=0 SANITIZE=fuzzer-no-link,$(FUZZ_SANITIZE) $(FUZZ_BUILD)/libtmcnn.a \
	  $(FUZZ_BUILD)/libtmcnn_tools.a

fuzz: fuzz-lib
	$(FUZZ_CC) -o $(FUZZ_BUILD)/fuzz_model $(FUZZ_SRC) $(FUZZ_LIBS)
	@mkdir -p $(FUZZ_BUILD)/corpus $(FUZZ_BUILD)/crashes
	$(FUZZ_BUILD)/fuzz_model $(FUZZ_RUN) -artifact_prefix=$(FUZZ_BUILD)/crashes/ $(FUZZ_BUILD)/corpus

fuzz-tflite: fuzz-lib
	$(FUZZ_CC) -o $(FUZZ_BUILD)/fuzz_tflite $(FUZZ_TFLITE_SRC) $(FUZZ_BUILD)/libtmcnn_tools.a \
	  $(FUZZ_LIBS) $(TOOL_LIBS)
	@mkdir -p $(FUZZ_BUILD)/corpus-tflite $(FUZZ_BUILD)/crashes
	$(FUZZ_BUILD)/fuzz_tflite $(FUZZ_RUN) -artifact_prefix=$(FUZZ_BUILD)/crashes/ $(FUZZ_BUILD)/corpus-tflite $(FUZZ_CORPUS)

fuzz-onnx: fuzz-lib
	$(FUZZ_CC) -o $(FUZZ_BUILD)/fuzz_onnx $(FUZZ_ONNX_SRC) $(FUZZ_BUILD)/libtmcnn_tools.a $(FUZZ_LIBS) $(TOOL_LIBS)
	@mkdir -p $(FUZZ_BUILD)/corpus-onnx $(FUZZ_BUILD)/crashes
	$(FUZZ_BUILD)/fuzz_onnx $(FUZZ_RUN) -artifact_prefix=$(FUZZ_BUILD)/crashes/ $(FUZZ_BUILD)/corpus-onnx $(FUZZ_CORPUS)
