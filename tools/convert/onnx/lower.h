/* What a lowering function sees: one ONNX node, its attributes, its inputs as tensors of the converter's graph, and
 * helpers that add nodes. Internal to the importer.
 *
 * Every function returns TMC_OK or fills lw->err. TMC_E_UNSUPPORTED and TMC_E_DTYPE refuse this node only: the importer
 * collects them and goes on. Any other status ends the import. */
#ifndef TMC_CONVERT_ONNX_LOWER_H
#define TMC_CONVERT_ONNX_LOWER_H

#include "convert/emit.h"
#include "convert/ir.h"
#include "convert/onnx/onnx_import.h"
#include "onnx/onnx.pb-c.h"

#define ONNX_MIN_OPSET 7
#define ONNX_MAX_OPSET 21
#define ONNX_MAX_LIST 64 /* numbers in an attribute or input that steers the lowering */

typedef struct onnx_context onnx_context; /* context.h */

typedef struct onnx_lower {
    onnx_context *ctx;
    ir_graph *graph;
    const Onnx__NodeProto *node;
    int64_t opset;
    int32_t arg;      /* of the operator table: which member of a family */
    const char *name; /* of the node, or of its first output, or its type */
    uint64_t used;    /* attributes that were read */

    /* Of quantised operators. */
    const ir_id *operands; /* take the place of the node's inputs, or NULL; IR_NONE: absent */
    uint32_t operand_count;
    bool moves;      /* the operator only moves elements: i8 numbers are dequantised before and quantised after it */
    bool requantise; /* f32 outputs are quantised as `result` says */
    bool result_unsigned;
    bool to_i32; /* outputs are integers in f32 and become i32 */
    tmc_quantization result;
    tmc_status output_status; /* of making the outputs; checked after the lowering */
    tmc_error *err;
} onnx_lower;

typedef struct onnx_ints {
    bool present;
    uint32_t count;
    int64_t values[ONNX_MAX_LIST];
    uint64_t derived; /* bit i: value i was computed from a shape, so it may follow another input shape */
} onnx_ints;

typedef struct onnx_floats {
    bool present;
    uint32_t count;
    float values[ONNX_MAX_LIST];
    uint64_t derived;
} onnx_floats;

/* Refuses the node: an attribute or input asks for something that we do not have. */
#define onnx_refuse(lw, field, ...) tmc_fail_field((lw)->err, TMC_E_UNSUPPORTED, (field), __VA_ARGS__)

/* ---------------------------------------------------------------------------------- attributes (attributes.c) */

/* Names occur once, types are set, values agree with the type. Run once before the lowering. E_FORMAT, E_LIMIT. */
tmc_status onnx_check_attributes(onnx_lower *lw);
/* Refuses an attribute that no function below has asked for. Run once after the lowering. */
tmc_status onnx_check_unused(onnx_lower *lw);

bool onnx_has_attr(onnx_lower *lw, const char *name);
/* The attribute, marked as used, with the type checked; NULL in *out if the node has none. */
tmc_status onnx_attr(onnx_lower *lw, const char *name, Onnx__AttributeProto__AttributeType type,
                     const Onnx__AttributeProto **out);
tmc_status onnx_attr_int(onnx_lower *lw, const char *name, int64_t fallback, int64_t *out);
tmc_status onnx_attr_bool(onnx_lower *lw, const char *name, bool fallback, bool *out); /* 0 or 1 */
tmc_status onnx_attr_float(onnx_lower *lw, const char *name, float fallback, float *out);
tmc_status onnx_attr_ints(onnx_lower *lw, const char *name, onnx_ints *out);
tmc_status onnx_attr_floats(onnx_lower *lw, const char *name, onnx_floats *out);
/* Index of the attribute's text in a NULL-terminated list; an unknown text is refused. */
tmc_status onnx_attr_choice(onnx_lower *lw, const char *name, const char *const *choices, int32_t fallback,
                            int32_t *out);
void onnx_ignore_attr(onnx_lower *lw, const char *name);

/* ------------------------------------------------------------------------------------------ inputs (values.c) */

bool onnx_has_input(const onnx_lower *lw, size_t index);
/* E_GRAPH if absent, E_UNSUPPORTED if it has no elements. */
tmc_status onnx_input(onnx_lower *lw, size_t index, ir_id *out);
size_t onnx_input_count(const onnx_lower *lw);
/* The tensor as it is, also if it is quantised. */
tmc_status onnx_input_stored(onnx_lower *lw, size_t index, ir_id *out);
/* IR_NONE if absent. */
tmc_status onnx_optional_input(onnx_lower *lw, size_t index, ir_id *out);
/* Exactly or at most so many inputs. E_GRAPH. */
tmc_status onnx_expect_inputs(onnx_lower *lw, size_t min, size_t max);
/* True where the input is a tensor without elements; *desc then has its shape. */
bool onnx_input_is_empty(const onnx_lower *lw, size_t index, tmc_tensor_desc *desc);

/* Values of an input that steers the lowering: constant, rank 0 or 1; absent gives present = false. */
tmc_status onnx_input_ints(onnx_lower *lw, size_t index, const char *what, onnx_ints *out);
tmc_status onnx_input_floats(onnx_lower *lw, size_t index, const char *what, onnx_floats *out);
tmc_status onnx_input_scalar(onnx_lower *lw, size_t index, const char *what, float fallback, float *out);
/* An attribute that became input `index` in opset `since`. */
tmc_status onnx_ints_since(onnx_lower *lw, const char *name, int64_t since, size_t index, onnx_ints *out);

static inline const tmc_tensor_desc *onnx_desc(const onnx_lower *lw, ir_id id) { return &lw->graph->tensors[id].desc; }

/* ----------------------------------------------------------------------------------------- outputs (values.c) */

void onnx_set_output(onnx_lower *lw, size_t index, ir_id id);
void onnx_set_empty_output(onnx_lower *lw, size_t index, const tmc_tensor_desc *desc);
bool onnx_wants_output(const onnx_lower *lw, size_t index);

/* --------------------------------------------------------------------------------------------- nodes (emit.c) */

/* Adds a node, and evaluates it at once where all inputs are constants and the result is small. */
tmc_status onnx_emit(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                     ir_id *out);
tmc_status onnx_emit_outputs(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                             ir_id *outputs, uint32_t output_count);
/* Adds a node and makes it the ONNX node's first output. */
tmc_status onnx_emit_result(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count);

tmc_status onnx_unary(onnx_lower *lw, tmc_unary_kind kind, float alpha, float beta, ir_id x, ir_id *out);
tmc_status onnx_binary(onnx_lower *lw, tmc_binary_kind kind, ir_id a, ir_id b, ir_id *out);
tmc_status onnx_cast(onnx_lower *lw, ir_id x, tmc_dtype dtype, ir_id *out); /* x itself where nothing changes */
tmc_status onnx_reduce(onnx_lower *lw, tmc_reduce_kind kind, ir_id x, int32_t axes, bool keep_dims, ir_id *out);

tmc_status onnx_quantize(onnx_lower *lw, ir_id x, const tmc_quantization *quantization, ir_id *out);
tmc_status onnx_dequantize(onnx_lower *lw, ir_id x, ir_id *out);

/* x itself for the identity. A constant is rearranged here and now. */
tmc_status onnx_transpose(onnx_lower *lw, ir_id x, const int32_t *perm, ir_id *out);
/* Target as tmc_shape_params: 0 copies, one -1 is inferred. A constant is relabelled here and now. */
tmc_status onnx_reshape(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *dims, ir_id *out);
/* Reshape that only drops or inserts axes of 1: axis i of the result is axis map[i] of x, or 1 where map[i] is -1.
 * Written so that it stays right for other input shapes where that is possible. */
tmc_status onnx_reshape_axes(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *map, ir_id *out);
/* [N, C, ...] to [N, ..., C] and back; nothing to do below rank 3. */
tmc_status onnx_to_channels_last(onnx_lower *lw, ir_id x, ir_id *out);
tmc_status onnx_to_channels_first(onnx_lower *lw, ir_id x, ir_id *out);
tmc_status onnx_expand(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *dims, ir_id *out);

ir_id onnx_constant(onnx_lower *lw, tmc_dtype dtype, int32_t rank, const int32_t *dims, const void *data);
ir_id onnx_float(onnx_lower *lw, float value);                         /* rank 0 */
ir_id onnx_vector(onnx_lower *lw, const float *values, int32_t count); /* rank 1 */
const float *onnx_constant_floats(const onnx_lower *lw, ir_id id);     /* NULL if not a constant f32 */
/* Marks a tensor's values as computed from a shape. */
void onnx_mark_derived(onnx_lower *lw, ir_id id, uint64_t mask);
uint64_t onnx_derived(const onnx_lower *lw, ir_id id);

/* ---------------------------------------------------------------------------------------- small numbers (emit.c) */

tmc_status onnx_to_i32(onnx_lower *lw, const char *what, int64_t value, int32_t *out); /* E_RANGE */
tmc_status onnx_axis(onnx_lower *lw, int64_t axis, int32_t rank, int32_t *out);        /* E_RANGE */
/* Bit mask of axes, each once. */
tmc_status onnx_axes_mask(onnx_lower *lw, const onnx_ints *axes, int32_t rank, int32_t *mask);
static inline int32_t onnx_all_axes(int32_t rank) { return (int32_t)((1u << rank) - 1); }
static inline tmc_act_params onnx_no_activation(void) { return emit_no_activation(); }

/* ------------------------------------------------------------------------------- the operators (operators.c) */

typedef tmc_status (*onnx_lower_fn)(onnx_lower *lw);

typedef struct onnx_operator {
    const char *name;
    int32_t since, until; /* opsets that have it */
    onnx_lower_fn lower;
    int32_t arg;
} onnx_operator;

/* NULL if the operator is unknown whatever the opset; of the standard domain, or of com.microsoft. */
const onnx_operator *onnx_find_operator(const char *op_type, bool microsoft);
/* It only moves elements, or picks some: what their numbers mean stays. */
bool onnx_operator_moves(const onnx_operator *op);

/* It never settles on this list. */
/* clang-format off */
#define ONNX_LOWER_LIST(X) \
    X(conv) X(conv_transpose) X(gemm) X(matmul) X(max_pool) X(average_pool) X(lp_pool) X(global_pool) \
    X(global_lp_pool) X(batch_norm) X(instance_norm) X(group_norm) X(layer_norm) X(lrn) X(relu) X(unary) \
    X(unary_alpha) X(hard_sigmoid) X(selu) X(gelu) X(prelu) X(clip) X(pow) X(mod) X(binary) X(variadic) \
    X(softmax) X(concat) X(split) X(slice) X(pad) X(reshape) X(flatten) X(squeeze) X(unsqueeze) X(expand) \
    X(tile) X(transpose) X(resize) X(upsample) X(depth_to_space) X(space_to_depth) X(reduce) X(arg) X(gather) \
    X(cast) X(cast_like) X(identity) X(dropout) X(where) X(shape) X(size) X(constant) X(constant_of_shape) \
    X(range) X(eye_like) X(quantize_linear) X(dequantize_linear) X(dynamic_quantize) X(conv_integer) \
    X(matmul_integer) X(qlinear_conv) X(qlinear_matmul) X(qgemm) X(qlinear_binary) X(qlinear_average_pool) \
    X(qlinear_global_pool) X(qlinear_sigmoid) X(qlinear_leaky_relu) X(qlinear_concat)
/* clang-format on */

#define X(name) tmc_status onnx_lower_##name(onnx_lower *lw);
ONNX_LOWER_LIST(X)
#undef X

#endif
