/* One operator, run in every way that must not change a bit. */
#ifndef TMC_TEST_OP_LEVELS_H
#define TMC_TEST_OP_LEVELS_H

#include "lib/op_runner.h"

/* Runs `call` (its isa, threads, in_place, pitch and guard are ignored) in portable C, then at every level of this CPU
 * (SSE4.1 against portable C that multiplies and adds) with 1 and 2 threads, with guard pages on either side, with rows
 * apart where the operator takes that, and over each input that bit i of `in_place` names, and compares all outputs bit
 * for bit (any two NaNs are equal). An in-place run that `in_place` does not name must be refused. Fails the running
 * test otherwise. Returns the first run's result; free it. */
op_result op_run_levels(const op_call *call, uint32_t in_place);

#endif
