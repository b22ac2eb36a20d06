/* What the programs of session tests share: the size of graph_classifier's tensors and an error record. */
#ifndef TMC_TEST_SESSION_CASE_H
#define TMC_TEST_SESSION_CASE_H

#include "format/selftest.h"
#include "lib/graphs.h"

enum { IMAGE = 8 * 8 * 4, LOGITS = 10 };

static tmc_error err;

static inline int session_setup(void **state) {
    (void)state;
    tmc_error_init(&err);
    return 0;
}

static inline void assert_ok(tmc_status status) {
    if (status != TMC_OK) fail_msg("%s: %s", tmc_status_name(status), err.message);
}

static inline void image_of(uint32_t seed, float *image) { tmc_selftest_fill(seed, TMC_F32, image, IMAGE); }

#endif
