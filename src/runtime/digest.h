/* A fingerprint of everything that decides a result's bits. */
#ifndef TMC_RUNTIME_DIGEST_H
#define TMC_RUNTIME_DIGEST_H

#include "plan/plan.h"

/* XXH3-128 chained over: model checksum, library version and instruction set, then each node's kernel name. */
void tmc_plan_digest(const tmc_plan *plan, uint8_t digest[16]);

#endif
