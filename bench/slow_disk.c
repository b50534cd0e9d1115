/* Preloaded into a process, this makes a slow disk out of a fast one: each flush takes SLOW_DISK_US microseconds longer.
 *   cc -shared -fPIC -o slow_disk.so bench/slow_disk.c
 *   SLOW_DISK_US=4700 LD_PRELOAD=$PWD/slow_disk.so target/dist/ml-connector bench --profile ingest --json */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void take_time(void) {
    const char *us = getenv("SLOW_DISK_US");
    if (us) usleep((useconds_t)atoi(us));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
    take_time();
    return REAL(fsync)(file);
}

int fdatasync(int file) {
    take_time();
    return REAL(fdatasync)(file);
}
