/* libFuzzer: any bytes as a TFLite model, through the importer. Run by `make fuzz-tflite`. */
#include <stdlib.h>
#include <string.h>

#include "convert/tflite/tflite_import.h"
#include "fuzz_graph.h"
#include "lib/tflite_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); /* a block of its own: a read past it is seen */
    ir_graph *graph = NULL;
    tmc_error err;
    tmc_error_init(&err);
    if (!bytes) abort();
    if (size) memcpy(bytes, data, size);
    if (size >= 8) memcpy(bytes + 4, "TFL3", 4);
    const tmc_status status = tflite_import_memory(bytes, size, NULL, &graph, &err);
    free(bytes); /* the graph has copies */
    fuzz_check(status, graph, &err);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- mutation */

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t put_sample(uint8_t *data, size_t max_size) {
    tflite_sample s = tflite_sample_make();
    const size_t size = s.b.size < max_size ? s.b.size : max_size;
    memcpy(data, s.b.bytes, size);
    fbw_free(&s.b);
    return size;
}

/* A number, an offset, a count or the two halves of a vtable's entry becomes one that is near it or near a limit. */
static void change_word(uint8_t *data, size_t size, uint32_t *random) {
    static const uint32_t values[] = {0,       1,          2,          3,          4,          5,         6,   7,
                                      8,       16,         32,         64,         77,         127,       128, 0x7fff,
                                      0x10000, 0x7ffffffc, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    const size_t width = next_random(random) % 4 == 0 ? 1 : 4;
    const size_t at = next_random(random) % (size / width) * width;
    uint32_t value = 0;
    const uint32_t how = next_random(random);
    memcpy(&value, data + at, width);
    if (how % 2 == 0)
        value += (how >> 1) % 4 == 0 ? 4 : (how >> 1) % 4 == 1 ? 1 : (how >> 1) % 4 == 2 ? (uint32_t)-1 : (uint32_t)-4;
    else
        value = values[(how >> 1) % (sizeof values / sizeof *values)];
    memcpy(data + at, &value, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint32_t random = seed * 2654435761u + 1;
    if (!random) random = 1;
    if (size < 64 || next_random(&random) % 256 == 0) size = put_sample(data, max_size);
    if (next_random(&random) % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (uint32_t n = 1 + next_random(&random) % 3; n; n--) change_word(data, size, &random);
    return size;
}
