/* Between the readers of captures. */
#ifndef PACKET_CAPTURE_PRIV_H
#define PACKET_CAPTURE_PRIV_H

#include "packet/packet_priv.h"

/* ---- input ------------------------------------------------------------------------------- */

/* Bytes of a capture. They lie in a buffer, from which frames are given out without being copied,
 * and are read ahead as far as there are any, never waiting for more than is asked for. */
struct input {
    int fd;
    bool (*stop)(void *ctx); /* asked when a signal interrupts: true stands for the end */
    void *ctx;
    unsigned char *p;
    size_t room, at, end; /* from `at` to `end` is what was read and not gone past */
    size_t portion;       /* that is asked for next time */
};
/* `head` was read before, and is copied. */
bool input_begin(struct input *in, int fd, struct str head, struct err *e) BASE_CHECKED;
void input_done(struct input *in);
bool input_read(struct input *in, size_t n, struct err *e) BASE_CHECKED;

static inline size_t input_left(const struct input *in)
{
    return in->end - in->at;
}

static inline const unsigned char *input_next(const struct input *in)
{
    return in->p + in->at;
}

/* Has the next n bytes in the buffer; fewer where the end comes before. Bytes that were given out
 * are gone. False: reading failed, or there is no memory. */
static inline bool input_want(struct input *in, size_t n, struct err *e)
{
    return input_left(in) >= n || input_read(in, n, e);
}

/* ---- formats: both as packet_capture_next, but for the frame's number -------------------------
 */

/* A file of pcap; it has nothing to be freed. */
struct savefile {
    int link;
    bool swapped, nanoseconds, lengths_swapped, lengths_doubtful;
    size_t head_bytes; /* of a frame */
    size_t snap, most; /* bytes of a frame that are given out, that it may have */
};
bool savefile_begin(struct savefile *s, struct input *in, struct err *e) BASE_CHECKED;
enum packet_read savefile_next(const struct savefile *s, struct input *in, struct packet_frame *f,
                               struct err *e);

struct pcapng;
struct pcapng *pcapng_new(struct input *in);
void pcapng_free(struct pcapng *g);
enum packet_read pcapng_next(struct pcapng *g, struct packet_frame *f, struct err *e);

#endif
