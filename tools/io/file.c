#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* Read by the signal handler: set before the file exists, cleared after the rename. */
static char temporary[PATH_BYTES];
static volatile sig_atomic_t temporary_exists;

static tmc_status fail_io(tmc_error *err, const char *what, const char *path, int code) {
    tmc_fail(err, TMC_E_IO, "cannot %s %s: %s", what, path, strerror(code));
    err->os_error = code;
    return TMC_E_IO;
}

static tmc_status read_all(int fd, const char *path, uint8_t *data, size_t size, size_t *got, tmc_error *err) {
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, data + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_io(err, "read", path, errno);
        if (n == 0) return tmc_fail(err, TMC_E_TRUNCATED, "%s became shorter while it was read", path);
        *got += (size_t)n;
    }
    return TMC_OK;
}

tmc_status io_read_file(const char *path, uint64_t limit, uint8_t **data, size_t *size, tmc_error *err) {
    struct stat info;
    tmc_status status = TMC_OK;
    uint8_t *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail_io(err, "open", path, errno);
    if (fstat(fd, &info)) {
        status = fail_io(err, "read", path, errno);
    } else if (!S_ISREG(info.st_mode)) {
        status = tmc_fail(err, TMC_E_IO, "%s is not a regular file", path);
    } else if ((uint64_t)info.st_size > limit) {
        status = tmc_fail(err, TMC_E_LIMIT, "%s has %lld bytes, the limit is %llu", path, (long long)info.st_size,
                          (unsigned long long)limit);
    } else if (!(bytes = malloc((size_t)info.st_size + 1))) {
        status = tmc_fail(err, TMC_E_NOMEM, "no memory for the %lld bytes of %s", (long long)info.st_size, path);
    } else {
        status = read_all(fd, path, bytes, (size_t)info.st_size, size, err);
    }
    close(fd);
    if (status) {
        free(bytes);
        return status;
    }
    *data = bytes;
    return TMC_OK;
}

static int write_all(int fd, const uint8_t *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data += n;
        size -= (size_t)n;
    }
    return fsync(fd) && errno != EINVAL ? errno : 0; /* EINVAL: a pipe or device has nothing to sync */
}

tmc_status io_write_file(const char *path, const void *data, size_t size, tmc_error *err) {
    struct stat info;
    int code = 0, fd;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) { /* a device or pipe cannot be renamed over */
        if (S_ISDIR(info.st_mode)) return fail_io(err, "write", path, EISDIR);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) return fail_io(err, "write", path, errno);
        code = write_all(fd, data, size);
        close(fd);
        return code ? fail_io(err, "write", path, code) : TMC_OK;
    }
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return fail_io(err, "write", path, ENAMETOOLONG);
    fd = mkstemp(temporary);
    if (fd < 0) return fail_io(err, "create a file beside", path, errno);
    temporary_exists = 1;
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask)) code = errno;
    if (!code) code = write_all(fd, data, size);
    if (close(fd) && !code) code = errno;
    if (!code && rename(temporary, path)) code = errno;
    if (code) unlink(temporary);
    temporary_exists = 0;
    return code ? fail_io(err, "write", path, code) : TMC_OK;
}

static void on_signal(int number) {
    if (temporary_exists) unlink(temporary);
    _exit(128 + number);
}

void io_remove_temporary_on_signal(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
