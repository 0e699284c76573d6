/* Captures of both formats, and interfaces through libpcap. */
#include <stdio.h>

#include "packet/capture_priv.h"
#include "packet/pcap_priv.h"

/* An interface's frames may wait this long until they are handed over. */
#define PCAPNG_HEAD     "\x0a\x0d\x0d\x0a"
#define LIVE_WAIT_MS    100
#define LIVE_RING_BYTES (64 << 20)
#define SNAP_BYTES      262144

struct packet_capture {
    pcap_t *live;          /* or */
    struct pcapng *pcapng; /* or */
    struct savefile savefile;
    struct input in;
    uint64_t number;
    int link; /* of the interface */
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

void packet_capture_stop(struct packet_capture *c, bool (*stop)(void *ctx), void *ctx)
{
    c->in.stop = stop;
    c->in.ctx = ctx;
}

static struct packet_capture *capture_new(const char *name)
{
    struct packet_capture *c = base_alloc(sizeof *c);
    if (c)
        snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

static bool file_begin(struct packet_capture *c, struct err *e)
{
    if (!input_want(&c->in, PACKET_HEAD_BYTES, e))
        return false;
    struct str head = {(const char *)input_next(&c->in), input_left(&c->in)};
    if (!str_starts(head, STR(PCAPNG_HEAD)))
        return savefile_begin(&c->savefile, &c->in, e);
    c->pcapng = pcapng_new(&c->in);
    return c->pcapng || err_set(e, ERR_MEMORY, "no memory");
}

bool packet_capture_open(int fd, struct str head, const char *name, struct packet_capture **out,
                         struct err *e)
{
    struct packet_capture *c = capture_new(name);
    if (!c)
        return err_set(e, ERR_MEMORY, "no memory to read %s", name);
    if (input_begin(&c->in, fd, head, e) && file_begin(c, e)) {
        *out = c;
        return true;
    }
    packet_capture_close(c);
    err_prefix(e, "cannot read the capture %s", name);
    return false;
}

bool packet_capture_live(const char *interface, struct packet_capture **out, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    if (!packet_pcap_load(e))
        return false;
    struct packet_capture *c = capture_new(interface);
    if (!c)
        return err_set(e, ERR_MEMORY, "no memory to listen on %s", interface);
    c->live = packet_pcap.create(interface, why);
    if (!c->live || packet_pcap.set_snaplen(c->live, SNAP_BYTES) != 0 ||
        packet_pcap.set_promisc(c->live, 1) != 0 ||
        packet_pcap.set_timeout(c->live, LIVE_WAIT_MS) != 0 ||
        packet_pcap.set_buffer_size(c->live, LIVE_RING_BYTES) != 0 ||
        packet_pcap.activate(c->live) < 0) {
        err_set(e, ERR_IO, "cannot listen on %s: %s", interface,
                c->live ? packet_pcap.geterr(c->live) : why);
        packet_capture_close(c);
        return false;
    }
    c->link = packet_pcap.datalink(c->live);
    *out = c;
    return true;
}

void packet_capture_close(struct packet_capture *c)
{
    if (!c)
        return;
    if (c->live)
        packet_pcap.close(c->live);
    pcapng_free(c->pcapng);
    input_done(&c->in);
    base_free(c);
}

static enum packet_read live_next(struct packet_capture *c, struct packet_frame *f, struct err *e)
{
    struct pcap_pkthdr *head;
    const unsigned char *bytes;
    switch (packet_pcap.next_ex(c->live, &head, &bytes)) {
    case 1:
        f->p = f->ahead = bytes;
        f->n = f->ahead_n = head->caplen;
        f->wire_bytes = head->len;
        f->link = c->link;
        f->time_us = (int64_t)head->ts.tv_sec * 1000000 + head->ts.tv_usec;
        return PACKET_READ_FRAME;
    case 0:
        return PACKET_READ_IDLE;
    case PCAP_ERROR_BREAK:
        return PACKET_READ_END;
    default:
        err_set(e, ERR_INVALID, "%s", packet_pcap.geterr(c->live));
        return PACKET_READ_FAILED;
    }
}

enum packet_read packet_capture_next(struct packet_capture *c, struct packet_frame *f,
                                     struct err *e)
{
    enum packet_read r = c->live     ? live_next(c, f, e)
                         : c->pcapng ? pcapng_next(c->pcapng, f, e)
                                     : savefile_next(&c->savefile, &c->in, f, e);
    f->source = 0;
    if (r == PACKET_READ_FRAME)
        f->number = ++c->number;
    else if (r == PACKET_READ_FAILED)
        err_prefix(e, "%s is damaged behind frame %llu", c->name, (unsigned long long)c->number);
    return r;
}
