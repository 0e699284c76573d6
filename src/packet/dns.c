/*
 * DNS (RFC 1035): the names asked for, and the names and addresses answered with.
 *
 *     header: id 2, flags 2, counts of questions, answers, authorities, additionals 2 each
 *     question: name, type 2, class 2
 *     record: name, type 2, class 2, time to live 4, data <2>
 *     name: labels <1> until one of length 0, or a pointer (two bits set) to where it goes on
 */
#include "packet/packet_priv.h"

#define DNS_NAME_BYTES 256

enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DNAME = 39,
    DNS_SVCB = 64,
    DNS_HTTPS = 65
};

struct dns_name {
    char text[DNS_NAME_BYTES];
    size_t n;
    size_t start; /* in the message, of its first label: equal ones were told before */
};

/* One label behind what is there already; bytes that no host name has are written as `?`, so that
 * none of them can pass for a dot or a blank. */
static bool label_put(struct dns_name *out, const unsigned char *p, size_t n)
{
    if (!p || n + 1 > sizeof out->text - out->n)
        return false;
    if (out->n)
        out->text[out->n++] = '.';
    for (size_t i = 0; i < n; i++) {
        bool good = p[i] > ' ' && p[i] != '.' && p[i] != 0x7f;
        out->text[out->n++] = good ? (char)p[i] : '?';
    }
    return true;
}

/* The name at *c, which goes behind it. Pointers lead back, never forward, and only so often. */
static bool name_read(const struct cursor *whole, struct cursor *c, struct dns_name *out)
{
    struct cursor at = *c;
    bool jumped = false;
    unsigned jumps = 0;
    out->n = 0;
    out->start = (size_t)(c->p - whole->p);
    for (;;) {
        size_t here = (size_t)(at.p - whole->p);
        uint8_t length = cursor_u8(&at);
        if (at.bad)
            return false;
        if (length == 0)
            break;
        if (length < 64) {
            if (!label_put(out, cursor_bytes(&at, length), length))
                return false;
            continue;
        }
        size_t target = (size_t)(length & 63) << 8 | cursor_u8(&at);
        if (length < 192 || at.bad || target >= here || ++jumps > LIMIT_PACKET_DNS_JUMPS)
            return false;
        if (out->n == 0)
            out->start = target;
        if (!jumped)
            *c = at;
        jumped = true;
        at = cursor_of(whole->p + target, whole->n - target);
    }
    if (!jumped)
        *c = at;
    return true;
}

struct dns {
    struct walk *w;
    struct cursor whole;
    size_t told; /* start of the name that was told last */
};

static void name_tell(struct dns *d, const struct dns_name *name)
{
    if (name->n && name->start != d->told)
        walk_text(d->w, PACKET_DNS_NAME, (struct str){name->text, name->n},
                  d->whole.p + name->start);
    d->told = name->start;
}

static void address_tell(struct dns *d, struct cursor data, size_t n)
{
    char text[PACKET_ADDRESS_TEXT];
    const unsigned char *at = data.p;
    struct packet_address a = cursor_address(&data, n);
    walk_text(d->w, PACKET_DNS_ADDRESS, packet_address_text(&a, text), at);
}

static bool data_read(struct dns *d, uint16_t type, struct cursor data)
{
    struct dns_name name;
    switch (type) {
    case DNS_A:
        address_tell(d, data, 4);
        return true;
    case DNS_AAAA:
        address_tell(d, data, 16);
        return true;
    case DNS_SRV:
        cursor_skip(&data, 4);
        break;
    case DNS_MX:
    case DNS_SVCB:
    case DNS_HTTPS:
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
    case DNS_DNAME:
        break;
    default:
        return true;
    }
    if (type == DNS_SRV || type == DNS_MX || type == DNS_SVCB || type == DNS_HTTPS)
        cursor_skip(&data, 2); /* port, preference or priority */
    if (!name_read(&d->whole, &data, &name))
        return false;
    name_tell(d, &name);
    return true;
}

static bool record_read(struct dns *d, struct cursor *c)
{
    struct dns_name name;
    if (!name_read(&d->whole, c, &name))
        return false;
    uint16_t type = cursor_u16(c);
    cursor_skip(c, 6);
    struct cursor data = cursor_take(c, cursor_u16(c));
    if (data.bad)
        return false;
    name_tell(d, &name);
    return data_read(d, type, data);
}

static bool question_read(struct dns *d, struct cursor *c)
{
    struct dns_name name;
    if (!name_read(&d->whole, c, &name))
        return false;
    cursor_skip(c, 4);
    name_tell(d, &name);
    return !c->bad;
}

void dns_decode(struct walk *w, struct cursor c)
{
    struct dns d = {.w = w, .whole = c, .told = SIZE_MAX};
    cursor_skip(&c, 4);
    size_t questions = cursor_u16(&c), records = cursor_u16(&c);
    records += cursor_u16(&c);
    records += cursor_u16(&c);
    bool ok = !c.bad;
    if (questions > LIMIT_PACKET_DNS_RECORDS)
        questions = LIMIT_PACKET_DNS_RECORDS;
    if (records > LIMIT_PACKET_DNS_RECORDS)
        records = LIMIT_PACKET_DNS_RECORDS;
    for (size_t i = 0; ok && i < questions; i++)
        ok = question_read(&d, &c);
    for (size_t i = 0; ok && i < records; i++)
        ok = record_read(&d, &c);
    if (!ok)
        walk_anomaly(w, PACKET_DNS_MALFORMED);
}
