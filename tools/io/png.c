#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/image.h"

#if TMC_WITH_PNG
#include <spng.h>
#include <stdbool.h>

static tmc_status fail_png(tmc_error *err, int code) {
    tmc_status status = code == SPNG_EMEM                                       ? TMC_E_NOMEM
                        : code == SPNG_EUSER_WIDTH || code == SPNG_EUSER_HEIGHT ? TMC_E_LIMIT
                        : code == SPNG_IO_EOF || code == SPNG_EIDAT_TOO_SHORT || code == SPNG_EIDAT_STREAM
                            ? TMC_E_TRUNCATED
                        : code == SPNG_ECHUNK_CRC ? TMC_E_INTEGRITY
                                                  : TMC_E_FORMAT;
    return tmc_fail(err, status, "PNG: %s", spng_strerror(code));
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The decoder stops at the last pixel: what must follow it, and how many chunks there may be, is checked here. */
static tmc_status check_chunks(const uint8_t *bytes, size_t size, tmc_error *err) {
    enum { SIGNATURE = 8, FRAME = 12, MAX_CHUNKS = 65536 }; /* FRAME: length, type and CRC */
    size_t at = SIGNATURE;
    for (uint32_t i = 0; i < MAX_CHUNKS; i++) {
        if (at > size || size - at < FRAME || big_endian(bytes + at) > size - at - FRAME)
            return tmc_fail(err, TMC_E_TRUNCATED, "PNG: the file ends before its IEND chunk");
        bool last = memcmp(bytes + at + 4, "IEND", 4) == 0;
        at += FRAME + (size_t)big_endian(bytes + at);
        if (!last) continue;
        if (at < size) return tmc_fail(err, TMC_E_FORMAT, "PNG: %zu bytes behind the IEND chunk", size - at);
        return TMC_OK;
    }
    return tmc_fail(err, TMC_E_LIMIT, "PNG: more than %d chunks", MAX_CHUNKS);
}

static tmc_status decode(spng_ctx *png, io_image *image, tmc_error *err) {
    struct spng_ihdr header;
    size_t bytes;
    /* Chunks that do not matter to the pixels may not cost memory (decompression bombs). */
    spng_set_chunk_limits(png, 1 << 20, 1 << 22);
    spng_set_image_limits(png, 65535, 65535);
    spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    int code = spng_get_ihdr(png, &header);
    if (code) return fail_png(err, code);
    int grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8;
    int format = grey ? SPNG_FMT_G8 : SPNG_FMT_RGB8;
    TMC_TRY(io_image_new(image, (int32_t)header.width, (int32_t)header.height, grey ? 1 : 3, err));
    code = spng_decoded_image_size(png, format, &bytes);
    if (code) return fail_png(err, code);
    if (bytes != (size_t)image->width * (size_t)image->height * (size_t)image->channels)
        return tmc_fail(err, TMC_E_INTERNAL, "PNG: unexpected size of the decoded image");
    code = spng_decode_image(png, image->pixels, bytes, format, 0);
    if (!code) code = spng_decode_chunks(png); /* those behind the pixels too */
    return code ? fail_png(err, code) : TMC_OK;
}

tmc_status io_png_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    TMC_TRY(check_chunks(bytes, size, err));
    spng_ctx *png = spng_ctx_new(0);
    if (!png) return tmc_fail(err, TMC_E_NOMEM, "no memory for the PNG decoder");
    int code = spng_set_png_buffer(png, bytes, size);
    tmc_status status = code ? fail_png(err, code) : decode(png, image, err);
    spng_ctx_free(png);
    return status;
}

tmc_status io_image_write_png(const char *path, const io_image *image, tmc_error *err) {
    struct spng_ihdr header = {.width = (uint32_t)image->width,
                               .height = (uint32_t)image->height,
                               .bit_depth = 8,
                               .color_type =
                                   image->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR};
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels, size;
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    if (!png) return tmc_fail(err, TMC_E_NOMEM, "no memory for the PNG encoder");
    spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    spng_set_ihdr(png, &header);
    int code = spng_encode_image(png, image->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    void *file = code ? NULL : spng_get_png_buffer(png, &size, &code);
    tmc_status status = file ? io_write_file(path, file, size, err) : fail_png(err, code);
    free(file);
    spng_ctx_free(png);
    return status;
}
#else
tmc_status io_png_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    (void)bytes, (void)size, (void)image;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "built without PNG: install libspng-dev and build again");
}

tmc_status io_image_write_png(const char *path, const io_image *image, tmc_error *err) {
    (void)path, (void)image;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "built without PNG: install libspng-dev and build again");
}
#endif
