/*
 * Kinds of observable and their normal forms: one value has one text, however it was written in a
 * feed or a log. docs/DETECTION.md says what matches what. Pure functions, any thread.
 */
#ifndef OBSERVABLE_OBSERVABLE_H
#define OBSERVABLE_OBSERVABLE_H

#include "base/base.h"
#include "observable/warninglist.h"

enum observable_kind {
    OBSERVABLE_IPV4,
    OBSERVABLE_IPV6,
    OBSERVABLE_DOMAIN,
    OBSERVABLE_URL,
    OBSERVABLE_EMAIL,
    OBSERVABLE_MD5,
    OBSERVABLE_SHA1,
    OBSERVABLE_SHA256,
    OBSERVABLE_SHA512
};
#define OBSERVABLE_KINDS 9

const char *observable_kind_name(enum observable_kind k); /* ipv4, domain, sha256 … */

/* One value in normal form; `text` lives in the buffer it was normalised into. */
struct observable {
    enum observable_kind kind;
    struct str text;        /* without /prefix */
    unsigned prefix;        /* addresses: 32 or 128 when it is a single one */
    unsigned char addr[16]; /* addresses: network order, host bits cleared */
};

/* Room that is enough for the normal form of any value of n bytes. A URL or a name that is not
 * plain ASCII grows (percent-encoding, A-labels); any other value fits in n + 64. */
#define OBSERVABLE_ROOM(n) (3 * (n) + 320)

/* Normal form of `s` as kind `k`; ERR_INVALID when it is none, ERR_LIMIT when it is longer than
 * LIMIT_OBSERVABLE_BYTES or `room` is too small. Room for the text: at least s.n + 64 bytes at
 * `out`, better OBSERVABLE_ROOM. Refanged spellings are read when `refang`. An IPv4-mapped IPv6
 * address becomes OBSERVABLE_IPV4. */
bool observable_normalize(enum observable_kind k, struct str s, bool refang, char *out, size_t room,
                          struct observable *o, struct err *e) BASE_CHECKED;
/* The kind a value of a plain list has, and its normal form. Reads refanged spellings; `*.` before
 * a name is dropped; a name needs two labels. */
bool observable_guess(struct str s, char *out, size_t room, struct observable *o,
                      struct err *e) BASE_CHECKED;
/* The kind that a STIX test TYPE:PATH = … speaks of; false when the scanner has none for it. */
bool observable_kind_of_path(struct str type, struct str path, enum observable_kind *k);

/* ---- parts that the scanner shares -------------------------------------------------------- */

/* Bytes of a name in presentation form without the trailing dot, and of a label (RFC 1035 §2.3.4).
 */
#define OBSERVABLE_NAME_BYTES  253
#define OBSERVABLE_LABEL_BYTES 63

/* If `s` starts with a defanged sign ([.] (.) [dot] (dot) [:] [at] (at) [@] [://], letters in
 * either case): its length, and the plain text in *plain. Else 0. */
size_t observable_defanged(struct str s, struct str *plain);
/* Exactly four decimal numbers up to 255 without leading zeros. */
bool observable_parse_ipv4(struct str s, unsigned char out[4]);
/* RFC 4291 §2.2: any of its three forms, letters in either case; no zone, no prefix. */
bool observable_parse_ipv6(struct str s, unsigned char out[16]);
#define OBSERVABLE_ADDRESS_BYTES 48
/* The normal text of an address (RFC 5952 for IPv6); returns its length, no NUL behind it. */
size_t observable_text_ipv4(const unsigned char a[4], char out[OBSERVABLE_ADDRESS_BYTES]);
size_t observable_text_ipv6(const unsigned char a[16], char out[OBSERVABLE_ADDRESS_BYTES]);
/* The IPv4 address inside an IPv4-mapped (::ffff:0:0/96) address. */
bool observable_ipv4_mapped(const unsigned char a[16], unsigned char out[4]);
/* Lower case, A-labels, no trailing dot. Returns the length; 0 when it is no name or does not fit.
 */
size_t observable_text_domain(struct str s, char *out, size_t room);
/* Of a URL in normal form (or any that has "://"): the host as it stands there, IPv6 in brackets.
 */
struct str observable_url_host(struct str url);
/* Writes s, which holds percent-escapes, as the bytes they stand for (RFC 3986 §2.1). Returns the
 * length; 0 when s holds none or one that is wrong, or does not fit. */
size_t observable_unescape(struct str s, char *out, size_t room);

/* A URL read piece by piece: one reading serves every place where it may end. The caller sets `p`
 * and `room`, where the normal form goes; the rest is the reader's. */
struct observable_url {
    char *p;
    size_t room;
    size_t n;       /* normal form so far; dot segments are removed as they end */
    size_t origin;  /* of it scheme, host and port */
    size_t segment; /* where the last segment of the path starts */
    enum { OBSERVABLE_URL_PATH, OBSERVABLE_URL_QUERY, OBSERVABLE_URL_FRAGMENT } part;
    bool full; /* the room was too small */
};
/* Starts with what stands before and behind ://, the latter up to the path. */
bool observable_url_begin(struct observable_url *o, struct str scheme, struct str authority,
                          struct err *e) BASE_CHECKED;
/* Goes on with path, query and fragment. A percent-escape must not be cut. */
void observable_url_add(struct observable_url *o, struct str s);
/* The normal form if the URL ended here; STR_NONE when `full`. It may go on behind. */
struct str observable_url_text(struct observable_url *o);

#endif
