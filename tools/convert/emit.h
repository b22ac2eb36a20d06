/* How importers add nodes and constants to the converter's graph. Every function fills `err` where it fails: with the
 * errors of ir_add_node if nothing else is said. */
#ifndef TMC_CONVERT_EMIT_H
#define TMC_CONVERT_EMIT_H

#include "convert/ir.h"

typedef struct emitter {
    ir_graph *graph;
    const char *name; /* of what is added */
    tmc_error *err;
    uint64_t *budget; /* bytes of constants that may still be made or looked through, or NULL: nodes can share a
                       * constant, so a small file could ask for any amount of copies */
} emitter;

/* E_LIMIT once the budget is spent. */
tmc_status emit_pay(const emitter *e, uint64_t bytes);

static inline tmc_act_params emit_no_activation(void) { return (tmc_act_params){-__builtin_inff(), __builtin_inff()}; }

/* Every axis from its first to its last element. */
static inline tmc_slice_params emit_whole_slice(void) {
    tmc_slice_params params;
    for (int i = 0; i < TMC_MAX_RANK; i++) {
        params.begin[i] = 0;
        params.end[i] = INT32_MAX;
        params.step[i] = 1;
    }
    return params;
}

/* Adds a node, and evaluates it at once where all inputs are constants and the result is small: then no node remains,
 * and the outputs are constants. */
tmc_status emit_nodes(const emitter *e, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                      ir_id *outputs, uint32_t output_count);
tmc_status emit_node(const emitter *e, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                     ir_id *out);

tmc_status emit_unary(const emitter *e, tmc_unary_kind kind, float alpha, float beta, ir_id x, ir_id *out);
tmc_status emit_binary(const emitter *e, tmc_binary_kind kind, tmc_act_params act, ir_id x, ir_id y, ir_id *out);
tmc_status emit_cast(const emitter *e, ir_id x, tmc_dtype dtype, ir_id *out); /* x itself where nothing changes */
tmc_status emit_reduce(const emitter *e, tmc_reduce_kind kind, ir_id x, int32_t axes, bool keep_dims, ir_id *out);

/* f32 to i8 with one scale and zero point, and back. */
tmc_status emit_quantize(const emitter *e, ir_id x, const tmc_quantization *quantization, ir_id *out);
tmc_status emit_dequantize(const emitter *e, ir_id x, ir_id *out);

/* x itself for the identity. A constant is rearranged here and now. */
tmc_status emit_transpose(const emitter *e, ir_id x, const int32_t *perm, ir_id *out);
/* Target as tmc_shape_params: 0 copies, one -1 is inferred. A constant is relabelled here and now. */
tmc_status emit_reshape(const emitter *e, ir_id x, int32_t rank, const int32_t *dims, ir_id *out);
/* Reshape that only drops or inserts axes of 1: axis i of the result is axis map[i] of x, or 1 where map[i] is -1.
 * Written so that it stays right for other input shapes where that is possible. E_UNSUPPORTED: rank too large. */
tmc_status emit_reshape_axes(const emitter *e, ir_id x, int32_t rank, const int32_t *map, ir_id *out);

ir_id emit_constant(const emitter *e, tmc_dtype dtype, int32_t rank, const int32_t *dims, const void *data);
ir_id emit_float(const emitter *e, float value);               /* rank 0 */
const float *emit_constant_floats(const emitter *e, ir_id id); /* NULL if not a constant f32 */

/* Lets tensor `id` take the place of an output that was reserved by a placeholder; copied where it must be. */
tmc_status emit_output(const emitter *e, ir_id placeholder, ir_id id);
/* The end of an import: drops constants that nothing reads, and compacts. */
void emit_finish(ir_graph *graph);

#endif
