#include "lib/graphs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/reader.h"
#include "format/selftest.h"
#include "lib/levels.h"
#include "lib/random.h"
#include "runtime/model.h"

static const tmc_act_params no_act = {-INFINITY, INFINITY};

static uint32_t node(build *b, const char *name, uint16_t op, const void *params, const uint32_t *inputs,
                     uint16_t input_count, int32_t rank, const int32_t *dims) {
    char tensor[32];
    snprintf(tensor, sizeof tensor, "%s.y", name);
    uint32_t out = build_activation(b, tensor, TMC_F32, rank, dims);
    build_node(b, name, op, params, inputs, input_count, &out, 1);
    return out;
}

static uint32_t conv3x3(build *b, const char *name, uint32_t x, int32_t size, int32_t in, int32_t out) {
    const tmc_conv_params params = {.spatial = 2,
                                    .kernel = {1, 3, 3},
                                    .stride = {1, 1, 1},
                                    .dilation = {1, 1, 1},
                                    .pad_begin = {0, 1, 1},
                                    .pad_end = {0, 1, 1},
                                    .groups = 1,
                                    .act = no_act};
    const size_t count = (size_t)out * 9 * (size_t)in;
    float *w = malloc((count + (size_t)out) * sizeof *w);
    tmc_selftest_fill(77, TMC_F32, w, count + (size_t)out);
    for (size_t i = 0; i < count; i++) w[i] *= 0.2f;
    uint32_t weights = build_panels(b, "", 4, (int32_t[]){out, 3, 3, in}, 1, w, w + count);
    free(w);
    return node(b, name, TMC_OP_CONV, &params, (uint32_t[]){x, weights}, 2, 4, (int32_t[]){1, size, size, out});
}

build *graph_classifier(void) {
    const tmc_unary_params clamp = {TMC_UNARY_CLAMP, 0.0f, 6.0f}, leaky = {TMC_UNARY_LEAKY_RELU, 0.1f, 0.0f};
    const tmc_unary_params absolute = {TMC_UNARY_ABS, 0.0f, 0.0f};
    const tmc_fully_connected_params dense = {no_act};
    const tmc_softmax_params softmax = {.axis = 1};
    const tmc_shape_params flat = {2, {1, 512}}, vector = {1, {10}};
    const int32_t image4[] = {1, 8, 8, 4}, image8[] = {1, 8, 8, 8};
    build *b = build_new("classifier");
    uint32_t x = build_input(b, "image", TMC_F32, 4, image4);
    uint32_t a = node(b, "clamp", TMC_OP_UNARY, &clamp, &x, 1, 4, image4);
    uint32_t c = conv3x3(b, "conv", a, 8, 4, 8);
    uint32_t d = node(b, "leaky", TMC_OP_UNARY, &leaky, &c, 1, 4, image8);
    node(b, "dead", TMC_OP_UNARY, &absolute, &d, 1, 4, image8);
    uint32_t e = node(b, "flatten", TMC_OP_RESHAPE, &flat, &d, 1, 2, (int32_t[]){1, 512});
    float *w = malloc((5120 + 10) * sizeof *w);
    tmc_selftest_fill(78, TMC_F32, w, 5120 + 10);
    uint32_t weights = build_panels(b, "", 2, (int32_t[]){10, 512}, 1, w, w + 5120);
    free(w);
    uint32_t f = node(b, "dense", TMC_OP_FULLY_CONNECTED, &dense, (uint32_t[]){e, weights}, 2, 2, (int32_t[]){1, 10});
    uint32_t g = node(b, "softmax", TMC_OP_SOFTMAX, &softmax, &f, 1, 2, (int32_t[]){1, 10});
    uint32_t h = node(b, "logits", TMC_OP_RESHAPE, &vector, &f, 1, 1, (int32_t[]){10});
    build_output(b, g);
    build_output(b, h);
    build_metadata(b, "labels", "a;b");
    return b;
}

/* One chain of fused multiply-adds per element, from the bias, taps ascending. */
void graph_classifier_logits(const float *image, float *logits) {
    float w[8 * 36 + 8], hidden[8 * 8 * 8], dense[5120 + 10];
    tmc_selftest_fill(77, TMC_F32, w, 8 * 36 + 8);
    tmc_selftest_fill(78, TMC_F32, dense, 5120 + 10);
    for (int i = 0; i < 8 * 36; i++) w[i] *= 0.2f;
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            for (int o = 0; o < 8; o++) {
                float sum = w[8 * 36 + o];
                for (int k = 0; k < 36; k++) {
                    const int iy = y + k / 12 - 1, ix = x + k / 4 % 3 - 1;
                    const bool inside = iy >= 0 && iy < 8 && ix >= 0 && ix < 8;
                    const float v = inside ? image[(iy * 8 + ix) * 4 + k % 4] : 0.0f;
                    sum = fmaf(v < 0.0f ? 0.0f : v > 6.0f ? 6.0f : v, w[o * 36 + k], sum);
                }
                hidden[(y * 8 + x) * 8 + o] = sum < 0.0f ? sum * 0.1f : sum;
            }
    for (int o = 0; o < 10; o++) {
        float sum = dense[5120 + o];
        for (int k = 0; k < 512; k++) sum = fmaf(hidden[k], dense[o * 512 + k], sum);
        logits[o] = sum;
    }
}

build *graph_heavy(uint32_t convolutions, int32_t size, int32_t channels) {
    build *b = build_new("heavy");
    uint32_t x = build_input(b, "image", TMC_F32, 4, (int32_t[]){1, size, size, channels});
    for (uint32_t i = 0; i < convolutions; i++) {
        char name[16];
        snprintf(name, sizeof name, "conv%u", i);
        x = conv3x3(b, name, x, size, channels, channels);
    }
    build_output(b, x);
    return b;
}

/* ------------------------------------------------------------------------------------------------- random graphs */

enum { RANDOM_TENSORS = 64, RANDOM_ROWS = 12, RANDOM_CHANNELS = 96 };

typedef struct {
    uint32_t id;
    int32_t r, c; /* [1,r,c]; rank 1 tensors of `flat` hold [r * c] */
    bool flat, used, is_input;
} random_tensor;

typedef struct {
    build *b;
    random_state r;
    random_tensor tensors[RANDOM_TENSORS];
    uint32_t count;
} random_graph;

static random_tensor *any(random_graph *g, bool flat) {
    for (;;) {
        random_tensor *t = &g->tensors[random_int(&g->r, 0, (int32_t)g->count - 1)];
        if (t->flat == flat) return t;
        if (flat && !random_int(&g->r, 0, 20)) return NULL;
    }
}

static random_tensor *add(random_graph *g, int32_t r, int32_t c, bool flat, bool is_input) {
    random_tensor *t = &g->tensors[g->count++];
    const int32_t image[] = {1, r, c}, vector[] = {r * c};
    char name[16];
    snprintf(name, sizeof name, "t%u", g->count);
    uint32_t id = is_input ? build_input(g->b, name, TMC_F32, flat ? 1 : 3, flat ? vector : image)
                           : build_activation(g->b, name, TMC_F32, flat ? 1 : 3, flat ? vector : image);
    *t = (random_tensor){id, r, c, flat, false, is_input};
    return t;
}

/* A node with one input and one output [1,r,c]. */
static void add_map(random_graph *g, const char *name, uint16_t op, const void *params, random_tensor *x, int32_t r,
                    int32_t c) {
    x->used = true;
    random_tensor *y = add(g, r, c, false, false);
    build_node(g->b, name, op, params, &x->id, 1, &y->id, 1);
}

static void add_unary(random_graph *g) {
    const tmc_unary_params kinds[] = {
        {TMC_UNARY_CLAMP, -0.5f, 0.5f}, {TMC_UNARY_LEAKY_RELU, 0.25f, 0}, {TMC_UNARY_NEG, 0, 0}, {TMC_UNARY_ABS, 0, 0}};
    random_tensor *x = any(g, false);
    add_map(g, "unary", TMC_OP_UNARY, &kinds[random_int(&g->r, 0, 3)], x, x->r, x->c);
}

static void add_binary(random_graph *g) {
    const tmc_binary_params kinds[] = {{TMC_BINARY_ADD, no_act}, {TMC_BINARY_MUL, no_act}, {TMC_BINARY_SUB, no_act}};
    random_tensor *x = any(g, false), *z = any(g, false);
    for (int tries = 0; (z->c != x->c && z->c != 1) || (z->r != x->r && z->r != 1); tries++)
        z = tries > 20 ? x : any(g, false);
    x->used = z->used = true;
    random_tensor *y = add(g, x->r, x->c, false, false);
    build_node(g->b, "binary", TMC_OP_BINARY, &kinds[random_int(&g->r, 0, 2)], (uint32_t[]){x->id, z->id}, 2, &y->id,
               1);
}

static void add_scale_shift(random_graph *g) {
    random_tensor *x = any(g, false);
    float coefficients[2 * RANDOM_CHANNELS];
    tmc_selftest_fill(5, TMC_F32, coefficients, 2 * RANDOM_CHANNELS);
    x->used = true;
    uint32_t scale = build_constant(g->b, "", TMC_F32, 1, &x->c, coefficients);
    uint32_t shift = build_constant(g->b, "", TMC_F32, 1, &x->c, coefficients + RANDOM_CHANNELS);
    random_tensor *y = add(g, x->r, x->c, false, false);
    build_node(g->b, "scale_shift", TMC_OP_SCALE_SHIFT, &no_act, (uint32_t[]){x->id, scale, shift}, 3, &y->id, 1);
}

static void add_reshape(random_graph *g) {
    random_tensor *x = any(g, random_int(&g->r, 0, 1));
    if (!x) return;
    x->used = true;
    random_tensor *y = add(g, x->r, x->c, !x->flat, false);
    const tmc_shape_params image = {3, {1, x->r, x->c}}, vector = {1, {x->r * x->c}};
    build_node(g->b, "reshape", TMC_OP_RESHAPE, y->flat ? &vector : &image, &x->id, 1, &y->id, 1);
}

static void add_concat(random_graph *g) {
    const tmc_axis_params axis = {random_int(&g->r, 0, 3) ? 2 : 1};
    const bool channels = axis.axis == 2;
    random_tensor *parts[3];
    uint32_t ids[3], count = 0;
    int32_t sum = 0;
    parts[0] = any(g, false);
    for (int tries = 0; tries < 12 && count < 3; tries++) {
        random_tensor *x = tries ? any(g, false) : parts[0];
        const int32_t size = channels ? x->c : x->r, limit = channels ? RANDOM_CHANNELS : RANDOM_ROWS;
        if ((channels ? x->r != parts[0]->r : x->c != parts[0]->c) || sum + size > limit) continue;
        sum += size;
        parts[count] = x;
        ids[count++] = x->id;
    }
    if (!count) return;
    for (uint32_t i = 0; i < count; i++) parts[i]->used = true;
    random_tensor *y = add(g, channels ? parts[0]->r : sum, channels ? sum : parts[0]->c, false, false);
    build_node(g->b, "concat", TMC_OP_CONCAT, &axis, ids, (uint16_t)count, &y->id, 1);
}

static void add_split(random_graph *g) {
    random_tensor *x = any(g, false);
    const bool channels = random_int(&g->r, 0, 3);
    const int32_t size = channels ? x->c : x->r;
    if (size < 2) return;
    const int32_t first = random_int(&g->r, 1, size - 1), rest = size - first;
    const tmc_split_params split = {.axis = channels ? 2 : 1, .sizes = {first, rest}};
    x->used = true;
    random_tensor *y = channels ? add(g, x->r, first, false, false) : add(g, first, x->c, false, false);
    random_tensor *z = channels ? add(g, x->r, rest, false, false) : add(g, rest, x->c, false, false);
    build_node(g->b, "split", TMC_OP_SPLIT, &split, &x->id, 1, (uint32_t[]){y->id, z->id}, 2);
}

static void add_slice(random_graph *g) {
    random_tensor *x = any(g, false);
    const int32_t begin = random_int(&g->r, 0, x->c - 1), end = random_int(&g->r, begin + 1, x->c);
    const tmc_slice_params slice = {.begin = {0, 0, begin},
                                    .end = {INT32_MAX, INT32_MAX, end, INT32_MAX, INT32_MAX, INT32_MAX},
                                    .step = {1, 1, 1, 1, 1, 1}};
    add_map(g, "slice", TMC_OP_SLICE, &slice, x, x->r, end - begin);
}

static void add_softmax(random_graph *g) {
    random_tensor *x = any(g, false);
    const tmc_softmax_params softmax = {.axis = 1};
    add_map(g, "softmax", TMC_OP_SOFTMAX, &softmax, x, x->r, x->c);
}

static void add_mean(random_graph *g) {
    random_tensor *x = any(g, false);
    const bool channels = !random_int(&g->r, 0, 3);
    const tmc_reduce_params mean = {TMC_REDUCE_MEAN, channels ? 4 : 2, 1};
    add_map(g, "mean", TMC_OP_REDUCE, &mean, x, channels ? x->r : 1, channels ? 1 : x->c);
}

static void add_resize(random_graph *g) {
    random_tensor *x = any(g, false);
    if (2 * x->r > RANDOM_ROWS) return;
    tmc_resize_params resize = {.mode = random_int(&g->r, 0, 1),
                                .coordinates = TMC_COORD_HALF_PIXEL,
                                .sizes = {1, 2 * x->r, x->c},
                                .roi_end = {1, 1, 1, 1, 1, 1}};
    add_map(g, "resize", TMC_OP_RESIZE, &resize, x, 2 * x->r, x->c);
}

build *graph_random(uint64_t seed) {
    random_graph g = {.b = build_new("random")};
    random_init(&g.r, seed);
    const int32_t inputs = random_int(&g.r, 1, 3), nodes = random_int(&g.r, 1, 28);
    for (int32_t i = 0; i < inputs; i++) add(&g, i ? random_int(&g.r, 1, 6) : 4, random_int(&g.r, 1, 24), false, true);
    for (int32_t i = 0; i < nodes; i++) {
        void (*const makers[])(random_graph *) = {add_unary,  add_unary,       add_binary,  add_binary, add_concat,
                                                  add_concat, add_concat,      add_reshape, add_split,  add_split,
                                                  add_slice,  add_scale_shift, add_softmax, add_mean,   add_resize};
        makers[random_int(&g.r, 0, (int32_t)(sizeof makers / sizeof *makers) - 1)](&g);
    }
    add_unary(&g); /* so that there is a node at all */
    for (uint32_t i = 0; i < g.count; i++) {
        const bool last = i + 1 == g.count;
        if (g.tensors[i].is_input) continue;
        if (last || !random_int(&g.r, 0, g.tensors[i].used ? 8 : 1)) build_output(g.b, g.tensors[i].id);
    }
    return g.b;
}

/* -------------------------------------------------------------------------------------------------- open and run */

static void check(tmc_status status, const tmc_error *err, const char *call) {
    if (status != TMC_OK) fail_msg("%s: %s: %s", call, tmc_status_name(status), err->message);
}

tmc_model *graph_open(build *b, const tmc_model_options *options) {
    tmc_model *model;
    tmc_error err;
    size_t size;
    uint8_t *bytes = build_bytes(b, &size);
    tmc_error_init(&err);
    check(tmc_model_open_memory(bytes, size, options, &model, &err), &err, "open");
    free(bytes);
    build_free(b);
    return model;
}

tmc_plan *graph_plan(tmc_model *model, const tmc_plan_options *options) {
    tmc_plan *plan;
    tmc_error err;
    tmc_error_init(&err);
    check(tmc_plan_create(model, options, &plan, &err), &err, "plan");
    return plan;
}

tmc_plan *graph_plan_views(tmc_model *model, const tmc_plan_options *options, tmc_plan_views views) {
    tmc_plan_options complete = *options;
    tmc_plan *plan;
    tmc_error err;
    tmc_error_init(&err);
    if (!complete.allocator) complete.allocator = &model->allocator;
    check(tmc_plan_build(&model->view, &complete, views, &plan, &err), &err, "plan");
    plan->model = tmc_model_retain(model);
    return plan;
}

tmc_session *graph_session(tmc_plan *plan, const tmc_session_options *options) {
    tmc_session *session;
    tmc_error err;
    tmc_error_init(&err);
    check(tmc_session_create(plan, options, &session, &err), &err, "session");
    return session;
}

tmc_session *graph_start(build *b, uint32_t threads) {
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.threads = threads;
    options.max_isa = level_best_exact();
    tmc_model *model = graph_open(b, NULL);
    tmc_plan *plan = graph_plan(model, &options);
    tmc_session *session = graph_session(plan, NULL);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    return session;
}

void graph_fill(tmc_session *session, uint32_t seed) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    for (uint32_t i = 0; tmc_session_input(session, i, &info) == TMC_OK; i++) {
        size_t elements = 1;
        for (int32_t d = 0; d < info.rank; d++) elements *= (size_t)info.dims[d];
        void *data = malloc(info.bytes);
        tmc_selftest_fill(seed + i, info.dtype, data, elements);
        assert_int_equal(tmc_session_write_input(session, i, data, info.bytes, NULL), TMC_OK);
        free(data);
    }
}

void graph_digest(tmc_session *session, uint8_t digest[16]) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    size_t used = 0;
    uint8_t *all = NULL;
    for (uint32_t i = 0; tmc_session_output(session, i, &info) == TMC_OK; i++) {
        all = realloc(all, used + info.bytes);
        assert_int_equal(tmc_session_read_output(session, i, all + used, info.bytes, NULL), TMC_OK);
        used += info.bytes;
    }
    tmc_digest(all, used, digest);
    free(all);
}
