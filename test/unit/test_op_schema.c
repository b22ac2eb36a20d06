/* The operator table: codes and words are part of the file format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/op.h"

/* Codes of operators that do not exist yet. */
static bool is_reserved(uint32_t code) { return code == 34 || code == 35 || code == 38; }

static void codes_have_schemas(void **state) {
    (void)state;
    for (uint32_t code = 1; code < TMC_OP_END; code++) {
        if (is_reserved(code)) {
            assert_null(tmc_op_schema_find(code));
            continue;
        }
        const tmc_op_schema *schema = tmc_op_schema_find(code);
        assert_non_null(schema);
        assert_int_equal(schema->code, code);
        assert_true(schema->input_min >= 1 && schema->input_min <= schema->input_max);
        assert_true(schema->output_min >= 1 && schema->output_min <= schema->output_max);
    }
    assert_null(tmc_op_schema_find(0));
    assert_null(tmc_op_schema_find(TMC_OP_END));
    assert_null(tmc_op_schema_find(UINT32_MAX));
}

/* Written out: a struct that grows in the middle, or a code that moves, breaks every file. */
static void words_and_codes_are_pinned(void **state) {
    (void)state;
    static const struct {
        uint16_t code, words;
        const char *name;
    } expected[] = {
        {1, 22, "conv"},
        {2, 22, "depthwise_conv"},
        {3, 22, "conv_transpose"},
        {4, 2, "fully_connected"},
        {5, 1, "matmul"},
        {6, 19, "max_pool"},
        {7, 19, "average_pool"},
        {8, 19, "lp_pool"},
        {9, 3, "unary"},
        {10, 3, "binary"},
        {11, 1, "select"},
        {12, 2, "scale_shift"},
        {13, 3, "group_norm"},
        {14, 3, "layer_norm"},
        {15, 4, "lrn"},
        {16, 2, "softmax"},
        {17, 3, "reduce"},
        {18, 3, "arg_max"},
        {19, 3, "arg_min"},
        {20, 1, "concat"},
        {21, 65, "split"},
        {22, 18, "slice"},
        {23, 14, "pad"},
        {24, 7, "reshape"},
        {25, 7, "expand"},
        {26, 7, "tile"},
        {27, 7, "transpose"},
        {28, 30, "resize"},
        {29, 2, "depth_to_space"},
        {30, 2, "space_to_depth"},
        {31, 2, "channel_shuffle"},
        {32, 1, "gather"},
        {33, 1, "cast"},
        {36, 1, "quantize"},
        {37, 1, "dequantize"},
        {39, 1, "table"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const tmc_op_schema *schema = tmc_op_schema_find(expected[i].code);
        assert_non_null(schema);
        assert_string_equal(schema->name, expected[i].name);
        assert_int_equal(schema->param_words, expected[i].words);
    }
}

static void every_operator_runs(void **state) {
    (void)state;
    for (uint16_t code = 1; code < TMC_OP_END; code++) {
        if (is_reserved(code)) continue;
        const tmc_op_functions functions = tmc_op_find(code);
        assert_non_null(functions.prepare);
        assert_non_null(functions.run);
    }
    assert_null(tmc_op_find(0).run);
    assert_null(tmc_op_find(TMC_OP_END).run);
}

static void kinds_have_names(void **state) {
    (void)state;
#define X(code, NAME, name) assert_string_equal(tmc_unary_name(code), #name);
    TMC_UNARY_LIST(X)
#undef X
#define X(code, NAME, name) assert_string_equal(tmc_binary_name(code), #name);
    TMC_BINARY_LIST(X)
#undef X
#define X(code, NAME, name) assert_string_equal(tmc_reduce_name(code), #name);
    TMC_REDUCE_LIST(X)
#undef X
    assert_string_equal(tmc_unary_name(TMC_UNARY_END), "?");
    assert_string_equal(tmc_unary_name(0), "?");
    assert_string_equal(tmc_binary_name(-1), "?");
    assert_string_equal(tmc_reduce_name(99), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_schemas),
        cmocka_unit_test(words_and_codes_are_pinned),
        cmocka_unit_test(every_operator_runs),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
