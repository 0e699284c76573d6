/*
 * Inside the room: the state of a scan. Three stages that know little of each other: scan.c cuts
 * text into words, candidate.c makes candidates of words, lookup.c asks the gate and the tables.
 */
#ifndef MATCH_SCAN_PRIV_H
#define MATCH_SCAN_PRIV_H

#include "match/match_priv.h"

/* ---- work ----------------------------------------------------------------------------------- */

/* What hostile text could make dear is paid for by the text passed: bytes of URLs looked at for an
 * end, and hosts of URLs and mailboxes outside ASCII converted; any other name is converted once,
 * and each of its parts. Who has saved enough is served at once. */
#define MATCH_URL_SHARE        8          /* bytes looked at for each byte of text, on average */
#define MATCH_URL_SAVED        (32 << 10) /* the most that is saved; at the start it is all there */
#define MATCH_CONVERSION       64 /* bytes of text that pay for one conversion, on average */
#define MATCH_CONVERSION_SAVED (64 << 10)

struct match_work {
    size_t at;                         /* bytes of text paid in */
    size_t url_credit, convert_credit; /* left to spend */
    bool spent;                        /* something was not looked at for want of it */
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
    const char *told; /* decoded piece: what ends up to here has been told before */
    const char *text_begin, *text_end; /* the whole text, decoded piece or not */
    const char *ipv6_until;            /* no IPv6 address starts before */
    const char *user_until;            /* no e-mail address starts before: it is a URL's user */
    const char *border;                /* no token reaches before: an escape ended there */
    struct str host; /* a URL's, with escapes: looked up when it is reached; else empty */
    /* Decoded piece with more text behind: a token that reaches its end may be longer. */
    bool cut;
    const char *rest; /* cut piece: where the next one takes over; NULL: behind it */
    struct match_work *work;
    int64_t now_us;
    match_hit_fn *each;
    void *ctx;
    match_key_fn *record; /* recording: told each key in place of looking it up; else NULL */
    bool stop;
};

/* Where in the text p stands, a place in the bytes looked at. */
static inline const char *match_source(const struct match_scan *sc, const char *p)
{
    return sc->map == NULL ? p : sc->raw + sc->map[p - sc->begin];
}

/* Text written out plainly: defanged signs and escapes are read. A longer one is cut. */
#define MATCH_PIECE_BYTES LIMIT_OBSERVABLE_BYTES
struct match_piece {
    char text[MATCH_PIECE_BYTES + 4];
    uint16_t map[MATCH_PIECE_BYTES + 5];
    struct match_scan scan; /* of the text, with nothing in front of it */
};
/* How far: to the end of the stretch, or past that many signs that end a URL's authority; two of
 * them stand before it. */
enum match_reach { MATCH_STRETCH = UINT16_MAX, MATCH_AUTHORITY = 3, MATCH_HOST = 1 };
/* From p on, a place in the whole text; returns where the reading ended. */
const char *match_decode(const struct match_scan *sc, const char *p, enum match_reach reach,
                         struct match_piece *x);
/* The first byte of the piece that stands at p or behind, a place in the whole text. */
const char *match_in_piece(const struct match_piece *x, const char *p);

/* What may be spent at the start of a text. */
struct match_work match_work_new(void);
/* As match_scan, and tells what it cost. */
void match_scan_work(const struct match_set *s, struct str text, int64_t now_us, match_hit_fn *each,
                     void *ctx, struct match_work *work);
/* Pays in the text up to p, a place in the bytes looked at. */
void match_work_pay(struct match_scan *sc, const char *p);
/* Takes what was looked at for the sake of a URL. */
void match_work_spend(struct match_scan *sc, size_t bytes);
/* observable_text_domain, within what conversions may cost; 0 also when nothing is left. */
size_t match_convert(struct match_scan *sc, struct str name, char *out, size_t room);

/* Classes of bytes. */
enum {
    MATCH_WORD = 1,     /* letters, digits, - _ . and all above ASCII */
    MATCH_DOT = 2,      /* . */
    MATCH_HIGH = 4,     /* above ASCII */
    MATCH_JOIN = 8,     /* behind a word: it may go on in some way */
    MATCH_BREAK = 16,   /* blanks, controls, " < >: nothing runs across */
    MATCH_ILLEGAL = 32, /* { } | ^ and the backquote: in no URL unescaped */
    MATCH_END = 64      /* / ? # and , ; & */
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

/* If nothing of a URL's user, host and port goes on with c. A comma, semicolon or ampersand would
 * do by RFC 3986 §3.2.1, but stands more often between the fields of a log, and in no host. */
static inline bool match_ends_authority(char c)
{
    return match_class_of(c) & (MATCH_BREAK | MATCH_ILLEGAL | MATCH_END);
}

static inline bool match_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char match_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool match_is_alnum(char c)
{
    char l = match_lower(c);
    return match_is_digit(c) || (l >= 'a' && l <= 'z');
}

static inline struct str match_between(const char *s, const char *e)
{
    return (struct str){s, (size_t)(e - s)};
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

/* Cuts [p, end) of the bytes looked at into words and hands those on that may be candidates. */
void match_scan_words(struct match_scan *sc, const char *p, const char *end);
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
/* As match_decode does, the text around `s`, and scans its words; returns where to go on behind it.
 * What ends up to `s` has been told. */
const char *match_scan_decoded(struct match_scan *sc, const char *s);
/* The names, IPv4 addresses and hashes in the word [s, e). */
void match_scan_host(struct match_scan *sc, const char *s, const char *e);
/* A URL whose scheme is at the end of the word [s, e) and whose colon is at e; returns where to go
 * on if the text was dealt with, NULL if its words are still to be looked at. */
const char *match_scan_url(struct match_scan *sc, const char *s, const char *e);
/* Looks up sc->host, of which then there is none any more. */
void match_scan_url_host(struct match_scan *sc);
/* Where the word [s, e) starts when a percent-escape runs into it. */
const char *match_word_start(const struct match_scan *sc, const char *s, const char *e);
/* Length of the UTF-8 character at p, and what it is to words. Letters of a script that is written
 * without blanks separate words and may be in one; punctuation and other signs that are no letters
 * separate them, and what is no UTF-8 does, byte for byte. */
enum match_char { MATCH_CHAR_LETTER, MATCH_CHAR_SCRIPT, MATCH_CHAR_SIGN };
size_t match_character(const char *p, const char *end, enum match_char *what);
/* Where the run of other characters ends that starts at p, and what stands behind the one that ends
 * it; where the last run starts. */
const char *match_run(const char *p, const char *end, const char **behind);
const char *match_last_run(const char *p, const char *end);
bool match_is_ascii(struct str s);
/* If a URL or e-mail address at that host may be in the set. */
bool match_host_maybe(struct match_scan *sc, struct str host, enum match_salt salt);
/* An address that starts with the word at s or the two colons before it, which is at `first`. The
 * groups are read up to *read; the address ends at *end. False when it is none; *read is NULL when
 * nothing was read that could have been one. */
struct match_ipv6 {
    unsigned char a[16];
    const char *first, *end, *read;
};
bool match_read_ipv6(const struct match_scan *sc, const char *s, struct match_ipv6 *out);
/* If at s, in front of the word's end e, an address may start. */
bool match_starts_ipv6(const struct match_scan *sc, const char *s, const char *e);

/* Look-ups. [s, e) are the bytes seen, in the scan's text. */
void match_lookup_ipv4(struct match_scan *sc, const unsigned char a[4], const char *s,
                       const char *e);
void match_lookup_ipv6(struct match_scan *sc, const unsigned char a[16], const char *s,
                       const char *e);
/* The name and those above it: `most` of them. */
void match_lookup_name(struct match_scan *sc, struct str name, unsigned most, const char *s,
                       const char *e);
void match_lookup_text(struct match_scan *sc, enum observable_kind kind, struct str text,
                       const char *s, const char *e);
/* If the set holds it; tells nothing of it. */
bool match_text_known(const struct match_scan *sc, enum observable_kind kind, struct str text);

#endif
