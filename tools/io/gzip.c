#include "io/gzip.h"

#if TMC_WITH_NIFTI
#include <string.h>

#include <zlib.h>

/* Deflate needs 2 bits for 258 bytes, besides headers. */
#define MAX_RATIO 1032

bool gzip_recognise(const uint8_t *bytes, size_t size) { return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

bool gzip_can_hold(size_t size, size_t want) { return want / MAX_RATIO <= size; }

static tmc_status end_of(int code, tmc_error *err) {
    switch (code) {
    case Z_MEM_ERROR: return tmc_fail(err, TMC_E_NOMEM, "no memory to unpack gzip data");
    case Z_DATA_ERROR: return tmc_fail(err, TMC_E_INTEGRITY, "the gzip data are damaged");
    default: return tmc_fail(err, TMC_E_TRUNCATED, "the gzip data end too early");
    }
}

/* One output byte more than wanted is offered: it shows content that is too long, and lets zlib reach the checksum. */
static tmc_status run(z_stream *z, uint8_t *out, size_t want, bool whole, tmc_error *err) {
    uint8_t extra;
    bool filled = false;
    z->next_out = out;
    z->avail_out = (uInt)want;
    for (;;) {
        if (z->avail_out == 0 && !filled) {
            if (!whole) return TMC_OK;
            filled = true;
            z->next_out = &extra;
            z->avail_out = 1;
        }
        int code = inflate(z, Z_NO_FLUSH);
        if (filled && z->avail_out == 0) return tmc_fail(err, TMC_E_FORMAT, "more than %zu bytes of content", want);
        if (code == Z_STREAM_END) {
            if (z->avail_in == 0) return filled || z->avail_out == 0 ? TMC_OK : end_of(Z_BUF_ERROR, err);
            code = inflateReset(z); /* the next member */
        }
        if (code != Z_OK) return end_of(code, err);
    }
}

tmc_status gzip_inflate(const uint8_t *bytes, size_t size, uint8_t *out, size_t want, bool whole, tmc_error *err) {
    z_stream z;
    if (size > UINT32_MAX || want > UINT32_MAX) return tmc_fail(err, TMC_E_LIMIT, "gzip data over 4 GiB");
    memset(&z, 0, sizeof z);
    if (inflateInit2(&z, 16 + MAX_WBITS)) return end_of(Z_MEM_ERROR, err);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)size;
    tmc_status status = run(&z, out, want, whole, err);
    inflateEnd(&z);
    return status;
}
#endif
