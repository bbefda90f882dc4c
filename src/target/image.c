/* SPDX-License-Identifier: MIT */
#include "target/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* since Linux 6.3 */
#endif

/* Returns 0, or -1 with errno. */
static int write_all(int fd, struct bytes bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t got = write(fd, bytes.data + done, bytes.len - done);

        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

/* Linux before 6.3 does not know MFD_EXEC, and needs none. */
int image_in_memory(const char *name, struct bytes image)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
    int error;

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || write_all(fd, image) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

const char *image_place(unsigned n)
{
    const char *const places[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "."};

    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] && *places[i] && n-- == 0)
            return places[i];
    return NULL;
}

void image_remove(const struct image_file *file)
{
    unlink(file->path);
    rmdir(file->directory);
}

/* It is closed again: a file that somebody may write is not executed (ETXTBSY).
 * And it must be executable in truth: not so where that is mounted noexec. */
int image_unpack(const char *where, const char *name, struct bytes image,
                 struct image_file *file)
{
    int fd, error;

    if (snprintf(file->directory, sizeof file->directory, "%s/jittrace-XXXXXX",
                 where) >= (int)sizeof file->directory ||
        strlen(file->directory) + strlen(name) + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (!mkdtemp(file->directory))
        return -1;
    strcpy(file->path, file->directory);
    strcat(strcat(file->path, "/"), name);

    fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (fd >= 0 && fchmod(fd, 0700) == 0 && write_all(fd, image) == 0) {
        if (close(fd) == 0 && access(file->path, X_OK) == 0)
            return 0;
        fd = -1;
    }
    error = errno;
    if (fd >= 0)
        close(fd);
    image_remove(file);
    errno = error;
    return -1;
}
