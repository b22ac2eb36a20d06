#define ROW_KW 5
#define ROW_NAME tmc_f32_dwconv_row_2x4p5k__ref
#include "kernels/f32_dwconv_row_ref.inl"
