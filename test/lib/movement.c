#include "lib/movement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"

const tmc_dtype movement_types[MOVEMENT_TYPES] = {TMC_U8, TMC_I8, TMC_F16, TMC_F32, TMC_I32, TMC_I64, TMC_BOOL};

random_state movement_rng;

uint8_t *movement_bytes(size_t bytes) {
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)random_u32(&movement_rng); /* any bits, signalling NaNs too */
    return data;
}

tmc_tensor_desc movement_desc(tmc_dtype dtype, int32_t rank, int32_t largest) {
    int32_t dims[TMC_MAX_RANK];
    for (int32_t a = 0; a < rank; a++) dims[a] = random_int(&movement_rng, 1, largest);
    return op_desc(dtype, rank, dims);
}

tmc_dtype movement_type(void) { return movement_types[random_u32(&movement_rng) % MOVEMENT_TYPES]; }

/* Largest dim that keeps a random tensor of this rank small. */
int32_t movement_largest_dim(int32_t rank) {
    static const int32_t largest[] = {1, 300, 40, 13, 8, 5, 4};
    return largest[rank];
}

size_t movement_flat(const tmc_tensor_desc *desc, const int32_t *at) {
    size_t index = 0;
    for (int32_t a = 0; a < desc->rank; a++) index = index * (size_t)desc->dims[a] + (size_t)at[a];
    return index;
}

void movement_unflat(const tmc_tensor_desc *desc, size_t index, int32_t *at) {
    for (int32_t a = desc->rank - 1; a >= 0; a--) {
        at[a] = (int32_t)(index % (size_t)desc->dims[a]);
        index /= (size_t)desc->dims[a];
    }
}

static void compare(const op_call *call, const op_result *result, movement_source source, const void *constant) {
    const size_t size = tmc_dtype_size(call->inputs[0].desc.dtype);
    for (uint32_t o = 0; o < result->output_count; o++) {
        const tmc_tensor_desc *desc = &result->descs[o];
        assert_int_equal(desc->dtype, call->inputs[0].desc.dtype);
        for (size_t i = 0; i < tmc_tensor_elements(desc); i++) {
            int32_t at[TMC_MAX_RANK] = {0};
            uint32_t from = 0;
            movement_unflat(desc, i, at);
            const size_t index = source(call, result, o, at, &from);
            const uint8_t *wanted = constant;
            if (index != MOVEMENT_CONSTANT) wanted = (const uint8_t *)call->inputs[from].data + index * size;
            if (memcmp((const uint8_t *)result->data[o] + i * size, wanted, size)) {
                char in[96], out[96];
                tmc_tensor_shape_text(&call->inputs[0].desc, in, sizeof in);
                tmc_tensor_shape_text(desc, out, sizeof out);
                fail_msg("%s %s %s -> %s: element %zu of output %u", tmc_op_schema_find(call->op)->name,
                         tmc_dtype_name((tmc_dtype)desc->dtype), in, out, i, o);
            }
        }
    }
}

void movement_check_constant(op_call *call, movement_source source, const void *constant) {
    /* Only large tensors make several tasks; starting a pool is the slow part of this test. */
    const bool pool = tmc_tensor_bytes(&call->inputs[0].desc) > (64u << 10) || random_u32(&movement_rng) % 8 == 0;
    for (uint32_t pass = 0; pass < 4; pass++) {
        op_result result;
        call->threads = pass % 2 && pool ? 2 : 1;
        call->guard = pass % 2 ? GUARD_START : GUARD_END;
        call->pitch = pass < 2 ? 0 : pass + 3;
        if (op_run(call, &result) != TMC_OK) fail_msg("%s: %s", tmc_op_schema_find(call->op)->name, result.err.message);
        compare(call, &result, source, constant);
        op_result_free(&result);
    }
}

void movement_check(op_call *call, movement_source source) { movement_check_constant(call, source, NULL); }

/* One input of random content. */
void movement_check_unary(uint16_t op, const void *params, tmc_tensor_desc desc, movement_source source) {
    const op_tensor in = {.desc = desc, .data = movement_bytes(tmc_tensor_bytes(&desc))};
    op_call call = {.op = op, .params = params, .inputs = &in, .input_count = 1, .output_count = 1};
    movement_check(&call, source);
    free((void *)in.data);
}

tmc_slice_params movement_whole_slice(void) {
    tmc_slice_params p;
    for (int32_t a = 0; a < TMC_MAX_RANK; a++) p.begin[a] = 0, p.end[a] = INT32_MAX, p.step[a] = 1;
    return p;
}

int movement_setup(void **state) {
    (void)state;
    random_init(&movement_rng, 20240501);
    return 0;
}
