#include "convert/evaluate.h"

#include <stdlib.h>

#include "base/error.h"
#include "convert/memory.h"

/* A file is the same whatever computer makes it: where SSE4.1 is the best level, portable C computes. */
static tmc_isa exact_level(void) {
    return tmc_isa_available(TMC_ISA_SSE41) && !tmc_isa_available(TMC_ISA_AVX2) ? TMC_ISA_REF : TMC_ISA_AUTO;
}

tmc_status evaluation_open(evaluation *e, const void *bytes, size_t size, tmc_error *err) {
    *e = (evaluation){0};
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.max_isa = exact_level();
    TMC_TRY(tmc_model_open_memory(bytes, size, NULL, &e->model, err));
    TMC_TRY(tmc_plan_create(e->model, &options, &e->plan, err));
    return tmc_session_create(e->plan, NULL, &e->session, err);
}

tmc_tensor_info evaluation_input(const evaluation *e, uint32_t index) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    tmc_session_input(e->session, index, &info);
    return info;
}

tmc_tensor_info evaluation_output(const evaluation *e, uint32_t index) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    tmc_session_output(e->session, index, &info);
    return info;
}

tmc_status evaluation_set(evaluation *e, uint32_t index, const void *data, size_t bytes, tmc_error *err) {
    return tmc_session_write_input(e->session, index, data, bytes, err);
}

tmc_status evaluation_run(evaluation *e, tmc_error *err) { return tmc_session_run(e->session, NULL, err); }

tmc_status evaluation_get(evaluation *e, uint32_t index, void **data, size_t *bytes, tmc_error *err) {
    tmc_tensor_info info = evaluation_output(e, index);
    void *copy = x_alloc(info.bytes);
    tmc_status status = tmc_session_read_output(e->session, index, copy, info.bytes, err);
    if (status != TMC_OK) {
        free(copy);
        return status;
    }
    *data = copy;
    *bytes = info.bytes;
    return TMC_OK;
}

void evaluation_release(evaluation *e) {
    tmc_session_release(&e->session);
    tmc_plan_release(&e->plan);
    tmc_model_release(&e->model);
}
