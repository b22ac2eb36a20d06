/* Which cores are big, on topologies of real chips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/topology.h"

#define MHZ 1000000ull
#define SET(first, last) ((2ull << (last)) - (1ull << (first)))

static void big_cores_of_chips(void **state) {
    (void)state;
    const struct {
        tmc_core_cluster clusters[4];
        uint32_t count;
        uint64_t big;
    } cases[] = {
        {{{0, 0, false}}, 0, 0},                  /* nothing known */
        {{{SET(0, 3), 2400 * MHZ, true}}, 1, 0},  /* four A53: all alike */
        {{{SET(0, 7), 3000 * MHZ, false}}, 1, 0}, /* a PC */
        /* Snapdragon 888: X1, three A78, four A55; the kernel counts from the small ones */
        {{{SET(7, 7), 2842 * MHZ, false}, {SET(4, 6), 2419 * MHZ, false}, {SET(0, 3), 1805 * MHZ, true}}, 3, SET(4, 7)},
        /* Exynos 5422 with unknown frequencies: four A15, four A7 */
        {{{SET(4, 7), 0, false}, {SET(0, 3), 0, true}}, 2, SET(4, 7)},
        /* designs that cpuinfo does not know: A715 beside A510 */
        {{{SET(4, 7), 2800 * MHZ, false}, {SET(0, 3), 2000 * MHZ, false}}, 2, SET(4, 7)},
        /* Snapdragon 8 Elite: two fast, six nearly as fast */
        {{{SET(6, 7), 4320 * MHZ, false}, {SET(0, 5), 3530 * MHZ, false}}, 2, 0},
        /* two clusters of A53 at different frequencies (MT6753): none is big */
        {{{SET(4, 7), 1500 * MHZ, true}, {SET(0, 3), 1000 * MHZ, true}}, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tmc_topology_big_cores(cases[i].clusters, cases[i].count), cases[i].big);
}

static void query_is_plausible(void **state) {
    (void)state;
    tmc_topology topology = {0};
    tmc_topology_query(&topology);
    assert_in_range(topology.cores, 1, 65536);
    print_message("%u cores, big ones %llx\n", topology.cores, (unsigned long long)topology.big_cores);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_cores_of_chips),
        cmocka_unit_test(query_is_plausible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
