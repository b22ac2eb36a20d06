/* The .tmc writer with a TEST section of the caller's. */
#ifndef TMC_CONVERT_WRITE_TMC_H
#define TMC_CONVERT_WRITE_TMC_H

#include "convert/ir.h"
#include "format/layout.h"

/* As ir_write; `tests` may be NULL with count 0. */
tmc_status ir_write_with_tests(const ir_graph *graph, uint32_t revision, const tmc_file_test *tests,
                               uint32_t test_count, uint8_t **bytes, size_t *size, tmc_error *err);

#endif
