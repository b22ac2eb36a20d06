/* Formatting, checked arithmetic, errors, allocator, execution loop, floating-point environment. */
#define _POSIX_C_SOURCE 200809L
#include <fenv.h>
#include <float.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/exec.h"
#include "base/format.h"
#include "base/pool.h"

#if TMC_THREADS
#include <pthreadpool.h>
#endif
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* ---------------------------------------------------------------------------------------------------- formatting */

static void text(char *out, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    tmc_format(out, size, fmt, args);
    va_end(args);
}

static void format_conversions(void **state) {
    (void)state;
    char out[128];
    text(out, sizeof out, "%d %u %x %c %s %%", -42, 42u, 0xbeefu, 'z', "word");
    assert_string_equal(out, "-42 42 beef z word %");
    text(out, sizeof out, "%d %d %lld %lld", INT_MIN, INT_MAX, LLONG_MIN, LLONG_MAX);
    assert_string_equal(out, "-2147483648 2147483647 -9223372036854775808 9223372036854775807");
    text(out, sizeof out, "%llu %zu %lu", ULLONG_MAX, (size_t)7, 8ul);
    assert_string_equal(out, "18446744073709551615 7 8");
    text(out, sizeof out, "%s", (const char *)NULL);
    assert_string_equal(out, "(null)");
    text(out, sizeof out, "0 is %d", 0);
    assert_string_equal(out, "0 is 0");
}

static void format_hides_control_characters(void **state) {
    (void)state;
    char out[32];
    text(out, sizeof out, "[%s]", "a\x1b[31m\n\x7f\t");
    assert_string_equal(out, "[a?[31m???]");
}

static void format_cuts_at_a_character(void **state) {
    (void)state;
    char out[16];
    memset(out, 'x', sizeof out);
    text(out, 5, "%s", "abcdefgh");
    assert_string_equal(out, "abcd");
    assert_int_equal(out[5], 'x');
    text(out, 6, "%s", "abc\xc3\xa9\xc3\xa9"); /* 7 bytes; 5 fit: the first e-acute is whole */
    assert_string_equal(out, "abc\xc3\xa9");
    text(out, 5, "%s", "abc\xc3\xa9"); /* 4 fit: half of it would not be UTF-8 */
    assert_string_equal(out, "abc");
    text(out, 7, "%s", "abc\xe2\x82\xac\xe2\x82\xac"); /* 6 fit */
    assert_string_equal(out, "abc\xe2\x82\xac");
    text(out, 6, "%s", "abc\xe2\x82\xac");
    assert_string_equal(out, "abc");
    text(out, 1, "%s", "abc");
    assert_string_equal(out, "");
    out[0] = 'x';
    text(out, 0, "%s", "abc");
    assert_int_equal(out[0], 'x');
}

/* ---------------------------------------------------------------------------------------------------- arithmetic */

static void checked_arithmetic(void **state) {
    (void)state;
    uint64_t v = 77;
    assert_true(tmc_add_u64(UINT64_MAX - 1, 1, &v));
    assert_true(v == UINT64_MAX);
    v = 77;
    assert_false(tmc_add_u64(UINT64_MAX, 1, &v));
    assert_false(tmc_mul_u64(UINT64_MAX / 2 + 1, 2, &v));
    assert_false(tmc_mul_u64(2, UINT64_MAX / 2 + 1, &v));
    assert_false(tmc_align_u64(UINT64_MAX - 62, 64, &v));
    assert_int_equal(v, 77);
    assert_true(tmc_mul_u64(0, UINT64_MAX, &v) && v == 0);
    assert_true(tmc_mul_u64(UINT32_MAX, UINT32_MAX, &v) && v == 0xfffffffe00000001u);
    assert_true(tmc_align_u64(0, 64, &v) && v == 0);
    assert_true(tmc_align_u64(65, 64, &v) && v == 128);
    assert_true(tmc_align_u64(UINT64_MAX - 63, 64, &v) && v == UINT64_MAX - 63);
    assert_true(tmc_in_bounds(0, 0, 0));
    assert_true(tmc_in_bounds(4, 6, 10));
    assert_false(tmc_in_bounds(5, 6, 10));
    assert_false(tmc_in_bounds(11, 0, 10));
    assert_false(tmc_in_bounds(8, UINT64_MAX - 4, 10)); /* the sum would wrap */
    assert_int_equal(tmc_round_up(65, 64), 128);
    assert_int_equal(tmc_div_up(65, 64), 2);
    assert_int_equal(tmc_min_size(3, 4), 3);
}

/* -------------------------------------------------------------------------------------------------------- errors */

static void error_record(void **state) {
    (void)state;
    tmc_error err;
    assert_int_equal(tmc_fail_field(&err, TMC_E_RANGE, "axis", "axis %d", 7), TMC_E_RANGE);
    tmc_error_at_node(&err, 3);
    tmc_error_at_node(&err, 4);
    tmc_error_at_tensor(&err, 5);
    tmc_error_at_byte(&err, "NODE", 64);
    tmc_error_at_byte(&err, "TENS", 65);
    assert_int_equal(err.status, TMC_E_RANGE);
    assert_int_equal(err.node, 3); /* the innermost place stays */
    assert_int_equal(err.tensor, 5);
    assert_int_equal(err.byte_offset, 64);
    assert_string_equal(err.section, "NODE");
    assert_string_equal(err.field, "axis");
    assert_string_equal(err.message, "axis 7");
    assert_int_equal(tmc_fail(&err, TMC_E_SHAPE, "new"), TMC_E_SHAPE);
    assert_int_equal(err.node, -1); /* a new failure keeps nothing of the old one */
    assert_string_equal(err.field, "");
}

static void statuses_have_texts(void **state) {
    (void)state;
    assert_string_equal(tmc_status_name(TMC_OK), "TMC_OK");
    assert_string_equal(tmc_status_text(TMC_OK), "success");
    assert_string_equal(tmc_status_name(TMC_E_GRAPH), "TMC_E_GRAPH");
    assert_string_equal(tmc_status_text(TMC_E_GRAPH), "invalid graph");
    assert_string_equal(tmc_status_name(TMC_E_INTERNAL), "TMC_E_INTERNAL");
    assert_string_equal(tmc_status_name((tmc_status)(TMC_E_INTERNAL + 1)), "TMC_E_?");
    assert_string_equal(tmc_status_name((tmc_status)-1), "TMC_E_?");
    assert_string_equal(tmc_status_text((tmc_status)-1), "unknown status");
}

static void error_export_respects_the_size(void **state) {
    (void)state;
    tmc_error from;
    tmc_fail_field(&from, TMC_E_LIMIT, "field", "a message");
    struct {
        tmc_error err;
        uint8_t guard[16];
    } to;
    memset(&to, 0xCD, sizeof to);
    tmc_error_init(&to.err);
    assert_int_equal(tmc_error_export(&from, &to.err), TMC_E_LIMIT);
    assert_string_equal(to.err.message, "a message");
    assert_int_equal(to.guard[0], 0xCD);

    /* An older caller, whose record ended inside the message. */
    const size_t old_size = offsetof(tmc_error, message) + 5;
    memset(&to, 0xCD, sizeof to);
    to.err.struct_size = old_size;
    tmc_error_export(&from, &to.err);
    assert_int_equal(to.err.struct_size, old_size);
    assert_int_equal(to.err.status, TMC_E_LIMIT);
    assert_string_equal(to.err.message, "a me");
    assert_int_equal((uint8_t)to.err.message[5], 0xCD);

    /* A newer caller keeps its own size and what the library does not know. */
    memset(&to, 0xCD, sizeof to);
    to.err.struct_size = sizeof to;
    tmc_error_export(&from, &to.err);
    assert_int_equal(to.err.struct_size, sizeof to);
    assert_string_equal(to.err.message, "a message");
    assert_int_equal(to.guard[0], 0xCD);

    /* Never initialised: not written. */
    memset(&to, 0, sizeof to);
    tmc_error_export(&from, &to.err);
    assert_int_equal(to.err.status, 0);
    assert_int_equal(tmc_error_export(&from, NULL), TMC_E_LIMIT);

    /* Success leaves the caller's record alone. */
    tmc_error ok;
    tmc_error_init(&ok);
    tmc_error_init(&to.err);
    to.err.node = 9;
    assert_int_equal(tmc_error_export(&ok, &to.err), TMC_OK);
    assert_int_equal(to.err.node, 9);
}

/* ----------------------------------------------------------------------------------------------------- allocator */

typedef struct {
    uint8_t block[256];
    size_t offset;
    int allocated, freed;
} faulty;

static void *faulty_alloc(void *user, size_t bytes, size_t align) {
    faulty *f = user;
    (void)bytes, (void)align;
    f->allocated++;
    return (uint8_t *)tmc_round_up((uintptr_t)f->block, 64) + f->offset;
}

static void faulty_free(void *user, void *ptr, size_t bytes) {
    faulty *f = user;
    assert_ptr_equal(ptr, (uint8_t *)tmc_round_up((uintptr_t)f->block, 64) + f->offset);
    assert_int_equal(bytes, 100);
    f->freed++;
}

static void misaligned_block_is_a_failure(void **state) {
    (void)state;
    faulty f = {.offset = 8};
    tmc_allocator allocator = {&f, faulty_alloc, faulty_free};
    assert_null(tmc_alloc(&allocator, 100));
    assert_int_equal(f.allocated, 1);
    assert_int_equal(f.freed, 1);
    f.offset = 0;
    void *block = tmc_alloc(&allocator, 100);
    assert_non_null(block);
    tmc_free(&allocator, block, 100);
    tmc_free(&allocator, NULL, 100);
    assert_int_equal(f.freed, 2);
}

static void libc_blocks_are_aligned(void **state) {
    (void)state;
    for (size_t bytes = 1; bytes < 300; bytes += 13) {
        uint8_t *p = tmc_alloc(&tmc_allocator_libc, bytes);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % TMC_ALIGN, 0);
        memset(p, 1, bytes);
        tmc_free(&tmc_allocator_libc, p, bytes);
    }
    assert_null(tmc_alloc(&tmc_allocator_libc, SIZE_MAX - 10));
}

/* ---------------------------------------------------------------------------------------------------------- loop */

#define TASKS 1000

typedef struct {
    uint32_t done[TASKS], in_slot[8], clashes, executed;
    uint32_t slots;
    int32_t *cancel; /* raised by task `cancel_at` */
    size_t cancel_at;
} tally;

static void tally_task(void *context, size_t index, size_t slot) {
    tally *t = context;
    if (index >= TASKS || slot >= t->slots || __atomic_fetch_add(&t->in_slot[slot], 1, __ATOMIC_SEQ_CST))
        __atomic_fetch_add(&t->clashes, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&t->done[index], 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&t->executed, 1, __ATOMIC_SEQ_CST);
    if (t->cancel && index == t->cancel_at) __atomic_store_n(t->cancel, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&t->in_slot[slot], 1, __ATOMIC_SEQ_CST);
}

/* Serial, on a caller's pool, on own threads. */
static const struct {
    uint32_t threads;
    bool own;
} teams[] = {{1, false}, {2, false}, {4, false}, {2, true}, {4, true}};

enum { TEAMS = sizeof teams / sizeof *teams };

static tmc_exec open_exec(int team) {
    tmc_exec exec = {.threads = teams[team].threads, .deadline_ns = UINT64_MAX};
#if TMC_THREADS
    const tmc_pool_options options = {.threads = exec.threads, .cores = 4};
    if (teams[team].own) {
        exec.workers = aligned_alloc(TMC_ALIGN, tmc_pool_bytes(exec.threads));
        assert_int_equal(tmc_pool_start(exec.workers, &options), exec.threads);
    } else if (exec.threads > 1) {
        exec.pool = pthreadpool_create(exec.threads);
    }
#endif
    return exec;
}

static void close_exec(tmc_exec *exec) {
#if TMC_THREADS
    if (exec->pool) pthreadpool_destroy(exec->pool);
    if (exec->workers) tmc_pool_stop(exec->workers);
    free(exec->workers);
#else
    (void)exec;
#endif
}

static void every_index_once(void **state) {
    (void)state;
    for (int i = 0; i < TEAMS; i++) {
        tmc_exec exec = open_exec(i);
        for (size_t count = 0; count <= TASKS; count = count * 3 + 1) {
            tally t = {.slots = teams[i].threads};
            assert_int_equal(tmc_exec_loop(&exec, count, tally_task, &t), TMC_OK);
            for (size_t k = 0; k < TASKS; k++) assert_int_equal(t.done[k], k < count);
            assert_int_equal(t.clashes, 0);
        }
        close_exec(&exec);
    }
}

static void cancel_stops_the_loop(void **state) {
    (void)state;
    for (int i = 0; i < TEAMS; i++) {
        tmc_exec exec = open_exec(i);
        int32_t flag = 0;
        exec.cancel_flag = &flag;
        tally t = {.slots = teams[i].threads, .cancel = &flag, .cancel_at = 10};
        assert_int_equal(tmc_exec_loop(&exec, TASKS, tally_task, &t), TMC_E_CANCELLED);
        assert_true(t.executed >= 11 && t.executed < TASKS);
        if (teams[i].threads == 1) assert_int_equal(t.executed, 11);
        /* The stop holds for the loops that follow in the same run, even when the flag falls again. */
        flag = 0;
        tally after = {.slots = teams[i].threads};
        assert_int_equal(tmc_exec_loop(&exec, TASKS, tally_task, &after), TMC_E_CANCELLED);
        assert_int_equal(after.executed, 0);
        assert_int_equal(tmc_exec_poll(&exec), TMC_E_CANCELLED);
        close_exec(&exec);
    }
}

static void deadline_stops_the_loop(void **state) {
    (void)state;
    for (int i = 0; i < TEAMS; i++) {
        tmc_exec exec = open_exec(i);
        exec.deadline_ns = tmc_clock_ns();
        tally t = {.slots = teams[i].threads};
        assert_int_equal(tmc_exec_loop(&exec, TASKS, tally_task, &t), TMC_E_TIMEOUT);
        assert_int_equal(t.executed, 0);
        exec.stop = TMC_OK;
        exec.deadline_ns = tmc_clock_ns() + 60u * 1000000000ull;
        assert_int_equal(tmc_exec_loop(&exec, TASKS, tally_task, &t), TMC_OK);
        close_exec(&exec);
    }
}

/* --------------------------------------------------------------------------------------------------- environment */

static volatile float third_up = 1.0f, tiny = FLT_MIN;

typedef struct {
    float third, subnormal;
    int32_t wrong;
} arithmetic;

static void arithmetic_task(void *context, size_t index, size_t slot) {
    (void)index, (void)slot;
    arithmetic *a = context;
    float third = third_up / 3.0f, subnormal = tiny / 4.0f;
    if (memcmp(&third, &a->third, 4) || memcmp(&subnormal, &a->subnormal, 4))
        __atomic_fetch_add(&a->wrong, 1, __ATOMIC_SEQ_CST);
}

static void set_flush_to_zero(void) {
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040u);
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1ull << 24));
#endif
}

static void callers_mode_neither_matters_nor_changes(void **state) {
    (void)state;
    static const int roundings[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    const arithmetic expected = {third_up / 3.0f, tiny / 4.0f, 0};
    assert_true(expected.subnormal > 0.0f);
    fenv_t original;
    fegetenv(&original);
    for (int i = 0; i < TEAMS; i++) {
        for (size_t r = 0; r < sizeof roundings / sizeof *roundings; r++) {
            tmc_exec exec = open_exec(i);
            arithmetic a = expected;
            fesetround(roundings[r]);
            set_flush_to_zero();
            const volatile float flushed_before = tiny / 4.0f;
            tmc_status status = tmc_exec_loop(&exec, 100, arithmetic_task, &a);
            const volatile float flushed_after = tiny / 4.0f;
            const int rounding = fegetround();
            fesetenv(&original);
            assert_int_equal(status, TMC_OK);
            assert_int_equal(a.wrong, 0);
            assert_int_equal(rounding, roundings[r]);
            assert_true(flushed_before == flushed_after);
#if defined(__SSE2__) || defined(__aarch64__)
            assert_true(flushed_before == 0.0f);
#endif
            close_exec(&exec);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_conversions),
        cmocka_unit_test(format_hides_control_characters),
        cmocka_unit_test(format_cuts_at_a_character),
        cmocka_unit_test(checked_arithmetic),
        cmocka_unit_test(error_record),
        cmocka_unit_test(statuses_have_texts),
        cmocka_unit_test(error_export_respects_the_size),
        cmocka_unit_test(misaligned_block_is_a_failure),
        cmocka_unit_test(libc_blocks_are_aligned),
        cmocka_unit_test(every_index_once),
        cmocka_unit_test(cancel_stops_the_loop),
        cmocka_unit_test(deadline_stops_the_loop),
        cmocka_unit_test(callers_mode_neither_matters_nor_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
