/* Shapes of the model's inputs: as the file has them, as the caller wants them, or of a trial. */
#ifndef TMC_CONVERT_TFLITE_DIMS_H
#define TMC_CONVERT_TFLITE_DIMS_H

#include "convert/tflite/model.h"
#include "convert/tflite/tflite_import.h"

#define TFLITE_MAX_GROUPS 8 /* more dims that the model leaves open stay fixed: each costs one more import */

/* Dims that vary together: an axis of one input, or the first axis of all of them, which is the batch. */
typedef struct tflite_dim_group {
    uint32_t input, axis; /* input: UINT32_MAX for all */
} tflite_dim_group;

typedef struct tflite_dims {
    int32_t (*of)[TMC_MAX_RANK]; /* per input of the model */
    tflite_dim_group groups[TFLITE_MAX_GROUPS];
    uint32_t group_count;
} tflite_dims;

/* To be cleared in any case. Errors: E_ARG (an option names no input), E_SHAPE (the model fixes what it changes). */
tmc_status tflite_dims_resolve(const tflite_model *model, const tflite_import_options *options, tflite_dims *dims,
                               tmc_error *err);
void tflite_dims_clear(tflite_dims *dims);

/* The groups of `mask` at other values; to be cleared too. */
tflite_dims tflite_dims_trial(const tflite_model *model, const tflite_dims *dims, uint32_t mask);
/* Lets the groups of `mask` vary in a graph that was imported from the model. */
void tflite_dims_allow(const tflite_model *model, const tflite_dims *dims, uint32_t mask, ir_graph *graph);

#endif
