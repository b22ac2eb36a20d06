#include <math.h>

#include "graph/infer.h"

/* How an operator treats the quantisation of its tensors. */
typedef enum {
    PLAIN,  /* knows integers only: no input and no output is quantised */
    KEEP,   /* moves or compares elements: all data inputs agree, and the output has the same */
    COMPUTE /* makes new numbers: the output has what it is declared with */
} rule;

static rule rule_of_i8(const tmc_infer_args *args) {
    switch (args->op) {
    case TMC_OP_MAX_POOL:
    case TMC_OP_SELECT:
    case TMC_OP_CONCAT:
    case TMC_OP_SPLIT:
    case TMC_OP_SLICE:
    case TMC_OP_PAD:
    case TMC_OP_RESHAPE:
    case TMC_OP_EXPAND:
    case TMC_OP_TILE:
    case TMC_OP_TRANSPOSE:
    case TMC_OP_RESIZE:
    case TMC_OP_DEPTH_TO_SPACE:
    case TMC_OP_SPACE_TO_DEPTH:
    case TMC_OP_CHANNEL_SHUFFLE:
    case TMC_OP_GATHER: return KEEP;
    case TMC_OP_CAST:
    case TMC_OP_DEQUANTIZE: return PLAIN;
    default: return COMPUTE;
    }
}

static rule rule_of(const tmc_infer_args *args) {
    const uint32_t data = args->op == TMC_OP_SELECT ? 1 : 0; /* input 0 of select is a condition */
    if (args->op == TMC_OP_QUANTIZE) return COMPUTE;
    return args->inputs[data]->dtype == TMC_I8 ? rule_of_i8(args) : PLAIN;
}

static bool is_quantized(const tmc_tensor_desc *t) { return tmc_quantization_is_set(&t->quantization); }

static tmc_status check_quantized(const tmc_infer_args *args, uint32_t input) {
    const tmc_quantization *q = &args->inputs[input]->quantization;
    if (q->scale != 0.0f) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_QUANT, "inputs",
                          "%s: i8 input %u has no scale and zero point, expected a quantised tensor",
                          tmc_op_schema_find(args->op)->name, input);
}

static tmc_status check_plain(const tmc_infer_args *args) {
    for (uint32_t i = 0; i < args->input_count; i++)
        if (args->inputs[i] && is_quantized(args->inputs[i]) && args->op != TMC_OP_DEQUANTIZE)
            return tmc_fail_field(args->err, TMC_E_QUANT, "inputs",
                                  "%s does not take quantised numbers (input %u); dequantize them before",
                                  tmc_op_schema_find(args->op)->name, i);
    return TMC_OK;
}

/* Data inputs of an operator that keeps the quantisation: indices and conditions are no i8. */
static tmc_status check_kept(const tmc_infer_args *args, tmc_quantization *kept) {
    const uint32_t first = args->op == TMC_OP_SELECT ? 1 : 0;
    *kept = args->inputs[first]->quantization;
    if (args->op == TMC_OP_MAX_POOL) TMC_TRY(check_quantized(args, 0));
    for (uint32_t i = first + 1; i < args->input_count; i++)
        if (args->inputs[i]->dtype == TMC_I8 && !tmc_quantization_equal(&args->inputs[i]->quantization, kept))
            return tmc_fail_field(args->err, TMC_E_QUANT, "inputs",
                                  "%s: inputs %u and %u have different scales or zero points, expected the same",
                                  tmc_op_schema_find(args->op)->name, first, i);
    return TMC_OK;
}

/* Elements of the input behind one of the output, for operators that add them up. */
static uint64_t summed_elements(const tmc_infer_args *args) {
    const tmc_tensor_desc *x = args->inputs[0];
    uint64_t count = 1;
    if (args->op == TMC_OP_AVERAGE_POOL) {
        const tmc_pool_params *p = args->params;
        for (int i = 0; i < 3; i++) count *= (uint64_t)p->kernel[i]; /* tmc_infer_pool limits the product */
    } else if (args->op == TMC_OP_REDUCE) {
        const tmc_reduce_params *p = args->params;
        for (int32_t a = 0; a < x->rank; a++) count *= p->axes >> a & 1 ? (uint64_t)x->dims[a] : 1;
    }
    return count;
}

/* Beyond this a difference of two integers times it could be infinite, and infinities cancel to NaN. */
#define MAX_RATIO 0x1p100

/* What an operator multiplies by must be a normal float, and what it adds up must stay in int32. */
static tmc_status check_ratios(const tmc_infer_args *args, const tmc_quantization *y) {
    if (args->op != TMC_OP_BINARY && args->op != TMC_OP_AVERAGE_POOL && args->op != TMC_OP_REDUCE) return TMC_OK;
    const uint64_t count = summed_elements(args);
    const char *name = tmc_op_schema_find(args->op)->name;
    double ratios[2] = {(double)args->inputs[0]->quantization.scale / y->scale / (double)count, 1.0};
    if (args->op == TMC_OP_AVERAGE_POOL) ratios[1] = ratios[0] * (double)count; /* of one element, at the border */
    if (args->op == TMC_OP_BINARY) {
        const tmc_binary_params *p = args->params;
        const double b = args->inputs[1]->quantization.scale;
        ratios[1] = b / y->scale;
        if (p->kind == TMC_BINARY_MUL) ratios[0] = args->inputs[0]->quantization.scale * b / y->scale, ratios[1] = 1.0;
    }
    if (count > INT32_MAX / 255)
        return tmc_fail_field(args->err, TMC_E_QUANT, "inputs", "%s: a sum of %llu elements leaves int32", name,
                              (unsigned long long)count);
    for (int i = 0; i < 2; i++)
        if (!isnormal((float)ratios[i]) || ratios[i] > MAX_RATIO)
            return tmc_fail_field(args->err, TMC_E_QUANT, "outputs",
                                  "%s: the ratio of the scales of inputs and output is not in 2^-126..2^100", name);
    return TMC_OK;
}

/* x, or both operands of a binary operator; weights have scales of their own. */
static tmc_status check_computed(const tmc_infer_args *args) {
    if (args->op == TMC_OP_QUANTIZE) return TMC_OK;
    TMC_TRY(check_quantized(args, 0));
    return args->op == TMC_OP_BINARY ? check_quantized(args, 1) : TMC_OK;
}

static tmc_status set_output(const tmc_infer_args *args, uint32_t i, rule r, const tmc_quantization *kept) {
    tmc_tensor_desc *y = &args->outputs[i];
    y->quantization = *kept;
    if (r != COMPUTE) return TMC_OK;
    if (!args->quantization || args->quantization[i].scale == 0.0f)
        return tmc_fail_field(args->err, TMC_E_QUANT, "outputs", "%s: output %u has no scale and zero point",
                              tmc_op_schema_find(args->op)->name, i);
    y->quantization = args->quantization[i];
    TMC_TRY(tmc_quantization_check(&y->quantization, y->dtype, args->err));
    return check_ratios(args, &y->quantization);
}

tmc_status tmc_infer_quantization(const tmc_infer_args *args) {
    const rule r = rule_of(args);
    tmc_quantization kept = {0};
    switch (r) {
    case PLAIN: TMC_TRY(check_plain(args)); break;
    case KEEP: TMC_TRY(check_kept(args, &kept)); break;
    case COMPUTE: TMC_TRY(check_computed(args)); break;
    }
    for (uint32_t i = 0; i < args->output_count; i++) TMC_TRY(set_output(args, i, r, &kept));
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------- quantize, dequantize, table */

static tmc_status require(const tmc_infer_args *args, uint32_t input, tmc_dtype dtype) {
    if (args->inputs[input]->dtype == dtype) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "%s: input %u is %s, expected %s",
                          tmc_op_schema_find(args->op)->name, input,
                          tmc_dtype_name((tmc_dtype)args->inputs[input]->dtype), tmc_dtype_name(dtype));
}

static tmc_status check_table(const tmc_infer_args *args) {
    const tmc_tensor_desc *t = args->inputs[1];
    TMC_TRY(require(args, 1, TMC_I8));
    if (t->rank != 1 || t->dims[0] != 256 || is_quantized(t))
        return tmc_fail_field(args->err, TMC_E_FORMAT, "table", "expected 256 plain i8 numbers");
    return TMC_OK;
}

tmc_status tmc_infer_quantized(const tmc_infer_args *args) {
    TMC_TRY(require(args, 0, args->op == TMC_OP_QUANTIZE ? TMC_F32 : TMC_I8));
    if (args->op == TMC_OP_TABLE) TMC_TRY(check_table(args));
    if (args->op == TMC_OP_DEQUANTIZE && !is_quantized(args->inputs[0])) return check_quantized(args, 0);
    args->outputs[0] = *args->inputs[0];
    args->outputs[0].packing = TMC_PACK_NONE;
    args->outputs[0].dtype = args->op == TMC_OP_DEQUANTIZE ? TMC_F32 : TMC_I8;
    return TMC_OK;
}
