/* Small valid models by name: "net" is a whole one (conv, clamp, fully connected, metadata, a constant of each kind),
 * "net_i8" a quantised one; the others are single nodes, named after their operator, for tests of its attributes. */
#ifndef TMC_TEST_TMC_SAMPLES_H
#define TMC_TEST_TMC_SAMPLES_H

#include "lib/tmc_build.h"

/* NULL for an unknown name; build_free() it. */
build *sample_model(const char *name);

/* The i-th name, NULL past the last. */
const char *sample_name(size_t i);

/* `nodes` clamps in a row on a [1,4] tensor. */
build *sample_chain(uint32_t nodes);

#endif
