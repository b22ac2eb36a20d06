/* Operators that take tensors apart, join them, pad them and pick from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "lib/movement.h"

/* ------------------------------------------------------------------------------------------------ parts */

static size_t sliced(const op_call *call, const op_result *result, uint32_t output, const int32_t *at, uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_slice_params *p = call->params;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < desc->rank; a++) {
        int64_t first = p->begin[a] < 0 ? (int64_t)p->begin[a] + desc->dims[a] : p->begin[a];
        if (first < 0) first = 0;
        if (first >= desc->dims[a]) first = desc->dims[a] - 1;
        in[a] = (int32_t)(first + (int64_t)at[a] * p->step[a]);
    }
    return movement_flat(desc, in);
}

static void slice(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        const int32_t rank = i % 7;
        const tmc_tensor_desc desc = movement_desc(movement_type(), rank, movement_largest_dim(rank));
        tmc_slice_params p = movement_whole_slice();
        for (int32_t a = 0; a < rank; a++) {
            const int32_t dim = desc.dims[a], low = random_int(&movement_rng, 0, dim - 1),
                          high = random_int(&movement_rng, low, dim - 1);
            p.step[a] = random_int(&movement_rng, 1, 3);
            if (random_u32(&movement_rng) % 2) {
                p.begin[a] = random_u32(&movement_rng) % 2 ? low : low - dim;
                p.end[a] = random_u32(&movement_rng) % 2 ? high + 1 : INT32_MAX;
            } else {
                p.step[a] = -p.step[a];
                p.begin[a] = random_u32(&movement_rng) % 2 ? high : high == dim - 1 ? INT32_MAX : high - dim;
                p.end[a] = low == 0 || random_u32(&movement_rng) % 2 ? INT32_MIN : low - 1;
            }
        }
        movement_check_unary(TMC_OP_SLICE, &p, desc, sliced);
    }
    tmc_slice_params reverse = movement_whole_slice(); /* several tasks */
    reverse.begin[0] = -1, reverse.end[0] = INT32_MIN, reverse.step[0] = -1;
    movement_check_unary(TMC_OP_SLICE, &reverse, op_desc(TMC_F32, 2, (const int32_t[]){700, 300}), sliced);
    movement_check_unary(TMC_OP_SLICE, &reverse, op_desc(TMC_U8, 1, (const int32_t[]){700000}), sliced);
}

static size_t split_source(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                           uint32_t *from) {
    (void)result, (void)from;
    const tmc_split_params *p = call->params;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    for (uint32_t i = 0; i < output; i++) in[p->axis] += p->sizes[i];
    return movement_flat(&call->inputs[0].desc, in);
}

static void split(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        tmc_tensor_desc desc = movement_desc(movement_type(), rank, movement_largest_dim(rank));
        tmc_split_params p = {.axis = random_int(&movement_rng, 0, rank - 1)};
        const uint32_t count = 1 + random_u32(&movement_rng) % 5;
        desc.dims[p.axis] = 0;
        for (uint32_t o = 0; o < count; o++) desc.dims[p.axis] += p.sizes[o] = random_int(&movement_rng, 1, 9);
        const op_tensor in = {.desc = desc, .data = movement_bytes(tmc_tensor_bytes(&desc))};
        op_call call = {.op = TMC_OP_SPLIT, .params = &p, .inputs = &in, .input_count = 1, .output_count = count};
        movement_check(&call, split_source);
        free((void *)in.data);
    }
}

static size_t concat_source(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                            uint32_t *from) {
    (void)result, (void)output;
    const tmc_axis_params *p = call->params;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    for (*from = 0; in[p->axis] >= call->inputs[*from].desc.dims[p->axis]; (*from)++)
        in[p->axis] -= call->inputs[*from].desc.dims[p->axis];
    return movement_flat(&call->inputs[*from].desc, in);
}

static void concat(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_tensor_desc desc = movement_desc(movement_type(), rank, i ? movement_largest_dim(rank) : 200000);
        const tmc_axis_params p = {random_int(&movement_rng, 0, rank - 1)};
        op_tensor in[6];
        const uint32_t count = 1 + random_u32(&movement_rng) % 6;
        for (uint32_t k = 0; k < count; k++) {
            in[k] = (op_tensor){.desc = desc};
            in[k].desc.dims[p.axis] = random_int(&movement_rng, 1, 9);
            in[k].data = movement_bytes(tmc_tensor_bytes(&in[k].desc));
        }
        op_call call = {.op = TMC_OP_CONCAT, .params = &p, .inputs = in, .input_count = count, .output_count = 1};
        movement_check(&call, concat_source);
        for (uint32_t k = 0; k < count; k++) free((void *)in[k].data);
    }
}

/* ------------------------------------------------------------------------------------------------ padding */

static size_t padded(const op_call *call, const op_result *result, uint32_t output, const int32_t *at, uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_pad_params *p = call->params;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < desc->rank; a++) {
        int32_t i = at[a] - p->begin[a];
        const int32_t dim = desc->dims[a];
        if (i < 0 || i >= dim) {
            switch (p->mode) {
            case TMC_PAD_CONSTANT: return MOVEMENT_CONSTANT;
            case TMC_PAD_REFLECT: i = i < 0 ? -i : 2 * (dim - 1) - i; break;
            case TMC_PAD_EDGE: i = i < 0 ? 0 : dim - 1; break;
            default: i = (i + dim) % dim; break;
            }
        }
        in[a] = i;
    }
    return movement_flat(desc, in);
}

static void pad_with(tmc_tensor_desc desc, int32_t mode, int32_t most) {
    tmc_pad_params p = {.mode = mode, .value = 1.0f};
    for (int32_t a = 0; a < desc.rank; a++) {
        const int32_t dim = desc.dims[a], limit = mode == TMC_PAD_REFLECT ? dim - 1 : mode == TMC_PAD_WRAP ? dim : most;
        p.begin[a] = random_int(&movement_rng, 0, limit < most ? limit : most);
        p.end[a] = random_int(&movement_rng, 0, limit < most ? limit : most);
    }
    static const uint8_t one_integer[8] = {1}, one_f32[8] = {0, 0, 0x80, 0x3f}, one_f16[8] = {0, 0x3c};
    const uint8_t *constant = desc.dtype == TMC_F32 ? one_f32 : desc.dtype == TMC_F16 ? one_f16 : one_integer;
    const op_tensor in = {.desc = desc, .data = movement_bytes(tmc_tensor_bytes(&desc))};
    op_call call = {.op = TMC_OP_PAD, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    movement_check_constant(&call, padded, constant);
    free((void *)in.data);
}

static void pad(void **state) {
    (void)state;
    for (int i = 0; i < 600; i++) {
        const int32_t rank = i % 7;
        pad_with(movement_desc(movement_type(), rank, movement_largest_dim(rank)), i % 4, 3);
    }
    for (int32_t mode = 0; mode < 4; mode++) {
        pad_with(op_desc(TMC_F32, 4, (const int32_t[]){1, 90, 80, 12}), mode, 20);
        pad_with(op_desc(TMC_U8, 2, (const int32_t[]){600, 500}), mode, 400);
    }
}

/* ------------------------------------------------------------------------------------------------ gather */

static size_t gathered(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                       uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_axis_params *p = call->params;
    const tmc_tensor_desc *data = &call->inputs[0].desc, *indices = &call->inputs[1].desc;
    const size_t position = movement_flat(indices, at + p->axis);
    int64_t index = indices->dtype == TMC_I64 ? ((const int64_t *)call->inputs[1].data)[position]
                                              : ((const int32_t *)call->inputs[1].data)[position];
    if (index < 0) index += data->dims[p->axis];
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < p->axis; a++) in[a] = at[a];
    in[p->axis] = (int32_t)index;
    for (int32_t a = p->axis + 1; a < data->rank; a++) in[a] = at[a - 1 + indices->rank];
    return movement_flat(data, in);
}

static void gather_once(tmc_tensor_desc data, tmc_tensor_desc indices, int32_t axis) {
    const tmc_axis_params p = {axis};
    const size_t count = tmc_tensor_elements(&indices);
    void *index = malloc(count * 8);
    assert_non_null(index);
    for (size_t i = 0; i < count; i++) {
        const int32_t at = random_int(&movement_rng, -data.dims[axis], data.dims[axis] - 1);
        if (indices.dtype == TMC_I64)
            ((int64_t *)index)[i] = at;
        else
            ((int32_t *)index)[i] = at;
    }
    const op_tensor in[2] = {{.desc = data, .data = movement_bytes(tmc_tensor_bytes(&data))},
                             {.desc = indices, .data = index}};
    op_call call = {.op = TMC_OP_GATHER, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
    movement_check(&call, gathered);
    free((void *)in[0].data);
    free(index);
}

static void gather(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        const int32_t rank = 1 + i % 6, index_rank = random_int(&movement_rng, 0, TMC_MAX_RANK + 1 - rank);
        const tmc_dtype wide = i & 1 ? TMC_I64 : TMC_I32;
        gather_once(movement_desc(movement_type(), rank, movement_largest_dim(rank)),
                    movement_desc(wide, index_rank, 3), random_int(&movement_rng, 0, rank - 1));
    }
    gather_once(op_desc(TMC_F32, 2, (const int32_t[]){3, 100000}), op_desc(TMC_I32, 1, (const int32_t[]){4}), 0);
    gather_once(op_desc(TMC_U8, 2, (const int32_t[]){3, 100}), op_desc(TMC_I32, 1, (const int32_t[]){200000}), 1);
}

static void gather_refuses_indices(void **state) {
    (void)state;
    static const float data[5] = {1, 2, 3, 4, 5};
    static const int64_t bad[] = {5, -6, INT64_MAX, INT64_MIN, 1ll << 32};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const int64_t index[3] = {0, -5, bad[i]};
        const tmc_axis_params p = {0};
        const op_tensor in[2] = {{.desc = op_desc(TMC_F32, 1, (const int32_t[]){5}), .data = data},
                                 {.desc = op_desc(TMC_I64, 1, (const int32_t[]){3}), .data = index}};
        const op_call call = {.op = TMC_OP_GATHER, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
        op_result result;
        assert_int_equal(op_run(&call, &result), TMC_E_RANGE);
        assert_non_null(strstr(result.err.message, "position 2"));
        op_result_free(&result);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, movement_setup)
    const struct CMUnitTest tests[] = {
        TEST(slice), TEST(split), TEST(concat), TEST(pad), TEST(gather), TEST(gather_refuses_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
