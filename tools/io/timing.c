#include "io/timing.h"

#include <stdlib.h>
#include <time.h>

#include "base/error.h"

double timing_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

timing_summary timing_summarise(double *samples, size_t count) {
    qsort(samples, count, sizeof *samples, compare_doubles);
    return (timing_summary){samples[0], samples[count / 2], samples[count * 9 / 10]};
}

tmc_status timing_fill_inputs(tmc_session *session, uint32_t count, tmc_error *err) {
    uint32_t state = 1;
    for (uint32_t i = 0; i < count; i++) {
        tmc_tensor_info info = {.struct_size = sizeof info};
        tmc_session_input(session, i, &info);
        float *data = calloc(1, info.bytes);
        if (!data) return tmc_fail(err, TMC_E_NOMEM, "no memory for the %zu bytes of an input", info.bytes);
        for (size_t k = 0; info.dtype == TMC_F32 && k < info.bytes / sizeof(float); k++) {
            state = state * 1664525u + 1013904223u;
            data[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
        }
        tmc_status status = tmc_session_write_input(session, i, data, info.bytes, err);
        free(data);
        if (status) return status;
    }
    return TMC_OK;
}
