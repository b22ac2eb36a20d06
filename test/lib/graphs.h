/* Whole graphs for tests of plans and sessions, and short ways to open and run them. A failing call stops the test. */
#ifndef TMC_TEST_GRAPHS_H
#define TMC_TEST_GRAPHS_H

#include "lib/tmc_build.h"
#include "plan/plan.h"

/* [1,8,8,4] -> clamp -> conv 3x3 to 8 channels -> leaky relu -> reshape -> fully connected to 10 -> softmax; outputs:
 * 0 the softmax [1,10], 1 the logits [10]. A dead node hangs on it. */
build *graph_classifier(void);
/* Its output 1 for an image of 8 * 8 * 4 numbers, by definition. */
void graph_classifier_logits(const float *image, float *logits);

/* Convolutions in a row, 3x3, `channels` in and out at `size` x `size`: heavy work in few nodes. */
build *graph_heavy(uint32_t convolutions, int32_t size, int32_t channels);

/* A random graph of element-wise, shape and joining operators with several inputs and outputs. */
build *graph_random(uint64_t seed);

/* Opens a copy of the bytes of `b`, which is freed. `options` may be NULL. */
tmc_model *graph_open(build *b, const tmc_model_options *options);
tmc_plan *graph_plan(tmc_model *model, const tmc_plan_options *options);
/* Past the public functions: with or without tensors inside others. `options` is complete. */
tmc_plan *graph_plan_views(tmc_model *model, const tmc_plan_options *options, tmc_plan_views views);
tmc_session *graph_session(tmc_plan *plan, const tmc_session_options *options);
/* All three with defaults and `threads`; the session owns the rest. */
tmc_session *graph_start(build *b, uint32_t threads);

/* Writes the self-test pattern of `seed` to every input. */
void graph_fill(tmc_session *session, uint32_t seed);

/* XXH3-128 over all outputs of the last run, one after the other. */
void graph_digest(tmc_session *session, uint8_t digest[16]);

#endif
