#include "ops/op.h"

const tmc_op_functions *tmc_op_find(uint16_t op) {
    switch (op) {
#define X(code, NAME, name, in0, in1, out0, out1, params)                                                              \
    case code: return &tmc_op_##name;
        TMC_OP_LIST(X)
#undef X
    default: return NULL;
    }
}

bool tmc_op_takes_pitch(uint16_t op) {
    switch (op) {
    default: return false;
    }
}
