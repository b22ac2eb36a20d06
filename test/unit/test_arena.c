/* The life-time planner: hand-made cases, then random ones against a brute-force overlap check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena/arena.h"
#include "lib/random.h"

static void print_line(void *user, const char *line) {
    (void)user;
    fprintf(stderr, "  %s\n", line);
}

static uint64_t plan(tmc_arena_item *items, uint32_t count) {
    void *work = malloc((size_t)tmc_arena_work_bytes(count) + 1);
    uint64_t total = 0;
    uint32_t a, b;
    assert_true(tmc_arena_plan(items, count, work, &total));
    uint64_t live = tmc_arena_live(items, count, work);
    free(work);
    if (!tmc_arena_check(items, count, total, &a, &b)) {
        tmc_arena_print(items, count, print_line, NULL);
        fail_msg("items %u and %u overlap, or lie outside", a, b);
    }
    assert_true(total >= live);
    return total;
}

static void test_nothing(void **state) {
    (void)state;
    assert_int_equal(plan(NULL, 0), 0);
}

static void test_chain_needs_two_largest_neighbours(void **state) {
    (void)state;
    tmc_arena_item items[] = {{640, 0, 1, 0}, {1280, 1, 2, 0}, {128, 2, 3, 0}, {1280, 3, 4, 0}};
    assert_int_equal(plan(items, 4), 1920);
}

static void test_disjoint_share_and_together_add(void **state) {
    (void)state;
    tmc_arena_item apart[] = {{100, 0, 0, 0}, {100, 1, 1, 0}, {100, 2, 2, 0}};
    assert_int_equal(plan(apart, 3), 128);
    tmc_arena_item together[] = {{100, 0, 5, 0}, {1, 5, 5, 0}, {64, 2, 9, 0}};
    assert_int_equal(plan(together, 3), 128 + 64 + 64);
}

/* The gap between two long-lived items must be used by the best fitting short-lived one. */
static void test_gap_is_used(void **state) {
    (void)state;
    tmc_arena_item items[] = {{1024, 0, 1, 0}, {256, 0, 9, 0}, {512, 2, 3, 0}, {512, 2, 3, 0}};
    assert_int_equal(plan(items, 4), 1280);
}

/* The first dense block of DenseNet: the stem, of the block's size but short-lived, must not take the end of memory
 * that later holds smaller tensors with a gap. */
static void test_longer_life_first(void **state) {
    (void)state;
    tmc_arena_item items[] = {{3211264, 0, 1, 0},   {3211264, 1, 27, 0},  {1605632, 10, 11, 0},
                              {2809856, 22, 23, 0}, {1605632, 23, 24, 0}, {602112, 0, 30, 0}};
    assert_int_equal(plan(items, 6), 3211264 + 2809856 + 1605632 + 602112);
}

static void test_check_sees_overlap_and_leaving(void **state) {
    (void)state;
    uint32_t a, b;
    tmc_arena_item items[] = {{128, 0, 3, 0}, {64, 4, 5, 0}, {64, 3, 3, 64}};
    assert_false(tmc_arena_check(items, 3, 128, &a, &b));
    assert_int_equal(a, 2);
    assert_int_equal(b, 0);
    assert_true(tmc_arena_check(items, 2, 128, &a, &b));
    assert_false(tmc_arena_check(items, 2, 127, &a, &b));
    assert_int_equal(a, b);
    items[1].offset = 32;
    assert_false(tmc_arena_check(items, 2, 128, &a, &b));
}

static void test_sizes_that_wrap_are_refused(void **state) {
    (void)state;
    tmc_arena_item items[] = {{UINT64_MAX - 1, 0, 0, 0}, {UINT64_MAX / 4, 0, 0, 0}, {UINT64_MAX / 4, 0, 0, 0}};
    uint64_t work[64], total = 7;
    assert_true(tmc_arena_work_bytes(3) <= sizeof work);
    assert_false(tmc_arena_plan(items, 1, work, &total));
    assert_false(tmc_arena_plan(items + 1, 2, work, &total));
    assert_int_equal(total, 7);
}

static random_state random_numbers;
static uint32_t rng(uint32_t below) { return random_u32(&random_numbers) % below; }

static void fill_random(tmc_arena_item *items, uint32_t count, uint32_t steps, uint32_t life, uint32_t sizes) {
    for (uint32_t i = 0; i < count; i++) {
        items[i].bytes = rng(8) ? 1 + rng(sizes) : rng(3);
        items[i].first = rng(steps);
        items[i].last = items[i].first + rng(life);
    }
}

static void test_random_against_brute_force(void **state) {
    (void)state;
    double worst = 1;
    for (uint32_t round = 0; round < 3000; round++) {
        tmc_arena_item items[96];
        uint32_t count = 1 + rng(96);
        fill_random(items, count, 1 + rng(64), 1 + rng(1 + rng(30)), 1 + rng(1u << (4 + rng(14))));
        uint64_t total = plan(items, count);
        uint64_t work[96 * 8];
        assert_true(tmc_arena_work_bytes(count) <= sizeof work);
        uint64_t live = tmc_arena_live(items, count, work);
        if (live && (double)total / (double)live > worst) worst = (double)total / (double)live;
    }
    printf("worst total / lower bound of random graphs: %.3f\n", worst);
    assert_true(worst < 1.5);
}

static void test_pools_of_many_items(void **state) {
    (void)state;
    uint32_t count = TMC_ARENA_EXACT_ITEMS + 1000;
    tmc_arena_item *items = malloc(count * sizeof *items);
    for (int round = 0; round < 3; round++) {
        fill_random(items, count, 2000, 1 + rng(40), 1u << (6 + 5 * round));
        plan(items, count);
    }
    free(items);
}

/* A million items must not take time that grows with the square. */
static void test_a_million_items(void **state) {
    (void)state;
    uint32_t count = 1000000;
    tmc_arena_item *items = malloc(count * sizeof *items);
    void *work = malloc((size_t)tmc_arena_work_bytes(count));
    uint64_t total;
    fill_random(items, count, 2, count, 100000); /* half a million live at once */
    assert_true(tmc_arena_plan(items, count, work, &total));
    for (uint32_t i = 0; i < count; i++) items[i] = (tmc_arena_item){64, i, i + 1, 0};
    assert_true(tmc_arena_plan(items, count, work, &total));
    assert_int_equal(total, 128);
    free(work);
    free(items);
}

static void test_same_items_same_layout(void **state) {
    (void)state;
    tmc_arena_item a[80], b[80];
    fill_random(a, 80, 40, 9, 5000);
    memcpy(b, a, sizeof a);
    assert_int_equal(plan(a, 80), plan(b, 80));
    for (int i = 0; i < 80; i++) assert_int_equal(a[i].offset, b[i].offset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_chain_needs_two_largest_neighbours),
        cmocka_unit_test(test_disjoint_share_and_together_add),
        cmocka_unit_test(test_gap_is_used),
        cmocka_unit_test(test_longer_life_first),
        cmocka_unit_test(test_check_sees_overlap_and_leaving),
        cmocka_unit_test(test_sizes_that_wrap_are_refused),
        cmocka_unit_test(test_random_against_brute_force),
        cmocka_unit_test(test_pools_of_many_items),
        cmocka_unit_test(test_a_million_items),
        cmocka_unit_test(test_same_items_same_layout),
    };
    random_init(&random_numbers, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
