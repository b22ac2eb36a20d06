/* Plans: what shares memory, that nothing is overwritten while somebody needs it, options, shapes, exact bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "lib/counting_alloc.h"
#include "lib/graphs.h"
#include "lib/tmc_samples.h"
#include "plan/plan.h"

/* ------------------------------------------------------------- a simulation of memory, independent of the planner */

/* Every element of every tensor has a token: what its readers expect to find. Operators that only move elements hand
 * tokens on, others make new ones. */
enum { CELLS = 1 << 18, TENSORS = 256, BUFFERS = 64, BUFFER_CELLS = 1 << 12 };
#define GARBAGE UINT32_MAX

typedef struct {
    const tmc_plan *plan;
    uint32_t arena[CELLS];                 /* per 4 bytes: the token there */
    uint32_t bound[BUFFERS][BUFFER_CELLS]; /* callers' buffers: inputs, then outputs */
    uint32_t writer[CELLS];                /* 1 + element of the output that the node at hand puts there */
    uint32_t *tokens[TENSORS];
    uint32_t last;
} memory_map;

static size_t elements(const memory_map *m, uint32_t tensor) { return tmc_tensor_elements(&m->plan->descs[tensor]); }

/* Where an element lies, NULL in a constant. */
static uint32_t *cell(memory_map *m, uint32_t tensor, size_t element) {
    const tmc_place *p = &m->plan->places[tensor];
    const tmc_tensor_desc *d = &m->plan->descs[tensor];
    const size_t row = d->rank ? (size_t)d->dims[d->rank - 1] : 1;
    const size_t at = d->rank ? element / row * tmc_tensor_pitch(d) + element % row : 0;
    assert_int_not_equal(p->store, TMC_STORE_NONE);
    if (p->store == TMC_STORE_WEIGHTS) return NULL;
    if (p->offset == TMC_NO_OFFSET) {
        assert_int_not_equal(p->store, TMC_STORE_ARENA);
        const uint32_t buffer = p->index + (p->store == TMC_STORE_OUTPUT ? m->plan->view->graph->input_count : 0);
        assert_true(buffer < BUFFERS && p->start / 4 + at < BUFFER_CELLS);
        return &m->bound[buffer][p->start / 4 + at];
    }
    assert_int_equal(p->offset % 4, 0);
    assert_true(p->offset + 4 * at + 4 <= m->plan->arena_bytes);
    return &m->arena[p->offset / 4 + at];
}

static void assert_holds(memory_map *m, uint32_t tensor) {
    for (size_t i = 0; i < elements(m, tensor); i++) {
        const uint32_t *at = cell(m, tensor, i);
        if (at && *at != m->tokens[tensor][i]) fail_msg("tensor %u has lost element %zu", tensor, i);
    }
}

static void assert_inputs_hold(memory_map *m, const tmc_step *node) {
    for (uint32_t i = 0; i < node->op.input_count; i++)
        if (node->tensors[i] != TMC_FILE_NONE) assert_holds(m, node->tensors[i]);
}

static void spoil_scratch(memory_map *m, const tmc_step *node) {
    if (!node->scratch_bytes) return;
    assert_true(node->scratch_offset + node->scratch_bytes <= m->plan->arena_bytes);
    for (uint64_t i = 0; i < node->scratch_bytes / 4; i++) m->arena[node->scratch_offset / 4 + i] = GARBAGE;
}

/* The tokens of the outputs: those of the inputs where the node only moves elements. */
static void make_tokens(memory_map *m, const tmc_step *node) {
    const uint32_t *outputs = node->tensors + node->op.input_count;
    const uint32_t x = node->tensors[0], y = outputs[0];
    for (uint32_t o = 0; o < node->op.output_count; o++) {
        m->tokens[outputs[o]] = calloc(elements(m, outputs[o]), sizeof(uint32_t));
        for (size_t i = 0; i < elements(m, outputs[o]); i++) m->tokens[outputs[o]][i] = ++m->last;
    }
    const tmc_tensor_desc *in = node->op.inputs[0], *out = node->op.outputs[0];
    const size_t rows = in->rank == 3 ? (size_t)in->dims[1] : 1, cols = in->rank == 3 ? (size_t)in->dims[2] : 1;
    if (node->op.op == TMC_OP_RESHAPE) memcpy(m->tokens[y], m->tokens[x], elements(m, x) * 4);
    if (node->op.op == TMC_OP_SLICE) {
        const size_t first = (size_t)((const tmc_slice_params *)node->op.params)->begin[2], n = (size_t)out->dims[2];
        for (size_t r = 0; r < rows; r++) memcpy(m->tokens[y] + r * n, m->tokens[x] + r * cols + first, n * 4);
    }
    if (node->op.op == TMC_OP_CONCAT || node->op.op == TMC_OP_SPLIT) {
        const bool join = node->op.op == TMC_OP_CONCAT;
        const uint32_t whole = join ? y : x, *parts = join ? node->tensors : outputs;
        const int32_t axis = *(const int32_t *)node->op.params; /* the first word of both */
        const size_t width = (size_t)m->plan->descs[whole].dims[2];
        size_t first = 0;
        for (uint32_t k = 0; k < (join ? node->op.input_count : node->op.output_count); k++) {
            const tmc_tensor_desc *d = &m->plan->descs[parts[k]];
            for (size_t i = 0; i < elements(m, parts[k]); i++) {
                const size_t r = i / (size_t)d->dims[2], c = i % (size_t)d->dims[2];
                uint32_t *a = &m->tokens[whole][axis == 2 ? r * width + first + c : (first + r) * width + c];
                uint32_t *b = &m->tokens[parts[k]][i];
                if (join)
                    *a = *b;
                else
                    *b = *a;
            }
            first += (size_t)d->dims[axis];
        }
    }
}

/* No input is overwritten but in the same place, element by element, where the node reports it. Tokens that are where
 * they belong already are not written at all. */
static void write_output(memory_map *m, const tmc_step *node, uint32_t tensor) {
    memset(m->writer, 0, sizeof m->writer);
    for (size_t i = 0; i < elements(m, tensor); i++) {
        uint32_t *at = cell(m, tensor, i);
        if (!at) { /* a constant under another shape */
            assert_true(node->in_place);
            return;
        }
        if (*at == m->tokens[tensor][i]) continue;
        if (at >= m->arena && at < m->arena + CELLS) m->writer[at - m->arena] = (uint32_t)i + 1;
        assert_false(node->in_place && node->op.op == TMC_OP_CONCAT);
    }
    for (uint32_t k = 0; k < node->op.input_count; k++) {
        if (node->tensors[k] == TMC_FILE_NONE) continue;
        for (size_t i = 0; i < elements(m, node->tensors[k]); i++) {
            const uint32_t *at = cell(m, node->tensors[k], i);
            if (!at || at < m->arena || at >= m->arena + CELLS || !m->writer[at - m->arena]) continue;
            assert_true(node->in_place);
            assert_int_equal(m->writer[at - m->arena], i + 1);
        }
    }
    for (size_t i = 0; i < elements(m, tensor); i++) *cell(m, tensor, i) = m->tokens[tensor][i];
}

static void check_pitches(const tmc_step *node) {
    for (uint32_t i = 0; i < node->op.input_count; i++)
        if (node->op.inputs[i] && node->op.inputs[i]->pitch) assert_true(tmc_op_reads_pitch(&node->op, i));
    for (uint32_t o = 0; o < node->op.output_count; o++)
        if (node->op.outputs[o]->pitch) assert_true(tmc_op_writes_pitch(&node->op));
}

static void simulate_node(memory_map *m, const tmc_step *node) {
    const uint32_t *outputs = node->tensors + node->op.input_count;
    check_pitches(node);
    make_tokens(m, node);
    assert_inputs_hold(m, node);
    spoil_scratch(m, node); /* it is written while inputs are still read */
    assert_inputs_hold(m, node);
    for (uint32_t o = 0; o < node->op.output_count; o++) write_output(m, node, outputs[o]);
    spoil_scratch(m, node); /* and while outputs are written */
    for (uint32_t o = 0; o < node->op.output_count; o++) assert_holds(m, outputs[o]);
}

static void simulate(const tmc_plan *plan) {
    memory_map *m = calloc(1, sizeof *m);
    const tmc_file_view *view = plan->view;
    m->plan = plan;
    assert_true(plan->arena_bytes / 4 < CELLS);
    assert_true(view->tensor_count <= TENSORS);
    for (uint32_t t = 0; t < view->tensor_count; t++) {
        const uint8_t role = view->tensors[t].role;
        if (role != TMC_ROLE_ACTIVATION) m->tokens[t] = calloc(elements(m, t), sizeof(uint32_t));
        for (size_t i = 0; role == TMC_ROLE_INPUT && i < elements(m, t); i++) {
            m->tokens[t][i] = ++m->last;
            *cell(m, t, i) = m->last;
        }
    }
    for (uint32_t i = 0; i < plan->node_count; i++) simulate_node(m, &plan->nodes[i]);
    for (uint32_t i = 0; i < view->graph->input_count; i++) assert_holds(m, tmc_plan_input_tensor(view, i));
    for (uint32_t i = 0; i < view->graph->output_count; i++) {
        uint32_t tensor = tmc_plan_output_tensor(view, i);
        const tmc_place *p = &plan->places[tensor];
        assert_holds(m, tensor);
        assert_int_equal(p->store, TMC_STORE_OUTPUT);
        assert_int_equal(p->index, i);
        assert_int_equal(p->start, 0);
        assert_int_equal(plan->descs[tensor].pitch, 0);
    }
    for (uint32_t t = 0; t < view->tensor_count; t++) free(m->tokens[t]);
    free(m);
}

static uint32_t count_still(const tmc_plan *plan) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const uint16_t op = plan->nodes[i].op.op;
        count += plan->nodes[i].in_place && (op == TMC_OP_CONCAT || op == TMC_OP_SPLIT);
    }
    return count;
}

static void test_random_graphs_lose_nothing(void **state) {
    (void)state;
    uint32_t still[3] = {0};
    for (uint64_t seed = 1; seed <= 1200; seed++) {
        tmc_plan_options options;
        tmc_plan_options_init(&options);
        options.threads = 1 + seed % 3;
        if (seed % 4 == 0) options.flags = TMC_PLAN_EXTERNAL_IO;
        tmc_model *model = graph_open(graph_random(seed), NULL);
        uint64_t without = 0;
        for (int views = TMC_VIEWS_ALWAYS; views > TMC_VIEWS_AUTO; views--) {
            tmc_plan *other = graph_plan_views(model, &options, (tmc_plan_views)views);
            simulate(other);
            still[views] += count_still(other);
            without = other->arena_bytes;
            tmc_plan_release(&other);
        }
        tmc_plan *plan = graph_plan(model, &options);
        simulate(plan);
        still[TMC_VIEWS_AUTO] += count_still(plan);
        assert_true(plan->arena_bytes <= without + without / 6);
        tmc_memory memory = {.struct_size = sizeof memory};
        assert_int_equal(tmc_plan_memory(plan, &memory), TMC_OK);
        assert_true(memory.live_bytes <= memory.arena_bytes && memory.activation_bytes <= memory.arena_bytes);
        assert_true(memory.scratch_bytes <= memory.arena_bytes);
        assert_true(memory.arena_bytes + sizeof(void *) < memory.session_bytes);
        tmc_plan_release(&plan);
        tmc_model_release(&model);
    }
    assert_int_equal(still[TMC_VIEWS_NONE], 0);
    assert_true(still[TMC_VIEWS_AUTO] > 500 && still[TMC_VIEWS_ALWAYS] > still[TMC_VIEWS_AUTO]);
}

/* The bits do not depend on where tensors lie. Garbage fills the memory first, so that what no node wrote shows. */
static void run_views(tmc_model *model, tmc_plan_views views, uint8_t digest[16]) {
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    tmc_plan *plan = graph_plan_views(model, &options, views);
    tmc_memory memory = {.struct_size = sizeof memory};
    assert_int_equal(tmc_plan_memory(plan, &memory), TMC_OK);
    const size_t bytes = tmc_round_up((size_t)memory.session_bytes, 64);
    void *block = aligned_alloc(64, bytes);
    memset(block, 0xCD, bytes);
    tmc_session_options so;
    tmc_session_options_init(&so);
    so.memory = block;
    so.memory_bytes = bytes;
    tmc_session *session = graph_session(plan, &so);
    graph_fill(session, 9);
    assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
    graph_digest(session, digest);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    free(block);
}

static void test_views_change_no_bit(void **state) {
    (void)state;
    for (uint64_t seed = 2000; seed < 2600; seed++) {
        tmc_model *model = graph_open(graph_random(seed), NULL);
        uint8_t apart[16], views[16];
        run_views(model, TMC_VIEWS_NONE, apart);
        run_views(model, TMC_VIEWS_ALWAYS, views);
        if (memcmp(apart, views, sizeof views)) fail_msg("graph %d gives other bits with views", (int)seed);
        tmc_model_release(&model);
    }
}

/* ------------------------------------------------------------------------------------- sharing, on one known graph */

static tmc_node_report report_of(const tmc_plan *plan, const char *name) {
    tmc_node_report r = {.struct_size = sizeof r};
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        assert_int_equal(tmc_plan_node(plan, i, &r), TMC_OK);
        if (!strcmp(r.name, name)) return r;
    }
    fail_msg("no node %s in the plan", name);
    return r;
}

static void test_classifier(void **state) {
    (void)state;
    tmc_model *model = graph_open(graph_classifier(), NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    assert_int_equal(tmc_plan_node_count(plan), 7); /* the dead node does not run */
    simulate(plan);
    assert_false(report_of(plan, "clamp").in_place); /* would overwrite the graph's input */
    assert_true(report_of(plan, "leaky").in_place);
    assert_true(report_of(plan, "flatten").in_place); /* moves nothing */
    assert_true(report_of(plan, "logits").in_place);  /* output 1 shares the memory of the dense layer */
    assert_int_equal(report_of(plan, "leaky").arena_offset, report_of(plan, "conv").arena_offset);
    assert_int_equal(report_of(plan, "flatten").arena_offset, report_of(plan, "conv").arena_offset);
    assert_int_equal(report_of(plan, "logits").arena_offset, report_of(plan, "dense").arena_offset);
    tmc_node_report conv = report_of(plan, "conv");
    assert_string_equal(conv.op, "conv");
    assert_string_equal(conv.backend, "cpu");
    assert_non_null(conv.kernel);
    assert_int_equal(conv.precision, TMC_F32);
    assert_int_equal(conv.exact, conv.isa != TMC_ISA_SSE41);
    assert_int_equal(conv.macs, 64 * 8 * 36);
    assert_int_equal(conv.read_bytes, 1024 + 8 * 37 * 4);
    assert_int_equal(conv.written_bytes, 2048);
    assert_int_equal(conv.output_rank, 4);
    assert_int_equal(conv.output_dims[3], 8);
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_plan_memory(plan, &memory);
    /* Input, clamp and convolution at once, each a multiple of 64: the largest set alive. */
    assert_int_equal(memory.live_bytes, 1024 + 1024 + 2048);
    assert_true(memory.activation_bytes <= 1024 + 1024 + 2048 + 64);
    assert_int_equal(memory.repacked_bytes, 0);
    assert_int_equal(memory.alignment, 64);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* A reshape between two boundary tensors has to copy, because each may be bound to its own buffer. */
static void test_alias_between_graph_outputs_copies(void **state) {
    (void)state;
    const tmc_shape_params vector = {1, {4}};
    const tmc_unary_params absolute = {TMC_UNARY_ABS, 0, 0};
    build *b = build_new("two outputs");
    uint32_t x = build_input(b, "x", TMC_F32, 2, (int32_t[]){1, 4});
    uint32_t y = build_activation(b, "y", TMC_F32, 2, (int32_t[]){1, 4});
    uint32_t z = build_activation(b, "z", TMC_F32, 1, (int32_t[]){4});
    uint32_t v = build_activation(b, "v", TMC_F32, 1, (int32_t[]){4});
    build_node(b, "abs", TMC_OP_UNARY, &absolute, &x, 1, &y, 1);
    build_node(b, "r1", TMC_OP_RESHAPE, &vector, &y, 1, &z, 1);
    build_node(b, "r2", TMC_OP_RESHAPE, &vector, &x, 1, &v, 1);
    build_output(b, y);
    build_output(b, z);
    build_output(b, v);
    tmc_model *model = graph_open(b, NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    simulate(plan);
    assert_false(report_of(plan, "r1").in_place);
    assert_false(report_of(plan, "r2").in_place);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* A reshape of a graph input or of a constant moves nothing. */
static void test_alias_of_input_and_constant(void **state) {
    (void)state;
    const tmc_shape_params vector = {1, {4}};
    const tmc_binary_params add = {TMC_BINARY_ADD, {-1e30f, 1e30f}};
    build *b = build_new("aliases");
    uint32_t x = build_input(b, "x", TMC_F32, 2, (int32_t[]){1, 4});
    uint32_t c = build_constant(b, "c", TMC_F32, 2, (int32_t[]){1, 4}, NULL);
    uint32_t xv = build_activation(b, "xv", TMC_F32, 1, (int32_t[]){4});
    uint32_t cv = build_activation(b, "cv", TMC_F32, 1, (int32_t[]){4});
    uint32_t y = build_activation(b, "y", TMC_F32, 1, (int32_t[]){4});
    build_node(b, "rx", TMC_OP_RESHAPE, &vector, &x, 1, &xv, 1);
    build_node(b, "rc", TMC_OP_RESHAPE, &vector, &c, 1, &cv, 1);
    build_node(b, "add", TMC_OP_BINARY, &add, (uint32_t[]){xv, cv}, 2, &y, 1);
    build_output(b, y);
    tmc_model *model = graph_open(b, NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    simulate(plan);
    assert_true(report_of(plan, "rx").in_place);
    assert_true(report_of(plan, "rc").in_place);
    assert_false(report_of(plan, "add").in_place); /* both inputs must survive */
    assert_true(report_of(plan, "rc").arena_offset == UINT64_MAX);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

static void test_long_chain_is_two_buffers(void **state) {
    (void)state;
    tmc_model *model = graph_open(graph_heavy(30, 4, 16), NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    simulate(plan);
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_plan_memory(plan, &memory);
    assert_int_equal(memory.activation_bytes, 3 * 1024); /* the input stays, two more alternate */
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* ------------------------------------------------------------------------------------------------------- options */

static tmc_status plan_status(tmc_model *model, const tmc_plan_options *options, tmc_error *err) {
    tmc_plan *plan = (tmc_plan *)model; /* not NULL, to see that it becomes so */
    tmc_status status = tmc_plan_create(model, options, &plan, err);
    if (status != TMC_OK) assert_null(plan);
    tmc_plan_release(&plan);
    return status;
}

static void test_options(void **state) {
    (void)state;
    tmc_model *model = graph_open(graph_classifier(), NULL);
    tmc_plan_options o;
    tmc_error err;
    tmc_error_init(&err);
    tmc_plan_options_init(&o);
    assert_int_equal(o.threads, 1);
    const uint32_t bad_threads[] = {0, 65, 1000000, UINT32_MAX};
    for (int i = 0; i < 4; i++) {
        o.threads = bad_threads[i];
        assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
        assert_string_equal(err.field, "threads");
    }
    tmc_plan_options_init(&o);
    o.flags = 2;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
    tmc_plan_options_init(&o);
    o.max_isa = (tmc_isa)77;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
    o.max_isa = tmc_isa_available(TMC_ISA_NEON) ? TMC_ISA_AVX2 : TMC_ISA_NEON;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_UNSUPPORTED);
    o.max_isa = TMC_ISA_REF;
    assert_int_equal(plan_status(model, &o, &err), TMC_OK);
    tmc_plan_options_init(&o);
    o.arena_limit = 1000;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_LIMIT);
    assert_non_null(strstr(err.message, "bytes"));
    tmc_allocator broken = {NULL, NULL, NULL};
    tmc_plan_options_init(&o);
    o.allocator = &broken;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
    assert_int_equal(plan_status(model, NULL, &err), TMC_OK);
    assert_int_equal(tmc_plan_create(NULL, NULL, NULL, &err), TMC_E_ARG);
    tmc_plan *plan = (tmc_plan *)model;
    assert_int_equal(tmc_plan_create(NULL, NULL, &plan, NULL), TMC_E_ARG);
    assert_null(plan);
    tmc_model_release(&model);
}

/* The file with its first input's largest dims set to `largest`. */
static tmc_model *open_dynamic(build *b, const int32_t *largest) {
    tmc_model *model;
    tmc_error err;
    size_t size;
    uint8_t *bytes = build_bytes(b, &size);
    tmc_file_section *section = build_find_section(bytes, TMC_SECTION_TENS);
    tmc_file_tensor *tensors = (tmc_file_tensor *)(bytes + section->offset);
    for (uint32_t i = 0; i < section->count; i++)
        if (tensors[i].role == TMC_ROLE_INPUT) memcpy(tensors[i].dims_max, largest, tensors[i].rank * sizeof *largest);
    build_seal(bytes, size);
    tmc_error_init(&err);
    if (tmc_model_open_memory(bytes, size, NULL, &model, &err) != TMC_OK) fail_msg("%s", err.message);
    free(bytes);
    build_free(b);
    return model;
}

static void test_shapes_within_bounds(void **state) {
    (void)state;
    tmc_model *model = open_dynamic(graph_heavy(2, 8, 4), (int32_t[]){3, 16, 12, 4});
    tmc_shape shape = {4, {2, 16, 9, 4}};
    tmc_plan_options o;
    tmc_error err;
    tmc_error_init(&err);
    tmc_plan_options_init(&o);
    o.input_count = 1;
    o.input_shapes = &shape;
    tmc_plan *plan = graph_plan(model, &o);
    simulate(plan);
    tmc_node_report r = {.struct_size = sizeof r};
    tmc_plan_node(plan, 1, &r);
    const int32_t expected[] = {2, 16, 9, 4};
    assert_memory_equal(r.output_dims, expected, sizeof expected);
    tmc_plan_release(&plan);

    shape = (tmc_shape){4, {1, 3, 1, 4}}; /* below the default, where a dim may vary */
    plan = graph_plan(model, &o);
    simulate(plan);
    tmc_plan_release(&plan);

    const tmc_shape wrong[] = {{4, {4, 8, 8, 4}},  {4, {1, 17, 8, 4}}, {4, {1, 8, 8, 3}},
                               {4, {1, 8, 13, 4}}, {4, {1, 8, 8, 5}},  {3, {1, 8, 8}},
                               {4, {1, 8, 8, 0}},  {4, {-1, 8, 8, 4}}, {-1, {0}}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        shape = wrong[i];
        assert_int_equal(plan_status(model, &o, &err), TMC_E_SHAPE);
        assert_string_equal(err.field, "input_shapes");
    }
    o.input_count = 2;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
    o.input_count = 1;
    o.input_shapes = NULL;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_ARG);
    tmc_model_release(&model);

    /* A shape that its bounds allow but a node does not names that node. */
    model = open_dynamic(graph_classifier(), (int32_t[]){1, 16, 8, 4});
    shape = (tmc_shape){4, {1, 9, 8, 4}};
    o.input_shapes = &shape;
    assert_int_equal(plan_status(model, &o, &err), TMC_E_SHAPE);
    assert_non_null(strstr(err.message, "flatten"));
    assert_true(err.node >= 0);
    tmc_model_release(&model);
}

/* Planning takes linear time however many nodes there are: here a chain that lives in two buffers, and a fan of as many
 * tensors alive at once. */
static void test_many_nodes(void **state) {
    (void)state;
    enum { NODES = 60000 };
    const tmc_axis_params axis = {0};
    tmc_model *model = graph_open(sample_chain(NODES), NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    assert_int_equal(plan->node_count, NODES);
    assert_int_equal(plan->arena_bytes, 128);
    tmc_plan_release(&plan);
    tmc_model_release(&model);

    build *b = build_new("fan");
    const tmc_unary_params absolute = {TMC_UNARY_ABS, 0, 0};
    uint32_t *arms = malloc(NODES * sizeof *arms), x = build_input(b, "x", TMC_F32, 1, (int32_t[]){4});
    for (uint32_t i = 0; i < NODES; i++) {
        arms[i] = build_activation(b, "", TMC_F32, 1, (int32_t[]){4});
        build_node(b, "", TMC_OP_UNARY, &absolute, &x, 1, &arms[i], 1);
    }
    uint32_t y = build_activation(b, "y", TMC_F32, 1, (int32_t[]){4 * NODES});
    build_node(b, "join", TMC_OP_CONCAT, &axis, arms, NODES, &y, 1);
    build_output(b, y);
    free(arms);
    model = graph_open(b, NULL);
    plan = graph_plan(model, NULL);
    assert_int_equal(plan->node_count, NODES + 1);
    assert_int_equal(plan->live_bytes, 64 + NODES * 16); /* each arm lies in the join's output */
    assert_true(plan->nodes[NODES].in_place);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* ------------------------------------------------------------------------------------------------- exact bytes */

static void test_bytes_are_exact(void **state) {
    (void)state;
    counting_alloc counts;
    for (uint64_t seed = 0; seed < 20; seed++) {
        counting_alloc_init(&counts);
        tmc_model_options mo;
        tmc_model_options_init(&mo);
        mo.allocator = &counts.allocator;
        tmc_model *model = graph_open(seed ? graph_random(seed) : graph_classifier(), &mo);
        tmc_model_info info = {.struct_size = sizeof info};
        assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
        assert_int_equal(info.memory_bytes, counts.live_bytes);
        assert_true(counts.peak_bytes <= info.file_bytes + 65536);
        tmc_plan *plan = graph_plan(model, NULL);
        tmc_memory memory = {.struct_size = sizeof memory};
        assert_int_equal(tmc_plan_memory(plan, &memory), TMC_OK);
        assert_int_equal(memory.model_bytes, info.memory_bytes);
        assert_int_equal(counts.live_bytes, memory.model_bytes + memory.plan_bytes);
        size_t calls = counts.calls;
        tmc_session *session = graph_session(plan, NULL);
        assert_int_equal(counts.calls, calls + 1);
        assert_int_equal(counts.live_bytes, memory.model_bytes + memory.plan_bytes + memory.session_bytes);
        graph_fill(session, 5);
        for (int i = 0; i < 3; i++) assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
        assert_int_equal(counts.calls, calls + 1);
        tmc_model_release(&model); /* in any order */
        tmc_plan_release(&plan);
        assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
        tmc_session_release(&session);
        assert_int_equal(counts.live_blocks, 0);
        assert_int_equal(counts.live_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs_lose_nothing),
        cmocka_unit_test(test_views_change_no_bit),
        cmocka_unit_test(test_classifier),
        cmocka_unit_test(test_alias_between_graph_outputs_copies),
        cmocka_unit_test(test_alias_of_input_and_constant),
        cmocka_unit_test(test_long_chain_is_two_buffers),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_shapes_within_bounds),
        cmocka_unit_test(test_many_nodes),
        cmocka_unit_test(test_bytes_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
