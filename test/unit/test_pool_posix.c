/* test_pool again, with the sleeping of systems that have no futex. */
#define _GNU_SOURCE
#define TMC_FUTEX 0
#include "base/park.c"
#include "base/pool.c"
#include "unit/test_pool.c"
