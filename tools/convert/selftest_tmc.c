#include <math.h>
#include <stdlib.h>

#include "convert/evaluate.h"
#include "convert/memory.h"
#include "convert/write_tmc.h"
#include "format/reader.h"
#include "format/selftest.h"

#define SEED 1u

static tmc_status fill_inputs(evaluation *e, uint32_t count, tmc_error *err) {
    tmc_status status = TMC_OK;
    for (uint32_t i = 0; status == TMC_OK && i < count; i++) {
        tmc_tensor_info info = evaluation_input(e, i);
        void *data = x_alloc(info.bytes);
        if (info.scale != 0.0f)
            tmc_selftest_fill_quantized(SEED + i, data, info.bytes);
        else
            tmc_selftest_fill(SEED + i, (uint32_t)info.dtype, data, info.bytes / tmc_dtype_size((uint32_t)info.dtype));
        status = evaluation_set(e, i, data, info.bytes, err);
        free(data);
    }
    return status;
}

/* The sign and payload of a NaN differ between CPUs, so such an output has no digest to compare. */
static bool has_nan(const tmc_tensor_info *info, const void *data) {
    const float *values = data;
    if (info->dtype != TMC_F32) return false;
    for (size_t i = 0; i < info->bytes / sizeof *values; i++)
        if (isnan(values[i])) return true;
    return false;
}

static tmc_status digest_outputs(evaluation *e, uint32_t count, tmc_file_test *tests, uint32_t *test_count,
                                 tmc_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        tmc_tensor_info info = evaluation_output(e, i);
        void *data;
        size_t bytes;
        TMC_TRY(evaluation_get(e, i, &data, &bytes, err));
        if (!has_nan(&info, data)) {
            tests[*test_count] = (tmc_file_test){.seed = SEED, .output = i};
            tmc_digest(data, bytes, tests[(*test_count)++].digest);
        }
        free(data);
    }
    return TMC_OK;
}

tmc_status ir_write_with_selftest(const ir_graph *graph, uint32_t revision, uint8_t **bytes, size_t *size,
                                  tmc_error *err) {
    uint8_t *plain;
    size_t plain_size;
    TMC_TRY(ir_write(graph, revision, &plain, &plain_size, err));
    evaluation e;
    tmc_file_test *tests = x_alloc(graph->output_count * sizeof *tests);
    uint32_t test_count = 0;
    tmc_status status = evaluation_open(&e, plain, plain_size, err);
    if (status == TMC_OK) status = fill_inputs(&e, graph->input_count, err);
    if (status == TMC_OK) {
        status = evaluation_run(&e, err);
        if (status == TMC_OK)
            status = digest_outputs(&e, graph->output_count, tests, &test_count, err);
        else if (status == TMC_E_RANGE)
            status = TMC_OK; /* filled indices are 0 and 1, which a model may refuse */
    }
    evaluation_release(&e);
    free(plain);
    if (status == TMC_OK) {
        uint32_t written = test_count > TMC_FILE_MAX_TESTS ? TMC_FILE_MAX_TESTS : test_count;
        status = ir_write_with_tests(graph, revision, tests, written, bytes, size, err);
    }
    free(tests);
    return status;
}
