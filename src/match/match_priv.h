/*
 * Inside the room: keys and their hashes, the sealed tables, the state of a scan. Three stages that
 * know little of each other: scan.c cuts text into words, candidate.c makes candidates of words,
 * lookup.c asks the tables. The tables are flat arrays that refer to each other by number.
 */
#ifndef MATCH_MATCH_PRIV_H
#define MATCH_MATCH_PRIV_H

#include <endian.h>
#include <string.h>

#include "match/match.h"

/* ---- hashing ------------------------------------------------------------------------------ */

__extension__ typedef unsigned __int128 match_u128;

/* 128-bit multiplication folded to 64 bits. */
static inline uint64_t match_mix(uint64_t a, uint64_t b)
{
    match_u128 m = (match_u128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* What a hash stands for: a kind's value, or a gate that spares the work behind it. */
enum match_salt {
    MATCH_SALT_ZONE = OBSERVABLE_KINDS, /* the last two labels of a name in the set */
    MATCH_SALT_URL_HOST,                /* the host of a URL in the set */
    MATCH_SALT_EMAIL_HOST,              /* the host of an e-mail address in the set */
    MATCH_SALT_IDN                      /* what stands behind an A-label of a name in the set */
};

static inline uint64_t match_salted(uint64_t h, unsigned salt)
{
    return match_mix(h ^ 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u + 2 * (uint64_t)salt);
}

/* Goes on from `h` with n bytes. */
static inline uint64_t match_hash_bytes(uint64_t h, const char *p, size_t n)
{
    uint64_t w = 0;
    h ^= n * 0x9fb21c651e98df25u;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = match_mix(h ^ w, 0xa0761d6478bd642fu);
    }
    w = 0;
    memcpy(&w, p, n);
    return match_mix(h ^ w, 0xe7037ed1a0b428dbu);
}

/* A name is hashed label by label from its end, so that all its suffixes come from one pass. */
#define MATCH_NAME_LABELS ((OBSERVABLE_NAME_BYTES + 1) / 2)
struct match_name {
    char text[OBSERVABLE_NAME_BYTES + 11]; /* lower case; readable 8 bytes behind its end */
    size_t n;
    unsigned labels;
    unsigned char start[MATCH_NAME_LABELS]; /* where each label starts */
};
/* Splits a name into labels; false when one is empty or a limit of RFC 1035 is passed. */
bool match_name_split(struct match_name *m, const char *p, size_t n);
/* Goes on from the hash of the labels behind label i. Reads whole words and masks the last. */
static inline uint64_t match_name_step(const struct match_name *m, unsigned i, uint64_t h)
{
    size_t end = i + 1 < m->labels ? m->start[i + 1] - 1u : m->n;
    const char *p = m->text + m->start[i];
    size_t n = end - m->start[i];
    uint64_t w;
    h ^= n * 0x9fb21c651e98df25u;
    for (; n > 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = match_mix(h ^ w, 0xa0761d6478bd642fu);
    }
    memcpy(&w, p, 8);
    w = n == 0 ? 0 : le64toh(w) & UINT64_MAX >> (64 - 8 * n);
    return match_mix(h ^ w, 0xe7037ed1a0b428dbu);
}
uint64_t match_name_hash(const struct match_name *m); /* of the whole name */

/* ---- the set ------------------------------------------------------------------------------ */

/* One value: its kind and key, and the list of its owners. */
struct match_value {
    uint64_t hash;
    size_t key_at;        /* in keys */
    uint32_t first, last; /* links */
    uint16_t key_n;
    uint8_t kind;
    uint8_t prefix; /* addresses; a key of another length of prefix is another value */
};

struct match_link {
    uint32_t indicator, next; /* next: MATCH_END at the end */
};
#define MATCH_END UINT32_MAX

#define MATCH_TLD_BITS (1u << 15)

struct match_set {
    bool sealed;
    struct arena *strings;
    struct match_indicator *indicators;
    size_t indicator_count, indicator_room;
    struct match_value *values;
    size_t value_count, value_room;
    struct match_link *links;
    size_t link_count, link_room;
    char *keys;
    size_t keys_n, keys_room;
    /* Open addressing, linear: the upper half of the hash, the value's number + 1; 0 is empty. */
    uint64_t *slots;
    size_t slot_mask;
    /* Register-blocked Bloom filter over values (not IPv4) and gates. */
    uint64_t *bloom;
    size_t bloom_words;
    uint64_t *ipv4_map; /* one bit for each block of 2^(32-ipv4_map_bits) addresses */
    unsigned ipv4_map_bits;
    uint64_t tlds[MATCH_TLD_BITS / 64];
    unsigned char ipv4_prefixes[33], ipv6_prefixes[129]; /* those in use, longest first */
    unsigned ipv4_prefix_count, ipv6_prefix_count;
    size_t counts[OBSERVABLE_KINDS];
    size_t longest_url; /* bytes of its normal form */
    bool single_labels, idn_names;
};

/* The key of an observable: an address's bytes, otherwise the text. */
struct str match_key(const struct observable *o);
uint64_t match_address_hash(enum observable_kind kind, const unsigned char *a, size_t n,
                            unsigned prefix);
uint64_t match_text_hash(enum observable_kind kind, struct str text);
/* Hash of a URL's or e-mail address's host in normal form (a dot behind it, letters in either case
 * and any notation of IPv6 are the same), before salting; false when it is none. */
bool match_host_hash(struct str host, uint64_t *hash);
/* The value with that hash, kind, prefix and key, or NULL. */
const struct match_value *match_set_find(const struct match_set *s, uint64_t hash, unsigned kind,
                                         unsigned prefix, struct str key);

static inline uint64_t match_bloom_bits(uint64_t h)
{
    return 1ull << (h & 63) | 1ull << (h >> 6 & 63) | 1ull << (h >> 12 & 63) |
           1ull << (h >> 18 & 63);
}

static inline size_t match_bloom_word(uint64_t h, size_t words)
{
    return (size_t)((h >> 32) * (uint64_t)words >> 32);
}

/* False only when nothing with that hash is in the set. */
static inline bool match_maybe(const struct match_set *s, uint64_t h)
{
    uint64_t bits = match_bloom_bits(h);
    return (s->bloom[match_bloom_word(h, s->bloom_words)] & bits) == bits;
}

static inline bool match_tld_known(const struct match_set *s, uint64_t h)
{
    return s->tlds[h % MATCH_TLD_BITS / 64] >> (h % 64) & 1;
}

/* ---- work ----------------------------------------------------------------------------------- */

/* What hostile text could make dear is paid for by the text passed: bytes of URLs looked at for an
 * end, and names outside ASCII converted. Who has saved enough is served at once. */
#define MATCH_URL_SHARE        8          /* bytes looked at for each byte of text, on average */
#define MATCH_URL_SAVED        (32 << 10) /* the most that is saved; at the start it is all there */
#define MATCH_CONVERSION       64 /* bytes of text that pay for one conversion, on average */
#define MATCH_CONVERSION_SAVED (64 << 10)

struct match_work {
    size_t at;                         /* bytes of text paid in */
    size_t url_credit, convert_credit; /* left to spend */
    /* Spent so far, for tests. */
    size_t url_bytes, normalizations, conversions;
};

/* ---- a scan ------------------------------------------------------------------------------- */

struct match_scan {
    const struct match_set *set;
    const char *begin, *end; /* the bytes looked at: the text itself, or a piece of it decoded */
    /* Decoded piece: where in `raw` each byte came from, with one entry more; else NULL. */
    const uint16_t *map;
    const char *raw;
    const char *told;       /* decoded piece: what ends up to here has been told before */
    const char *text_begin; /* of the whole text, decoded piece or not */
    const char *ipv6_until; /* no IPv6 address starts before */
    const char *user_until; /* no e-mail address starts before: it is a URL's user */
    const char *border;     /* no token reaches before: an escape ended there */
    /* Decoded piece with more text behind: a token that reaches its end may be longer. */
    bool cut;
    const char *rest; /* cut piece: where the next one takes over; NULL: behind it */
    struct match_work *work;
    int64_t now_us;
    match_hit_fn *each;
    void *ctx;
    bool stop;
};

/* As match_scan, and tells what it cost. */
void match_scan_work(const struct match_set *s, struct str text, int64_t now_us, match_hit_fn *each,
                     void *ctx, struct match_work *work);
/* Pays in the text up to p, a place in the bytes looked at. */
void match_work_pay(struct match_scan *sc, const char *p);
/* observable_text_domain, within what conversions may cost; 0 also when nothing is left. */
size_t match_convert(struct match_scan *sc, struct str name, char *out, size_t room);

/* Classes of bytes. */
enum {
    MATCH_WORD = 1,    /* letters, digits, - _ . and all above ASCII */
    MATCH_DOT = 2,     /* . */
    MATCH_HIGH = 4,    /* above ASCII */
    MATCH_JOIN = 8,    /* behind a word: it may go on in some way */
    MATCH_BREAK = 16,  /* blanks, controls, " < >: nothing runs across */
    MATCH_ILLEGAL = 32 /* { } | ^ and the backquote: in no URL unescaped */
};
extern const unsigned char match_class[256];

static inline unsigned match_class_of(char c)
{
    return match_class[(unsigned char)c];
}

static inline bool match_is_word(char c)
{
    return match_class_of(c) & MATCH_WORD;
}

static inline bool match_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char match_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Value of a hexadecimal digit, or -1. */
static inline int match_hex(char c)
{
    if (match_is_digit(c))
        return c - '0';
    c = match_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits of the shortest hash. */
#define MATCH_SHORTEST_HASH 32

/* Cuts [begin, end) into words and hands those on that may be candidates. */
void match_scan_words(struct match_scan *sc);
/* The word [s, e), whose bytes have the classes `seen`; returns where to go on. */
const char *match_scan_word(struct match_scan *sc, const char *s, const char *e, unsigned seen);
/* If at `e`, behind a word, stands a defanged sign or an escape that goes on with the word; never
 * in a decoded piece, where they are plain. */
bool match_joined(const struct match_scan *sc, const char *e);
/* If the backslash at p starts an escape of something that can go on with a URL. */
bool match_escaped(const struct match_scan *sc, const char *p);
/* If an escape starts with the backslash before `s`: where it ends, and whether it yields a byte
 * of a word. Else NULL. */
const char *match_escape_before(const struct match_scan *sc, const char *s, bool *word);
/* Reads defanged signs and escapes in the piece of text around `s` and scans it; returns where to
 * go on behind it. */
const char *match_scan_decoded(struct match_scan *sc, const char *s);
/* The names, IPv4 addresses and hashes in the word [s, e). */
void match_scan_host(struct match_scan *sc, const char *s, const char *e);
/* A URL whose scheme is at the end of the word [s, e) and whose colon is at e; returns where to go
 * on if the text was dealt with, NULL if its words are still to be looked at. */
const char *match_scan_url(struct match_scan *sc, const char *s, const char *e);
/* Where the word [s, e) starts when a percent-escape runs into it. */
const char *match_word_start(const struct match_scan *sc, const char *s, const char *e);
/* Length of the UTF-8 character at p if it separates words: of a script that is written without
 * blanks, or punctuation; else 0. */
size_t match_separator(const char *p, const char *end);
/* If a URL or e-mail address at that host may be in the set. */
bool match_host_maybe(struct match_scan *sc, struct str host, enum match_salt salt);

/* Look-ups. [s, e) are the bytes seen, in the scan's text. */
void match_lookup_ipv4(struct match_scan *sc, const unsigned char a[4], const char *s,
                       const char *e);
void match_lookup_ipv6(struct match_scan *sc, const unsigned char a[16], const char *s,
                       const char *e);
/* Returns whether there was a hit. */
bool match_lookup_name(struct match_scan *sc, struct str name, const char *s, const char *e);
bool match_lookup_text(struct match_scan *sc, enum observable_kind kind, struct str text,
                       const char *s, const char *e);
/* If the set holds it; tells nothing. */
bool match_text_known(const struct match_set *s, enum observable_kind kind, struct str text);

#endif
