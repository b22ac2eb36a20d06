/* libFuzzer: any bytes as a model, through the whole life: open, plan, session, run. The size and the checksum in the
 * header are repaired first, or nothing would get past them. Run by `make fuzz`. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/layout.h"
#include "lib/tmc_build.h"
#include "lib/tmc_samples.h"
#include "tmcnn/tmcnn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* A larger model is refused, so that a run stays short. */
enum { MAX_ARENA = 4 << 20, MAX_MACS = 1 << 22 };

static void expect(bool condition) {
    if (!condition) __builtin_trap();
}

static void run(tmc_session *session, const tmc_model_info *info) {
    tmc_run_options options;
    tmc_run_options_init(&options);
    options.timeout_ns = 200000000;
    for (uint32_t i = 0; i < info->input_count; i++) {
        tmc_tensor_info input = {.struct_size = sizeof input};
        expect(tmc_session_input(session, i, &input) == TMC_OK);
        uint8_t *x = calloc(1, input.bytes);
        expect(x && tmc_session_write_input(session, i, x, input.bytes, NULL) == TMC_OK);
        free(x);
    }
    const tmc_status status = tmc_session_run(session, &options, NULL);
    expect(status == TMC_OK || status == TMC_E_TIMEOUT || status == TMC_E_RANGE);
    if (status != TMC_OK) return;
    for (uint32_t i = 0; i < info->output_count; i++) {
        tmc_tensor_info output = {.struct_size = sizeof output};
        expect(tmc_session_output(session, i, &output) == TMC_OK);
        uint8_t *y = malloc(output.bytes);
        expect(y && tmc_session_read_output(session, i, y, output.bytes, NULL) == TMC_OK);
        free(y);
    }
}

static void use(tmc_model *model) {
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_plan_options options;
    tmc_plan *plan = NULL;
    tmc_session *session = NULL;
    tmc_error err;
    tmc_error_init(&err);
    expect(tmc_model_get_info(model, &info) == TMC_OK);
    tmc_plan_options_init(&options);
    options.arena_limit = MAX_ARENA;
    const tmc_status status = tmc_plan_create(model, &options, &plan, &err);
    expect(status == TMC_OK || status == TMC_E_LIMIT || status == TMC_E_UNSUPPORTED); /* the file was verified */
    if (status != TMC_OK) return;
    expect(tmc_session_create(plan, NULL, &session, NULL) == TMC_OK);
    if (info.macs < MAX_MACS) run(session, &info);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = build_block(size);
    tmc_model *model = NULL;
    tmc_model_options options;
    tmc_error err;
    if (size) memcpy(bytes, data, size);
    if (size >= sizeof(tmc_file_header)) {
        ((tmc_file_header *)(void *)bytes)->file_size = size;
        build_seal(bytes, size);
    }
    tmc_error_init(&err);
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_BORROW; /* in place: a read past the block is seen */
    if (tmc_model_open_memory(bytes, size, &options, &model, &err) == TMC_OK)
        use(model);
    else
        expect(!model && err.status != TMC_OK && err.status != TMC_E_INTERNAL && err.message[0]);
    tmc_model_release(&model);
    free(bytes);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- mutation */

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t put_sample(uint8_t *data, size_t max_size, uint32_t *random) {
    size_t names = 0, size;
    while (sample_name(names)) names++;
    build *b = sample_model(sample_name(next_random(random) % names));
    uint8_t *bytes = build_bytes(b, &size);
    build_free(b);
    if (size > max_size) size = max_size;
    memcpy(data, bytes, size);
    free(bytes);
    return size;
}

/* One field of the file becomes a value that is near something else or near a limit. */
static void change_word(uint8_t *data, size_t size, uint32_t *random) {
    static const uint32_t values[] = {0,          1,          2,          3,          4,          5,
                                      7,          8,          16,         63,         64,         65,
                                      255,        0x7fff,     0xffff,     0x10000,    0x1fffffff, 0x20000000,
                                      0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x7fc00000, 0x7f800000};
    const size_t words = size / 4;
    if (words <= sizeof(tmc_file_header) / 4) return;
    const size_t at = 4 * (sizeof(tmc_file_header) / 4 + next_random(random) % (words - sizeof(tmc_file_header) / 4));
    uint32_t value, how = next_random(random);
    memcpy(&value, data + at, sizeof value);
    if (how % 4 == 0)
        value += how % 8 ? 1 : 0xffffffffu;
    else
        value = values[how / 4 % (sizeof values / sizeof *values)];
    memcpy(data + at, &value, sizeof value);
}

/* Most changes keep the layout of a sample and touch a few words: the file is so strict that a moved byte is refused at
 * the section table. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint32_t random = seed * 2654435761u + 1;
    if (!random) random = 1;
    if (size < sizeof(tmc_file_header) || next_random(&random) % 64 == 0) size = put_sample(data, max_size, &random);
    if (next_random(&random) % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (uint32_t n = 1 + next_random(&random) % 4; n; n--) change_word(data, size, &random);
    return size;
}
