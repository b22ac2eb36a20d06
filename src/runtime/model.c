#include "runtime/model.h"

#include <string.h>

#include "base/abi.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "cpu/cpu.h"
#include "graph/validate.h"
#include "kernels/hash.h"
#include "runtime/file.h"
#include "runtime/guard.h"

#define KNOWN_FLAGS (TMC_MODEL_MMAP | TMC_MODEL_BORROW | TMC_MODEL_STRICT)
#define HEAD_BYTES ((sizeof(tmc_model) + TMC_ALIGN - 1) & ~(size_t)(TMC_ALIGN - 1))

void tmc_model_options_init(tmc_model_options *options) {
    if (!options) return;
    *options = (tmc_model_options){.struct_size = sizeof *options, .max_bytes = 0x7fffffffu};
}

static tmc_status read_options(tmc_model_options *options, const tmc_model_options *given, tmc_error *err) {
    tmc_model_options_init(options);
    TMC_TRY(tmc_options_read(options, sizeof *options, given, err));
    if (options->flags & ~KNOWN_FLAGS)
        return tmc_fail_field(err, TMC_E_ARG, "flags", "unknown model flags 0x%x", options->flags);
    if (!options->allocator) options->allocator = &tmc_allocator_libc;
    if (!options->allocator->alloc || !options->allocator->free)
        return tmc_fail_field(err, TMC_E_ARG, "allocator", "an allocator needs both alloc and free");
    return TMC_OK;
}

void tmc_model_log(const tmc_model *model, tmc_log_level level, const char *line) {
    if (model->log) model->log(model->log_user, level, line);
}

/* A model with room for `file_bytes` behind it. */
static tmc_status new_model(const tmc_model_options *options, uint64_t file_bytes, tmc_model **model, tmc_error *err) {
    if (file_bytes > SIZE_MAX - HEAD_BYTES)
        return tmc_fail(err, TMC_E_LIMIT, "a file of %llu bytes does not fit into the address space",
                        (unsigned long long)file_bytes);
    const size_t bytes = HEAD_BYTES + (size_t)file_bytes;
    tmc_model *m = tmc_alloc(options->allocator, bytes);
    if (!m) return tmc_fail(err, TMC_E_NOMEM, "no memory for a model of %zu bytes", bytes);
    *m = (tmc_model){.references = 1,
                     .block_bytes = bytes,
                     .allocator = *options->allocator,
                     .log = options->log,
                     .log_user = options->log_user};
    *model = m;
    return TMC_OK;
}

static void free_model(tmc_model *model) {
    if (model->mapping) tmc_file_unmap(model->mapping, model->mapping_bytes);
    const tmc_allocator allocator = model->allocator;
    tmc_free(&allocator, model, model->block_bytes);
}

static void start_checksum(tmc_checksum *sum, const void *bytes, uint64_t size) {
    const tmc_isa isa = tmc_isa_available(TMC_ISA_AVX2) ? TMC_ISA_AVX2 : TMC_ISA_REF;
    tmc_checksum_start(sum, tmc_hash_select(isa), bytes, size);
}

static tmc_status verify(tmc_model *model, const tmc_model_options *options, tmc_checksum *sum, tmc_error *err) {
    const int strict = (options->flags & TMC_MODEL_STRICT) != 0;
    tmc_file_view *view = &model->view;
    TMC_TRY(tmc_file_read(sum, strict, view, err));
    if (view->header->revision < options->min_revision)
        return tmc_fail_field(err, TMC_E_AUTH, "revision", "the file is revision %u, at least %u is asked for",
                              view->header->revision, options->min_revision);
    uint8_t *scratch = tmc_alloc(options->allocator, (size_t)view->tensor_count + 1);
    if (!scratch) return tmc_fail(err, TMC_E_NOMEM, "no memory to verify %u tensors", view->tensor_count);
    memset(scratch, 0, view->tensor_count);
    tmc_status status = tmc_graph_validate(view, scratch, strict, err);
    tmc_free(options->allocator, scratch, (size_t)view->tensor_count + 1);
    return status;
}

/* Hands out a verified model, or frees it. */
static tmc_status finish(tmc_model *model, const tmc_model_options *options, tmc_checksum *sum, tmc_model **out,
                         tmc_error *err) {
    tmc_status status = verify(model, options, sum, err);
    if (status == TMC_OK)
        *out = model;
    else
        free_model(model);
    return status;
}

static tmc_status open_mapped(int fd, uint64_t size, const tmc_model_options *options, tmc_model **out, bool *mapped,
                              tmc_error *err) {
    tmc_model *model = NULL;
    tmc_checksum sum;
    *mapped = false;
    if (size == 0 || size > SIZE_MAX) return TMC_OK;
    void *bytes = tmc_file_map(fd, (size_t)size);
    if (!bytes) return TMC_OK;
    *mapped = true;
    tmc_status status = new_model(options, 0, &model, err);
    if (status != TMC_OK) {
        tmc_file_unmap(bytes, (size_t)size);
        return status;
    }
    model->mapping = bytes;
    model->mapping_bytes = (size_t)size;
    start_checksum(&sum, bytes, size);
    return finish(model, options, &sum, out, err);
}

static tmc_status open_read(int fd, uint64_t size, const tmc_model_options *options, tmc_model **out, tmc_error *err) {
    tmc_model *model = NULL;
    tmc_checksum sum;
    TMC_TRY(new_model(options, size, &model, err));
    uint8_t *bytes = (uint8_t *)model + HEAD_BYTES;
    start_checksum(&sum, bytes, size);
    tmc_status status = tmc_file_load(fd, bytes, size, &sum, err);
    if (status != TMC_OK) {
        free_model(model);
        return status;
    }
    return finish(model, options, &sum, out, err);
}

static tmc_status open_fd(int fd, const tmc_model_options *options, tmc_model **out, tmc_error *err) {
    uint64_t size;
    TMC_TRY(tmc_file_size(fd, options->max_bytes, &size, err));
    if (options->flags & TMC_MODEL_MMAP) {
        bool mapped;
        tmc_status status = open_mapped(fd, size, options, out, &mapped, err);
        if (mapped) return status;
        if (options->log) options->log(options->log_user, TMC_LOG_INFO, "the model cannot be mapped: it is read");
    }
    return open_read(fd, size, options, out, err);
}

static tmc_status open_path(const char *path, const tmc_model_options *options, tmc_model **out, tmc_error *err) {
    int fd;
    TMC_TRY(tmc_file_open(path, &fd, err));
    tmc_status status = open_fd(fd, options, out, err);
    tmc_file_close(fd);
    return status;
}

static tmc_status open_memory(const void *data, size_t size, const tmc_model_options *options, tmc_model **out,
                              tmc_error *err) {
    tmc_model *model = NULL;
    tmc_checksum sum;
    const bool borrow = options->flags & TMC_MODEL_BORROW;
    if (size > options->max_bytes)
        return tmc_fail_field(err, TMC_E_LIMIT, "max_bytes", "the model has %zu bytes, the limit is %llu", size,
                              (unsigned long long)options->max_bytes);
    if (borrow && (uintptr_t)data % TMC_ALIGN)
        return tmc_fail_field(err, TMC_E_BUFFER, "data", "borrowed bytes must start at a multiple of %u", TMC_ALIGN);
    TMC_TRY(new_model(options, borrow ? 0 : size, &model, err));
    if (!borrow && size) data = memcpy((uint8_t *)model + HEAD_BYTES, data, size);
    start_checksum(&sum, data, size);
    return finish(model, options, &sum, out, err);
}

/* ------------------------------------------------------------------------------------------------------ public API */

tmc_status tmc_model_open_file(const char *path, const tmc_model_options *options, tmc_model **model, tmc_error *err) {
    tmc_error e = {0};
    tmc_model_options o;
    const tmc_guard guard = tmc_guard_enter();
    if (model) *model = NULL;
    if (!path || !model)
        tmc_fail(&e, TMC_E_ARG, "%s is NULL", path ? "model" : "path");
    else if (read_options(&o, options, &e) == TMC_OK)
        open_path(path, &o, model, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}

tmc_status tmc_model_open_fd(int fd, const tmc_model_options *options, tmc_model **model, tmc_error *err) {
    tmc_error e = {0};
    tmc_model_options o;
    const tmc_guard guard = tmc_guard_enter();
    if (model) *model = NULL;
    if (!model)
        tmc_fail(&e, TMC_E_ARG, "model is NULL");
    else if (read_options(&o, options, &e) == TMC_OK)
        open_fd(fd, &o, model, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}

tmc_status tmc_model_open_memory(const void *data, size_t bytes, const tmc_model_options *options, tmc_model **model,
                                 tmc_error *err) {
    tmc_error e = {0};
    tmc_model_options o;
    const tmc_guard guard = tmc_guard_enter();
    if (model) *model = NULL;
    if (!data || !model)
        tmc_fail(&e, TMC_E_ARG, "%s is NULL", data ? "model" : "data");
    else if (read_options(&o, options, &e) == TMC_OK)
        open_memory(data, bytes, &o, model, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}

tmc_model *tmc_model_retain(tmc_model *model) {
    if (model) __atomic_fetch_add(&model->references, 1, __ATOMIC_RELAXED);
    return model;
}

void tmc_model_release(tmc_model **model) {
    if (!model || !*model) return;
    tmc_model *m = *model;
    *model = NULL;
    if (__atomic_sub_fetch(&m->references, 1, __ATOMIC_ACQ_REL)) return;
    const tmc_guard guard = tmc_guard_enter();
    free_model(m);
    tmc_guard_leave(&guard);
}
