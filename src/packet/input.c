/* What is read of a capture: see the header. */
#include <errno.h>
#include <unistd.h>

#include "packet/capture_priv.h"

/* So much is read at once in the end: little enough that the processor's own memory still holds a
 * frame's bytes when they are looked at. It begins with less, since of many files only the first
 * frame is looked at before they are read. */
#define FIRST_BYTES   4096u
#define PORTION_BYTES (128u << 10)

bool input_begin(struct input *in, int fd, struct str head, struct err *e)
{
    void *p = NULL;
    *in = (struct input){.fd = fd, .portion = FIRST_BYTES};
    if (!base_grow(&p, &in->room, head.n > FIRST_BYTES ? head.n : FIRST_BYTES, 1))
        return err_set(e, ERR_MEMORY, "no memory to read a capture");
    in->p = p;
    in->end = head.n;
    if (head.n)
        memcpy(in->p, head.p, head.n);
    return true;
}

void input_done(struct input *in)
{
    base_free(in->p);
}

/* 0: the end, or what stands for it. */
static ssize_t read_some(const struct input *in, size_t most)
{
    for (;;) {
        ssize_t got = read(in->fd, in->p + in->end, most);
        if (got >= 0 || errno != EINTR)
            return got;
        if (in->stop && in->stop(in->ctx))
            return 0;
    }
}

bool input_read(struct input *in, size_t n, struct err *e)
{
    void *p = in->p;
    size_t most = n > in->portion ? n : in->portion;
    in->end -= in->at;
    memmove(in->p, in->p + in->at, in->end);
    in->at = 0;
    if (!base_grow(&p, &in->room, most, 1))
        return err_set(e, ERR_MEMORY, "no memory for %zu bytes", most);
    in->p = p;
    if (in->portion < PORTION_BYTES)
        in->portion *= 2;
    while (in->end < n) {
        ssize_t got = read_some(in, most - in->end);
        if (got < 0)
            return err_errno(e, "cannot read", "on");
        if (got == 0)
            break;
        in->end += (size_t)got;
    }
    return true;
}
