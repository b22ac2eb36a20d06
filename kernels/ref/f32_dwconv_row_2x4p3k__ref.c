#define ROW_KW 3
#define ROW_NAME tmc_f32_dwconv_row_2x4p3k__ref
#include "kernels/f32_dwconv_row_ref.inl"
