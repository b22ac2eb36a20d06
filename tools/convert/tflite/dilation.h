/* SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND: how older exporters write a dilated convolution. */
#ifndef TMC_CONVERT_TFLITE_DILATION_H
#define TMC_CONVERT_TFLITE_DILATION_H

#include "convert/tflite/model.h"

/* What an operator is in such a group. */
typedef struct tflite_dilation {
    enum { TFLITE_DILATION_NONE, TFLITE_DILATION_CONV, TFLITE_DILATION_PASS } role; /* PASS: gives back its input */
    int32_t factor[2], pad_begin[2], pad_end[2];                                    /* CONV: height, width */
} tflite_dilation;

/* One record per operator, to be freed. Indices of tensors have been checked. */
tflite_dilation *tflite_find_dilations(const tflite_model *model);

#endif
