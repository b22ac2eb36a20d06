#include "ops/op.h"

#include "ops/resize.h"

tmc_op_functions tmc_op_find(uint16_t op) {
    switch (op) {
#define X(code, NAME, name, in0, in1, out0, out1, params)                                                              \
    case code: return tmc_op_##name();
        TMC_OP_LIST(X)
#undef X
    default: return (tmc_op_functions){NULL, NULL};
    }
}

tmc_status tmc_op_no_i8(const tmc_op_node *node, tmc_error *err) {
    return tmc_fail_field(err, TMC_E_UNSUPPORTED, "dtype", "%s computes no i8 numbers; dequantize its inputs",
                          tmc_op_schema_find(node->op)->name);
}

bool tmc_op_takes_pitch(uint16_t op) {
    switch (op) {
    case TMC_OP_UNARY:
    case TMC_OP_BINARY:
    case TMC_OP_SELECT:
    case TMC_OP_SCALE_SHIFT:
    case TMC_OP_CONCAT:
    case TMC_OP_SPLIT:
    case TMC_OP_SLICE:
    case TMC_OP_TRANSPOSE:
    case TMC_OP_CHANNEL_SHUFFLE:
    case TMC_OP_TABLE:
    case TMC_OP_DEPTHWISE_CONV:
    case TMC_OP_MAX_POOL:
    case TMC_OP_AVERAGE_POOL:
    case TMC_OP_CONV:
    case TMC_OP_CONV_TRANSPOSE:
    case TMC_OP_FULLY_CONNECTED: return true;
    default: return false;
    }
}

/* Where the last axis is reduced, the order of additions follows from how its rows continue each other. */
static bool reduce_reads_pitch(const tmc_op_node *node) {
    const tmc_reduce_params *p = node->params;
    const tmc_tensor_desc *x = node->inputs[0];
    return x->dims[x->rank - 1] > 1 && !((uint32_t)p->axes >> (x->rank - 1) & 1u);
}

bool tmc_op_reads_pitch(const tmc_op_node *node, uint32_t input) {
    switch (node->op) {
    case TMC_OP_REDUCE: return reduce_reads_pitch(node);
    case TMC_OP_RESIZE: return tmc_resize_takes_pitch(node, true);
    case TMC_OP_BINARY:
    case TMC_OP_SELECT:
    case TMC_OP_CONCAT:
    case TMC_OP_CHANNEL_SHUFFLE: return true;
    default: return input == 0 && tmc_op_takes_pitch(node->op);
    }
}

bool tmc_op_writes_pitch(const tmc_op_node *node) {
    if (node->op == TMC_OP_RESIZE) return tmc_resize_takes_pitch(node, false);
    return tmc_op_takes_pitch(node->op);
}
