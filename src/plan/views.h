/* Concatenations and splits without copies: which tensors lie inside others.
 *
 * An input of a concat may lie in the concat's output from the start, and an output of a split or slice may lie in the
 * split's input: a view of the whole, `start` bytes from its beginning, with the whole's pitch where it is a range of
 * channels. A chain of concats, as in DenseNet, ends in one buffer. What cannot be placed is copied as before:
 *
 * - inputs, constants and outputs of the graph are never placed inside another tensor;
 * - a tensor lies in one place only: the last concat that wants it gets it;
 * - a range of channels needs operators on all sides that go by pitch (tmc_op_reads_pitch, tmc_op_writes_pitch);
 *   a part that continues in memory (rows of the first axis that is not 1) needs nothing. */
#ifndef TMC_PLAN_VIEWS_H
#define TMC_PLAN_VIEWS_H

#include "plan/storage.h"

/* No views: all tensors dense and in a place of their own. */
void tmc_views_clear(tmc_plan *plan, tmc_plan_work *work);

/* Chooses as many views as possible: sets work->views and still, and the pitch in plan->descs.
 * Linear in nodes and tensors. Returns how many tensors were placed. */
uint32_t tmc_views_choose(tmc_plan *plan, tmc_plan_work *work);

#endif
