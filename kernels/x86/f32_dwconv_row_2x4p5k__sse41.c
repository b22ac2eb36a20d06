#include "kernels/vec/vec_sse41.h"

#define ROW_PIXELS 4
#define ROW_SMALL
#define ROW_KW 5
#define ROW_NAME tmc_f32_dwconv_row_2x4p5k__sse41
#include "kernels/f32_dwconv_row_vec.inl"
