/* A picture into an input tensor, as the training code did: resize, channels, scale, mean and standard deviation. */
#ifndef TMC_IO_PREPROCESS_H
#define TMC_IO_PREPROCESS_H

#include "io/image.h"
#include "tmcnn/tmcnn.h"

typedef enum preprocess_resize { PREPROCESS_BILINEAR, PREPROCESS_NEAREST } preprocess_resize;

/* value = (pixel * scale - mean[c]) / std[c], pixel 0..255 */
typedef struct preprocess {
    preprocess_resize resize;
    float scale;
    float mean[4], std[4]; /* per channel */
} preprocess;

/* From the model's metadata: preprocess.resize (bilinear, nearest), preprocess.scale (one number), preprocess.mean,
 * preprocess.std (up to four numbers with commas between; the last serves the channels without one). Defaults:
 * bilinear, 1/255, 0, 1. Errors: E_FORMAT, E_RANGE (not finite, std 0). */
tmc_status preprocess_from_model(const tmc_model *model, preprocess *p, tmc_error *err);

/* Fills one image of an f32 tensor: rank 4, one image, 1 or 3 channels, channels-last or plain N,C,H,W. `data` holds
 * info->bytes in the library's layout. Errors: E_SHAPE, E_DTYPE, E_NOMEM. */
tmc_status preprocess_image(const preprocess *p, const io_image *image, const tmc_tensor_info *info, float *data,
                            tmc_error *err);

/* Bilinear with an antialiasing triangle filter, rounded to 8 bits after each axis, horizontal first: the arithmetic of
 * Pillow's Image.resize(BILINEAR), so that a model sees what it saw in training. Errors: E_LIMIT, E_NOMEM. */
tmc_status preprocess_resize_bilinear(const io_image *in, int32_t width, int32_t height, io_image *out, tmc_error *err);
/* The pixel under the middle of each output pixel, as Pillow's NEAREST. Errors: E_LIMIT, E_NOMEM. */
tmc_status preprocess_resize_nearest(const io_image *in, int32_t width, int32_t height, io_image *out, tmc_error *err);

#endif
