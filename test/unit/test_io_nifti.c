/* NIfTI volumes: values, orientation and scaling, and bad files made from a good one. nifticlib likes to print: every
 * read here runs with stderr in a file that must stay empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/nifti.h"
#include "lib/temp_file.h"

#if TMC_WITH_NIFTI
#include <nifti1_io.h>
#include <zlib.h>

enum { NX = 4, NY = 3, NZ = 2, VOXELS = NX * NY * NZ, HEADER = 352 };

typedef struct {
    nifti_1_header header;
    char extension[4];
    union {
        int16_t shorts[VOXELS];
        float floats[VOXELS];
    } data;
} nifti_file;

/* 16-bit voxels 0, 1, 2, ...; axes as stored are right, front, top. */
static nifti_file make(void) {
    nifti_file f;
    memset(&f, 0, sizeof f);
    f.header.sizeof_hdr = 348;
    const short dims[8] = {3, NX, NY, NZ, 1, 1, 1, 1};
    memcpy(f.header.dim, dims, sizeof dims);
    f.header.datatype = DT_INT16;
    f.header.bitpix = 16;
    f.header.pixdim[0] = 1;
    f.header.pixdim[1] = 1.5f;
    f.header.pixdim[2] = 2;
    f.header.pixdim[3] = 3;
    f.header.vox_offset = HEADER;
    f.header.sform_code = 1;
    f.header.srow_x[0] = 1.5f;
    f.header.srow_y[1] = 2;
    f.header.srow_z[2] = 3;
    memcpy(f.header.magic, "n+1", 4);
    for (int i = 0; i < VOXELS; i++) f.data.shorts[i] = (int16_t)i;
    return f;
}

enum { SIZE = HEADER + VOXELS * 2 };

static tmc_status read_named(const void *bytes, size_t size, const char *suffix, io_volume *volume) {
    temp_file t = temp_file_make(bytes, size), log = temp_file_make("", 0);
    char path[300];
    tmc_error err;
    tmc_error_init(&err);
    snprintf(path, sizeof path, "%s%s", t.path, suffix);
    assert_int_equal(rename(t.path, path), 0);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen(log.path, "w", stderr));
    tmc_status status = io_nifti_read(path, volume, &err);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    FILE *printed = fopen(log.path, "r");
    char text[200] = "";
    size_t n = fread(text, 1, sizeof text - 1, printed);
    fclose(printed);
    remove(path);
    temp_file_remove(&log);
    if (n) fail_msg("printed: %s", text);
    if (status) {
        assert_null(volume->voxels);
        assert_true(err.message[0]);
    }
    return status;
}

static tmc_status read_file(const nifti_file *f, size_t size, io_volume *volume) {
    return read_named(f, size, ".nii", volume);
}

static void test_as_stored(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    assert_int_equal(read_file(&f, SIZE, &v), TMC_OK);
    assert_int_equal(v.nx, NX);
    assert_int_equal(v.ny, NY);
    assert_int_equal(v.nz, NZ);
    assert_true(v.dx == 1.5f && v.dy == 2 && v.dz == 3);
    for (int i = 0; i < VOXELS; i++) assert_true(v.voxels[i] == (float)i);
    io_volume_free(&v);
}

/* Stored x runs to the left, y to the top, z to the back. */
static void test_turned_to_ras(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    memset(f.header.srow_x, 0, 3 * sizeof f.header.srow_x);
    f.header.srow_x[0] = -1.5f;
    f.header.srow_z[1] = 2;
    f.header.srow_y[2] = -3;
    assert_int_equal(read_file(&f, SIZE, &v), TMC_OK);
    assert_int_equal(v.nx, NX);
    assert_int_equal(v.ny, NZ);
    assert_int_equal(v.nz, NY);
    assert_true(v.dx == 1.5f && v.dy == 3 && v.dz == 2);
    for (int x = 0; x < v.nx; x++)
        for (int y = 0; y < v.ny; y++)
            for (int z = 0; z < v.nz; z++)
                assert_true(v.voxels[(z * v.ny + y) * v.nx + x] ==
                            (float)((NX - 1 - x) + NX * (z + NY * (NZ - 1 - y))));
    io_volume_free(&v);
}

static void test_scaling(void **state) {
    (void)state;
    static const struct {
        float slope, shift, want_slope, want_shift;
    } cases[] = {{2, -1, 2, -1}, {0, 5, 1, 0}, {NAN, 5, 1, 0}, {INFINITY, 0, 1, 0}, {2, NAN, 1, 0}, {-1, 0, -1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_file f = make();
        io_volume v;
        f.header.scl_slope = cases[i].slope;
        f.header.scl_inter = cases[i].shift;
        assert_int_equal(read_file(&f, SIZE, &v), TMC_OK);
        for (int k = 0; k < VOXELS; k++)
            assert_true(v.voxels[k] == (float)k * cases[i].want_slope + cases[i].want_shift);
        io_volume_free(&v);
    }
}

static void test_float_voxels(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    f.header.datatype = DT_FLOAT32;
    f.header.bitpix = 32;
    for (int i = 0; i < VOXELS; i++) f.data.floats[i] = (float)i * -0.5f;
    assert_int_equal(read_file(&f, HEADER + VOXELS * 4, &v), TMC_OK);
    for (int i = 0; i < VOXELS; i++) assert_true(v.voxels[i] == (float)i * -0.5f);
    io_volume_free(&v);
}

/* The header's fields and the voxels of a file from a big-endian computer. */
static void test_swapped_bytes(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    swap_nifti_header(&f.header, 1);
    nifti_swap_2bytes(VOXELS, f.data.shorts);
    assert_int_equal(read_file(&f, SIZE, &v), TMC_OK);
    assert_int_equal(v.nx, NX);
    for (int i = 0; i < VOXELS; i++) assert_true(v.voxels[i] == (float)i);
    io_volume_free(&v);
}

/* A quarter turn about z by quaternion: stored x runs to the front, y to the left. */
static void test_turned_by_quaternion(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    f.header.sform_code = 0;
    f.header.qform_code = 1;
    f.header.quatern_d = sqrtf(0.5f);
    assert_int_equal(read_file(&f, SIZE, &v), TMC_OK);
    assert_int_equal(v.nx, NY);
    assert_int_equal(v.ny, NX);
    assert_true(v.dx == 2 && v.dy == 1.5f && v.dz == 3);
    assert_true(v.voxels[0] == (NY - 1) * NX && v.voxels[1] == (NY - 2) * NX && v.voxels[NY] == (NY - 1) * NX + 1);
    io_volume_free(&v);
}

static void test_compressed(void **state) {
    (void)state;
    nifti_file f = make();
    uint8_t packed[2000];
    z_stream z;
    io_volume v;
    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)&f;
    z.avail_in = SIZE;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = z.total_out;
    deflateEnd(&z);
    assert_int_equal(read_named(packed, size, ".nii.gz", &v), TMC_OK);
    for (int i = 0; i < VOXELS; i++) assert_true(v.voxels[i] == (float)i);
    io_volume_free(&v);
    for (size_t n = 0; n < size; n++)
        if (read_named(packed, n, ".nii.gz", &v) == TMC_OK) fail_msg("accepted %zu of %zu bytes", n, size);
    for (size_t at = 10; at < size; at++) {
        packed[at] ^= 0x10;
        if (read_named(packed, size, ".nii.gz", &v) == TMC_OK) { /* another copy of the same zeros */
            for (int i = 0; i < VOXELS; i++) assert_true(v.voxels[i] == (float)i);
            io_volume_free(&v);
        }
        packed[at] ^= 0x10;
    }
}

static void test_every_truncation(void **state) {
    (void)state;
    nifti_file f = make();
    for (size_t size = 0; size < SIZE; size++) {
        io_volume v;
        tmc_status status = read_file(&f, size, &v);
        if (status != TMC_E_TRUNCATED) fail_msg("%zu bytes: %s", size, tmc_status_name(status));
    }
    io_volume v;
    assert_int_equal(read_file(&f, SIZE + 1, &v), TMC_E_FORMAT);
}

static void test_bad_headers(void **state) {
    (void)state;
    enum { I16, F32, I32, CHR };
    static const struct {
        const char *what;
        size_t at;
        int type;
        double value;
        tmc_status status;
    } cases[] = {
        {"header size 0", offsetof(nifti_1_header, sizeof_hdr), I32, 0, TMC_E_FORMAT},
        {"magic", offsetof(nifti_1_header, magic), CHR, 'x', TMC_E_FORMAT},
        {"rank 0", offsetof(nifti_1_header, dim), I16, 0, TMC_E_FORMAT},
        {"rank 8", offsetof(nifti_1_header, dim), I16, 8, TMC_E_FORMAT},
        {"rank -1", offsetof(nifti_1_header, dim), I16, -1, TMC_E_FORMAT},
        {"x 0", offsetof(nifti_1_header, dim[1]), I16, 0, TMC_E_FORMAT},
        {"x -4", offsetof(nifti_1_header, dim[1]), I16, -4, TMC_E_FORMAT},
        {"x 32767", offsetof(nifti_1_header, dim[1]), I16, 32767, TMC_E_TRUNCATED},
        {"type 0", offsetof(nifti_1_header, datatype), I16, 0, TMC_E_DTYPE},
        {"type 1", offsetof(nifti_1_header, datatype), I16, 1, TMC_E_DTYPE},
        {"type 12345", offsetof(nifti_1_header, datatype), I16, 12345, TMC_E_DTYPE},
        {"double", offsetof(nifti_1_header, datatype), I16, DT_FLOAT64, TMC_E_DTYPE},
        {"RGB", offsetof(nifti_1_header, datatype), I16, DT_RGB24, TMC_E_DTYPE},
        {"complex", offsetof(nifti_1_header, datatype), I16, DT_COMPLEX64, TMC_E_DTYPE},
        {"NIfTI-2", offsetof(nifti_1_header, sizeof_hdr), I32, 540, TMC_E_UNSUPPORTED},
        {"8 bits a voxel", offsetof(nifti_1_header, bitpix), I16, 8, TMC_E_FORMAT},
        {"voxel size 0", offsetof(nifti_1_header, pixdim[1]), F32, 0, TMC_E_RANGE},
        {"voxel size NaN", offsetof(nifti_1_header, pixdim[2]), F32, NAN, TMC_E_RANGE},
        {"offset of half a byte", offsetof(nifti_1_header, vox_offset), F32, 352.5, TMC_E_FORMAT},
        {"offset far behind the end", offsetof(nifti_1_header, vox_offset), F32, 1e9, TMC_E_TRUNCATED},
        {"offset 1e30", offsetof(nifti_1_header, vox_offset), F32, 1e30, TMC_E_FORMAT},
        {"offset NaN", offsetof(nifti_1_header, vox_offset), F32, NAN, TMC_E_FORMAT},
        {"offset in the header", offsetof(nifti_1_header, vox_offset), F32, 100, TMC_E_FORMAT},
        {"offset negative", offsetof(nifti_1_header, vox_offset), F32, -400, TMC_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_file f = make();
        io_volume v;
        char *at = (char *)&f.header + cases[i].at;
        int16_t i16 = cases[i].type == I16 ? (int16_t)cases[i].value : 0;
        int32_t i32 = cases[i].type == I32 ? (int32_t)cases[i].value : 0;
        float f32 = (float)cases[i].value;
        switch (cases[i].type) {
        case I16: memcpy(at, &i16, 2); break;
        case I32: memcpy(at, &i32, 4); break;
        case F32: memcpy(at, &f32, 4); break;
        default: *at = (char)cases[i].value;
        }
        tmc_status status = read_file(&f, SIZE, &v);
        if (status == TMC_OK) io_volume_free(&v);
        if (status != cases[i].status)
            fail_msg("%s: %s, expected %s", cases[i].what, tmc_status_name(status), tmc_status_name(cases[i].status));
    }
}

static void test_absurd_dims(void **state) {
    (void)state;
    static const struct {
        short dims[8];
        tmc_status status;
    } cases[] = {
        {{3, 32767, 32767, 32767, 1, 1, 1, 1}, TMC_E_LIMIT},
        {{7, 32767, 32767, 32767, 32767, 32767, 32767, 32767}, TMC_E_FORMAT},
        {{4, NX, NY, NZ, 2, 1, 1, 1}, TMC_E_FORMAT},
        {{5, NX, NY, NZ, 1, 30000, 1, 1}, TMC_E_FORMAT},
        {{7, NX, NY, NZ, 1, 1, 1, 30000}, TMC_E_FORMAT},
        {{7, NX, NY, NZ, 1, 1, 1, 1}, TMC_OK},
        {{1, VOXELS, 0, 0, 0, 0, 0, 0}, TMC_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_file f = make();
        io_volume v;
        memcpy(f.header.dim, cases[i].dims, sizeof cases[i].dims);
        tmc_status status = read_file(&f, SIZE, &v);
        if (status == TMC_OK) io_volume_free(&v);
        if (status != cases[i].status) fail_msg("case %zu: %s", i, tmc_status_name(status));
    }
}

/* Every byte of the header takes some other values: no crash, no message, no exit. */
static void test_every_header_byte(void **state) {
    (void)state;
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    nifti_file f = make();
    for (size_t at = 0; at < HEADER; at++) {
        uint8_t *byte = (uint8_t *)&f + at, old = *byte;
        for (size_t i = 0; i < sizeof values; i++) {
            io_volume v;
            *byte = values[i];
            if (read_file(&f, SIZE, &v) == TMC_OK) io_volume_free(&v);
        }
        *byte = old;
    }
}

static void test_other_files(void **state) {
    (void)state;
    nifti_file f = make();
    io_volume v;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(io_nifti_read("/nonexistent.nii", &v, &err), TMC_E_IO);
    assert_int_equal(read_named("hello", 5, ".nii", &v), TMC_E_TRUNCATED);
    assert_int_equal(read_named(&f, SIZE, ".txt", &v), TMC_OK); /* by content, not by name */
    io_volume_free(&v);
    memcpy(f.header.magic, "ni1", 4); /* the voxels would be in another file */
    assert_int_equal(read_file(&f, SIZE, &v), TMC_E_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_stored),
        cmocka_unit_test(test_turned_to_ras),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_swapped_bytes),
        cmocka_unit_test(test_turned_by_quaternion),
        cmocka_unit_test(test_float_voxels),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_absurd_dims),
        cmocka_unit_test(test_every_header_byte),
        cmocka_unit_test(test_other_files),
    };
    return cmocka_run_group_tests_name("io_nifti", tests, NULL, NULL);
}
#else
int main(void) {
    puts("SKIPPED: built without NIfTI");
    return 0;
}
#endif
