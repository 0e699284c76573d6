/*
 * Inside the room: keys and their hashes, the gate, the tables of a sealed set and their file.
 * What a scan keeps is in scan_priv.h, what the kernels share in kernel_priv.h.
 *
 * A look-up passes up to three doors, each dearer than the one before:
 *
 *   1. The gate's filter `first`, small enough to stay in the cache. It is asked for a *place key*:
 *      16 bytes of the text in front of a point, in lower case: the last two labels of a name, the
 *      first three numbers of an IPv4 address, the start of a hash. Taking such a key needs no
 *      parsing, so the kernels do it for every candidate of the text.
 *   2. The gate's filter `values`, asked for the hash of a whole value, or of the host of a URL or
 *      e-mail address of the set.
 *   3. The tables, which compare the key itself.
 *
 * Both filters are register-blocked Bloom filters: a key sets four bits of one 64-bit word, at 12
 * bits a key about one in 90 strangers passes. What a gate refuses is certainly not in the set.
 *
 * The tables (little-endian on the disk and in memory; a host of another order refuses the file):
 *
 *   rows        one of 12 bytes for each value, in order of the value's 64-bit hash
 *   buckets     for each of 2^k stretches of hashes the first row; one more at the end. At most 8
 *               rows share a bucket on average, so a look-up reads two or three cache lines
 *   owners      for values of several indicators: how many, and their numbers
 *   text        keys and indicators, each named by the place of its first byte
 *   indicators  the low 32 bits of each one's place in text; places grow with the number
 *   wraps       for each further 4 GiB of text the first indicator that lies there
 *
 * That is 12 to 14 bytes a value, 4 an indicator, 3 to 4 for the filters, and the strings.
 *
 * A key in text is its length as a varint (7 bits a byte, low ones first, the top bit says that
 * more follow) and its bytes; of an IPv6 address the length of its prefix and 16 bytes. IPv4
 * addresses stand in the row itself. An indicator is a byte of flags, its id as such a string, and
 * what the flags name, in their order (match_record). A value written as its indicator's id is kept
 * once: its key is that id.
 *
 * The file is the header, padded to a page of 4,096 bytes, and the sections, each from a page on:
 * facts, first, values, buckets, rows, owners, indicators, wraps, text, sums. `sums` holds the sum
 * of each page before it; the header holds the sum of those sums and of itself. Filters, facts and
 * sums are checked when the file is opened, every other page before it is first read. Sums find
 * damage, not forgery: all numbers are checked against their bounds besides, whenever they are
 * used.
 */
#ifndef MATCH_MATCH_PRIV_H
#define MATCH_MATCH_PRIV_H

#include <endian.h>
#include <string.h>

#include "match/match.h"

/* ---- hashing ------------------------------------------------------------------------------ */

/* Hashes of values start from a random seed of the set, so that nobody can write a feed whose
 * values share one. */

__extension__ typedef unsigned __int128 match_u128;

/* 128-bit multiplication folded to 64 bits. */
static inline uint64_t match_mix(uint64_t a, uint64_t b)
{
    match_u128 m = (match_u128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* What a hash stands for: a kind's value, or the host of one. */
enum match_salt {
    MATCH_SALT_URL_HOST = OBSERVABLE_KINDS, /* the host of a URL in the set */
    MATCH_SALT_EMAIL_HOST,                  /* the host of an e-mail address in the set */
    MATCH_SALT_BLOCK /* of a place key: some block, not only addresses, lies in this /24; of an IPv6
                      * network: something lies in it */
};

static inline uint64_t match_salted(uint64_t h, unsigned salt)
{
    return match_mix(h ^ 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u + 2 * (uint64_t)salt);
}

static inline uint64_t match_load(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return le64toh(w);
}

/* Goes on from `h` with n bytes. */
static inline uint64_t match_hash_bytes(uint64_t h, const char *p, size_t n)
{
    uint64_t w = 0;
    h ^= n * 0x9fb21c651e98df25u;
    for (; n >= 8; p += 8, n -= 8)
        h = match_mix(h ^ match_load(p), 0xa0761d6478bd642fu);
    memcpy(&w, p, n);
    return match_mix(h ^ le64toh(w), 0xe7037ed1a0b428dbu);
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
    h ^= n * 0x9fb21c651e98df25u;
    for (; n > 8; p += 8, n -= 8)
        h = match_mix(h ^ match_load(p), 0xa0761d6478bd642fu);
    uint64_t w = n == 0 ? 0 : match_load(p) & UINT64_MAX >> (64 - 8 * n);
    return match_mix(h ^ w, 0xe7037ed1a0b428dbu);
}
uint64_t match_name_hash(const struct match_name *m, uint64_t seed); /* of the whole name */

/* The key of an observable: an address's bytes, otherwise the text. */
struct str match_key(const struct observable *o);
uint64_t match_ipv4_hash(uint64_t seed, const unsigned char a[4], unsigned prefix);
uint64_t match_ipv6_hash(uint64_t seed, const unsigned char a[16], unsigned prefix);
uint64_t match_text_hash(uint64_t seed, enum observable_kind kind, struct str text);
/* Hash of a URL's or e-mail address's host in normal form (a dot behind it, letters in either case
 * and any notation of IPv6 are the same), before salting; false when it is none. */
bool match_host_hash(uint64_t seed, struct str host, uint64_t *hash);
/* The first `prefix` bits of n bytes, 4 or 16, the others cleared. */
void match_keep_prefix(const unsigned char *a, size_t n, unsigned prefix, unsigned char *out);

/* ---- place keys --------------------------------------------------------------------------- */

#define MATCH_PLACE_BYTES 16
extern const uint64_t match_place_masks[64][2];

/* Sixteen bytes as two words with letters in lower case (and _ as DEL, which no word holds): those
 * farther from the end, those nearer. */
static inline uint64_t match_place_mix(uint64_t far, uint64_t near)
{
    return match_mix(far ^ 0x8bb84b93962eacc9u, near ^ 0x2d358dccaa6c78a5u);
}

#define MATCH_LOWER 0x2020202020202020u

/* Of the n bytes in front of e, 63 at the most, or the last 16 of them. Reads 16 bytes in front of
 * e, in any case. */
static inline uint64_t match_place_key(const char *e, size_t n)
{
    const uint64_t *mask = match_place_masks[n];
    return match_place_mix((match_load(e - 16) | MATCH_LOWER) & mask[0],
                           (match_load(e - 8) | MATCH_LOWER) & mask[1]);
}

/* The same of n bytes at p, reading no others. */
uint64_t match_place_key_of(const char *p, size_t n);

/* Number of the last label's bit in the map of those in use; `near` are the 8 bytes in front of its
 * end in lower case, n its length. Longer ones are known by their last 8 bytes. */
#define MATCH_TLD_BITS (1u << 15)
static inline unsigned match_tld_short(uint64_t near, size_t n) /* n from 1 to 8 */
{
    return (unsigned)((near >> (64 - 8 * n)) * 0x9e3779b97f4a7c15u >> 49);
}

static inline unsigned match_tld_of(uint64_t near, size_t n)
{
    return match_tld_short(near, n < 8 && n > 0 ? n : 8);
}

/* ---- the gate ----------------------------------------------------------------------------- */

struct match_bloom {
    uint64_t *words;
    size_t count;
};

static inline uint64_t match_bloom_bits(uint64_t h)
{
    return 1ull << (h & 63) | 1ull << (h >> 6 & 63) | 1ull << (h >> 12 & 63) |
           1ull << (h >> 18 & 63);
}

static inline size_t match_bloom_word(uint64_t h, size_t words)
{
    return (size_t)((h >> 32) * (uint64_t)words >> 32);
}

static inline bool match_bloom_has(const struct match_bloom *b, uint64_t h)
{
    uint64_t bits = match_bloom_bits(h);
    return (b->words[match_bloom_word(h, b->count)] & bits) == bits;
}

/* What a scan asks before the tables, besides the filters. All fields have a fixed size and no
 * padding: it is a section of the file. */
struct match_facts {
    uint64_t tlds[MATCH_TLD_BITS / 64];
    uint64_t counts[OBSERVABLE_KINDS]; /* values */
    uint64_t seed;
    uint64_t longest_url;             /* bytes of its normal form */
    uint64_t ipv4_used, ipv6_used[3]; /* a bit for each length of prefix */
    uint32_t single_labels;           /* a domain of one label: it may stand anywhere a word does */
    uint32_t short_names;             /* the same, or the host of a URL or e-mail address is such */
    uint32_t digit_names;             /* a name whose last character is a digit */
    uint32_t idn_names;               /* a name with an A-label */
    uint32_t wide_blocks; /* an IPv4 block wider than a /20: the first two numbers have keys */
    uint32_t blind;       /* values are MACs, see blind.c */
};

struct match_gate {
    struct match_bloom first, values;
    struct match_facts facts;
    /* From the facts: those in use, longest first. */
    unsigned char ipv4_prefixes[33], ipv6_prefixes[129];
    unsigned ipv4_prefix_count, ipv6_prefix_count;
};

/* IPv4 blocks up to this wide are known by each /24 in them, wider ones by each /16. */
#define MATCH_WIDE_PREFIX 20
/* IPv6 addresses and blocks down to this wide are known by the block of this width they lie in. */
#define MATCH_NETWORK_PREFIX 32

struct match_value {
    enum observable_kind kind;
    unsigned prefix; /* of addresses */
    struct str key;  /* as match_key makes it */
};
uint64_t match_value_hash(uint64_t seed, const struct match_value *v);

/* What stands in the table of a blinded set: the first bytes of a MAC, of whatever kind. */
#define MATCH_KIND_BLIND  ((enum observable_kind)OBSERVABLE_KINDS)
#define MATCH_BLIND_BYTES 16

/* How many keys a value puts into the filters, at the most. */
void match_gate_count(const struct match_value *v, size_t *first, size_t *values);
void match_gate_add(struct match_gate *g, const struct match_value *v);
void match_gate_list_prefixes(struct match_gate *g);
/* If the set may hold a name that ends with this label, and so on. */
bool match_gate_tld(const struct match_gate *g, struct str label);
/* If the set may hold this name, in normal form but for the case of letters, or something above,
 * below or at it. */
bool match_gate_name(const struct match_gate *g, struct str name);
/* If the set may hold the address, a block around it or a URL there. */
bool match_gate_ipv4(const struct match_gate *g, const unsigned char a[4]);
/* What the filter of values has of an address or block. */
uint64_t match_gate_ipv4_key(const struct match_gate *g, const unsigned char a[4], unsigned prefix);
bool match_gate_ipv6(const struct match_gate *g, const unsigned char a[16]);
/* The part of match_gate_ipv6 that refuses most addresses: a log holds many of few networks. */
bool match_gate_network(const struct match_gate *g, const unsigned char a[16]);
bool match_gate_hash(const struct match_gate *g, const char *digits);
/* As match_gate_name, behind it: asks for every suffix of the name. */
bool match_gate_suffixes(const struct match_gate *g, struct str name);
bool match_gate_host(const struct match_gate *g, struct str host);
/* RFC 6052 §2.1: behind the well-known prefix operators' networks see IPv4 hosts. */
bool match_is_nat64(const unsigned char a[16]);

static inline bool match_tld_known(const struct match_facts *f, unsigned tld)
{
    return f->tlds[tld / 64] >> (tld % 64) & 1;
}

/* ---- tables ------------------------------------------------------------------------------- */

struct match_row {
    uint32_t owner; /* an indicator; with MATCH_ROW_LIST a place in owners */
    uint32_t key;   /* low bits of the place in text; an IPv4 address */
    uint16_t tag;   /* low bits of the hash; the high ones are the bucket's */
    uint8_t key_high;
    uint8_t kind; /* and MATCH_ROW_LIST. IPv4: key_high is the prefix */
};
#define MATCH_ROW_LIST  0x80
#define MATCH_NONE      UINT32_MAX
#define MATCH_TEXT_BITS 40

/* Rows of one bucket; more is damage. */
#define MATCH_BUCKET_ROWS 4096

/* The pages of a mapped file that were checked. */
struct match_sums;
struct match_blind; /* a key */

struct match_table {
    const struct match_row *rows;
    size_t row_count;
    const uint32_t *buckets;
    unsigned bucket_bits; /* 2^bucket_bits buckets, one more entry */
    const uint32_t *owners;
    size_t owner_count;
    const unsigned char *text;
    size_t text_n;
    const uint32_t *indicators, *wraps;
    size_t indicator_count, wrap_count;
    struct match_sums *sums;         /* NULL: nothing to check */
    const struct match_blind *blind; /* not NULL: values are looked for by their MACs */
};

/* Those who hold a value: numbers in the same table. */
struct match_owners {
    const uint32_t *p;
    size_t n;
};

/* The row with that hash and value, or NULL. */
const struct match_row *match_table_find(const struct match_table *t, uint64_t hash,
                                         const struct match_value *v);
/* The row's key; `room` holds that of an address. Its n is 0 where a file is damaged. */
struct match_value match_table_value(const struct match_table *t, const struct match_row *r,
                                     unsigned char room[16]);
struct match_owners match_table_owners(const struct match_table *t, const struct match_row *r);
/* False where a file is damaged. */
bool match_table_indicator(const struct match_table *t, uint32_t number,
                           struct match_indicator *out);

enum {
    MATCH_RECORD_NAME = 1,    /* a string */
    MATCH_RECORD_FROM = 2,    /* 8 bytes */
    MATCH_RECORD_UNTIL = 4,   /* 8 bytes */
    MATCH_RECORD_STIX = 8,    /* 8 bytes: its version */
    MATCH_RECORD_COMMON = 16, /* 5 bytes: the place in text of tlp, labels and marks, strings */
    MATCH_RECORD_KNOWN = 31   /* any other bit is damage */
};

#define MATCH_PAGE  4096u
#define MATCH_MAGIC "SETUSET\n"
enum {
    MATCH_FACTS,
    MATCH_FIRST,
    MATCH_VALUES,
    MATCH_BUCKETS,
    MATCH_ROWS,
    MATCH_OWNERS,
    MATCH_INDICATORS,
    MATCH_WRAPS,
    MATCH_TEXT,
    MATCH_SUMS,
    MATCH_SECTIONS
};
struct match_header {
    char magic[8];
    uint32_t version, order;
    uint64_t file_bytes;
    struct {
        uint64_t at, n;
    } sections[MATCH_SECTIONS];
    uint64_t sums_sum; /* of the section of sums, to its last page's end */
    uint64_t sum;      /* of the fields before */
};

/* If what lies there, inside the file, is as it was written. */
bool match_sums_ok(struct match_sums *s, const void *p, size_t n);
uint64_t match_sum(const void *page, size_t n); /* of a multiple of 32 bytes */
void match_sums_free(struct match_sums *s);
bool match_sums_damaged(const struct match_sums *s);

/* ---- a set -------------------------------------------------------------------------------- */

/* A value that waits for sealing. */
struct match_pending {
    uint64_t hash; /* filled by sealing */
    uint64_t key;  /* place in text; an IPv4 address */
    uint32_t owner;
    uint8_t kind, prefix;
    uint16_t unused;
};

struct match_builder {
    struct match_pending *values;
    size_t value_count, value_room;
    uint64_t *places; /* of indicators, in text */
    size_t place_count, place_room;
    struct buf text;
    size_t id_at, id_n;            /* of the indicator added last */
    size_t common_at, common_n;    /* of what indicators before had in common; 0: nothing yet */
    const struct match_set *plain; /* the set whose blinded copy this is, or NULL */
};

/* Ids that are silent below; open addressing over an arena. */
struct match_silence {
    struct arena *text;
    struct str *ids;
    size_t count, mask;
};

struct match_set {
    struct match_builder *builder; /* NULL: sealed */
    const struct match_set *below; /* sealed, and over no other itself; or NULL */
    struct match_silence silence;
    struct match_table table;
    struct match_gate gate;    /* of this and of what is below */
    void *owned[6];            /* the table's memory, unless mapped */
    struct str mapped;         /* the file, or STR_NONE */
    struct match_blind *blind; /* the key, or NULL */
};

/* Ties a value to an indicator of a set that is being built. */
bool match_put_value(struct match_set *s, uint32_t index, const struct match_value *v,
                     struct err *e) BASE_CHECKED;
void match_blind_free(struct match_blind *b); /* NULL is allowed */
/* The value as a blinded set knows it; `mac` (32 bytes) holds its key. */
struct match_value match_blind_value(const struct match_blind *b, const struct match_value *v,
                                     unsigned char *mac);
/* Makes the gate of the blinded copy `s` of `plain`. */
bool match_blind_gate(struct match_set *s, const struct match_set *plain,
                      struct err *e) BASE_CHECKED;
bool match_silent(const struct match_set *s, struct str id);
/* The first step of sealing: makes `below` a set that lies over no other. */
bool match_set_flatten(struct match_set *s, struct err *e) BASE_CHECKED;
/* Goes through a table's values; false stops. */
typedef bool match_value_fn(void *ctx, const struct match_row *r, const struct match_value *v);
bool match_table_each(const struct match_table *t, match_value_fn *each, void *ctx);
/* Memory of a gate's filters: so many words. */
bool match_gate_new(struct match_set *s, size_t first, size_t values, struct err *e) BASE_CHECKED;

/* A value of the set as it was found: in the set's own table, or in the one below. */
struct match_found {
    const struct match_row *own, *below;
};
/* False when neither holds it; a row below whose owners are all silenced does not count. */
bool match_set_find(const struct match_set *s, uint64_t hash, const struct match_value *v,
                    struct match_found *out);
/* Its indicators, those below first: number in the set, and what is said of it. False stops. */
typedef bool match_owner_fn(void *ctx, uint32_t number, const struct match_indicator *i);
bool match_set_owners(const struct match_set *s, const struct match_found *f, match_owner_fn *each,
                      void *ctx);

#endif
