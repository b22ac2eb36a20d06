/* Runs .tmc bytes once through the public API: for constant folding, self-test vectors and tests of passes. */
#ifndef TMC_CONVERT_EVALUATE_H
#define TMC_CONVERT_EVALUATE_H

#include "tmcnn/tmcnn.h"

typedef struct evaluation {
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
} evaluation;

/* Opens, verifies and plans at the default shapes, one thread. Release it in any case. Errors: of the three calls. */
tmc_status evaluation_open(evaluation *e, const void *bytes, size_t size, tmc_error *err);
/* Input or output `index` at the planned shape. */
tmc_tensor_info evaluation_input(const evaluation *e, uint32_t index);
tmc_tensor_info evaluation_output(const evaluation *e, uint32_t index);
/* Dense bytes of an input are copied in; outputs are copied out, malloc'd. */
tmc_status evaluation_set(evaluation *e, uint32_t index, const void *data, size_t bytes, tmc_error *err);
tmc_status evaluation_run(evaluation *e, tmc_error *err);
tmc_status evaluation_get(evaluation *e, uint32_t index, void **data, size_t *bytes, tmc_error *err);
void evaluation_release(evaluation *e);

#endif
