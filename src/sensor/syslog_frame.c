/*
 * Where messages of syslog end in a stream (RFC 6587 §3.4). Both ways are in use, and senders do
 * not say which is theirs: a message that starts with its length, a blank and the `<` of its
 * priority has that length, and any other ends with a line feed.
 */
#include "sensor/sensor_priv.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* May `head` with `c` behind it be the start of MSG-LEN SP? (RFC 6587 §3.4.1: it is no 0.) */
static bool goes_on(const struct sensor_frame *f, char c)
{
    if (f->head_n == 0)
        return is_digit(c) && c != '0';
    if (f->head[f->head_n - 1] == ' ')
        return false;
    return c == ' ' || (is_digit(c) && f->head_n < LIMIT_SENSOR_SYSLOG_DIGITS);
}

/* Line feeds, and what some senders end a message with besides, between messages. */
static bool is_between(const struct sensor_frame *f, char c)
{
    return f->head_n == 0 && (c == '\n' || c == '\r' || c == '\0');
}

/* One byte at the start of a message; false when it is its text. */
static bool take_head(struct sensor_frame *f, char c)
{
    if (is_between(f, c))
        return true;
    if (goes_on(f, c)) {
        f->head[f->head_n++] = c;
        return true;
    }
    f->in = FRAME_LINE;
    if (c == '<' && f->head_n && f->head[f->head_n - 1] == ' ' &&
        str_to_u64((struct str){f->head, f->head_n - 1}, &f->left)) {
        f->in = FRAME_COUNTED;
        f->head_n = 0;
    }
    return false;
}

static size_t put_head(struct sensor_frame *f, char *out)
{
    size_t n = f->head_n;
    memcpy(out, f->head, n);
    f->head_n = 0;
    return n;
}

/* Some of the message, and its end if that is there. *at: bytes that were taken. */
static size_t take_counted(struct sensor_frame *f, struct str bytes, size_t *at, char *out)
{
    size_t left = bytes.n - *at, n = f->left < left ? (size_t)f->left : left;
    for (size_t i = 0; i < n; i++)
        out[i] = bytes.p[*at + i] == '\n' ? ' ' : bytes.p[*at + i];
    *at += n;
    f->left -= n;
    if (f->left)
        return n;
    out[n] = '\n';
    f->in = FRAME_HEAD;
    return n + 1;
}

static size_t take_line(struct sensor_frame *f, struct str bytes, size_t *at, char *out)
{
    struct str rest = str_from(bytes, *at);
    size_t end = str_find(rest, '\n'), n = end < rest.n ? end + 1 : end;
    memcpy(out, rest.p, n);
    *at += n;
    if (end < rest.n)
        f->in = FRAME_HEAD;
    return n;
}

size_t sensor_frame_take(struct sensor_frame *f, struct str bytes, char *out)
{
    size_t n = 0;
    for (size_t at = 0; at < bytes.n;) {
        if (f->in == FRAME_HEAD && take_head(f, bytes.p[at]))
            at++;
        else if (f->in == FRAME_COUNTED)
            n += take_counted(f, bytes, &at, out + n);
        else {
            n += put_head(f, out + n);
            n += take_line(f, bytes, &at, out + n);
        }
    }
    return n;
}

size_t sensor_frame_end(struct sensor_frame *f, char *out)
{
    size_t n = put_head(f, out);
    if (n || f->in != FRAME_HEAD)
        out[n++] = '\n';
    *f = (struct sensor_frame){0};
    return n;
}
