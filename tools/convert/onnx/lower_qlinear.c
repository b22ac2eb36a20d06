/* QLinearConv, QLinearMatMul and the quantised operators of domain com.microsoft: operands are dequantised, the float
 * operator is lowered, its result is quantised. pass_qdq makes one operator of that. */
#include <stdlib.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/onnx/quantize.h"

/* The result is quantised like these inputs say; the zero point's type is the result's, uint8 without one. */
static tmc_status read_result(onnx_lower *lw, size_t scale, size_t zero) {
    onnx_scale s;
    TMC_TRY(onnx_read_scale(lw, scale, zero, &s));
    lw->result_unsigned = !s.zeros || s.zero_type == TMC_U8;
    TMC_TRY(onnx_one_quantization(lw, &s, lw->result_unsigned, &lw->result));
    lw->requantise = true;
    return TMC_OK;
}

static tmc_status lower_float(onnx_lower *lw, const ir_id *operands, uint32_t count, onnx_lower_fn lower) {
    lw->operands = operands;
    lw->operand_count = count;
    tmc_status status = lower(lw);
    lw->operands = NULL;
    return status;
}

/* A bias of 32-bit integers counts in units of the product of input's and weights' scales, and of a factor. */
static tmc_status read_bias(onnx_lower *lw, size_t index, size_t x_scale, size_t w_scale, float factor, ir_id *out) {
    onnx_scale x, w;
    TMC_TRY(onnx_optional_input(lw, index, out));
    if (*out == IR_NONE) return TMC_OK;
    TMC_TRY(onnx_read_scale(lw, x_scale, SIZE_MAX, &x));
    TMC_TRY(onnx_read_scale(lw, w_scale, SIZE_MAX, &w));
    const ir_tensor *t = &lw->graph->tensors[*out];
    const tmc_tensor_desc desc = t->desc;
    if (!t->data || desc.dtype != TMC_I32) return onnx_refuse(lw, "bias", "expected constant 32-bit integers");
    const uint32_t last = desc.rank ? (uint32_t)desc.dims[desc.rank - 1] : 1;
    if (w.count > 1 && w.count != last)
        return tmc_fail_field(lw->err, TMC_E_QUANT, "bias", "%u values for %u scales", last, w.count);
    float *scales = x_alloc_array(w.count, sizeof *scales);
    for (uint32_t i = 0; i < w.count; i++) scales[i] = (float)((double)factor * x.scales[0] * w.scales[i]);
    *out = integers_add(lw->graph, lw->name, &desc, t->data, true, scales, w.count, desc.rank ? desc.rank - 1 : 0);
    free(scales);
    return TMC_OK;
}

tmc_status onnx_lower_qlinear_conv(onnx_lower *lw) {
    ir_id operands[3];
    TMC_TRY(onnx_expect_inputs(lw, 8, 9));
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, 1, &operands[0]));
    TMC_TRY(onnx_dequantized(lw, 3, 4, 5, 0, &operands[1]));
    TMC_TRY(read_bias(lw, 8, 1, 4, 1, &operands[2]));
    TMC_TRY(read_result(lw, 6, 7));
    return lower_float(lw, operands, 3, onnx_lower_conv);
}

tmc_status onnx_lower_qlinear_matmul(onnx_lower *lw) {
    ir_id operands[2];
    TMC_TRY(onnx_expect_inputs(lw, 8, 8));
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, -2, &operands[0]));
    TMC_TRY(onnx_dequantized(lw, 3, 4, 5, -1, &operands[1]));
    TMC_TRY(read_result(lw, 6, 7));
    return lower_float(lw, operands, 2, onnx_lower_matmul);
}

tmc_status onnx_lower_qgemm(onnx_lower *lw) {
    ir_id operands[3];
    float alpha;
    bool transposed;
    TMC_TRY(onnx_expect_inputs(lw, 6, 9));
    TMC_TRY(onnx_attr_float(lw, "alpha", 1, &alpha));
    TMC_TRY(onnx_attr_bool(lw, "transB", false, &transposed));
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, 0, &operands[0]));
    TMC_TRY(onnx_dequantized(lw, 3, 4, 5, transposed ? 0 : 1, &operands[1]));
    TMC_TRY(read_bias(lw, 6, 1, 4, alpha, &operands[2]));
    if (onnx_has_input(lw, 7)) TMC_TRY(read_result(lw, 7, 8));
    return lower_float(lw, operands, 3, onnx_lower_gemm);
}

/* QLinearAdd, QLinearMul. */
tmc_status onnx_lower_qlinear_binary(onnx_lower *lw) {
    ir_id operands[2];
    TMC_TRY(onnx_expect_inputs(lw, 7, 8));
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, 0, &operands[0]));
    TMC_TRY(onnx_dequantized(lw, 3, 4, 5, 0, &operands[1]));
    TMC_TRY(read_result(lw, 6, 7));
    return lower_float(lw, operands, 2, onnx_lower_binary);
}

static tmc_status lower_one_input(onnx_lower *lw, onnx_lower_fn lower) {
    ir_id x;
    TMC_TRY(onnx_expect_inputs(lw, 4, 5));
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, 0, &x));
    TMC_TRY(read_result(lw, 3, 4));
    return lower_float(lw, &x, 1, lower);
}

static tmc_status refuse_channels_last(onnx_lower *lw) {
    bool channels_last;
    TMC_TRY(onnx_attr_bool(lw, "channels_last", false, &channels_last));
    return channels_last ? onnx_refuse(lw, "channels_last", "1 is not supported") : TMC_OK;
}

tmc_status onnx_lower_qlinear_average_pool(onnx_lower *lw) {
    TMC_TRY(refuse_channels_last(lw));
    return lower_one_input(lw, onnx_lower_average_pool);
}

tmc_status onnx_lower_qlinear_global_pool(onnx_lower *lw) {
    TMC_TRY(refuse_channels_last(lw));
    return lower_one_input(lw, onnx_lower_global_pool);
}

tmc_status onnx_lower_qlinear_sigmoid(onnx_lower *lw) { return lower_one_input(lw, onnx_lower_unary); }

tmc_status onnx_lower_qlinear_leaky_relu(onnx_lower *lw) { return lower_one_input(lw, onnx_lower_unary_alpha); }

/* Scale and zero point of the result, then a tensor, its scale and zero point for each part. */
tmc_status onnx_lower_qlinear_concat(onnx_lower *lw) {
    const size_t inputs = lw->node->n_input;
    if (inputs < 5 || (inputs - 2) % 3) return tmc_fail(lw->err, TMC_E_GRAPH, "%zu inputs, expected 2 + 3 n", inputs);
    const uint32_t count = (uint32_t)((inputs - 2) / 3);
    ir_id *operands = x_alloc_array(count, sizeof *operands);
    tmc_status status = TMC_OK;
    for (uint32_t i = 0; status == TMC_OK && i < count; i++)
        status = onnx_dequantized(lw, 2 + 3 * i, 3 + 3 * i, 4 + 3 * i, 0, &operands[i]);
    if (status == TMC_OK) status = read_result(lw, 0, 1);
    if (status == TMC_OK) status = lower_float(lw, operands, count, onnx_lower_concat);
    free(operands);
    return status;
}
