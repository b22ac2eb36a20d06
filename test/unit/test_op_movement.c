/* Operators that give every element another place, or several: permutations, repetitions, reshapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "lib/movement.h"

/* ------------------------------------------------------------------------------------------------ permutations */

static size_t transposed(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                         uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_shape_params *p = call->params;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < p->rank; a++) in[p->dims[a]] = at[a];
    return movement_flat(&call->inputs[0].desc, in);
}

static tmc_shape_params random_permutation(int32_t rank) {
    tmc_shape_params p = {.rank = rank};
    for (int32_t a = 0; a < rank; a++) {
        const int32_t at = random_int(&movement_rng, 0, a);
        p.dims[a] = p.dims[at];
        p.dims[at] = a;
    }
    return p;
}

static void transpose_random(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        const int32_t rank = i % 7;
        const tmc_shape_params p = random_permutation(rank);
        movement_check_unary(TMC_OP_TRANSPOSE, &p, movement_desc(movement_type(), rank, movement_largest_dim(rank)),
                             transposed);
    }
}

/* Shapes for each way through the plane kernels, and of several tasks. */
static void transpose_layouts(void **state) {
    (void)state;
    static const struct {
        int32_t rank, dims[4], order[4];
    } cases[] = {
        {4, {1, 56, 56, 64}, {0, 3, 1, 2}},
        {4, {1, 64, 56, 56}, {0, 2, 3, 1}},
        {4, {1, 112, 112, 3}, {0, 3, 1, 2}},
        {4, {1, 3, 112, 112}, {0, 2, 3, 1}},
        {4, {2, 33, 35, 17}, {0, 3, 1, 2}},
        {4, {7, 1, 300, 5}, {2, 3, 1, 0}},
        {2, {1000, 2}, {1, 0}},
        {2, {2, 1000}, {1, 0}},
        {2, {513, 511}, {1, 0}},
        {2, {70000, 3}, {1, 0}},
        {3, {90, 4, 90}, {2, 1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t t = 0; t < MOVEMENT_TYPES; t++) {
            tmc_shape_params p = {.rank = cases[i].rank};
            memcpy(p.dims, cases[i].order, sizeof cases[i].order);
            for (int32_t a = p.rank; a < TMC_MAX_RANK; a++) p.dims[a] = 0;
            movement_check_unary(TMC_OP_TRANSPOSE, &p, op_desc(movement_types[t], cases[i].rank, cases[i].dims),
                                 transposed);
        }
    }
}

static size_t shuffled(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                       uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_block_params *p = call->params;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    const int32_t c = at[desc->rank - 1], channels = desc->dims[desc->rank - 1];
    in[desc->rank - 1] = c % p->block * (channels / p->block) + c / p->block;
    return movement_flat(desc, in);
}

static void channel_shuffle(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_block_params p = {.block = i % 3 ? 2 : random_int(&movement_rng, 1, 6)};
        tmc_tensor_desc desc = movement_desc(movement_type(), rank, movement_largest_dim(rank));
        desc.dims[rank - 1] = p.block * random_int(&movement_rng, 1, 40);
        movement_check_unary(TMC_OP_CHANNEL_SHUFFLE, &p, desc, shuffled);
    }
    const tmc_block_params p = {.block = 2};
    for (size_t t = 0; t < MOVEMENT_TYPES; t++)
        movement_check_unary(TMC_OP_CHANNEL_SHUFFLE, &p,
                             op_desc(movement_types[t], 4, (const int32_t[]){1, 28, 28, 116}), shuffled);
}

static size_t interleaved(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                          uint32_t *from) {
    (void)result, (void)output;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    *from = (uint32_t)at[desc->rank - 1] % 2;
    in[desc->rank - 1] = at[desc->rank - 1] / 2;
    return movement_flat(desc, in);
}

static void channel_shuffle_of_two(void **state) {
    (void)state;
    const tmc_block_params p = {.block = 2};
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_tensor_desc desc = i ? movement_desc(movement_type(), rank, movement_largest_dim(rank))
                                       : op_desc(TMC_I8, 4, (const int32_t[]){1, 28, 28, 58});
        const size_t bytes = tmc_tensor_bytes(&desc);
        uint8_t *data = malloc(2 * bytes);
        for (size_t k = 0; k < 2 * bytes; k++) data[k] = (uint8_t)random_u32(&movement_rng);
        const op_tensor in[2] = {{.desc = desc, .data = data}, {.desc = desc, .data = data + bytes}};
        op_call call = {.op = TMC_OP_CHANNEL_SHUFFLE, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
        movement_check(&call, interleaved);
        free(data);
    }
}

static size_t deep_channel(const tmc_block_params *p, int32_t by, int32_t bx, int32_t c, int32_t channels) {
    if (p->mode == TMC_BLOCK_CRD) return (size_t)(c * p->block * p->block + by * p->block + bx);
    return (size_t)((by * p->block + bx) * channels + c);
}

static size_t from_depth(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                         uint32_t *from) {
    (void)output, (void)from;
    const tmc_block_params *p = call->params;
    const int32_t b = p->block;
    const int32_t in[4] = {at[0], at[1] / b, at[2] / b,
                           (int32_t)deep_channel(p, at[1] % b, at[2] % b, at[3], result->descs[0].dims[3])};
    return movement_flat(&call->inputs[0].desc, in);
}

static size_t from_space(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                         uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_block_params *p = call->params;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    const int32_t b = p->block, channels = desc->dims[3], position = at[3] / channels;
    const int32_t in[4] = {at[0], at[1] * b + position / b, at[2] * b + position % b, at[3] % channels};
    return movement_flat(desc, in);
}

static void blocks(void **state) {
    (void)state;
    for (int i = 0; i < 150; i++) {
        tmc_block_params p = {.block = random_int(&movement_rng, 1, 4), .mode = i & 1};
        tmc_tensor_desc deep = movement_desc(movement_type(), 4, 7), wide = movement_desc(movement_type(), 4, 7);
        deep.dims[3] = p.block * p.block * random_int(&movement_rng, 1, 9);
        movement_check_unary(TMC_OP_DEPTH_TO_SPACE, &p, deep, from_depth);
        p.mode = 0;
        wide.dims[1] *= p.block;
        wide.dims[2] *= p.block;
        movement_check_unary(TMC_OP_SPACE_TO_DEPTH, &p, wide, from_space);
    }
}

/* From the ONNX operator pages: DepthToSpace in both modes, [1,8,2,3] there. */
static void blocks_by_hand(void **state) {
    (void)state;
    uint8_t deep[1][1][2][4] = {{{{0, 1, 2, 3}, {4, 5, 6, 7}}}};
    static const uint8_t wide[1][2][4][1] = {{{{0}, {1}, {4}, {5}}, {{2}, {3}, {6}, {7}}}};
    const tmc_block_params p = {.block = 2};
    const op_tensor in = {.desc = op_desc(TMC_U8, 4, (const int32_t[]){1, 1, 2, 4}), .data = deep};
    op_call call = {.op = TMC_OP_DEPTH_TO_SPACE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result result;
    assert_int_equal(op_run(&call, &result), TMC_OK);
    assert_memory_equal(result.data[0], wide, sizeof wide);
    op_result_free(&result);
}

/* ------------------------------------------------------------------------------------------------ repetitions */

static size_t expanded(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                       uint32_t *from) {
    (void)output, (void)from;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < desc->rank; a++)
        in[a] = desc->dims[a] == 1 ? 0 : at[a + result->descs[0].rank - desc->rank];
    return movement_flat(desc, in);
}

static void expand(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        const int32_t rank = i % 7, in_rank = random_int(&movement_rng, 0, rank);
        tmc_tensor_desc desc = movement_desc(movement_type(), in_rank, movement_largest_dim(rank));
        tmc_shape_params p = {.rank = rank};
        for (int32_t a = 0; a < rank; a++) {
            const int32_t from = a - (rank - in_rank);
            if (from >= 0 && random_u32(&movement_rng) % 2) desc.dims[from] = 1;
            p.dims[a] = from < 0 || desc.dims[from] == 1 ? random_int(&movement_rng, 1, movement_largest_dim(rank))
                                                         : desc.dims[from];
            if (random_u32(&movement_rng) % 4 == 0) p.dims[a] = 1;
        }
        movement_check_unary(TMC_OP_EXPAND, &p, desc, expanded);
    }
    const tmc_shape_params channels = {3, {50, 60, 70}}, fill = {1, {700000}};
    movement_check_unary(TMC_OP_EXPAND, &channels, op_desc(TMC_F32, 1, (const int32_t[]){70}), expanded);
    movement_check_unary(TMC_OP_EXPAND, &fill, op_desc(TMC_F16, 1, (const int32_t[]){1}), expanded);
}

static size_t tiled(const op_call *call, const op_result *result, uint32_t output, const int32_t *at, uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < desc->rank; a++) in[a] = at[a] % desc->dims[a];
    return movement_flat(desc, in);
}

static void tile(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = i % 7;
        tmc_shape_params p = {.rank = rank};
        for (int32_t a = 0; a < rank; a++) p.dims[a] = random_int(&movement_rng, 1, 3);
        movement_check_unary(TMC_OP_TILE, &p, movement_desc(movement_type(), rank, movement_largest_dim(rank) / 2 + 1),
                             tiled);
    }
}

/* ------------------------------------------------------------------------------------------------ reshape */

static size_t unmoved(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                      uint32_t *from) {
    (void)call, (void)output, (void)from;
    return movement_flat(&result->descs[0], at);
}

static void reshape(void **state) {
    (void)state;
    const tmc_shape_params p = {3, {0, -1, 7}};
    for (size_t t = 0; t < MOVEMENT_TYPES; t++)
        movement_check_unary(TMC_OP_RESHAPE, &p, op_desc(movement_types[t], 3, (const int32_t[]){500, 14, 60}),
                             unmoved);
}

/* A box that is the whole input in order is an alias: the run leaves a shared buffer alone. */
static void identities_are_aliases(void **state) {
    (void)state;
    const tmc_shape_params flat24 = {1, {24}}, to_channels_last = {4, {0, 2, 3, 1}}, ones = {4, {1, 1, 1, 1}};
    const tmc_slice_params all = movement_whole_slice();
    const tmc_block_params one_block = {.block = 1};
    const struct {
        uint16_t op;
        const void *params;
    } cases[] = {{TMC_OP_RESHAPE, &flat24},
                 {TMC_OP_TRANSPOSE, &to_channels_last},
                 {TMC_OP_SLICE, &all},
                 {TMC_OP_EXPAND, &ones},
                 {TMC_OP_TILE, &ones},
                 {TMC_OP_CHANNEL_SHUFFLE, &one_block},
                 {TMC_OP_DEPTH_TO_SPACE, &one_block}};
    float data[24];
    random_fill(&movement_rng, data, 24, -1.0f, 1.0f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const op_tensor in = {.desc = op_desc(TMC_F32, 4, (const int32_t[]){1, 1, 4, 6}), .data = data};
        op_call call = {
            .op = cases[i].op, .params = cases[i].params, .inputs = &in, .input_count = 1, .output_count = 1};
        for (uint32_t in_place = 0; in_place <= 1; in_place++) {
            op_result result;
            call.in_place = in_place;
            if (op_run(&call, &result) != TMC_OK) fail_msg("case %zu: %s", i, result.err.message);
            assert_memory_equal(result.data[0], data, sizeof data);
            op_result_free(&result);
        }
    }
    /* With two channels the same permutation moves data. */
    const op_tensor two = {.desc = op_desc(TMC_F32, 4, (const int32_t[]){1, 2, 3, 4}), .data = data};
    op_call call = {.op = TMC_OP_TRANSPOSE,
                    .params = &to_channels_last,
                    .inputs = &two,
                    .input_count = 1,
                    .output_count = 1,
                    .in_place = 1};
    op_result result;
    assert_int_equal(op_run(&call, &result), TMC_E_STATE);
    op_result_free(&result);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, movement_setup)
    const struct CMUnitTest tests[] = {
        TEST(transpose_random), TEST(transpose_layouts),      TEST(channel_shuffle), TEST(channel_shuffle_of_two),
        TEST(blocks),           TEST(blocks_by_hand),         TEST(expand),          TEST(tile),
        TEST(reshape),          TEST(identities_are_aliases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
