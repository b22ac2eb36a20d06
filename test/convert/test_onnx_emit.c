/* What the importer remembers of a folded node: whether its values were computed from a shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "convert/onnx/context.h"
#include "convert/onnx/lower.h"

static const tmc_unary_params negate = {.kind = TMC_UNARY_NEG};

typedef struct importer {
    onnx_context ctx;
    onnx_lower lw;
    tmc_error err;
} importer;

static ir_id start(importer *i) {
    *i = (importer){.lw = {.name = "node"}};
    tmc_error_init(&i->err);
    i->ctx.graph = i->lw.graph = ir_graph_new("graph");
    i->lw.ctx = &i->ctx;
    i->lw.err = &i->err;
    const int32_t dims[1] = {2};
    const int64_t values[2] = {3, 4};
    return onnx_constant(&i->lw, TMC_I64, 1, dims, values);
}

static void stop(importer *i) {
    ir_graph_free(i->ctx.graph);
    onnx_context_clear(&i->ctx);
}

static void test_folded_node_is_derived(void **state) {
    (void)state;
    importer i;
    ir_id x = start(&i), y;
    onnx_mark_derived(&i.lw, x, 1);
    assert_int_equal(onnx_emit(&i.lw, TMC_OP_UNARY, &negate, &x, 1, &y), TMC_OK);
    assert_true(ir_is_constant(i.lw.graph, y));
    assert_true(onnx_derived(&i.lw, y) == UINT64_MAX);
    stop(&i);
}

/* The result's id is written where the input's was: the origin must have been looked up by then. */
static void test_result_in_the_place_of_its_input_is_derived(void **state) {
    (void)state;
    importer i;
    ir_id x = start(&i);
    const ir_id before = x;
    onnx_mark_derived(&i.lw, x, 1);
    assert_int_equal(onnx_emit(&i.lw, TMC_OP_UNARY, &negate, &x, 1, &x), TMC_OK);
    assert_int_not_equal(x, before);
    assert_true(ir_is_constant(i.lw.graph, x));
    assert_true(onnx_derived(&i.lw, x) == UINT64_MAX);
    stop(&i);
}

static void test_literal_stays_literal(void **state) {
    (void)state;
    importer i;
    ir_id x = start(&i);
    assert_int_equal(onnx_emit(&i.lw, TMC_OP_UNARY, &negate, &x, 1, &x), TMC_OK);
    assert_true(onnx_derived(&i.lw, x) == 0);
    stop(&i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folded_node_is_derived),
        cmocka_unit_test(test_result_in_the_place_of_its_input_is_derived),
        cmocka_unit_test(test_literal_stays_literal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
