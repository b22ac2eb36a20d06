/* Made the files of format 1.0 that every later version must load: the sample models "net" (golden_v1.tmc) and "net_i8"
 * (golden_i8_v1.tmc) with the digest of their real output as a self-test. Kept to show what is in them; a new format
 * version gets new files, and these are never written again.
 *
 *     cc -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc -I. -Itest test/data/make_golden.c test/lib/tmc_build.c \
 *         test/lib/tmc_samples.c build/libtmcnn.a -lpthreadpool -lcpuinfo -lpthread -lm -o make_golden
 *     ./make_golden net > golden.tmc
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/reader.h"
#include "format/selftest.h"
#include "lib/tmc_samples.h"

static void run(const uint8_t *bytes, size_t size, uint32_t seed, uint8_t digest[16]) {
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
    float x[192], y[5];
    tmc_tensor_info info = {.struct_size = sizeof info};
    if (tmc_model_open_memory(bytes, size, NULL, &model, NULL)) exit(1);
    if (tmc_plan_create(model, NULL, &plan, NULL)) exit(2);
    if (tmc_session_create(plan, NULL, &session, NULL)) exit(3);
    if (tmc_model_input(model, 0, &info)) exit(4);
    const size_t elements = (size_t)(info.dims[1] * info.dims[2] * info.dims[3]);
    tmc_selftest_fill(seed, TMC_F32, x, elements);
    if (tmc_session_write_input(session, 0, x, elements * sizeof *x, NULL)) exit(4);
    if (tmc_session_run(session, NULL, NULL)) exit(5);
    if (tmc_session_read_output(session, 0, y, sizeof y, NULL)) exit(6);
    tmc_digest(y, sizeof y, digest);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

int main(int count, char **arguments) {
    size_t size;
    if (count != 2) return 2;
    build *b = sample_model(arguments[1]);
    uint8_t *bytes = build_bytes(b, &size);
    tmc_file_test *test = (tmc_file_test *)(void *)(bytes + build_find_section(bytes, TMC_SECTION_TEST)->offset);
    run(bytes, size, test->seed, test->digest);
    build_seal(bytes, size);
    const int failed = fwrite(bytes, 1, size, stdout) != size;
    free(bytes);
    build_free(b);
    return failed;
}
