/* Answers as a person or a script reads them: classes with labels, masks as pictures, tensors as .npy files. */
#ifndef TMC_TOOLS_PRESENT_H
#define TMC_TOOLS_PRESENT_H

#include "io/json.h"
#include "tmcnn/tmcnn.h"

/* A finished run's output in the library's layout. */
typedef struct present_tensor {
    tmc_tensor_info info;
    const void *data;
    const float *real;         /* a quantised tensor: the numbers it stands for; else NULL */
    tmc_layout picture_layout; /* for present_write */
} present_tensor;

/* 1 if the tensor is one vector of scores: f32 or quantised, all dims 1 but one. */
int present_is_scores(const present_tensor *tensor);

/* The `top` highest scores with their labels (metadata "labels": names separated by newlines or commas). */
void present_scores_text(const tmc_model *model, const present_tensor *tensor, int top);
void present_scores_json(json_writer *json, const tmc_model *model, const present_tensor *tensor, int top);

/* By the name's end: .npy in the source model's layout; .png as a mask: one channel of probabilities scaled to 0..255,
 * several channels as the index of the largest, spread over the greys. Errors: E_SHAPE, E_DTYPE, E_IO, E_ARG. */
tmc_status present_write(const char *path, const present_tensor *tensor, tmc_error *err);

/* XXH3-128 of the data, as 32 hex digits. */
void present_digest(const present_tensor *tensor, char hex[33]);

#endif
