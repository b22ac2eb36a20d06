#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/evaluate.h"
#include "convert/pass_util.h"
#include "lib/ir_check.h"
#include "lib/random.h"

#define NO_CLAMP                                                                                                       \
    { -INFINITY, INFINITY }

static void must(tmc_status status, const tmc_error *err) {
    if (status != TMC_OK)
        fail_msg("%s: %s (node %d, field '%s')", tmc_status_name(status), err->message, err->node, err->field);
}

static tmc_tensor_desc desc_of(const int32_t *dims) {
    tmc_tensor_desc desc = {.dtype = TMC_F32};
    for (; dims[desc.rank]; desc.rank++) desc.dims[desc.rank] = dims[desc.rank];
    return desc;
}

ir_id make_input(ir_graph *g, const char *name, const int32_t *dims) {
    const tmc_tensor_desc desc = desc_of(dims);
    ir_id id = ir_add_tensor(g, name, &desc);
    ir_add_input(g, id);
    return id;
}

ir_id make_floats(ir_graph *g, const int32_t *dims, const float *data) {
    const tmc_tensor_desc desc = desc_of(dims);
    return ir_add_constant(g, NULL, &desc, data);
}

ir_id make_random(ir_graph *g, const int32_t *dims, float lo, float hi) {
    const tmc_tensor_desc desc = desc_of(dims);
    const size_t count = tmc_tensor_elements(&desc);
    float *data = malloc(count * sizeof *data);
    random_state r;
    random_init(&r, 1 + g->tensor_count);
    random_fill(&r, data, count, lo, hi);
    ir_id id = ir_add_constant(g, NULL, &desc, data);
    free(data);
    return id;
}

ir_id make_scalar(ir_graph *g, float value) {
    const tmc_tensor_desc desc = {.dtype = TMC_F32};
    return ir_add_constant(g, NULL, &desc, &value);
}

ir_id make_node(ir_graph *g, uint16_t op, const void *params, ir_id a, ir_id b, ir_id c) {
    const ir_id inputs[3] = {a, b, c};
    const uint32_t count = c != IR_NONE ? 3 : b != IR_NONE ? 2 : 1;
    ir_id output;
    tmc_error err;
    tmc_error_init(&err);
    must(ir_add_node(g, NULL, op, params, inputs, count, &output, 1, &err), &err);
    return output;
}

ir_id make_unary(ir_graph *g, int32_t kind, ir_id x) {
    const tmc_unary_params params = {.kind = kind};
    return make_node(g, TMC_OP_UNARY, &params, x, IR_NONE, IR_NONE);
}

ir_id make_clamp(ir_graph *g, ir_id x, float lo, float hi) {
    const tmc_unary_params params = {TMC_UNARY_CLAMP, lo, hi};
    return make_node(g, TMC_OP_UNARY, &params, x, IR_NONE, IR_NONE);
}

ir_id make_relu(ir_graph *g, ir_id x) { return make_clamp(g, x, 0.0f, INFINITY); }

ir_id make_binary(ir_graph *g, int32_t kind, ir_id a, ir_id b) {
    const tmc_binary_params params = {kind, NO_CLAMP};
    return make_node(g, TMC_OP_BINARY, &params, a, b, IR_NONE);
}

static ir_id make_shaped(ir_graph *g, uint16_t op, ir_id x, int32_t rank, const int32_t *dims) {
    tmc_shape_params params = {.rank = rank};
    memcpy(params.dims, dims, (size_t)rank * sizeof *dims);
    return make_node(g, op, &params, x, IR_NONE, IR_NONE);
}

ir_id make_transpose(ir_graph *g, ir_id x, const int32_t *perm) {
    return make_shaped(g, TMC_OP_TRANSPOSE, x, g->tensors[x].desc.rank, perm);
}

ir_id make_reshape(ir_graph *g, ir_id x, const int32_t *dims) {
    return make_shaped(g, TMC_OP_RESHAPE, x, desc_of(dims).rank, dims);
}

ir_id make_concat(ir_graph *g, int32_t axis, ir_id a, ir_id b) {
    const tmc_axis_params params = {axis};
    return make_node(g, TMC_OP_CONCAT, &params, a, b, IR_NONE);
}

/* -------------------------------------------------------------------------------------------- channels-first nodes */

ir_id make_last(ir_graph *g, ir_id x) { return make_transpose(g, x, DIMS(0, 2, 3, 1)); }
ir_id make_first(ir_graph *g, ir_id x) { return make_transpose(g, x, DIMS(0, 3, 1, 2)); }

tmc_conv_params conv_params(int32_t kernel, int32_t stride, int32_t pad, int32_t groups) {
    return (tmc_conv_params){.spatial = 2,
                             .kernel = {1, kernel, kernel},
                             .stride = {1, stride, stride},
                             .dilation = {1, 1, 1},
                             .pad_begin = {0, pad, pad},
                             .pad_end = {0, pad, pad},
                             .groups = groups,
                             .act = NO_CLAMP};
}

ir_id make_conv(ir_graph *g, ir_id x, int32_t channels, int32_t kernel, int32_t stride, int32_t pad, int32_t groups) {
    const int32_t in = g->tensors[x].desc.dims[1] / groups;
    const float range = 1.0f / sqrtf((float)(in * kernel * kernel));
    const tmc_conv_params params = conv_params(kernel, stride, pad, groups);
    const ir_id w = make_random(g, DIMS(channels, kernel, kernel, in), -range, range);
    const ir_id b = make_random(g, DIMS(channels), -0.5f, 0.5f);
    return make_first(g, make_node(g, TMC_OP_CONV, &params, make_last(g, x), w, b));
}

ir_id make_depthwise(ir_graph *g, ir_id x, int32_t kernel, int32_t stride, int32_t pad) {
    const int32_t channels = g->tensors[x].desc.dims[1];
    const tmc_conv_params params = conv_params(kernel, stride, pad, channels);
    const ir_id w = make_random(g, DIMS(kernel, kernel, channels), -0.4f, 0.4f);
    return make_first(g, make_node(g, TMC_OP_DEPTHWISE_CONV, &params, make_last(g, x), w, IR_NONE));
}

ir_id make_conv_transpose(ir_graph *g, ir_id x, int32_t channels, int32_t kernel, int32_t stride) {
    const tmc_conv_params params = conv_params(kernel, stride, 0, 1);
    const ir_id w = make_random(g, DIMS(channels, kernel, kernel, g->tensors[x].desc.dims[1]), -0.3f, 0.3f);
    return make_first(g, make_node(g, TMC_OP_CONV_TRANSPOSE, &params, make_last(g, x), w, IR_NONE));
}

ir_id make_batch_norm(ir_graph *g, ir_id x) {
    const tmc_act_params params = NO_CLAMP;
    const int32_t channels = g->tensors[x].desc.dims[1];
    const ir_id scale = make_random(g, DIMS(channels), 0.5f, 1.5f), shift = make_random(g, DIMS(channels), -1.0f, 1.0f);
    return make_first(g, make_node(g, TMC_OP_SCALE_SHIFT, &params, make_last(g, x), scale, shift));
}

ir_id make_max_pool(ir_graph *g, ir_id x, int32_t kernel, int32_t stride, int32_t pad) {
    const tmc_pool_params params = {.spatial = 2,
                                    .kernel = {1, kernel, kernel},
                                    .stride = {1, stride, stride},
                                    .dilation = {1, 1, 1},
                                    .pad_begin = {0, pad, pad},
                                    .pad_end = {0, pad, pad}};
    return make_first(g, make_node(g, TMC_OP_MAX_POOL, &params, make_last(g, x), IR_NONE, IR_NONE));
}

ir_id make_global_pool(ir_graph *g, ir_id x) {
    const tmc_reduce_params params = {TMC_REDUCE_MEAN, 1 << 2 | 1 << 3, 1};
    return make_node(g, TMC_OP_REDUCE, &params, x, IR_NONE, IR_NONE);
}

ir_id make_dense(ir_graph *g, ir_id x, int32_t columns) {
    const tmc_fully_connected_params params = {NO_CLAMP};
    const int32_t k = g->tensors[x].desc.dims[1];
    const float range = 1.0f / sqrtf((float)k);
    return make_node(g, TMC_OP_FULLY_CONNECTED, &params, x, make_random(g, DIMS(columns, k), -range, range),
                     make_random(g, DIMS(columns), -0.5f, 0.5f));
}

/* --------------------------------------------------------------------------------------------------------- questions
 */

uint32_t count_nodes(const ir_graph *g, uint16_t op) {
    uint32_t count = 0;
    for (ir_id i = 0; i < g->node_count; i++) count += !g->nodes[i].dead && (!op || g->nodes[i].op == op);
    return count;
}

const ir_node *find_node(const ir_graph *g, uint16_t op) {
    for (ir_id i = 0; i < g->node_count; i++)
        if (!g->nodes[i].dead && g->nodes[i].op == op) return &g->nodes[i];
    fail_msg("the graph has no node of operator %u", op);
    return NULL;
}

uint32_t apply_pass(ir_graph *g, pass_fn pass) {
    tmc_error err;
    tmc_error_init(&err);
    uint32_t changes = 0;
    must(pass_apply(g, pass, &changes, &err), &err);
    return changes;
}

void apply_all(ir_graph *g) {
    tmc_error err;
    tmc_error_init(&err);
    must(passes_run(g, NULL, &err), &err);
}

/* --------------------------------------------------------------------------------------------------------- running */

/* Dense data permuted: out axis i is in axis perm[i]. The graph's constant permuter does the work. */
static void *permuted(const tmc_tensor_info *info, const void *data, bool to_last) {
    int32_t last[TMC_MAX_RANK] = {0}, perm[TMC_MAX_RANK] = {0};
    pass_perm_channels_last(info->rank, last);
    if (to_last)
        memcpy(perm, last, sizeof perm);
    else
        pass_perm_invert(last, info->rank, perm);
    tmc_tensor_desc desc = {.dtype = (uint8_t)info->dtype, .rank = info->rank};
    memcpy(desc.dims, info->dims, sizeof desc.dims);
    if (to_last) { /* the data are in the source's order still */
        int32_t back[TMC_MAX_RANK] = {0};
        pass_perm_invert(last, info->rank, back);
        desc = pass_permuted(&desc, back);
    }
    ir_graph *g = ir_graph_new("permute");
    ir_id id = pass_permuted_constant(g, ir_add_constant(g, NULL, &desc, data), perm);
    void *out = malloc(info->bytes);
    memcpy(out, g->tensors[id].data, info->bytes);
    ir_graph_free(g);
    return out;
}

static void *random_input(const tmc_tensor_info *info, uint64_t seed) {
    random_state r;
    random_init(&r, seed);
    void *data = malloc(info->bytes);
    if (info->dtype == TMC_F32)
        random_fill(&r, data, info->bytes / 4, -2.0f, 2.0f);
    else
        for (size_t i = 0; i < info->bytes; i++)
            ((uint8_t *)data)[i] = i % tmc_dtype_size((uint32_t)info->dtype) ? 0 : (uint8_t)(random_u32(&r) & 1);
    if (info->layout != TMC_LAYOUT_CHANNELS_LAST) return data;
    void *last = permuted(info, data, true);
    free(data);
    return last;
}

ir_result run_graph(const ir_graph *g, uint64_t seed) {
    uint8_t *file;
    size_t size;
    evaluation e;
    tmc_error err;
    tmc_error_init(&err);
    must(ir_write(g, 1, &file, &size, &err), &err);
    must(evaluation_open(&e, file, size, &err), &err);
    for (uint32_t i = 0; i < g->input_count; i++) {
        const tmc_tensor_info info = evaluation_input(&e, i);
        void *data = random_input(&info, seed + i);
        must(evaluation_set(&e, i, data, info.bytes, &err), &err);
        free(data);
    }
    must(evaluation_run(&e, &err), &err);
    ir_result result = {.count = g->output_count};
    for (uint32_t i = 0; i < g->output_count; i++) {
        const tmc_tensor_info info = evaluation_output(&e, i);
        must(evaluation_get(&e, i, &result.data[i], &result.bytes[i], &err), &err);
        result.dtype[i] = (uint8_t)info.dtype;
        if (info.layout != TMC_LAYOUT_CHANNELS_LAST) continue;
        void *source = permuted(&info, result.data[i], false);
        free(result.data[i]);
        result.data[i] = source;
    }
    evaluation_release(&e);
    free(file);
    return result;
}

void free_result(ir_result *r) {
    for (uint32_t i = 0; i < r->count; i++) free(r->data[i]);
}

static void expect_near(const float *a, const float *b, size_t count, double tolerance) {
    double scale = 0.0;
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(a[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= tolerance * scale))
            fail_msg("element %zu: %.9g before, %.9g after, scale %g", i, a[i], b[i], scale);
}

void expect_same(ir_result before, ir_result after, double tolerance) {
    assert_int_equal(before.count, after.count);
    for (uint32_t i = 0; i < before.count; i++) {
        assert_int_equal(before.bytes[i], after.bytes[i]);
        assert_int_equal(before.dtype[i], after.dtype[i]);
        if (tolerance > 0.0 && before.dtype[i] == TMC_F32)
            expect_near(before.data[i], after.data[i], before.bytes[i] / 4, tolerance);
        else
            assert_memory_equal(before.data[i], after.data[i], before.bytes[i]);
    }
    free_result(&before);
    free_result(&after);
}
