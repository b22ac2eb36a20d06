#include "graph/op.h"

#include "base/format.h"

static const tmc_op_schema schemas[] = {
#define X(code, NAME, name, in0, in1, out0, out1, params) {code, in0, in1, out0, out1, sizeof(params) / 4, #name},
    TMC_OP_LIST(X)
#undef X
};

const tmc_op_schema *tmc_op_schema_find(uint32_t code) {
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        if (schemas[i].code == code) return &schemas[i];
    return NULL;
}

/* Kinds are dense from 1 and listed in their order: test_op_schema checks it. */
#define X(code, NAME, name) #name "\0"
const char *tmc_unary_name(int32_t kind) { return tmc_text_at(TMC_UNARY_LIST(X), (uint32_t)kind - 1, "?"); }
const char *tmc_binary_name(int32_t kind) { return tmc_text_at(TMC_BINARY_LIST(X), (uint32_t)kind - 1, "?"); }
const char *tmc_reduce_name(int32_t kind) { return tmc_text_at(TMC_REDUCE_LIST(X), (uint32_t)kind - 1, "?"); }
#undef X
