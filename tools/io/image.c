#include "io/image.h"

#include <stdlib.h>
#include <string.h>

#include "io/file.h"

#define FILE_LIMIT (1u << 30)

tmc_status io_image_new(io_image *image, int32_t width, int32_t height, int32_t channels, tmc_error *err) {
    image->pixels = NULL;
    if (width < 1 || height < 1 || (uint64_t)width * (uint64_t)height > IO_IMAGE_MAX_PIXELS)
        return tmc_fail(err, TMC_E_LIMIT, "image of %d x %d pixels, the limit is %u in all", width, height,
                        IO_IMAGE_MAX_PIXELS);
    image->width = width;
    image->height = height;
    image->channels = channels;
    image->pixels = calloc((size_t)width * (size_t)height, (size_t)channels);
    if (!image->pixels) return tmc_fail(err, TMC_E_NOMEM, "no memory for an image of %d x %d", width, height);
    return TMC_OK;
}

void io_image_free(io_image *image) {
    free(image->pixels);
    image->pixels = NULL;
}

tmc_status io_image_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    tmc_status status;
    memset(image, 0, sizeof *image);
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        status = io_png_decode(bytes, size, image, err);
    } else if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        status = io_jpeg_decode(bytes, size, image, err);
    } else {
        status = tmc_fail(err, TMC_E_FORMAT, "neither PNG nor JPEG");
    }
    if (status) io_image_free(image);
    return status;
}

tmc_status io_image_read(const char *path, io_image *image, tmc_error *err) {
    uint8_t *bytes;
    size_t size;
    memset(image, 0, sizeof *image);
    TMC_TRY(io_read_file(path, FILE_LIMIT, &bytes, &size, err));
    tmc_status status = io_image_decode(bytes, size, image, err);
    free(bytes);
    return status;
}
