/* The binary operators that no kernel family serves: integers, comparisons, logic. */
#ifndef TMC_OPS_BINARY_PLAIN_H
#define TMC_OPS_BINARY_PLAIN_H

#include "graph/op.h"
#include "ops/broadcast.h"

typedef struct tmc_binary_plain {
    int32_t kind;  /* tmc_binary_kind, valid for dtype */
    uint8_t dtype; /* of a and b: f32 (comparisons only), i32, i64, bool */
    const void *a, *b;
    void *y;
    int32_t zero_divisor; /* set atomically if an integer was divided by zero; the element is 0 then */
} tmc_binary_plain;

/* A tmc_broadcast_fn; the context is a tmc_binary_plain. */
void tmc_binary_plain_block(void *context, const tmc_broadcast_block *block);

#endif
