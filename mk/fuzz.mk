## make fuzz            fuzz the model reader and the runtime with clang for FUZZ_SECONDS
FUZZ_SECONDS ?= 60
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_SANITIZE := address,undefined
FUZZ_SRC := test/fuzz/fuzz_model.c test/lib/tmc_build.c test/lib/tmc_samples.c

# The library is built a second time, serial and with coverage hooks; a crash leaves its input in $(FUZZ_BUILD)/crashes.
.PHONY: fuzz fuzz-lib
fuzz-lib:
	$(MAKE) CC=clang BUILD=$(FUZZ_BUILD) THREADS=0 SANITIZE=fuzzer-no-link,$(FUZZ_SANITIZE) $(FUZZ_BUILD)/libtmcnn.a

fuzz: fuzz-lib
	clang -std=c11 -g -O1 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -fsanitize=fuzzer,$(FUZZ_SANITIZE) \
	  -fno-sanitize-recover=all -Iinclude -Isrc -I. -Itest -o $(FUZZ_BUILD)/fuzz_model $(FUZZ_SRC) \
	  $(FUZZ_BUILD)/libtmcnn.a $(filter-out -lpthreadpool,$(LIBS))
	@mkdir -p $(FUZZ_BUILD)/corpus $(FUZZ_BUILD)/crashes
	$(FUZZ_BUILD)/fuzz_model -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -len_control=0 -timeout=10 \
	  -rss_limit_mb=2048 -artifact_prefix=$(FUZZ_BUILD)/crashes/ -print_final_stats=1 $(FUZZ_BUILD)/corpus
