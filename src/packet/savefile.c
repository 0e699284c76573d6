/*
 * Files of pcap. libpcap judges their head; the frames are read here, without copying each, and so
 * that what comes next can be seen.
 *
 *     file    magic 4: 0xA1B2C3D4; 0xA1B23C4D: nanoseconds; 0xA1B2CD34: Kuznetzov's modified kind;
 *             version 2 and 2, zone 4, accuracy 4, snapshot length 4, link type 4
 *     frame   seconds 4, microseconds or nanoseconds 4, captured 4, original 4; of the modified
 *             kind 8 bytes more; the captured bytes
 *
 * All numbers are in the byte order of whoever wrote it, which the magic tells.
 */
#include <stdio.h>

#include "packet/capture_priv.h"
#include "packet/pcap_priv.h"

#define HEAD_BYTES        24u
#define MAGIC_NANOSECONDS 0xA1B23C4Du
#define MAGIC_MODIFIED    0xA1B2CD34u
#define FRAME_BYTES       16u
#define MODIFIED_BYTES    24u
#define MOST_BYTES        262144u

static uint32_t get32(const struct savefile *s, const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return s->swapped ? __builtin_bswap32(v) : v;
}

/* libpcap takes more of what has no snapshot length. */
static size_t most_of(int link)
{
    switch (link) {
    case DLT_DBUS:
    case DLT_EBHSCR:
    case DLT_USB_LINUX:
    case DLT_USB_LINUX_MMAPPED:
    case DLT_USBPCAP:
        return LIMIT_PACKET_BLOCK_BYTES;
    default:
        return MOST_BYTES;
    }
}

static void head_take(struct savefile *s, pcap_t *pcap, const unsigned char *head)
{
    int major = packet_pcap.major_version(pcap), minor = packet_pcap.minor_version(pcap);
    s->link = packet_pcap.datalink(pcap);
    s->swapped = packet_pcap.is_swapped(pcap);
    s->snap = (size_t)packet_pcap.snapshot(pcap);
    s->most = most_of(s->link);
    s->nanoseconds = get32(s, head) == MAGIC_NANOSECONDS;
    s->head_bytes = get32(s, head) == MAGIC_MODIFIED ? MODIFIED_BYTES : FRAME_BYTES;
    /* Before version 2.3 the original length stood first; then some programs still wrote it so. */
    s->lengths_swapped = major != 2 || minor < 3;
    s->lengths_doubtful = major == 2 && minor == 3;
}

bool savefile_begin(struct savefile *s, struct input *in, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "no memory", head[HEAD_BYTES];
    if (!packet_pcap_load(e) || !input_want(in, HEAD_BYTES, e))
        return false;
    size_t n = input_left(in) < HEAD_BYTES ? input_left(in) : HEAD_BYTES;
    memcpy(head, input_next(in), n);
    FILE *file = fmemopen(head, n, "r");
    pcap_t *pcap = file ? packet_pcap.fopen_offline(file, why) : NULL;
    if (pcap) {
        head_take(s, pcap, input_next(in));
        in->at += HEAD_BYTES;
        packet_pcap.close(pcap); /* and the file */
        return true;
    }
    if (file)
        fclose(file);
    return err_set(e, ERR_INVALID, "%s", why);
}

/* The frame behind this one, as far as it has been read. */
static void look_ahead(const struct savefile *s, const struct input *in, struct packet_frame *f)
{
    size_t left = input_left(in);
    const unsigned char *p = input_next(in);
    f->ahead = NULL;
    f->ahead_n = 0;
    if (left < s->head_bytes)
        return;
    size_t n = get32(s, p + 8);
    f->ahead = p + s->head_bytes;
    f->ahead_n = n < left - s->head_bytes ? n : left - s->head_bytes;
}

static enum packet_read ended(struct err *e)
{
    err_set(e, ERR_INVALID, "it ends within a frame");
    return PACKET_READ_FAILED;
}

enum packet_read savefile_next(const struct savefile *s, struct input *in, struct packet_frame *f,
                               struct err *e)
{
    if (!input_want(in, s->head_bytes, e))
        return PACKET_READ_FAILED;
    if (input_left(in) < s->head_bytes)
        return input_left(in) ? ended(e) : PACKET_READ_END;
    const unsigned char *p = input_next(in);
    uint32_t seconds = get32(s, p), part = get32(s, p + 4);
    uint32_t n = get32(s, p + 8), wire = get32(s, p + 12);
    if (s->lengths_swapped || (s->lengths_doubtful && n > wire)) {
        uint32_t first = n;
        n = wire;
        wire = first;
    }
    if (n > s->most) {
        err_set(e, ERR_INVALID, "a frame of %u bytes", n);
        return PACKET_READ_FAILED;
    }
    if (!input_want(in, s->head_bytes + n, e))
        return PACKET_READ_FAILED;
    if (input_left(in) < s->head_bytes + n)
        return ended(e);
    f->p = input_next(in) + s->head_bytes;
    f->n = n < s->snap ? n : s->snap;
    f->wire_bytes = wire;
    f->link = s->link;
    f->time_us = (int64_t)seconds * 1000000 + (s->nanoseconds ? part / 1000 : part);
    in->at += s->head_bytes + n;
    look_ahead(s, in, f);
    return PACKET_READ_FRAME;
}
