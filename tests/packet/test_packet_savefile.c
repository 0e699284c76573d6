/*
 * Files of pcap, in every form that libpcap reads, whole, cut off anywhere and with bytes changed:
 * what we read of them is what libpcap's own loop gives.
 */
#include <pcap/pcap.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "packet/packet.h"
#include "test.h"

#define FILE_MOST 2048

struct file {
    unsigned char b[FILE_MOST];
    size_t n;
    bool big; /* byte order */
};

static void put(struct file *f, uint32_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        f->b[f->n++] = (unsigned char)(v >> 8 * (f->big ? bytes - 1 - i : i));
}

struct form {
    uint32_t magic;
    unsigned major, minor;
    uint32_t snap, link;
};

static const struct form forms[] = {
    {0xa1b2c3d4, 2, 4, 262144, 1},      {0xa1b2c3d4, 2, 4, 65535, 113},
    {0xa1b2c3d4, 2, 4, 0, 101},         {0xa1b2c3d4, 2, 4, 0xffffffff, 276},
    {0xa1b2c3d4, 2, 4, 20, 1},          {0xa1b2c3d4, 2, 3, 65535, 1},
    {0xa1b2c3d4, 2, 2, 65535, 1},       {0xa1b2c3d4, 2, 0, 65535, 1},
    {0xa1b2c3d4, 543, 0, 65535, 1},     {0xa1b2c3d4, 2, 5, 65535, 1},
    {0xa1b2c3d4, 1, 4, 65535, 1},       {0xa1b23c4d, 2, 4, 262144, 1},
    {0xa1b2cd34, 2, 4, 20, 1},          {0xa1b2cd34, 2, 4, 20, 12},
    {0xa1b2c3d4, 2, 4, 65535, 1 << 16}, {0xa1b2c3d4, 2, 4, 65535, 0x14000001},
    {0xa1b2c3d4, 2, 4, 65535, 999},     {0xa1b2c3d4, 2, 4, 65535, 231},
    {0xdeadbeef, 2, 4, 65535, 1},
};

static void file_make(struct file *f, const struct form *form, bool big)
{
    static const size_t captured[] = {0, 1, 60, 20, 34, 100};
    *f = (struct file){.big = big};
    put(f, form->magic, 4);
    put(f, form->major, 2);
    put(f, form->minor, 2);
    put(f, 0, 4);
    put(f, 0, 4);
    put(f, form->snap, 4);
    put(f, form->link, 4);
    for (uint32_t i = 0; i < sizeof captured / sizeof *captured; i++) {
        put(f, 1700000000 + i, 4);
        put(f, 123456 + i, 4);
        put(f, (uint32_t)captured[i], 4);
        put(f, (uint32_t)captured[i] + 7 * (i % 2), 4);
        if (form->magic == 0xa1b2cd34)
            put(f, 0, 4), put(f, 0, 4);
        for (size_t k = 0; k < captured[i]; k++)
            put(f, (uint32_t)(k + i), 1);
    }
}

static int in_memory(const struct file *f, size_t from)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    if (fd < 0 || write(fd, f->b + from, f->n - from) != (ssize_t)(f->n - from) ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

static bool same_frame(const struct packet_frame *f, const struct pcap_pkthdr *h,
                       const unsigned char *p, int link)
{
    bool time_said = h->ts.tv_sec >= 0 && h->ts.tv_usec >= 0; /* else it took it for negative */
    return f->n == h->caplen && f->wire_bytes == h->len && f->link == link &&
           memcmp(f->p, p, f->n) == 0 &&
           (!time_said || f->time_us == h->ts.tv_sec * INT64_C(1000000) + h->ts.tv_usec);
}

/* For the sanitizer: true if there is nothing wrong. */
static bool may_be_read(const unsigned char *p, size_t n)
{
    volatile unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return p || n == 0;
}

/* Frame by frame, then the way it ends. */
static bool same_frames(struct packet_capture *ours, pcap_t *theirs, unsigned *count)
{
    for (;;) {
        struct packet_frame f;
        struct pcap_pkthdr *h;
        const unsigned char *p;
        struct err e = {0};
        enum packet_read r = packet_capture_next(ours, &f, &e);
        int t = pcap_next_ex(theirs, &h, &p);
        if (r != PACKET_READ_FRAME)
            return r == PACKET_READ_END ? t == PCAP_ERROR_BREAK
                                        : t == PCAP_ERROR && strstr(e.msg, "x is damaged behind");
        if (t != 1 || !same_frame(&f, h, p, pcap_datalink(theirs)) || f.number != ++*count)
            return false;
        if (f.ahead_n > FILE_MOST || !may_be_read(f.ahead, f.ahead_n))
            return false;
    }
}

static bool same(const struct file *f, size_t head, unsigned *count)
{
    char why[PCAP_ERRBUF_SIZE];
    struct packet_capture *ours = NULL;
    struct err e = {0};
    int a = in_memory(f, head), b = in_memory(f, 0);
    FILE *file = fdopen(b, "r");
    pcap_t *theirs = file ? pcap_fopen_offline(file, why) : NULL;
    bool opened = packet_capture_open(a, (struct str){(const char *)f->b, head}, "x", &ours, &e);
    bool ok = opened == (theirs != NULL);
    if (ok && opened)
        ok = same_frames(ours, theirs, count);
    else if (ok)
        ok = strstr(e.msg, "cannot read the capture x: ") && strstr(e.msg, why);
    packet_capture_close(ours);
    if (theirs)
        pcap_close(theirs);
    else if (file)
        fclose(file);
    close(a);
    return ok;
}

#define FORMS (sizeof forms / sizeof *forms)

static void test_forms(void)
{
    unsigned all = 0;
    for (size_t i = 0; i < 2 * FORMS; i++) {
        struct file f;
        file_make(&f, &forms[i / 2], i % 2);
        for (size_t head = 0; head < 50; head++) {
            unsigned count = 0;
            CHECK_ROW(same(&f, head, &count), "form %zu, %zu bytes of it read before", i, head);
            all += count;
        }
        for (struct file cut = f; cut.n-- > 0;)
            CHECK_ROW(same(&cut, 0, &(unsigned){0}), "form %zu, cut to %zu bytes", i, cut.n);
    }
    CHECK(all > 6000);
}

static void test_changed(void)
{
    uint32_t noise = 1;
    for (unsigned i = 0; i < 20000; i++) {
        struct file f;
        file_make(&f, &forms[i / 2 % FORMS], i % 2);
        for (unsigned k = 0; k <= i % 3; k++) {
            noise = noise * 1664525 + 1013904223;
            f.b[(noise >> 8) % f.n] = (unsigned char)(noise >> 3);
        }
        CHECK_ROW(same(&f, 0, &(unsigned){0}), "change %u", i);
    }
}

/* Frames of any size, over the borders of what is read at once. */
static void test_large(void)
{
    static const uint32_t sizes[] = {0, 1, 4060, 70000, 262144, 100, 131000, 40, 200000, 5};
    int fd = memfd_create("capture", MFD_CLOEXEC);
    static unsigned char bytes[262144];
    struct file f = {.n = 0};
    struct packet_capture *c = NULL;
    struct packet_frame frame;
    struct err e;
    file_make(&f, &forms[0], false);
    bool ok = fd >= 0 && write(fd, f.b, 24) == 24;
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t n = sizes[i % 10];
        f.n = 0;
        put(&f, i, 4);
        put(&f, 0, 4);
        put(&f, n, 4);
        put(&f, n, 4);
        memset(bytes, (int)i, n);
        ok = ok && write(fd, f.b, 16) == 16 && write(fd, bytes, n) == (ssize_t)n;
    }
    CHECK(ok && lseek(fd, 0, SEEK_SET) == 0 && packet_capture_open(fd, STR_NONE, "x", &c, &e));
    for (uint32_t i = 0; i < 400 && ok; i++) {
        ok = packet_capture_next(c, &frame, &e) == PACKET_READ_FRAME && frame.n == sizes[i % 10] &&
             frame.time_us == i * INT64_C(1000000);
        memset(bytes, (int)i, sizes[i % 10]);
        CHECK_ROW(ok && memcmp(frame.p, bytes, frame.n) == 0, "frame %u", i);
    }
    CHECK(packet_capture_next(c, &frame, &e) == PACKET_READ_END);
    packet_capture_close(c);
    close(fd);
}

int main(void)
{
    test_forms();
    test_changed();
    test_large();
    TEST_END();
}
