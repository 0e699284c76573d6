/* Between the readers of captures. */
#ifndef PACKET_CAPTURE_PRIV_H
#define PACKET_CAPTURE_PRIV_H

#include <sys/types.h>

#include "packet/packet_priv.h"

/* As read(2), on with errno. */
typedef ssize_t capture_read_fn(void *ctx, char *out, size_t room);

struct pcapng;
struct pcapng *pcapng_new(capture_read_fn *read, void *ctx);
void pcapng_free(struct pcapng *g);
/* As packet_capture_next, but for the frame's number. */
enum packet_read pcapng_next(struct pcapng *g, struct packet_frame *f, struct err *e);

#endif
