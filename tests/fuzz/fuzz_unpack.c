/* Any bytes as a packed log: unpacking ends, with text or with an error, in bounded memory. What is
 * tried are the formats themselves: the first byte chooses whose first bytes stand before the rest.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MOST = 1 << 22 };

static const struct str heads[] = {{"\x1f\x8b\x08", 3},
                                   {"\x28\xb5\x2f\xfd", 4},
                                   {"\xfd"
                                    "7zXZ\0",
                                    6}};

static void unpack(struct str all, size_t first, size_t room)
{
    static int fd = -1;
    static char to[4096];
    struct err e;
    struct sensor_unpack *u = sensor_unpack_new(str_slice(all, 0, first), &e);
    must(u != NULL && room > 0 && room <= sizeof to);
    must(fd >= 0 || (fd = memfd_create("packed", 0)) >= 0);
    must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    must(pwrite(fd, all.p + first, all.n - first, 0) == (ssize_t)(all.n - first));
    const struct sensor_unpacking r = {.fd = fd, .name = "packed", .to = to, .room = room};
    ssize_t got = 1;
    for (size_t sum = 0; got > 0 && sum < MOST; sum += (size_t)got) {
        if (!sensor_unpack_read(u, &r, &got, &e))
            break;
        must(got <= (ssize_t)room);
    }
    sensor_unpack_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b;
    if (n < 3)
        return 0;
    struct str head = heads[data[0] % 3];
    buf_init(&b, 0);
    buf_str(&b, head);
    buf_put(&b, data + 2, n - 2);
    must(sensor_packed(buf_view(&b)));
    size_t first = head.n + data[1] % (b.n - head.n + 1);
    unpack(buf_view(&b), first < LIMIT_SENSOR_READ_BYTES ? first : head.n, 1 + data[1] * 16u);
    buf_done(&b);
    return 0;
}
