/* NumPy broadcasting as loops: the output's axes, merged where every input allows it, and each input's steps. The two
 * innermost axes go to the caller as blocks of rows and columns; [N,1,1,C] against [N,H,W,C] becomes N blocks of H*W
 * rows whose second operand stands still, a scalar one row of everything. */
#ifndef TMC_OPS_BROADCAST_H
#define TMC_OPS_BROADCAST_H

#include "base/exec.h"
#include "graph/tensor.h"

#define TMC_BROADCAST_INPUTS 3

typedef struct tmc_broadcast {
    uint32_t input_count;
    int32_t rank; /* >= 1 */
    size_t dims[TMC_MAX_RANK];
    /* Elements; 0 where an input is repeated. The last is the output's. */
    size_t strides[TMC_BROADCAST_INPUTS + 1][TMC_MAX_RANK];
    size_t rows, row_block, col_block; /* rows: product of all axes but the last */
} tmc_broadcast;

/* Element (r, c) of the block: out + r * out_row + c of the output, in[i] + r * row[i] + c * col[i] of input i. */
typedef struct tmc_broadcast_block {
    size_t rows, cols;
    size_t out, out_row;
    size_t in[TMC_BROADCAST_INPUTS], row[TMC_BROADCAST_INPUTS];
    int col[TMC_BROADCAST_INPUTS]; /* 0 or 1 */
} tmc_broadcast_block;

typedef void (*tmc_broadcast_fn)(void *context, const tmc_broadcast_block *block);

/* `out` is the broadcast shape of the inputs. */
void tmc_broadcast_init(tmc_broadcast *b, const tmc_tensor_desc *out, const tmc_tensor_desc *const *inputs,
                        uint32_t input_count);

/* Calls fn for blocks that cover the output, from several threads. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_broadcast_run(const tmc_broadcast *b, tmc_exec *exec, tmc_broadcast_fn fn, void *context);

#endif
