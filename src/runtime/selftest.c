/* The power-on test: the file's own test vectors. */
#include "format/selftest.h"

#include <string.h>

#include "base/abi.h"
#include "runtime/guard.h"
#include "runtime/model.h"
#include "runtime/session.h"

static void fill_inputs(tmc_session *s, uint32_t seed) {
    for (uint32_t i = 0; i < s->plan->view->graph->input_count; i++) {
        const tmc_tensor_desc *desc = &s->plan->descs[s->inputs[i].tensor];
        void *data = tmc_session_address(s, &s->inputs[i]);
        if (tmc_quantization_is_set(&desc->quantization))
            tmc_selftest_fill_quantized(seed + i, data, tmc_tensor_elements(desc));
        else
            tmc_selftest_fill(seed + i, desc->dtype, data, tmc_tensor_elements(desc));
        s->inputs[i].ready = true;
    }
}

/* Without the promise of the same bits there is nothing to compare with. */
static tmc_status require_exact(const tmc_plan *plan, tmc_error *err) {
    if (tmc_plan_exact(plan)) return TMC_OK;
    return tmc_fail_field(err, TMC_E_UNSUPPORTED, "max_isa",
                          "results of the level %s are not bit-identical to the recorded ones: test with max_isa %s",
                          tmc_isa_name(plan->kernels.isa), tmc_isa_name(TMC_ISA_REF));
}

static tmc_status run_tests(tmc_session *s, tmc_error *err) {
    const tmc_file_view *view = s->plan->view;
    for (uint32_t i = 0; i < view->test_count; i++) {
        const tmc_file_test *test = &view->tests[i];
        uint8_t digest[16];
        if (i == 0 || test->seed != view->tests[i - 1].seed) {
            fill_inputs(s, test->seed);
            TMC_TRY(tmc_session_run(s, NULL, err));
        }
        const tmc_binding *output = &s->outputs[test->output];
        tmc_digest(tmc_session_address(s, output), output->bytes, digest);
        if (!memcmp(digest, test->digest, sizeof digest)) continue;
        tmc_fail(err, TMC_E_INTEGRITY,
                 "self-test %u: output %u '%s' has other bits than recorded: do not trust results", i, test->output,
                 tmc_file_string(view, view->tensors[output->tensor].name));
        tmc_error_at_tensor(err, (int32_t)output->tensor);
        return TMC_E_INTEGRITY;
    }
    return TMC_OK;
}

static tmc_status read_options(tmc_plan_options *options, const tmc_plan_options *given, tmc_error *err) {
    tmc_plan_options_init(options);
    TMC_TRY(tmc_options_read(options, sizeof *options, given, err));
    if (options->input_count)
        return tmc_fail_field(err, TMC_E_ARG, "input_count", "the test vectors hold for the default shapes only");
    options->flags &= ~TMC_PLAN_EXTERNAL_IO; /* nobody binds anything here */
    return TMC_OK;
}

static tmc_status selftest(tmc_model *model, const tmc_plan_options *given, tmc_error *err) {
    tmc_plan_options options;
    tmc_plan *plan;
    tmc_session *session;
    if (!model->view.test_count) return tmc_fail(err, TMC_E_STATE, "the file has no test vectors");
    TMC_TRY(read_options(&options, given, err));
    TMC_TRY(tmc_plan_create(model, &options, &plan, err));
    tmc_status status = require_exact(plan, err);
    if (status == TMC_OK) status = tmc_session_create(plan, NULL, &session, err);
    tmc_plan_release(&plan);
    TMC_TRY(status);
    status = run_tests(session, err);
    tmc_session_release(&session);
    return status;
}

tmc_status tmc_model_selftest(tmc_model *model, const tmc_plan_options *options, tmc_error *err) {
    tmc_error e;
    tmc_error_init(&e); /* full size: the calls below export into it */
    const tmc_guard guard = tmc_guard_enter();
    if (!model)
        tmc_fail(&e, TMC_E_ARG, "model is NULL");
    else
        selftest(model, options, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}
