/* Pictures: 8-bit grey or RGB in memory, PNG and JPEG on disk. */
#ifndef TMC_IO_IMAGE_H
#define TMC_IO_IMAGE_H

#include "base/error.h"

#define IO_IMAGE_MAX_PIXELS (1u << 28)

typedef struct io_image {
    int32_t width, height;
    int32_t channels; /* 1 or 3, interleaved */
    uint8_t *pixels;  /* malloc'd, rows without padding */
} io_image;

/* By content, not by name: PNG (all kinds; 16 bit reduced to 8, alpha dropped, palette and grey expanded as stored;
 * gamma and colour profiles not applied) and baseline or progressive JPEG (colour profiles not applied, pictures that
 * EXIF says are to be turned refused). Truncated or damaged files are refused, never completed with grey, and so is
 * what follows the picture's end. On failure nothing is held. Errors: E_IO, E_FORMAT, E_TRUNCATED, E_INTEGRITY, E_LIMIT
 * (pixels, chunks, scans), E_UNSUPPORTED (format not built in, CMYK, 12 bit, turned by EXIF), E_NOMEM. */
tmc_status io_image_read(const char *path, io_image *image, tmc_error *err);
tmc_status io_image_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err);
/* As PNG. Errors: E_IO, E_NOMEM, E_UNSUPPORTED (built without PNG). */
tmc_status io_image_write_png(const char *path, const io_image *image, tmc_error *err);
void io_image_free(io_image *image);

/* A black picture. Errors: E_LIMIT, E_NOMEM. */
tmc_status io_image_new(io_image *image, int32_t width, int32_t height, int32_t channels, tmc_error *err);

/* One per format; `bytes` is the whole file. On failure the picture may hold pixels: free it. */
tmc_status io_png_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err);
tmc_status io_jpeg_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err);

#endif
