/* A capture file, pcap or pcapng. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct target *t = target_begin();
    struct packet_capture *c;
    struct err e;
    enum packet_read r = PACKET_READ_END;
    int fd = memfd_create("capture", MFD_CLOEXEC);
    size_t head = n < 7 ? n : 7; /* part of it was read before */
    must(fd >= 0 && write(fd, data + head, n - head) == (ssize_t)(n - head));
    must(lseek(fd, 0, SEEK_SET) == 0);
    if (packet_capture_open(fd, (struct str){(const char *)data, head}, "fuzz", &c, &e)) {
        do {
            struct packet_frame f;
            r = packet_capture_next(c, &f, &e);
            if (r == PACKET_READ_FRAME) {
                f.number = t->frame.number + 1; /* it goes on over inputs */
                t->frame = f;
                packet_decode(t->d, &f);
            }
        } while (r == PACKET_READ_FRAME);
        must(r == PACKET_READ_END || e.msg[0]);
        packet_capture_close(c);
    }
    target_end(t);
    close(fd);
    return 0;
}
