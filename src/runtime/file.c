#define _DEFAULT_SOURCE
#define _FILE_OFFSET_BITS 64
#include "runtime/file.h"

#if defined(__unix__) || defined(__APPLE__)

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that the checksum still finds in the second-level cache. */
#define READ_MOST ((uint64_t)256 << 10)

/* Linux maps as many bytes of the page cache at a fault. To fault once in each, before the bytes are read, takes two
 * thirds of MAP_POPULATE and lets the processor prefetch (docs/decisions/0015-cold-start.md). */
#define FAULT_AROUND ((size_t)64 << 10)

static tmc_status fail_io(tmc_error *err, const char *call) {
    const int os_error = errno;
    tmc_fail_field(err, TMC_E_IO, call, "%s failed with errno %d", call, os_error);
    err->os_error = os_error;
    return TMC_E_IO;
}

tmc_status tmc_file_open(const char *path, int *fd, tmc_error *err) {
    do {
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? fail_io(err, "open") : TMC_OK;
}

/* Not repeated after EINTR: on Linux the descriptor is gone then, and may already be another thread's. */
void tmc_file_close(int fd) { close(fd); }

tmc_status tmc_file_size(int fd, uint64_t max_bytes, uint64_t *size, tmc_error *err) {
    struct stat status;
    if (fstat(fd, &status)) return fail_io(err, "fstat");
    if (!S_ISREG(status.st_mode))
        return tmc_fail(err, TMC_E_IO, "not a regular file: give a file's path, or its bytes to tmc_model_open_memory");
    if (status.st_size < 0 || (uint64_t)status.st_size > max_bytes)
        return tmc_fail_field(err, TMC_E_LIMIT, "max_bytes", "the file has %lld bytes, the limit is %llu",
                              (long long)status.st_size, (unsigned long long)max_bytes);
    *size = (uint64_t)status.st_size;
    return TMC_OK;
}

tmc_status tmc_file_load(int fd, void *bytes, uint64_t size, tmc_checksum *sum, tmc_error *err) {
    uint64_t done = 0;
    char past_end;
    for (;;) {
        uint64_t left = size - done;
        /* One more byte than the size shows a file that grows. */
        ssize_t n = left ? pread(fd, (char *)bytes + done, (size_t)(left < READ_MOST ? left : READ_MOST), (off_t)done)
                         : pread(fd, &past_end, 1, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_io(err, "read");
        if (n == 0 && left)
            return tmc_fail(err, TMC_E_TRUNCATED, "the file became shorter while it was read: %llu of %llu bytes",
                            (unsigned long long)done, (unsigned long long)size);
        if (n == 0) return TMC_OK;
        if (!left) return tmc_fail(err, TMC_E_IO, "the file became longer while it was read: load it again");
        done += (uint64_t)n;
        tmc_checksum_advance(sum, done);
    }
}

void *tmc_file_map(int fd, size_t size) {
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return NULL;
    for (size_t i = 0; i < size; i += FAULT_AROUND) (void)((const volatile uint8_t *)bytes)[i];
    return bytes;
}

void tmc_file_unmap(void *bytes, size_t size) { munmap(bytes, size); }

#else

tmc_status tmc_file_open(const char *path, int *fd, tmc_error *err) {
    (void)path;
    (void)fd;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "this system has no files: use tmc_model_open_memory");
}

void tmc_file_close(int fd) { (void)fd; }

tmc_status tmc_file_size(int fd, uint64_t max_bytes, uint64_t *size, tmc_error *err) {
    (void)fd;
    (void)max_bytes;
    (void)size;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "this system has no files: use tmc_model_open_memory");
}

tmc_status tmc_file_load(int fd, void *bytes, uint64_t size, tmc_checksum *sum, tmc_error *err) {
    (void)fd;
    (void)bytes;
    (void)size;
    (void)sum;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "this system has no files: use tmc_model_open_memory");
}

void *tmc_file_map(int fd, size_t size) {
    (void)fd;
    (void)size;
    return NULL;
}

void tmc_file_unmap(void *bytes, size_t size) {
    (void)bytes;
    (void)size;
}

#endif
