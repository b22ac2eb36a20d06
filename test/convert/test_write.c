/* The writer against the verifier, the self-test and the digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>

#include "convert/write_tmc.h"
#include "lib/ir_check.h"

static ir_graph *sample(void) {
    ir_graph *g = ir_graph_new("sample");
    ir_id x = make_input(g, "x", DIMS(1, 3, 6, 6));
    ir_id y = make_relu(g, make_conv(g, x, 5, 3, 1, 1, 1));
    ir_add_output(g, y);
    make_random(g, DIMS(1000), 0, 1); /* unused: must not be in the file */
    ir_add_metadata(g, "license", "none");
    ir_add_metadata(g, "task", "sample");
    return g;
}

static void test_verifier_accepts(void **state) {
    (void)state;
    ir_graph *g = sample();
    uint8_t *bytes;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_write(g, 3, &bytes, &size, &err), TMC_OK);
    tmc_model *model;
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    if (tmc_model_open_memory(bytes, size, &options, &model, &err) != TMC_OK) fail_msg("%s", err.message);
    tmc_model_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
    assert_int_equal(info.revision, 3);
    assert_int_equal(info.node_count, 4);
    assert_int_equal(info.selftest_count, 0);
    assert_true(info.weight_bytes < 1000);
    assert_string_equal(info.name, "sample");
    assert_string_equal(tmc_model_metadata_get(model, "task"), "sample");
    tmc_model_release(&model);
    free(bytes);
    ir_graph_free(g);
}

static void test_digest_is_over_the_zeroed_file(void **state) {
    (void)state;
    ir_graph *g = sample();
    uint8_t *bytes, stored[32], computed[32];
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_write(g, 0, &bytes, &size, &err), TMC_OK);
    tmc_file_header *header = (tmc_file_header *)bytes;
    memcpy(stored, header->sha256, sizeof stored);
    memset(header->sha256, 0, sizeof header->sha256);
    memset(header->checksum, 0, sizeof header->checksum);
    crypto_hash_sha256(computed, bytes, size);
    assert_memory_equal(stored, computed, sizeof stored);
    free(bytes);
    ir_graph_free(g);
}

static void test_same_graph_same_bytes(void **state) {
    (void)state;
    ir_graph *a = sample(), *b = sample();
    uint8_t *bytes_a, *bytes_b;
    size_t size_a, size_b;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_write(a, 0, &bytes_a, &size_a, &err), TMC_OK);
    assert_int_equal(ir_write(b, 0, &bytes_b, &size_b, &err), TMC_OK);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
    ir_graph_free(a);
    ir_graph_free(b);
}

static void test_selftest_passes_and_can_fail(void **state) {
    (void)state;
    ir_graph *g = sample();
    apply_all(g);
    uint8_t *bytes;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    if (ir_write_with_selftest(g, 1, &bytes, &size, &err) != TMC_OK) fail_msg("%s", err.message);
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(bytes, size, NULL, &model, &err), TMC_OK);
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_OK);
    tmc_model_release(&model);
    free(bytes);
    /* A digest of zeros. */
    const tmc_file_test wrong = {.seed = 1};
    assert_int_equal(ir_write_with_tests(g, 1, &wrong, 1, &bytes, &size, &err), TMC_OK);
    assert_int_equal(tmc_model_open_memory(bytes, size, NULL, &model, &err), TMC_OK);
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_E_INTEGRITY);
    tmc_model_release(&model);
    free(bytes);
    ir_graph_free(g);
}

static void test_no_selftest_for_nan(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("nan");
    ir_id x = make_input(g, "x", DIMS(8));
    ir_add_output(g, make_unary(g, TMC_UNARY_SQRT, x)); /* of negative numbers too */
    ir_add_output(g, make_relu(g, x));
    uint8_t *bytes;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_write_with_selftest(g, 1, &bytes, &size, &err), TMC_OK);
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(bytes, size, NULL, &model, &err), TMC_OK);
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_model_get_info(model, &info);
    assert_int_equal(info.selftest_count, 1);
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_OK);
    tmc_model_release(&model);
    free(bytes);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verifier_accepts),      cmocka_unit_test(test_digest_is_over_the_zeroed_file),
        cmocka_unit_test(test_same_graph_same_bytes), cmocka_unit_test(test_selftest_passes_and_can_fail),
        cmocka_unit_test(test_no_selftest_for_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
