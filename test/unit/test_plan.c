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

typedef struct {
    const tmc_plan *plan;
    uint32_t owner[1 << 16]; /* per 64 bytes of the arena: value it holds */
    uint32_t value_of[256];  /* per tensor: value that its readers expect */
    uint32_t values;
} arena_map;

enum { NOTHING = 0, GARBAGE = UINT32_MAX };

static uint64_t units(uint64_t bytes) { return (bytes + 63) / 64; }

static void paint(arena_map *m, uint64_t offset, uint64_t bytes, uint32_t value) {
    assert_int_equal(offset % 64, 0);
    assert_true(offset + bytes <= m->plan->arena_bytes);
    for (uint64_t i = 0; i < units(bytes); i++) m->owner[offset / 64 + i] = value;
}

static const tmc_place *place(const arena_map *m, uint32_t tensor) { return &m->plan->places[tensor]; }

static void assert_holds(const arena_map *m, uint32_t tensor) {
    const tmc_place *p = place(m, tensor);
    if (p->store == TMC_STORE_WEIGHTS || p->offset == TMC_NO_OFFSET) return;
    for (uint64_t i = 0; i < units(tmc_tensor_bytes(&m->plan->descs[tensor])); i++)
        assert_int_equal(m->owner[p->offset / 64 + i], m->value_of[tensor]);
}

static void write_value(arena_map *m, uint32_t tensor, uint32_t value) {
    const tmc_place *p = place(m, tensor);
    m->value_of[tensor] = value;
    assert_int_not_equal(p->store, TMC_STORE_NONE);
    assert_int_not_equal(p->store, TMC_STORE_WEIGHTS);
    assert_int_not_equal(p->store, TMC_STORE_INPUT);
    if (p->offset != TMC_NO_OFFSET) paint(m, p->offset, tmc_tensor_bytes(&m->plan->descs[tensor]), value);
}

static bool same_place(const tmc_place *a, const tmc_place *b) {
    return a->store == b->store && a->index == b->index && a->offset == b->offset;
}

static void simulate_node(arena_map *m, const tmc_step *node) {
    const uint32_t *outputs = node->tensors + node->op.input_count;
    for (uint32_t i = 0; i < node->op.input_count; i++)
        if (node->tensors[i] != TMC_FILE_NONE) assert_holds(m, node->tensors[i]);
    /* Scratch is written while inputs are still read. */
    if (node->scratch_bytes) paint(m, node->scratch_offset, node->scratch_bytes, GARBAGE);
    for (uint32_t i = 0; i < node->op.input_count; i++)
        if (node->tensors[i] != TMC_FILE_NONE) assert_holds(m, node->tensors[i]);
    if (node->op.op == TMC_OP_RESHAPE && same_place(place(m, node->tensors[0]), place(m, outputs[0]))) {
        m->value_of[outputs[0]] = m->value_of[node->tensors[0]]; /* the same data under another shape */
        return;
    }
    for (uint32_t o = 0; o < node->op.output_count; o++) {
        bool shares = false;
        for (uint32_t i = 0; i < node->op.input_count; i++)
            shares |= node->tensors[i] != TMC_FILE_NONE && same_place(place(m, node->tensors[i]), place(m, outputs[o]));
        assert_true(!shares || (o == 0 && node->in_place));
        write_value(m, outputs[o], ++m->values);
        /* Outputs of one node are written while the inputs that they do not overwrite are read. */
        for (uint32_t i = 0; i < node->op.input_count; i++)
            if (node->tensors[i] != TMC_FILE_NONE && !same_place(place(m, node->tensors[i]), place(m, outputs[0])))
                assert_holds(m, node->tensors[i]);
    }
    if (node->scratch_bytes) /* nor does scratch touch outputs: both are written in any order */
        for (uint32_t o = 0; o < node->op.output_count; o++) {
            paint(m, node->scratch_offset, node->scratch_bytes, GARBAGE);
            assert_holds(m, outputs[o]);
        }
}

static void simulate(const tmc_plan *plan) {
    arena_map *m = calloc(1, sizeof *m);
    const tmc_file_view *view = plan->view;
    m->plan = plan;
    assert_true(plan->arena_bytes / 64 < sizeof m->owner / sizeof *m->owner);
    assert_true(view->tensor_count <= 256);
    for (uint32_t i = 0; i < view->graph->input_count; i++) {
        uint32_t tensor = tmc_plan_input_tensor(view, i);
        m->value_of[tensor] = ++m->values;
        if (place(m, tensor)->offset != TMC_NO_OFFSET)
            paint(m, place(m, tensor)->offset, tmc_tensor_bytes(&plan->descs[tensor]), m->values);
    }
    for (uint32_t i = 0; i < plan->node_count; i++) simulate_node(m, &plan->nodes[i]);
    for (uint32_t i = 0; i < view->graph->input_count; i++) assert_holds(m, tmc_plan_input_tensor(view, i));
    for (uint32_t i = 0; i < view->graph->output_count; i++) {
        uint32_t tensor = tmc_plan_output_tensor(view, i);
        assert_holds(m, tensor);
        assert_int_equal(place(m, tensor)->store, TMC_STORE_OUTPUT);
        assert_int_equal(place(m, tensor)->index, i);
    }
    free(m);
}

static void test_random_graphs_lose_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        tmc_plan_options options;
        tmc_plan_options_init(&options);
        options.threads = 1 + seed % 3;
        if (seed % 4 == 0) options.flags = TMC_PLAN_EXTERNAL_IO;
        tmc_model *model = graph_open(graph_random(seed), NULL);
        tmc_plan *plan = graph_plan(model, &options);
        simulate(plan);
        tmc_memory memory = {.struct_size = sizeof memory};
        assert_int_equal(tmc_plan_memory(plan, &memory), TMC_OK);
        assert_true(memory.live_bytes <= memory.arena_bytes && memory.activation_bytes <= memory.arena_bytes);
        assert_true(memory.scratch_bytes <= memory.arena_bytes);
        assert_true(memory.arena_bytes + sizeof(void *) < memory.session_bytes);
        tmc_plan_release(&plan);
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
    assert_true(plan->live_bytes >= NODES * 64);
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
