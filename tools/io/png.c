#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/image.h"

#if TMC_WITH_PNG
#include <spng.h>
#include <stdbool.h>

static tmc_status status_of(int code) {
    switch (code) {
    case SPNG_EMEM: return TMC_E_NOMEM;
    case SPNG_EUSER_WIDTH:
    case SPNG_EUSER_HEIGHT:
    case SPNG_ECHUNK_LIMITS: return TMC_E_LIMIT;
    case SPNG_IO_EOF:
    case SPNG_EIDAT_TOO_SHORT: return TMC_E_TRUNCATED;
    case SPNG_ECHUNK_CRC:
    case SPNG_EIDAT_STREAM: return TMC_E_INTEGRITY; /* the compressed data, or their checksum */
    default: return TMC_E_FORMAT;
    }
}

static tmc_status fail_png(tmc_error *err, int code) {
    return tmc_fail(err, status_of(code), "PNG: %s", spng_strerror(code));
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The decoder stops at the last pixel and takes the first of two palettes: what it does not see is checked here. */
static tmc_status check_chunks(const uint8_t *bytes, size_t size, tmc_error *err) {
    enum { SIGNATURE = 8, FRAME = 12, MAX_CHUNKS = 65536 }; /* FRAME: length, type and CRC */
    size_t at = SIGNATURE;
    uint32_t palettes = 0;
    for (uint32_t i = 0; i < MAX_CHUNKS; i++) {
        if (size - at < FRAME || big_endian(bytes + at) > size - at - FRAME)
            return tmc_fail(err, TMC_E_TRUNCATED, "PNG: the file ends before its IEND chunk");
        const uint8_t *type = bytes + at + 4;
        if (memcmp(type, "PLTE", 4) == 0 && palettes++) return tmc_fail(err, TMC_E_FORMAT, "PNG: two palettes");
        at += FRAME + (size_t)big_endian(bytes + at);
        if (memcmp(type, "IEND", 4)) continue;
        if (at < size) return tmc_fail(err, TMC_E_FORMAT, "PNG: %zu bytes behind the IEND chunk", size - at);
        return TMC_OK;
    }
    return tmc_fail(err, TMC_E_LIMIT, "PNG: more than %d chunks", MAX_CHUNKS);
}

static tmc_status decode_as(spng_ctx *png, int format, uint8_t *pixels, size_t want, tmc_error *err) {
    size_t bytes;
    int code = spng_decoded_image_size(png, format, &bytes);
    if (!code && bytes != want) return tmc_fail(err, TMC_E_INTERNAL, "PNG: unexpected size of the decoded image");
    if (!code) code = spng_decode_image(png, pixels, bytes, format, 0);
    if (!code) code = spng_decode_chunks(png); /* those behind the pixels too */
    return code ? fail_png(err, code) : TMC_OK;
}

/* The decoder would make black of an index without a colour. */
static tmc_status look_up(const struct spng_ihdr *header, const struct spng_plte *palette, const uint8_t *indices,
                          size_t stride, io_image *image, tmc_error *err) {
    uint8_t *to = image->pixels;
    for (size_t y = 0; y < header->height; y++) {
        for (size_t x = 0; x < header->width; x++, to += 3) {
            size_t bit = x * header->bit_depth;
            uint32_t shift = 8 - header->bit_depth - bit % 8, mask = (1u << header->bit_depth) - 1;
            uint32_t index = indices[y * stride + bit / 8] >> shift & mask;
            if (index >= palette->n_entries)
                return tmc_fail(err, TMC_E_FORMAT, "PNG: pixel of colour %u, the palette has %u", index,
                                palette->n_entries);
            to[0] = palette->entries[index].red;
            to[1] = palette->entries[index].green;
            to[2] = palette->entries[index].blue;
        }
    }
    return TMC_OK;
}

static tmc_status decode_palette(spng_ctx *png, const struct spng_ihdr *header, io_image *image, tmc_error *err) {
    struct spng_plte palette;
    size_t stride = ((size_t)header->width * header->bit_depth + 7) / 8;
    uint8_t *indices = calloc(header->height, stride); /* the passes of an interlaced one are ORed in */
    if (!indices) return tmc_fail(err, TMC_E_NOMEM, "no memory for the pixels of a PNG");
    tmc_status status = decode_as(png, SPNG_FMT_PNG, indices, stride * header->height, err);
    int code = status ? 0 : spng_get_plte(png, &palette);
    if (code) status = fail_png(err, code);
    if (!status) status = look_up(header, &palette, indices, stride, image, err);
    free(indices);
    return status;
}

static tmc_status decode(spng_ctx *png, io_image *image, tmc_error *err) {
    struct spng_ihdr header;
    /* Chunks that do not matter to the pixels may not cost memory (decompression bombs). */
    spng_set_chunk_limits(png, 1 << 20, 1 << 22);
    spng_set_image_limits(png, 65535, 65535);
    spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    int code = spng_get_ihdr(png, &header);
    if (code) return fail_png(err, code);
    bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8;
    TMC_TRY(io_image_new(image, (int32_t)header.width, (int32_t)header.height, grey ? 1 : 3, err));
    if (header.color_type == SPNG_COLOR_TYPE_INDEXED) return decode_palette(png, &header, image, err);
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    return decode_as(png, grey ? SPNG_FMT_G8 : SPNG_FMT_RGB8, image->pixels, bytes, err);
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
