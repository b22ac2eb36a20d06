/* What a lowering function sees: one TFLite operator, its options, its inputs as tensors of the converter's graph.
 * Internal to the importer.
 *
 * Every function returns TMC_OK or fills lw->e.err. TMC_E_UNSUPPORTED and TMC_E_DTYPE refuse this operator only: the
 * importer collects them and goes on. Any other status ends the import. */
#ifndef TMC_CONVERT_TFLITE_LOWER_H
#define TMC_CONVERT_TFLITE_LOWER_H

#include "convert/emit.h"
#include "convert/tflite/dilation.h"
#include "convert/tflite/model.h"

#define TFLITE_MAX_LIST 64 /* numbers in an input that steers the lowering */

typedef struct tflite_context tflite_context; /* context.h */

typedef struct tflite_lower {
    tflite_context *ctx;
    const tflite_model *model;
    const tflite_operator *op;
    const tflite_dilation *dilation;
    emitter e;   /* graph, name, err */
    int32_t arg; /* of the operator table: which member of a family */
} tflite_lower;

typedef struct tflite_ints {
    bool present;
    int32_t rank; /* of the tensor */
    uint32_t count;
    int64_t values[TFLITE_MAX_LIST];
} tflite_ints;

/* Refuses the operator: an option or input asks for something that we do not have. */
#define tflite_refuse(lw, field, ...) tmc_fail_field((lw)->e.err, TMC_E_UNSUPPORTED, (field), __VA_ARGS__)

/* ------------------------------------------------------------------------------------------- inputs (values.c) */

/* So many inputs, the last of which may be absent, and outputs. E_GRAPH. */
tmc_status tflite_expect(tflite_lower *lw, uint32_t inputs_min, uint32_t inputs_max, uint32_t outputs);
bool tflite_has_input(const tflite_lower *lw, uint32_t index);
/* The model's record of an input, which may not be absent. */
const tflite_tensor *tflite_input_record(const tflite_lower *lw, uint32_t index);
/* Quantised tensors are dequantised: a lowering sees f32. E_GRAPH if absent. */
tmc_status tflite_input(tflite_lower *lw, uint32_t index, ir_id *out);
/* IR_NONE if absent. */
tmc_status tflite_optional_input(tflite_lower *lw, uint32_t index, ir_id *out);
/* The optional bias of operators with input `x` and weights `w`: 32-bit integers become f32, their record is kept. */
tmc_status tflite_bias(tflite_lower *lw, uint32_t index, uint32_t x, uint32_t w, ir_id *out);
/* Values of an input that steers the lowering: integers known at conversion; absent gives present = false. */
tmc_status tflite_input_ints(tflite_lower *lw, uint32_t index, const char *what, tflite_ints *out);
tmc_status tflite_input_int(tflite_lower *lw, uint32_t index, const char *what, int64_t *out);
tmc_status tflite_input_float(tflite_lower *lw, uint32_t index, const char *what, float *out);

static inline const tmc_tensor_desc *tflite_desc(const tflite_lower *lw, ir_id id) {
    return &lw->e.graph->tensors[id].desc;
}

/* ------------------------------------------------------------------------------------------ outputs (values.c) */

/* Type and shape must be what the model declares; f32 is quantised where it says so. E_DTYPE, E_SHAPE. */
tmc_status tflite_set_output(tflite_lower *lw, uint32_t index, ir_id id);
/* The tensor stands for something else inside a group that is lowered as one. */
tmc_status tflite_set_inner_output(tflite_lower *lw, uint32_t index, ir_id id);
/* The declared element type. E_DTYPE if we have no such type. */
tmc_status tflite_output_type(tflite_lower *lw, uint32_t index, tmc_dtype *out);
/* Adds a node and makes it the operator's first output. */
tmc_status tflite_emit_result(tflite_lower *lw, uint16_t op, const void *params, const ir_id *inputs,
                              uint32_t input_count);

/* ------------------------------------------------------------------------------------------ options (values.c) */

/* Fields of the operator's options; an absent table gives the fallbacks. E_FORMAT. */
tmc_status tflite_opt_bool(tflite_lower *lw, uint32_t slot, bool *out);     /* false */
tmc_status tflite_opt_choice(tflite_lower *lw, uint32_t slot, int8_t *out); /* 0 */
tmc_status tflite_opt_i32(tflite_lower *lw, uint32_t slot, int32_t fallback, int32_t *out);
tmc_status tflite_opt_f32(tflite_lower *lw, uint32_t slot, float *out); /* 0 */

/* The fused activation in `slot`, a clamp or none. TFLite's own kernels ignore the others (tanh, sign): refused. */
tmc_status tflite_opt_activation(tflite_lower *lw, uint32_t slot, tmc_act_params *out);

/* -------------------------------------------------------------------------------------- small numbers (values.c) */

tmc_status tflite_axis(tflite_lower *lw, int64_t axis, int32_t rank, int32_t *out);        /* E_RANGE */
tmc_status tflite_to_i32(tflite_lower *lw, const char *what, int64_t value, int32_t *out); /* E_RANGE */

/* ----------------------------------------------------------------------------------- the operators (operators.c) */

typedef tmc_status (*tflite_lower_fn)(tflite_lower *lw);

enum { TFLITE_OPTIONS_NEEDED = 1 };

typedef struct tflite_builtin {
    int32_t code;
    uint8_t options; /* tflite_options; OPTIONS_NONE: not read */
    uint8_t flags;
    tflite_lower_fn lower;
    int32_t arg;
} tflite_builtin;

/* NULL if we cannot lower it. */
const tflite_builtin *tflite_find_builtin(int32_t code);
/* "CONV_2D"; NULL for a code that we have never heard of. */
const char *tflite_builtin_name(int32_t code);

/* It never settles on this list. */
/* clang-format off */
#define TFLITE_LOWER_LIST(X) \
    X(conv) X(depthwise_conv) X(transpose_conv) X(fully_connected) X(batch_matmul) X(max_pool) X(average_pool) \
    X(binary) X(compare) X(prelu) X(squared_difference) X(floor_div) X(unary) X(clamp) X(elu) X(leaky_relu) X(gelu) \
    X(rsqrt) X(square) X(select) X(softmax) X(l2_norm) X(lrn) X(reduce) X(arg) X(concat) X(split) X(split_v) \
    X(pack) X(unpack) X(slice) X(strided_slice) X(pad) X(mirror_pad) X(gather) X(reshape) X(squeeze) X(expand_dims) \
    X(shape) X(transpose) X(tile) X(broadcast_to) X(reverse) X(depth_to_space) X(space_to_depth) X(space_to_batch) \
    X(batch_to_space) X(resize_bilinear) X(resize_nearest) X(cast) X(dequantize)
/* clang-format on */
#define X(name) tmc_status tflite_lower_##name(tflite_lower *lw);
TFLITE_LOWER_LIST(X)
#undef X

#endif
