/* Times of repeated runs, for `tmcnn bench` and bench/. */
#ifndef TMC_IO_TIMING_H
#define TMC_IO_TIMING_H

#include <stddef.h>
#include <stdint.h>

#include "tmcnn/tmcnn.h"

/* Monotonic. */
double timing_now_ns(void);

typedef struct timing_summary {
    double min, median, p90;
} timing_summary;

/* count >= 1; sorts `samples`. */
timing_summary timing_summarise(double *samples, size_t count);

/* Writes every input: pseudo-random f32 in [-1, 1); zeros for other types, which are indices or flags. */
tmc_status timing_fill_inputs(tmc_session *session, uint32_t count, tmc_error *err);

#endif
