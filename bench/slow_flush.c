/*
 * A disk whose flushes take longer, for bench/taxii.py alone: preloaded into a program
 * (LD_PRELOAD), each of its flushes takes BENCH_FLUSH_US microseconds more than the disk here
 * takes.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int flush(long call, int fd)
{
    const char *us = getenv("BENCH_FLUSH_US");
    long more = us ? strtol(us, NULL, 10) : 0;
    struct timespec t = {more / 1000000, more % 1000000 * 1000};
    int rc = (int)syscall(call, fd);
    nanosleep(&t, NULL);
    return rc;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return flush(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return flush(SYS_fdatasync, fd);
}
