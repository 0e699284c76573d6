/* Captures and interfaces through libpcap; but for pcapng, see there. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#include "packet/capture_priv.h"

/* An interface's frames may wait this long until they are handed over. */
#define PCAPNG_HEAD     "\x0a\x0d\x0d\x0a"
#define LIVE_WAIT_MS    100
#define LIVE_RING_BYTES (64 << 20)
#define SNAP_BYTES      262144

struct packet_capture {
    pcap_t *pcap; /* or */
    struct pcapng *pcapng;
    uint64_t number;
    int link;
    int fd;
    struct str head;               /* what was read of fd before and is still to be given */
    char magic[PACKET_HEAD_BYTES]; /* the head where the caller gave none */
    bool (*stop)(void *ctx);
    void *ctx;
    char name[LIMIT_PATH_BYTES];
};

bool packet_is_capture(struct str head)
{
    /* Both byte orders of pcap, of its nanosecond and of Kuznetzov's modified kind; pcapng. */
    static const char *const magic[] = {"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1",
                                        "\xa1\xb2\x3c\x4d", "\x34\xcd\xb2\xa1", "\xa1\xb2\xcd\x34",
                                        "\x0a\x0d\x0d\x0a"};
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if (str_starts(head, (struct str){magic[i], PACKET_HEAD_BYTES}))
            return true;
    return false;
}

/* What libpcap reads: first the head, then the descriptor. */
static ssize_t read_on(void *cookie, char *out, size_t room)
{
    struct packet_capture *c = cookie;
    if (c->head.n) {
        size_t n = c->head.n < room ? c->head.n : room;
        memcpy(out, c->head.p, n);
        c->head = str_from(c->head, n);
        return (ssize_t)n;
    }
    for (;;) {
        ssize_t got = read(c->fd, out, room);
        if (got >= 0 || errno != EINTR)
            return got;
        if (c->stop && c->stop(c->ctx))
            return 0;
    }
}

void packet_capture_stop(struct packet_capture *c, bool (*stop)(void *ctx), void *ctx)
{
    c->stop = stop;
    c->ctx = ctx;
}

/* Takes up the head that was given, or reads one, so that it can be looked at. */
static bool head_begin(struct packet_capture *c, struct str head, struct err *e)
{
    if (head.n < PACKET_HEAD_BYTES) {
        size_t n = head.n;
        if (n)
            memcpy(c->magic, head.p, n);
        while (n < PACKET_HEAD_BYTES) {
            ssize_t got = read(c->fd, c->magic + n, PACKET_HEAD_BYTES - n);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return err_errno(e, "cannot read", c->name);
            if (got == 0)
                break;
            n += (size_t)got;
        }
        head = (struct str){c->magic, n};
    }
    c->head = head;
    return true;
}

static struct packet_capture *capture_new(const char *name)
{
    struct packet_capture *c = base_alloc(sizeof *c);
    if (c)
        snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

static bool pcap_begin(struct packet_capture *c, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    FILE *file = fopencookie(c, "r", (cookie_io_functions_t){.read = read_on});
    c->pcap = file ? pcap_fopen_offline(file, why) : NULL;
    if (c->pcap) {
        c->link = pcap_datalink(c->pcap);
        return true;
    }
    if (file)
        fclose(file);
    return err_set(e, ERR_INVALID, "cannot read the capture %s: %s", c->name, why);
}

bool packet_capture_open(int fd, struct str head, const char *name, struct packet_capture **out,
                         struct err *e)
{
    struct packet_capture *c = capture_new(name);
    if (!c)
        return err_set(e, ERR_MEMORY, "no memory to read %s", name);
    c->fd = fd;
    bool ok = head_begin(c, head, e);
    if (ok && str_starts(c->head, STR(PCAPNG_HEAD))) {
        c->pcapng = pcapng_new(read_on, c);
        ok = c->pcapng || err_set(e, ERR_MEMORY, "no memory to read %s", name);
    } else if (ok) {
        ok = pcap_begin(c, e);
    }
    if (ok)
        *out = c;
    else
        packet_capture_close(c);
    return ok;
}

bool packet_capture_live(const char *interface, struct packet_capture **out, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct packet_capture *c = capture_new(interface);
    if (!c)
        return err_set(e, ERR_MEMORY, "no memory to listen on %s", interface);
    c->fd = -1;
    c->pcap = pcap_create(interface, why);
    if (!c->pcap || pcap_set_snaplen(c->pcap, SNAP_BYTES) != 0 ||
        pcap_set_promisc(c->pcap, 1) != 0 || pcap_set_timeout(c->pcap, LIVE_WAIT_MS) != 0 ||
        pcap_set_buffer_size(c->pcap, LIVE_RING_BYTES) != 0 || pcap_activate(c->pcap) < 0) {
        err_set(e, ERR_IO, "cannot listen on %s: %s", interface,
                c->pcap ? pcap_geterr(c->pcap) : why);
        packet_capture_close(c);
        return false;
    }
    c->link = pcap_datalink(c->pcap);
    *out = c;
    return true;
}

void packet_capture_close(struct packet_capture *c)
{
    if (!c)
        return;
    if (c->pcap)
        pcap_close(c->pcap);
    pcapng_free(c->pcapng);
    base_free(c);
}

static enum packet_read pcap_step(struct packet_capture *c, struct packet_frame *f, struct err *e)
{
    struct pcap_pkthdr *head;
    const unsigned char *bytes;
    switch (pcap_next_ex(c->pcap, &head, &bytes)) {
    case 1:
        f->p = bytes;
        f->n = head->caplen;
        f->wire_bytes = head->len;
        f->link = c->link;
        f->time_us = (int64_t)head->ts.tv_sec * 1000000 + head->ts.tv_usec;
        return PACKET_READ_FRAME;
    case 0:
        return PACKET_READ_IDLE;
    case PCAP_ERROR_BREAK:
        return PACKET_READ_END;
    default:
        err_set(e, ERR_INVALID, "%s", pcap_geterr(c->pcap));
        return PACKET_READ_FAILED;
    }
}

enum packet_read packet_capture_next(struct packet_capture *c, struct packet_frame *f,
                                     struct err *e)
{
    enum packet_read r = c->pcapng ? pcapng_next(c->pcapng, f, e) : pcap_step(c, f, e);
    f->source = 0;
    if (r == PACKET_READ_FRAME)
        f->number = ++c->number;
    else if (r == PACKET_READ_FAILED)
        err_prefix(e, "%s is damaged behind frame %llu", c->name, (unsigned long long)c->number);
    return r;
}
