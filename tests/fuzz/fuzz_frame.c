/* Any bytes as a stream of syslog: it gives the messages that a plain reader of the whole finds, in
 * whatever pieces it comes. The first two bytes say how long these are. */
#include "sensor/sensor_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Length of the counted message at the start of `s`, and of what tells it; 0 when it is none. */
static size_t counted(struct str s, size_t *head)
{
    uint64_t length;
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    *head = digits + 1;
    if (digits == 0 || digits > LIMIT_SENSOR_SYSLOG_DIGITS || s.p[0] == '0' || s.n < digits + 2 ||
        s.p[digits] != ' ' || s.p[digits + 1] != '<')
        return 0;
    must(str_to_u64(str_slice(s, 0, digits), &length));
    return length < s.n - *head ? (size_t)length : s.n - *head;
}

static void plainly(struct str s, struct buf *out)
{
    while (s.n) {
        size_t head, length = counted(s, &head);
        if (strchr("\r\n", s.p[0])) { /* and the NUL */
            s = str_from(s, 1);
        } else if (length) {
            for (size_t i = head; i < head + length; i++)
                buf_byte(out, s.p[i] == '\n' ? ' ' : s.p[i]);
            buf_byte(out, '\n');
            s = str_from(s, head + length);
        } else {
            buf_str(out, str_cut(&s, '\n'));
            buf_byte(out, '\n');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sensor_frame f = {0};
    struct buf got, wanted;
    if (n < 2)
        return 0;
    struct str all = {(const char *)data + 2, n - 2};
    buf_init(&got, 0);
    buf_init(&wanted, 0);
    plainly(all, &wanted);
    for (size_t at = 0, k = 0; at < all.n; k++) {
        struct str piece = str_slice(all, at, at + 1 + data[k % 2] % (all.n - at));
        must(buf_reserve(&got, piece.n + sizeof f.head));
        got.n += sensor_frame_take(&f, piece, got.p + got.n);
        at += piece.n;
    }
    must(buf_reserve(&got, sizeof f.head + 1));
    got.n += sensor_frame_end(&f, got.p + got.n);
    must(str_eq(buf_view(&got), buf_view(&wanted)));
    buf_done(&got);
    buf_done(&wanted);
    return 0;
}
