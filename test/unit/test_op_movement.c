/* The operators that move elements, against a reference that computes, for every output element, the index of the input
 * element it comes from. Each case runs with guard pages on both sides, and with one and two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define CONSTANT SIZE_MAX

static const tmc_dtype types[] = {TMC_U8, TMC_I8, TMC_F16, TMC_F32, TMC_I32, TMC_I64, TMC_BOOL};
#define TYPE_COUNT (sizeof types / sizeof *types)

static random_state rng;

static uint8_t *random_bytes(size_t bytes) {
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)random_u32(&rng); /* any bits, signalling NaNs too */
    return data;
}

static tmc_tensor_desc random_desc(tmc_dtype dtype, int32_t rank, int32_t largest) {
    int32_t dims[TMC_MAX_RANK];
    for (int32_t a = 0; a < rank; a++) dims[a] = random_int(&rng, 1, largest);
    return op_desc(dtype, rank, dims);
}

static tmc_dtype random_type(void) { return types[random_u32(&rng) % TYPE_COUNT]; }

/* Largest dim that keeps a random tensor of this rank small. */
static int32_t largest_dim(int32_t rank) {
    static const int32_t largest[] = {1, 300, 40, 13, 8, 5, 4};
    return largest[rank];
}

static size_t flat(const tmc_tensor_desc *desc, const int32_t *at) {
    size_t index = 0;
    for (int32_t a = 0; a < desc->rank; a++) index = index * (size_t)desc->dims[a] + (size_t)at[a];
    return index;
}

static void unflat(const tmc_tensor_desc *desc, size_t index, int32_t *at) {
    for (int32_t a = desc->rank - 1; a >= 0; a--) {
        at[a] = (int32_t)(index % (size_t)desc->dims[a]);
        index /= (size_t)desc->dims[a];
    }
}

/* Index in input `*from` of the element that output `output` has at `at`, or CONSTANT. */
typedef size_t (*source_fn)(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                            uint32_t *from);

static void compare(const op_call *call, const op_result *result, source_fn source, const void *constant) {
    const size_t size = tmc_dtype_size(call->inputs[0].desc.dtype);
    for (uint32_t o = 0; o < result->output_count; o++) {
        const tmc_tensor_desc *desc = &result->descs[o];
        assert_int_equal(desc->dtype, call->inputs[0].desc.dtype);
        for (size_t i = 0; i < tmc_tensor_elements(desc); i++) {
            int32_t at[TMC_MAX_RANK] = {0};
            uint32_t from = 0;
            unflat(desc, i, at);
            const size_t index = source(call, result, o, at, &from);
            const uint8_t *wanted = constant;
            if (index != CONSTANT) wanted = (const uint8_t *)call->inputs[from].data + index * size;
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

static void check_constant(op_call *call, source_fn source, const void *constant) {
    /* Only large tensors make several tasks; starting a pool is the slow part of this test. */
    const bool pool = tmc_tensor_bytes(&call->inputs[0].desc) > (64u << 10) || random_u32(&rng) % 8 == 0;
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

static void check(op_call *call, source_fn source) { check_constant(call, source, NULL); }

/* One input of random content. */
static void check_unary(uint16_t op, const void *params, tmc_tensor_desc desc, source_fn source) {
    const op_tensor in = {.desc = desc, .data = random_bytes(tmc_tensor_bytes(&desc))};
    op_call call = {.op = op, .params = params, .inputs = &in, .input_count = 1, .output_count = 1};
    check(&call, source);
    free((void *)in.data);
}

/* ------------------------------------------------------------------------------------------------ permutations */

static size_t transposed(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                         uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_shape_params *p = call->params;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < p->rank; a++) in[p->dims[a]] = at[a];
    return flat(&call->inputs[0].desc, in);
}

static tmc_shape_params random_permutation(int32_t rank) {
    tmc_shape_params p = {.rank = rank};
    for (int32_t a = 0; a < rank; a++) {
        const int32_t at = random_int(&rng, 0, a);
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
        check_unary(TMC_OP_TRANSPOSE, &p, random_desc(random_type(), rank, largest_dim(rank)), transposed);
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
        for (size_t t = 0; t < TYPE_COUNT; t++) {
            tmc_shape_params p = {.rank = cases[i].rank};
            memcpy(p.dims, cases[i].order, sizeof cases[i].order);
            for (int32_t a = p.rank; a < TMC_MAX_RANK; a++) p.dims[a] = 0;
            check_unary(TMC_OP_TRANSPOSE, &p, op_desc(types[t], cases[i].rank, cases[i].dims), transposed);
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
    return flat(desc, in);
}

static void channel_shuffle(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_block_params p = {.block = i % 3 ? 2 : random_int(&rng, 1, 6)};
        tmc_tensor_desc desc = random_desc(random_type(), rank, largest_dim(rank));
        desc.dims[rank - 1] = p.block * random_int(&rng, 1, 40);
        check_unary(TMC_OP_CHANNEL_SHUFFLE, &p, desc, shuffled);
    }
    const tmc_block_params p = {.block = 2};
    check_unary(TMC_OP_CHANNEL_SHUFFLE, &p, op_desc(TMC_F32, 4, (const int32_t[]){1, 28, 28, 116}), shuffled);
}

static size_t interleaved(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                          uint32_t *from) {
    (void)result, (void)output;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    *from = (uint32_t)at[desc->rank - 1] % 2;
    in[desc->rank - 1] = at[desc->rank - 1] / 2;
    return flat(desc, in);
}

static void channel_shuffle_of_two(void **state) {
    (void)state;
    const tmc_block_params p = {.block = 2};
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_tensor_desc desc = i ? random_desc(random_type(), rank, largest_dim(rank))
                                       : op_desc(TMC_F32, 4, (const int32_t[]){1, 28, 28, 58});
        const size_t bytes = tmc_tensor_bytes(&desc);
        uint8_t *data = malloc(2 * bytes);
        for (size_t k = 0; k < 2 * bytes; k++) data[k] = (uint8_t)random_u32(&rng);
        const op_tensor in[2] = {{.desc = desc, .data = data}, {.desc = desc, .data = data + bytes}};
        op_call call = {.op = TMC_OP_CHANNEL_SHUFFLE, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
        check(&call, interleaved);
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
    return flat(&call->inputs[0].desc, in);
}

static size_t from_space(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                         uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_block_params *p = call->params;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    const int32_t b = p->block, channels = desc->dims[3], position = at[3] / channels;
    const int32_t in[4] = {at[0], at[1] * b + position / b, at[2] * b + position % b, at[3] % channels};
    return flat(desc, in);
}

static void blocks(void **state) {
    (void)state;
    for (int i = 0; i < 150; i++) {
        tmc_block_params p = {.block = random_int(&rng, 1, 4), .mode = i & 1};
        tmc_tensor_desc deep = random_desc(random_type(), 4, 7), wide = random_desc(random_type(), 4, 7);
        deep.dims[3] = p.block * p.block * random_int(&rng, 1, 9);
        check_unary(TMC_OP_DEPTH_TO_SPACE, &p, deep, from_depth);
        p.mode = 0;
        wide.dims[1] *= p.block;
        wide.dims[2] *= p.block;
        check_unary(TMC_OP_SPACE_TO_DEPTH, &p, wide, from_space);
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
    return flat(desc, in);
}

static void expand(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        const int32_t rank = i % 7, in_rank = random_int(&rng, 0, rank);
        tmc_tensor_desc desc = random_desc(random_type(), in_rank, largest_dim(rank));
        tmc_shape_params p = {.rank = rank};
        for (int32_t a = 0; a < rank; a++) {
            const int32_t from = a - (rank - in_rank);
            if (from >= 0 && random_u32(&rng) % 2) desc.dims[from] = 1;
            p.dims[a] = from < 0 || desc.dims[from] == 1 ? random_int(&rng, 1, largest_dim(rank)) : desc.dims[from];
            if (random_u32(&rng) % 4 == 0) p.dims[a] = 1;
        }
        check_unary(TMC_OP_EXPAND, &p, desc, expanded);
    }
    const tmc_shape_params channels = {3, {50, 60, 70}}, fill = {1, {700000}};
    check_unary(TMC_OP_EXPAND, &channels, op_desc(TMC_F32, 1, (const int32_t[]){70}), expanded);
    check_unary(TMC_OP_EXPAND, &fill, op_desc(TMC_F16, 1, (const int32_t[]){1}), expanded);
}

static size_t tiled(const op_call *call, const op_result *result, uint32_t output, const int32_t *at, uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_tensor_desc *desc = &call->inputs[0].desc;
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < desc->rank; a++) in[a] = at[a] % desc->dims[a];
    return flat(desc, in);
}

static void tile(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = i % 7;
        tmc_shape_params p = {.rank = rank};
        for (int32_t a = 0; a < rank; a++) p.dims[a] = random_int(&rng, 1, 3);
        check_unary(TMC_OP_TILE, &p, random_desc(random_type(), rank, largest_dim(rank) / 2 + 1), tiled);
    }
}

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
    return flat(desc, in);
}

static tmc_slice_params whole_slice(void) {
    tmc_slice_params p;
    for (int32_t a = 0; a < TMC_MAX_RANK; a++) p.begin[a] = 0, p.end[a] = INT32_MAX, p.step[a] = 1;
    return p;
}

static void slice(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        const int32_t rank = i % 7;
        const tmc_tensor_desc desc = random_desc(random_type(), rank, largest_dim(rank));
        tmc_slice_params p = whole_slice();
        for (int32_t a = 0; a < rank; a++) {
            const int32_t dim = desc.dims[a], low = random_int(&rng, 0, dim - 1), high = random_int(&rng, low, dim - 1);
            p.step[a] = random_int(&rng, 1, 3);
            if (random_u32(&rng) % 2) {
                p.begin[a] = random_u32(&rng) % 2 ? low : low - dim;
                p.end[a] = random_u32(&rng) % 2 ? high + 1 : INT32_MAX;
            } else {
                p.step[a] = -p.step[a];
                p.begin[a] = random_u32(&rng) % 2 ? high : high == dim - 1 ? INT32_MAX : high - dim;
                p.end[a] = low == 0 || random_u32(&rng) % 2 ? INT32_MIN : low - 1;
            }
        }
        check_unary(TMC_OP_SLICE, &p, desc, sliced);
    }
    tmc_slice_params reverse = whole_slice(); /* several tasks */
    reverse.begin[0] = -1, reverse.end[0] = INT32_MIN, reverse.step[0] = -1;
    check_unary(TMC_OP_SLICE, &reverse, op_desc(TMC_F32, 2, (const int32_t[]){700, 300}), sliced);
    check_unary(TMC_OP_SLICE, &reverse, op_desc(TMC_U8, 1, (const int32_t[]){700000}), sliced);
}

static size_t split_source(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                           uint32_t *from) {
    (void)result, (void)from;
    const tmc_split_params *p = call->params;
    int32_t in[TMC_MAX_RANK];
    memcpy(in, at, sizeof in);
    for (uint32_t i = 0; i < output; i++) in[p->axis] += p->sizes[i];
    return flat(&call->inputs[0].desc, in);
}

static void split(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        tmc_tensor_desc desc = random_desc(random_type(), rank, largest_dim(rank));
        tmc_split_params p = {.axis = random_int(&rng, 0, rank - 1)};
        const uint32_t count = 1 + random_u32(&rng) % 5;
        desc.dims[p.axis] = 0;
        for (uint32_t o = 0; o < count; o++) desc.dims[p.axis] += p.sizes[o] = random_int(&rng, 1, 9);
        const op_tensor in = {.desc = desc, .data = random_bytes(tmc_tensor_bytes(&desc))};
        op_call call = {.op = TMC_OP_SPLIT, .params = &p, .inputs = &in, .input_count = 1, .output_count = count};
        check(&call, split_source);
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
    return flat(&call->inputs[*from].desc, in);
}

static void concat(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t rank = 1 + i % 6;
        const tmc_tensor_desc desc = random_desc(random_type(), rank, i ? largest_dim(rank) : 200000);
        const tmc_axis_params p = {random_int(&rng, 0, rank - 1)};
        op_tensor in[6];
        const uint32_t count = 1 + random_u32(&rng) % 6;
        for (uint32_t k = 0; k < count; k++) {
            in[k] = (op_tensor){.desc = desc};
            in[k].desc.dims[p.axis] = random_int(&rng, 1, 9);
            in[k].data = random_bytes(tmc_tensor_bytes(&in[k].desc));
        }
        op_call call = {.op = TMC_OP_CONCAT, .params = &p, .inputs = in, .input_count = count, .output_count = 1};
        check(&call, concat_source);
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
            case TMC_PAD_CONSTANT: return CONSTANT;
            case TMC_PAD_REFLECT: i = i < 0 ? -i : 2 * (dim - 1) - i; break;
            case TMC_PAD_EDGE: i = i < 0 ? 0 : dim - 1; break;
            default: i = (i + dim) % dim; break;
            }
        }
        in[a] = i;
    }
    return flat(desc, in);
}

static void pad_with(tmc_tensor_desc desc, int32_t mode, int32_t most) {
    tmc_pad_params p = {.mode = mode, .value = 1.0f};
    for (int32_t a = 0; a < desc.rank; a++) {
        const int32_t dim = desc.dims[a], limit = mode == TMC_PAD_REFLECT ? dim - 1 : mode == TMC_PAD_WRAP ? dim : most;
        p.begin[a] = random_int(&rng, 0, limit < most ? limit : most);
        p.end[a] = random_int(&rng, 0, limit < most ? limit : most);
    }
    static const uint8_t one_integer[8] = {1}, one_f32[8] = {0, 0, 0x80, 0x3f}, one_f16[8] = {0, 0x3c};
    const uint8_t *constant = desc.dtype == TMC_F32 ? one_f32 : desc.dtype == TMC_F16 ? one_f16 : one_integer;
    const op_tensor in = {.desc = desc, .data = random_bytes(tmc_tensor_bytes(&desc))};
    op_call call = {.op = TMC_OP_PAD, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    check_constant(&call, padded, constant);
    free((void *)in.data);
}

static void pad(void **state) {
    (void)state;
    for (int i = 0; i < 600; i++) {
        const int32_t rank = i % 7;
        pad_with(random_desc(random_type(), rank, largest_dim(rank)), i % 4, 3);
    }
    for (int32_t mode = 0; mode < 4; mode++) {
        pad_with(op_desc(TMC_F32, 4, (const int32_t[]){1, 90, 80, 12}), mode, 20);
        pad_with(op_desc(TMC_U8, 2, (const int32_t[]){600, 500}), mode, 400);
    }
}

/* ------------------------------------------------------------------------------------------------ reshape */

static size_t unmoved(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                      uint32_t *from) {
    (void)call, (void)output, (void)from;
    return flat(&result->descs[0], at);
}

static void reshape(void **state) {
    (void)state;
    const tmc_shape_params p = {3, {0, -1, 7}};
    for (size_t t = 0; t < TYPE_COUNT; t++)
        check_unary(TMC_OP_RESHAPE, &p, op_desc(types[t], 3, (const int32_t[]){500, 14, 60}), unmoved);
}

/* A box that is the whole input in order is an alias: the run leaves a shared buffer alone. */
static void identities_are_aliases(void **state) {
    (void)state;
    const tmc_shape_params flat24 = {1, {24}}, to_channels_last = {4, {0, 2, 3, 1}}, ones = {4, {1, 1, 1, 1}};
    const tmc_slice_params all = whole_slice();
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
    random_fill(&rng, data, 24, -1.0f, 1.0f);
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

/* ------------------------------------------------------------------------------------------------ gather */

static size_t gathered(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                       uint32_t *from) {
    (void)result, (void)output, (void)from;
    const tmc_axis_params *p = call->params;
    const tmc_tensor_desc *data = &call->inputs[0].desc, *indices = &call->inputs[1].desc;
    const size_t position = flat(indices, at + p->axis);
    int64_t index = indices->dtype == TMC_I64 ? ((const int64_t *)call->inputs[1].data)[position]
                                              : ((const int32_t *)call->inputs[1].data)[position];
    if (index < 0) index += data->dims[p->axis];
    int32_t in[TMC_MAX_RANK];
    for (int32_t a = 0; a < p->axis; a++) in[a] = at[a];
    in[p->axis] = (int32_t)index;
    for (int32_t a = p->axis + 1; a < data->rank; a++) in[a] = at[a - 1 + indices->rank];
    return flat(data, in);
}

static void gather_once(tmc_tensor_desc data, tmc_tensor_desc indices, int32_t axis) {
    const tmc_axis_params p = {axis};
    const size_t count = tmc_tensor_elements(&indices);
    void *index = malloc(count * 8);
    assert_non_null(index);
    for (size_t i = 0; i < count; i++) {
        const int32_t at = random_int(&rng, -data.dims[axis], data.dims[axis] - 1);
        if (indices.dtype == TMC_I64)
            ((int64_t *)index)[i] = at;
        else
            ((int32_t *)index)[i] = at;
    }
    const op_tensor in[2] = {{.desc = data, .data = random_bytes(tmc_tensor_bytes(&data))},
                             {.desc = indices, .data = index}};
    op_call call = {.op = TMC_OP_GATHER, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
    check(&call, gathered);
    free((void *)in[0].data);
    free(index);
}

static void gather(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        const int32_t rank = 1 + i % 6, index_rank = random_int(&rng, 0, TMC_MAX_RANK + 1 - rank);
        const tmc_dtype wide = i & 1 ? TMC_I64 : TMC_I32;
        gather_once(random_desc(random_type(), rank, largest_dim(rank)), random_desc(wide, index_rank, 3),
                    random_int(&rng, 0, rank - 1));
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

static int setup(void **state) {
    (void)state;
    random_init(&rng, 20240501);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(transpose_random),
        TEST(transpose_layouts),
        TEST(channel_shuffle),
        TEST(channel_shuffle_of_two),
        TEST(blocks),
        TEST(blocks_by_hand),
        TEST(expand),
        TEST(tile),
        TEST(slice),
        TEST(split),
        TEST(concat),
        TEST(pad),
        TEST(reshape),
        TEST(identities_are_aliases),
        TEST(gather),
        TEST(gather_refuses_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
