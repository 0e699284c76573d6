/* Any bytes as the file of a backup: checked to its end, and never unpacked, since there is nowhere
 * to. A header that is taken is the one that the writer makes. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/crypt.h"
#include "exchange/archive_priv.h"
#include "exchange/exchange.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void check_header(const unsigned char *data, size_t n)
{
    struct archive_member m;
    unsigned char block[ARCHIVE_BLOCK], again[ARCHIVE_BLOCK];
    struct err e;
    if (n < sizeof block)
        return;
    memcpy(block, data, sizeof block);
    if (!archive_header_get(block, &m, &e))
        return;
    must(archive_name_valid(str_of(m.name)) && m.at_s >= 0);
    archive_header_put(&m, again);
    must(memcmp(block, again, sizeof block) == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static int fd = -1;
    static char path[64];
    struct exchange_restore made;
    struct err e;
    if (fd < 0) {
        must(crypt_init(&e) && (fd = memfd_create("backup", MFD_CLOEXEC)) >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    check_header(data, n);
    must(ftruncate(fd, 0) == 0 && (n == 0 || pwrite(fd, data, n, 0) == (ssize_t)n));
    const struct exchange_restore_options o = {.file = path, .dir = "/nowhere/to/be"};
    e = (struct err){0};
    must(!exchange_restore(&o, &made, &e) && e.msg[0]);
    return 0;
}
