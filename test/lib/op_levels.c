#include "lib/op_levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "lib/levels.h"

static void compare(const op_result *want, const op_result *got, const char *what) {
    assert_int_equal(got->output_count, want->output_count);
    for (uint32_t i = 0; i < want->output_count; i++) {
        const tmc_tensor_desc *desc = &want->descs[i];
        if (desc->dtype == TMC_F32) {
            bits_assert_equal(want->data[i], got->data[i], tmc_tensor_elements(desc), what);
        } else if (memcmp(want->data[i], got->data[i], tmc_tensor_bytes(desc)) != 0) {
            fail_msg("%s: output %u differs", what, i);
        }
    }
}

static void run_and_compare(const op_call *call, const op_result *want) {
    op_result got;
    char what[128];
    tmc_status status = op_run(call, &got);
    snprintf(what, sizeof what, "op %d, %s, %u threads, in place %u, pitch %u", call->op, tmc_isa_name(call->isa),
             call->threads, call->in_place, call->pitch);
    if (status != TMC_OK) fail_msg("%s: %s: %s", what, tmc_status_name(status), got.err.message);
    compare(want, &got, what);
    op_result_free(&got);
}

static void expect_refusal(const op_call *call) {
    op_result r;
    if (op_run(call, &r) != TMC_E_STATE) fail_msg("op %d works over input %u", call->op, call->in_place - 1);
    op_result_free(&r);
}

static op_result run_portable(const op_call *call, tmc_isa isa) {
    op_call c = *call;
    op_result want;
    c.isa = isa;
    c.threads = 1;
    c.in_place = 0;
    c.guard = GUARD_END;
    if (op_run(&c, &want) != TMC_OK) fail_msg("op %d: %s: %s", c.op, tmc_status_name(want.status), want.err.message);
    return want;
}

static void run_level(const op_call *call, tmc_isa isa, uint32_t in_place, const op_result *want) {
    op_call c = *call;
    c.isa = isa;
    c.in_place = 0;
    c.guard = GUARD_END;
    c.threads = 2;
    run_and_compare(&c, want);
    c.threads = 1;
    run_and_compare(&c, want);
    c.guard = GUARD_START;
    run_and_compare(&c, want);
    c.guard = GUARD_END;
    c.pitch = 3;
    run_and_compare(&c, want);
    c.guard = GUARD_START;
    c.threads = 2;
    run_and_compare(&c, want);
    c.guard = GUARD_END;
    c.threads = 1;
    c.pitch = 0;
    for (c.in_place = 1; c.in_place <= c.input_count; c.in_place++) {
        if (!c.inputs[c.in_place - 1].desc.dtype) continue;
        if (in_place >> (c.in_place - 1) & 1) {
            run_and_compare(&c, want);
        } else {
            expect_refusal(&c);
        }
    }
}

op_result op_run_levels(const op_call *call, uint32_t in_place) {
    tmc_isa levels[4];
    const size_t count = op_isa_levels(levels);
    op_result want = run_portable(call, TMC_ISA_REF);
    for (size_t l = 0; l < count; l++) run_level(call, levels[l], in_place, &want);
    if (op_isa_available(TMC_ISA_SSE41)) {
        op_result inexact = run_portable(call, level_twin(TMC_ISA_SSE41));
        run_level(call, TMC_ISA_SSE41, in_place, &inexact);
        op_result_free(&inexact);
    }
    return want;
}
