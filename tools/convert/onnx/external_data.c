#include "convert/onnx/external_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "convert/memory.h"

typedef struct external_entry {
    const char *location, *offset, *length, *checksum;
} external_entry;

static tmc_status read_entry(const Onnx__TensorProto *tensor, external_entry *entry, tmc_error *err) {
    memset(entry, 0, sizeof *entry);
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *pair = tensor->external_data[i];
        const char *key = pair->key ? pair->key : "", **slot = NULL;
        if (strcmp(key, "location") == 0) slot = &entry->location;
        if (strcmp(key, "offset") == 0) slot = &entry->offset;
        if (strcmp(key, "length") == 0) slot = &entry->length;
        if (strcmp(key, "checksum") == 0) slot = &entry->checksum;
        if (!slot || *slot || !pair->value)
            return tmc_fail_field(err, TMC_E_FORMAT, "external_data", "key '%s' is unknown, repeated or without value",
                                  key);
        *slot = pair->value;
    }
    if (!entry->location || !*entry->location)
        return tmc_fail_field(err, TMC_E_FORMAT, "location", "external data without a location");
    /* Marker of a runtime for a pointer in its own process: never meaningful in a file. */
    if (entry->location[0] == '*')
        return tmc_fail_field(err, TMC_E_FORMAT, "location", "external data names a memory address");
    return TMC_OK;
}

static tmc_status parse_number(const char *field, const char *text, uint64_t *value, tmc_error *err) {
    if (text[0] == '-') return tmc_fail_field(err, TMC_E_RANGE, field, "external data %s is negative", field);
    uint64_t v = 0;
    if (!*text) return tmc_fail_field(err, TMC_E_FORMAT, field, "external data %s is empty", field);
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return tmc_fail_field(err, TMC_E_FORMAT, field, "external data %s is not a number", field);
        if (!tmc_mul_u64(v, 10, &v) || !tmc_add_u64(v, (uint64_t)(*text - '0'), &v))
            return tmc_fail_field(err, TMC_E_RANGE, field, "external data %s is over 2^64", field);
    }
    *value = v;
    return TMC_OK;
}

static tmc_status outside(tmc_error *err, const char *location, const char *why) {
    return tmc_fail_field(err, TMC_E_AUTH, "location",
                          "external data '%s' %s: only plain files below the model's folder are read", location, why);
}

static tmc_status io_error(tmc_error *err, const char *location, const char *what) {
    int number = errno;
    tmc_status status = tmc_fail_field(err, TMC_E_IO, "location", "external data '%s' cannot be %s", location, what);
    err->os_error = number;
    return status;
}

/* Opens one path component below `folder` without following a link. */
static tmc_status open_component(int folder, const char *name, bool last, const char *location, int *fd,
                                 tmc_error *err) {
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return io_error(err, location, "found");
    if (S_ISLNK(st.st_mode)) return outside(err, location, "is or passes through a symbolic link");
    *fd = openat(folder, name, flags);
    if (*fd >= 0) return TMC_OK;
    if (errno == ELOOP) return outside(err, location, "is or passes through a symbolic link");
    return io_error(err, location, "opened");
}

static tmc_status check_location(const char *location, tmc_error *err) {
    if (location[0] == '/') return outside(err, location, "is an absolute path");
    if (strchr(location, '\\') || strchr(location, ':')) return outside(err, location, "has a drive or a backslash");
    return TMC_OK;
}

/* Walks the location component by component, so that no ".." and no link can lead out of the folder. */
static tmc_status open_below(const char *base_folder, const char *location, int *fd, tmc_error *err) {
    TMC_TRY(check_location(location, err));
    if (!base_folder) return outside(err, location, "has no model folder");
    int folder = open(*base_folder ? base_folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return io_error(err, base_folder, "opened");
    char *path = x_strdup(location), *rest = path;
    tmc_status status = TMC_OK;
    for (;;) {
        char *name = rest, *slash = strchr(rest, '/');
        if (slash) *slash = 0;
        rest = slash ? slash + 1 : rest + strlen(rest);
        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            status = outside(err, location, "has an empty, '.' or '..' component");
            break;
        }
        int next = -1;
        status = open_component(folder, name, !slash, location, &next, err);
        if (status != TMC_OK) break;
        close(folder);
        folder = next;
        if (!slash) break;
    }
    free(path);
    if (status == TMC_OK)
        *fd = folder;
    else
        close(folder);
    return status;
}

static tmc_status check_file(int fd, const external_entry *entry, size_t bytes, uint64_t *offset, tmc_error *err) {
    struct stat st;
    uint64_t length = bytes;
    *offset = 0;
    if (fstat(fd, &st) != 0) return io_error(err, entry->location, "examined");
    if (!S_ISREG(st.st_mode)) return outside(err, entry->location, "is not a regular file");
    if (st.st_nlink != 1) return outside(err, entry->location, "has more than one hard link");
    if (entry->offset) TMC_TRY(parse_number("offset", entry->offset, offset, err));
    if (entry->length) TMC_TRY(parse_number("length", entry->length, &length, err));
    if (!tmc_in_bounds(*offset, length, (uint64_t)st.st_size) || !tmc_in_bounds(*offset, bytes, (uint64_t)st.st_size))
        return tmc_fail_field(err, TMC_E_RANGE, "offset", "external data: %llu bytes at %llu, but '%s' has %llu",
                              (unsigned long long)length, (unsigned long long)*offset, entry->location,
                              (unsigned long long)st.st_size);
    if (length != bytes)
        return tmc_fail_field(err, TMC_E_FORMAT, "length", "external data has %llu bytes, the shape needs %llu",
                              (unsigned long long)length, (unsigned long long)bytes);
    return TMC_OK;
}

static tmc_status read_all(int fd, uint64_t offset, uint8_t *data, size_t bytes, const char *location, tmc_error *err) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pread(fd, data + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(err, location, "read");
        if (n == 0) return tmc_fail_field(err, TMC_E_RANGE, "length", "external data '%s' became shorter", location);
        done += (size_t)n;
    }
    return TMC_OK;
}

tmc_status onnx_external_read(const Onnx__TensorProto *tensor, const char *base_folder, size_t bytes, void **data,
                              tmc_error *err) {
    external_entry entry;
    uint64_t offset;
    int fd = -1;
    TMC_TRY(read_entry(tensor, &entry, err));
    TMC_TRY(open_below(base_folder, entry.location, &fd, err));
    tmc_status status = check_file(fd, &entry, bytes, &offset, err);
    if (status == TMC_OK) {
        void *buffer = x_alloc(bytes);
        status = read_all(fd, offset, buffer, bytes, entry.location, err);
        if (status == TMC_OK)
            *data = buffer;
        else
            free(buffer);
    }
    close(fd);
    return status;
}
