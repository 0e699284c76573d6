/*
 * NAS of 5G, TS 24.501, as far as it is not ciphered.
 *
 *     8.1/9.1  plain:      discriminator 1 = 0x7e, security header 1 = 0, type 1, elements
 *              protected:  discriminator 1, security header 1, MAC 4, sequence 1, plain message
 *                          (ciphered when the header is 2 or 4, save with the null algorithm)
 */
#include "packet/ngap_priv.h"

#define NAS_5GMM          0x7eu
#define TYPE_REQUEST      0x41u
#define TYPE_REJECT       0x44u
#define TYPE_COMMAND      0x5du
#define HEADER_PLAIN      0u
#define HEADER_INTEGRITY  1u
#define HEADER_NEW        3u /* integrity, new context: a Security Mode Command */
#define HEADER_NEW_CIPHER 4u /* only a Security Mode Complete has it (9.3.1) */
#define IEI_CAPABILITY    0x2eu
#define IEI_LAST_AREA     0x52u /* the one with a fixed length: 6 octets */
#define IDENTITY_SUCI     1u
#define EMERGENCY         4u

/* 9.11.3.4: kind of identity 3 bits, format 3 bits; PLMN 3, routing 2, protection scheme 1 … */
static void identity_read(struct nas_message *m, struct cursor c)
{
    uint8_t first = cursor_u8(&c);
    if ((first & 7) != IDENTITY_SUCI || first >> 4 & 7)
        return;
    cursor_skip(&c, 5);
    unsigned scheme = cursor_u8(&c) & 15;
    if (c.bad)
        return;
    m->has_suci = true;
    m->null_scheme = scheme == 0;
}

/* 11.2.4 of TS 24.007: 1xxxxxxx is one octet; 0111xxxx has a length of two octets, others of one.
 */
static struct cursor optional_find(struct cursor c, uint8_t wanted)
{
    while (c.n) {
        uint8_t iei = cursor_u8(&c);
        if (iei & 0x80)
            continue;
        size_t length = iei == IEI_LAST_AREA   ? 6
                        : (iei & 0xf0) == 0x70 ? cursor_u16(&c)
                                               : cursor_u8(&c);
        struct cursor value = cursor_take(&c, length);
        if (iei == wanted && !value.bad)
            return value;
    }
    return (struct cursor){0};
}

static void request_read(struct nas_message *m, struct cursor c)
{
    m->kind = NAS_REGISTRATION_REQUEST;
    m->emergency = (cursor_u8(&c) & 7) == EMERGENCY;
    struct cursor identity = cursor_take(&c, cursor_u16(&c));
    if (!identity.bad)
        identity_read(m, identity);
    m->capabilities = optional_find(c, IEI_CAPABILITY);
}

/* 8.2.25: algorithms 1 (ciphering, integrity), key set 1, repeated capabilities <1>. */
static void command_read(struct nas_message *m, struct cursor c)
{
    uint8_t algorithms = cursor_u8(&c);
    cursor_skip(&c, 1);
    struct cursor repeated = cursor_take(&c, cursor_u8(&c));
    if (repeated.bad)
        return;
    m->kind = NAS_SECURITY_MODE_COMMAND;
    m->ciphering = algorithms >> 4 & 15;
    m->integrity = algorithms & 15;
    m->capabilities = repeated;
}

static void plain_read(struct nas_message *m, struct cursor c)
{
    if (cursor_u8(&c) != NAS_5GMM || cursor_u8(&c) != HEADER_PLAIN)
        return;
    switch (cursor_u8(&c)) {
    case TYPE_REQUEST:
        request_read(m, c);
        break;
    case TYPE_REJECT:
        m->kind = NAS_REGISTRATION_REJECT;
        break;
    case TYPE_COMMAND:
        command_read(m, c);
        break;
    default:
        break;
    }
}

struct nas_message nas_parse(struct cursor c)
{
    struct nas_message m = {.kind = NAS_OTHER};
    struct cursor head = c;
    uint8_t discriminator = cursor_u8(&head), header = cursor_u8(&head) & 15;
    if (discriminator != NAS_5GMM || head.bad)
        return m;
    if (header == HEADER_NEW_CIPHER)
        m.kind = NAS_SECURITY_MODE_COMPLETE;
    if (header == HEADER_INTEGRITY || header == HEADER_NEW) {
        cursor_skip(&head, 5);
        plain_read(&m, head);
    } else if (header == HEADER_PLAIN) {
        plain_read(&m, c);
    }
    return m;
}
