/* Preloaded into a process, this makes a full or a failing disk out of a good one, for the files of its database only. The file that
 * BAD_DISK names says which: "full" (no write finds room), "failing" (nothing reaches the disk), or nothing of that. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is(const char *word) {
    const char *path = getenv("BAD_DISK");
    char text[16] = "";
    int file = path ? open(path, O_RDONLY) : -1;
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    return length > 0 && strncmp(text, word, strlen(word)) == 0;
}

static int is_hit(int file, const char *word) {
    char link[32], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, ".db") && is(word);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HIT(file, word, error) if (is_hit(file, word)) { errno = error; return -1; }

ssize_t write(int file, const void *bytes, size_t count) {
    HIT(file, "full", ENOSPC)
    return REAL(write)(file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    HIT(file, "full", ENOSPC)
    return REAL(pwrite)(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    HIT(file, "full", ENOSPC)
    return REAL(pwrite64)(file, bytes, count, at);
}
int fsync(int file) {
    HIT(file, "failing", EIO)
    return REAL(fsync)(file);
}
int fdatasync(int file) {
    HIT(file, "failing", EIO)
    return REAL(fdatasync)(file);
}
