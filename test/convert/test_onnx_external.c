/* Weights outside an ONNX file: only plain files below its folder are read. The numbers are those of the catalogue of
 * bad input (docs/testing.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/onnx_fixture.h"

/* -------------------------------------------------------------------------------------------------- external data */

typedef struct folder {
    char path[64];
    char outside[96];
} folder;

static void write_file(const char *folder_path, const char *name, size_t size) {
    static const uint8_t zeros[256];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder_path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void in_folder(const folder *f, const char *name, char *out, size_t size) {
    snprintf(out, size, "%s/model/%s", f->path, name);
}

static int make_folder(void **state) {
    folder *f = calloc(1, sizeof *f);
    char model[96], sub[128], a[128], b[128];
    if (!f) return -1;
    strcpy(f->path, "/tmp/tmcnn-onnx-XXXXXX");
    if (!mkdtemp(f->path)) return -1;
    snprintf(model, sizeof model, "%s/model", f->path);
    if (mkdir(model, 0700) != 0) return -1;
    in_folder(f, "sub", sub, sizeof sub);
    if (mkdir(sub, 0700) != 0) return -1;
    write_file(f->path, "outside.bin", 64);
    write_file(model, "w.bin", 64);
    write_file(sub, "w.bin", 64);
    in_folder(f, "link.bin", b, sizeof b);
    if (symlink("w.bin", b) != 0) return -1;
    in_folder(f, "linked", b, sizeof b);
    if (symlink("sub", b) != 0) return -1;
    write_file(model, "hard.bin", 64);
    in_folder(f, "hard.bin", a, sizeof a);
    in_folder(f, "hard2.bin", b, sizeof b);
    if (link(a, b) != 0) return -1;
    snprintf(f->outside, sizeof f->outside, "%s/outside.bin", f->path);
    *state = f;
    return 0;
}

static int remove_folder(void **state) {
    static const char *const names[] = {
        "model/w.bin",     "model/sub/w.bin", "model/link.bin", "model/linked", "model/hard.bin",
        "model/hard2.bin", "model/sub",       "model",          "outside.bin",  ""};
    folder *f = *state;
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        if (remove(path) != 0) return -1;
    }
    free(f);
    return 0;
}

static const struct external_case {
    const char *location, *key, *value;
    tmc_status status;
} external_cases[] = {
    {"w.bin", NULL, NULL, TMC_OK},
    {"sub/w.bin", "offset", "28", TMC_OK},
    {"w.bin", "length", "36", TMC_OK},
    {"../outside.bin", NULL, NULL, TMC_E_AUTH},
    {"sub/../../outside.bin", NULL, NULL, TMC_E_AUTH},
    {"sub/../w.bin", NULL, NULL, TMC_E_AUTH},
    {"/etc/passwd", NULL, NULL, TMC_E_AUTH},
    {"C:w.bin", NULL, NULL, TMC_E_AUTH},
    {"sub\\w.bin", NULL, NULL, TMC_E_AUTH},
    {"link.bin", NULL, NULL, TMC_E_AUTH},
    {"linked/w.bin", NULL, NULL, TMC_E_AUTH},
    {"hard.bin", NULL, NULL, TMC_E_AUTH},
    {"sub", NULL, NULL, TMC_E_AUTH},
    {"missing.bin", NULL, NULL, TMC_E_IO},
    {"", NULL, NULL, TMC_E_FORMAT},
    {"*/_ORT_MEM_ADDR_/*", NULL, NULL, TMC_E_FORMAT},
    {"w.bin", "offset", "-1", TMC_E_RANGE},
    {"w.bin", "offset", "29", TMC_E_RANGE},
    {"w.bin", "offset", "18446744073709551615", TMC_E_RANGE},
    {"w.bin", "offset", "99999999999999999999999", TMC_E_RANGE},
    {"w.bin", "offset", "0x10", TMC_E_FORMAT},
    {"w.bin", "offset", "", TMC_E_FORMAT},
    {"w.bin", "length", "1125899906842624", TMC_E_RANGE},
    {"w.bin", "length", "-36", TMC_E_RANGE},
    {"w.bin", "length", "35", TMC_E_FORMAT},
    {"w.bin", "location", "w.bin", TMC_E_FORMAT},
    {"w.bin", "address", "0x1234", TMC_E_FORMAT},
};

static tmc_status import_external(const struct external_case *c, const char *base, tmc_error *err) {
    onnx_fixture f;
    size_t size;
    onnx_fixture_init(&f);
    f.w.has_raw_data = 0;
    f.w.has_data_location = 1;
    f.w.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    f.w.external_data = f.external_list;
    f.w.n_external_data = c->key ? 2 : 1;
    f.external[0].key = "location";
    f.external[0].value = (char *)c->location;
    f.external[1].key = (char *)c->key;
    f.external[1].value = (char *)c->value;
    uint8_t *bytes = onnx_fixture_pack(&f, &size);
    tmc_status status = onnx_fixture_import(bytes, size, base, err);
    free(bytes);
    return status;
}

static void test_external_data(void **state) {
    const folder *f = *state;
    char base[96], label[160];
    tmc_error err;
    snprintf(base, sizeof base, "%s/model", f->path);
    for (size_t i = 0; i < sizeof external_cases / sizeof *external_cases; i++) {
        const struct external_case *c = &external_cases[i];
        snprintf(label, sizeof label, "107-109 location '%s' %s '%s'", c->location, c->key ? c->key : "",
                 c->value ? c->value : "");
        onnx_fixture_expect(label, import_external(c, base, &err), c->status, &err);
    }
    const struct external_case absolute = {f->outside, NULL, NULL, TMC_E_AUTH};
    onnx_fixture_expect("107 absolute", import_external(&absolute, base, &err), TMC_E_AUTH, &err);
    onnx_fixture_expect("107 no folder", import_external(&external_cases[0], NULL, &err), TMC_E_AUTH, &err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_external_data, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
