/* Gemm and MatMul: a constant right-hand matrix makes a fully connected layer, whose weights can be packed. */
#include <math.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/onnx/lower.h"

static tmc_status swap_last_two(onnx_lower *lw, ir_id x, ir_id *out) {
    int32_t rank = onnx_desc(lw, x)->rank, perm[TMC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 2] = rank - 1;
    perm[rank - 1] = rank - 2;
    return onnx_transpose(lw, x, perm, out);
}

static tmc_status emit_fully_connected(onnx_lower *lw, ir_id x, ir_id w, ir_id bias, ir_id *out) {
    tmc_fully_connected_params params = {onnx_no_activation()};
    ir_id inputs[3] = {x, w, bias};
    return onnx_emit(lw, TMC_OP_FULLY_CONNECTED, &params, inputs, bias == IR_NONE ? 2 : 3, out);
}

static tmc_status emit_matmul(onnx_lower *lw, ir_id a, ir_id b, ir_id *out) {
    tmc_no_params params = {0};
    ir_id inputs[2] = {a, b};
    return onnx_emit(lw, TMC_OP_MATMUL, &params, inputs, 2, out);
}

static bool is_power_of_two(float value) {
    int exponent;
    return isfinite(value) && fabsf(frexpf(value, &exponent)) == 0.5f;
}

static tmc_status scale(onnx_lower *lw, ir_id x, float factor, ir_id *out) {
    *out = x;
    return factor == 1 ? TMC_OK : onnx_binary(lw, TMC_BINARY_MUL, x, onnx_float(lw, factor), out);
}

/* Weights times a power of two: exact, so the product has the same bits as scaling afterwards, short of overflow. */
static ir_id scaled_weights(onnx_lower *lw, ir_id w, float factor) {
    const float *source = onnx_constant_floats(lw, w);
    if (factor == 1 || !source) return w;
    tmc_tensor_desc desc = *onnx_desc(lw, w);
    size_t count = tmc_tensor_elements(&desc);
    float *values = x_alloc_array(count, sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = source[i] * factor;
    ir_id id = onnx_constant(lw, TMC_F32, desc.rank, desc.dims, values);
    free(values);
    return id;
}

/* C as the [N] bias of a fully connected layer; IR_NONE if it differs between rows or is not constant. */
static tmc_status gemm_bias(onnx_lower *lw, ir_id c, int32_t n, ir_id *out) {
    const tmc_tensor_desc *desc = onnx_desc(lw, c);
    *out = IR_NONE;
    size_t count = tmc_tensor_elements(desc);
    const float *values = onnx_constant_floats(lw, c);
    if (!values || desc->rank > 2 || (desc->rank == 2 && desc->dims[0] != 1)) return TMC_OK;
    if (count == (size_t)n) return onnx_reshape(lw, c, 1, &n, out);
    if (count != 1) return TMC_OK;
    float *bias = x_alloc_array((size_t)n, sizeof *bias);
    for (int32_t i = 0; i < n; i++) bias[i] = values[0];
    *out = onnx_vector(lw, bias, n);
    free(bias);
    return TMC_OK;
}

typedef struct gemm {
    ir_id a, b, c;
    float alpha, beta;
    bool trans_a, trans_b;
} gemm;

static tmc_status read_gemm(onnx_lower *lw, gemm *g) {
    TMC_TRY(onnx_expect_inputs(lw, 2, 3));
    TMC_TRY(onnx_input(lw, 0, &g->a));
    TMC_TRY(onnx_input(lw, 1, &g->b));
    TMC_TRY(onnx_optional_input(lw, 2, &g->c));
    TMC_TRY(onnx_attr_float(lw, "alpha", 1, &g->alpha));
    TMC_TRY(onnx_attr_float(lw, "beta", 1, &g->beta));
    TMC_TRY(onnx_attr_bool(lw, "transA", false, &g->trans_a));
    TMC_TRY(onnx_attr_bool(lw, "transB", false, &g->trans_b));
    if (onnx_desc(lw, g->a)->rank != 2 || onnx_desc(lw, g->b)->rank != 2)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "A", "ranks %d and %d, expected two matrices",
                              onnx_desc(lw, g->a)->rank, onnx_desc(lw, g->b)->rank);
    if (g->beta == 0) g->c = IR_NONE;
    return TMC_OK;
}

static tmc_status add_gemm_c(onnx_lower *lw, ir_id product, ir_id c) {
    ir_id out = product;
    if (c != IR_NONE) TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, product, c, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

static tmc_status gemm_fully_connected(onnx_lower *lw, gemm *g, ir_id c) {
    ir_id w = g->b, bias = IR_NONE, y;
    if (!g->trans_b) TMC_TRY(swap_last_two(lw, g->b, &w));
    bool exact = g->alpha == 1 || is_power_of_two(g->alpha);
    if (exact) w = scaled_weights(lw, w, g->alpha);
    if (exact && c != IR_NONE) TMC_TRY(gemm_bias(lw, c, onnx_desc(lw, w)->dims[0], &bias));
    TMC_TRY(emit_fully_connected(lw, g->a, w, bias, &y));
    if (!exact) TMC_TRY(scale(lw, y, g->alpha, &y));
    return add_gemm_c(lw, y, bias == IR_NONE ? c : IR_NONE);
}

tmc_status onnx_lower_gemm(onnx_lower *lw) {
    gemm g;
    ir_id c, y;
    TMC_TRY(read_gemm(lw, &g));
    c = g.c;
    if (c != IR_NONE) TMC_TRY(scale(lw, g.c, g.beta, &c));
    if (g.trans_a) TMC_TRY(swap_last_two(lw, g.a, &g.a));
    if (onnx_constant_floats(lw, g.b)) return gemm_fully_connected(lw, &g, c);
    if (g.trans_b) TMC_TRY(swap_last_two(lw, g.b, &g.b));
    TMC_TRY(emit_matmul(lw, g.a, g.b, &y));
    TMC_TRY(scale(lw, y, g.alpha, &y));
    return add_gemm_c(lw, y, c);
}

/* Removes the axes of 1 that promoted vectors. */
static tmc_status demote(onnx_lower *lw, ir_id y, bool drop_row, bool drop_column) {
    int32_t rank = onnx_desc(lw, y)->rank, map[TMC_MAX_RANK], count = 0;
    for (int32_t i = 0; i < rank; i++)
        if (!(drop_row && i == rank - 2) && !(drop_column && i == rank - 1)) map[count++] = i;
    if (drop_row || drop_column) TMC_TRY(onnx_reshape_axes(lw, y, count, map, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_matmul(onnx_lower *lw) {
    static const int32_t as_row[] = {-1, 0}, as_column[] = {0, -1};
    ir_id a, b, y;
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, &a));
    TMC_TRY(onnx_input(lw, 1, &b));
    int32_t rank_a = onnx_desc(lw, a)->rank, rank_b = onnx_desc(lw, b)->rank;
    if (rank_a == 0 || rank_b == 0) return tmc_fail_field(lw->err, TMC_E_SHAPE, "A", "a scalar in a matrix product");
    if (rank_a == 1) TMC_TRY(onnx_reshape_axes(lw, a, 2, as_row, &a));
    if (rank_b == 1) TMC_TRY(onnx_reshape_axes(lw, b, 2, as_column, &b));
    if (onnx_constant_floats(lw, b) && onnx_desc(lw, b)->rank == 2) {
        ir_id w;
        TMC_TRY(swap_last_two(lw, b, &w));
        TMC_TRY(emit_fully_connected(lw, a, w, IR_NONE, &y));
    } else {
        TMC_TRY(emit_matmul(lw, a, b, &y));
    }
    return demote(lw, y, rank_a == 1, rank_b == 1);
}
