/* The guard at the border: bytes as they would leave, read in every coding that JSON text can carry
 * them in. */
#include <string.h>

#include "observable/observable.h"
#include "stix/guard_priv.h"

/* ---- the home network ---- */

/* Of every text that is looked for, three digits or three bytes of "suci-" or "3gppn" stand
 * together in one group of four signs of base64, whatever its phase. */
static bool begins_text(unsigned char byte)
{
    return guard_class((char)byte) & GUARD_DIGIT || (byte && strchr("suc3gp", byte));
}

static void note_begun(struct stix_guard *g)
{
    for (unsigned pair = 0; pair < sizeof g->begun; pair++) {
        unsigned a = pair >> 6, b = pair & 63;
        unsigned char first = (unsigned char)(a << 2 | b >> 4);
        bool begins = begins_text(first) || g->packed[first] ||
                      (g->user_count && guard_class((char)first) & GUARD_ADDRESS);
        g->begun[pair] =
            (unsigned char)((unsigned)begins | (unsigned)g->packed[(a & 15) << 4 | b >> 2] << 1 |
                            (unsigned)g->packed[(a & 3) << 6 | b] << 2);
    }
}

struct stix_guard *stix_guard_new(void)
{
    struct stix_guard *g = base_alloc(sizeof *g);
    if (g)
        note_begun(g);
    return g;
}

void stix_guard_free(struct stix_guard *g)
{
    base_free(g);
}

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || c == '\t';
}

/* The next word of a list; empty at its end. */
static struct str word_take(struct str *list)
{
    size_t from = 0, end;
    while (from < list->n && is_separator(list->p[from]))
        from++;
    for (end = from; end < list->n && !is_separator(list->p[end]);)
        end++;
    struct str word = str_slice(*list, from, end);
    *list = str_from(*list, end);
    return word;
}

static bool digits_read(struct str word, struct guard_digits *out)
{
    out->n = 0;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '-' && i)
            continue;
        if (!guard_is_digit(word.p[i]) || out->n == sizeof out->v)
            return false;
        out->v[out->n++] = (unsigned char)(word.p[i] - '0');
    }
    return true;
}

/* TBCD begins with the second digit above the first, a mobile identity with the first above 9. */
static void note_packed(struct stix_guard *g, const struct guard_digits *d)
{
    g->packed[d->v[1] << 4 | d->v[0]] = true;
    g->packed[d->v[0] << 4 | 9] = true;
    note_begun(g);
}

static bool full(size_t count, struct err *e)
{
    return count == LIMIT_STIX_GUARD_HOME &&
           !err_set(e, ERR_LIMIT, "over %d words", LIMIT_STIX_GUARD_HOME);
}

bool stix_guard_plmns(struct stix_guard *g, struct str list, struct err *e)
{
    for (struct str word; (word = word_take(&list)).n;) {
        struct guard_digits d;
        if (full(g->plmn_count, e))
            return false;
        if (!digits_read(word, &d) || (d.n != 5 && d.n != 6))
            return err_set(e, ERR_SYNTAX, "\"%.*s\" is no PLMN: write MCC-MNC, as 404-10",
                           STR_FMT(word));
        note_packed(g, &d);
        g->plmns[g->plmn_count++] = d;
    }
    return true;
}

bool stix_guard_numbers(struct stix_guard *g, struct str list, struct err *e)
{
    for (struct str word; (word = word_take(&list)).n;) {
        struct guard_digits d;
        if (full(g->number_count, e))
            return false;
        if (!digits_read(word, &d) || d.n < 5 || d.n > 10)
            return err_set(e, ERR_SYNTAX,
                           "\"%.*s\" begins no telephone numbers: write 5 to 10 digits with the "
                           "country code, as 9198100",
                           STR_FMT(word));
        note_packed(g, &d);
        g->numbers[g->number_count++] = d;
    }
    return true;
}

bool stix_guard_users(struct stix_guard *g, struct str list, struct err *e)
{
    for (struct str word; (word = word_take(&list)).n;) {
        struct guard_prefix p = {.n = 4};
        struct str bits = word, address = str_cut(&bits, '/');
        uint64_t n;
        if (full(g->user_count, e))
            return false;
        if (!observable_parse_ipv4(address, p.address)) {
            p.n = 16;
            if (!observable_parse_ipv6(address, p.address))
                return err_set(e, ERR_SYNTAX, "\"%.*s\" is no prefix of addresses", STR_FMT(word));
        }
        n = p.n * 8u;
        if ((bits.p && !str_to_u64(bits, &n)) || n > p.n * 8u || n == 0)
            return err_set(e, ERR_SYNTAX, "\"%.*s\" is no prefix of addresses", STR_FMT(word));
        p.bits = (unsigned char)n;
        g->users[g->user_count++] = p;
        note_begun(g);
    }
    return true;
}

/* ---- codings ---- */

struct search {
    const struct stix_guard *g;
    struct str text;
    /* As many bytes as the text has: what a word decodes to, and its signs' values. */
    char *room, *values;
    struct stix_guard_found *out;
};

static bool found(struct search *s, const char *name, const char *coding)
{
    if (name)
        *s->out = (struct stix_guard_found){name, coding};
    return name != NULL;
}

static bool is_hex(char c)
{
    return guard_class(c) & GUARD_HEX;
}

static bool hex_pair(struct str t, size_t at, char *out)
{
    if (at >= t.n || t.n - at < 2)
        return false;
    int high = hex_value(t.p[at]), low = hex_value(t.p[at + 1]);
    if (high < 0 || low < 0)
        return false;
    *out = (char)(high << 4 | low);
    return true;
}

static bool in_bytes(struct search *s, size_t n, const char *plain, const char *packed)
{
    struct str bytes = {s->room, n};
    return n >= 5 && (found(s, guard_in_text(s->g, bytes), plain) ||
                      found(s, guard_in_packed(s->g, bytes, true), packed));
}

/* Pairs of hexadecimal digits, with nothing or always one same sign between them. */
static bool hex_word(struct search *s, size_t at, size_t *end, char between)
{
    struct str t = s->text;
    size_t n = 0;
    for (char byte; hex_pair(t, at, &byte); at += between != '\0') {
        s->room[n++] = byte;
        at += 2;
        *end = at;
        if (between && (at >= t.n || t.p[at] != between))
            break;
    }
    return in_bytes(s, n, "hexadecimal", "TBCD in hexadecimal");
}

enum { HEX_LEAST = 10 }; /* digits: of five bytes */

/* In a stretch [i, stop) of digits and such signs, which at neither end goes on. From the second
 * digit on, too: a packed number that an odd one stands before. */
static bool in_hex_stretch(struct search *s, size_t i, size_t stop)
{
    struct str t = s->text;
    char ignored;
    for (size_t end; i < stop; i = end + 1) {
        for (end = i; end < stop && is_hex(t.p[end]);)
            end++;
        size_t run = end - i, ignored_end;
        if (run >= HEX_LEAST &&
            (hex_word(s, i, &ignored_end, '\0') || hex_word(s, i + 1, &ignored_end, '\0')))
            return true;
        if (run == 2 && end < stop && (guard_class(t.p[end]) & GUARD_BETWEEN) &&
            hex_pair(t, end + 1, &ignored) && hex_word(s, i, &end, t.p[end]))
            return true;
    }
    return false;
}

/* Every third byte is looked at: of ten digits at least three are, and of five pairs with signs
 * between them four digits or four signs. Only where that is so, all around is read. */
static bool in_hex(struct search *s)
{
    struct str t = s->text;
    unsigned digits = 0, signs = 0; /* a bit each of those that were looked at last */
    for (size_t i = 0, done = 0; i < t.n; i += 3) {
        unsigned class = guard_class(t.p[i]);
        /* No branch, which would be foretold wrongly at every other byte. */
        digits = digits << 1 | class / GUARD_HEX % 2;
        signs = signs << 1 | class / GUARD_BETWEEN % 2;
        if ((digits & 7) != 7 && (signs & 15) != 15)
            continue;
        size_t from = i, stop = i;
        while (from > done && (guard_class(t.p[from - 1]) & (GUARD_HEX | GUARD_BETWEEN)))
            from--;
        while (stop < t.n && (guard_class(t.p[stop]) & (GUARD_HEX | GUARD_BETWEEN)))
            stop++;
        if (in_hex_stretch(s, from, stop))
            return true;
        done = stop;
        digits = signs = 0;
        i = stop - stop % 3; /* and 3 more: the next multiple, at or behind its end */
    }
    return false;
}

/* RFC 4648 §4 and §5; 64: none. RFC 2045 §6.8: line feeds may stand between, 65. */
enum { BASE64_NONE = 64, BASE64_FEED = 65 };
/* clang-format off */
static const unsigned char base64_values[256] = {
#define NONE4  64, 64, 64, 64
#define NONE16 NONE4, NONE4, NONE4, NONE4
    NONE4, NONE4, 64, 64, 65, 64, 64, 65, 64, 64, NONE16,
    NONE4, NONE4, 64, 64, 64, 62, 64, 62, 64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, NONE4,
    64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16,
#undef NONE16
#undef NONE4
};
/* clang-format on */

static unsigned char base64_value(char c)
{
    return base64_values[(unsigned char)c];
}

/* One word of base64: its signs' values, six bits each. */
struct word {
    unsigned char *v;
    size_t n;
};

/* Bits of eight signs from `at` on; zero behind the end. */
static uint64_t bits48(const struct word *w, size_t at)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++)
        bits = bits << 6 | (at + i < w->n ? w->v[at + i] : 0);
    return bits;
}

/* Three bytes that are digits, or of "suci-" or "3gppn". */
static bool is_text(uint32_t three)
{
    if ((three & 0xF0F0F0) == 0x303030)
        return (three & 15) < 10 && (three >> 8 & 15) < 10 && (three >> 16 & 15) < 10;
    return three == 0x737563 || three == 0x756369 || three == 0x63692D || three == 0x336770 ||
           three == 0x677070 || three == 0x70706E;
}

/* Could bytes of this word, if its groups start at `at`, be what is looked for? Whatever phase a
 * word has, each of its bytes is one of the first three from some sign on. */
static bool may_begin(const struct stix_guard *g, const struct word *w, size_t at)
{
    uint32_t three = (uint32_t)w->v[at] << 18 | (uint32_t)w->v[at + 1] << 12 |
                     (uint32_t)w->v[at + 2] << 6 | w->v[at + 3];
    char text[3] = {(char)(three >> 16), (char)(three >> 8), (char)three};
    if (is_text(three) || (g->user_count && guard_may_be_address(text)))
        return true;
    for (unsigned i = 0; i < 3; i++)
        if (g->packed[three >> (16 - 8 * i) & 255]) {
            uint64_t bits = bits48(w, at) << (16 + 8 * i);
            unsigned char four[4] = {(unsigned char)(bits >> 56), (unsigned char)(bits >> 48),
                                     (unsigned char)(bits >> 40), (unsigned char)(bits >> 32)};
            if (guard_may_be_packed(g, four))
                return true;
        }
    return false;
}

/* What the table knows of the two signs at `at`. */
static unsigned begun(const struct stix_guard *g, const struct word *w, size_t at)
{
    return g->begun[w->v[at] << 6 | w->v[at + 1]];
}

static bool in_phase(struct search *s, const struct word *w, size_t phase)
{
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = phase, count = 0; i < w->n; i++) {
        bits = bits << 6 | w->v[i];
        if (++count % 4 != 1)
            s->room[n++] = (char)(bits >> (8 - 2 * (count % 4 ? count % 4 : 4)));
    }
    return in_bytes(s, n, "base64", "TBCD in base64");
}

enum { BASE64_LEAST = 7, BASE64_IMEI = 11 }; /* signs: of five bytes; of eight, an IMEI alone */

static bool in_word(struct search *s, const struct word *w)
{
    bool looked[4] = {false};
    if (w->n < BASE64_LEAST)
        return false;
    unsigned first = begun(s->g, w, 0), second = begun(s->g, w, 1), third;
    for (size_t i = 0; i + 4 <= w->n; i++, first = second, second = third) {
        third = begun(s->g, w, i + 2);
        bool whole = i == 0 && w->n == BASE64_IMEI;
        bool begins = ((first & 1) | (second & 2) | (third & 4)) != 0; /* as may_begin asks */
        if ((whole || begins) && !looked[i % 4] && (whole || may_begin(s->g, w, i))) {
            looked[i % 4] = true;
            if (in_phase(s, w, i % 4))
                return true;
        }
    }
    return false;
}

/* Most words are too short: where the sign that the shortest would end with is none of base64, none
 * stands before it, and not all before it need be looked at. */
static bool in_base64(struct search *s)
{
    struct str t = s->text;
    for (size_t i = 0, at; i + BASE64_LEAST <= t.n; i = at + 1) {
        at = i + BASE64_LEAST;
        do
            at--;
        while (at > i && base64_value(t.p[at]) != BASE64_NONE);
        if (base64_value(t.p[at]) == BASE64_NONE)
            continue;
        struct word w = {.v = (unsigned char *)s->values};
        for (; at < t.n && base64_value(t.p[at]) != BASE64_NONE; at++)
            if (base64_value(t.p[at]) != BASE64_FEED)
                w.v[w.n++] = base64_value(t.p[at]);
        if (in_word(s, &w))
            return true;
    }
    return false;
}

/* ---- text ---- */

static size_t unescape_unit(struct str in, size_t at, char *out)
{
    char high, low;
    if (!hex_pair(in, at, &high) || !hex_pair(in, at + 2, &low))
        return 0;
    *out = high == 0 && (unsigned char)low < 0x80 ? low : (char)0x80;
    return 4;
}

/* Where this sign stands next; the end, if nowhere. */
static size_t sign_from(struct str in, size_t at, char sign)
{
    const char *p = at < in.n ? memchr(in.p + at, sign, in.n - at) : NULL;
    return p ? (size_t)(p - in.p) : in.n;
}

/* RFC 8259 §7, leniently, since what is no JSON is looked at too; and a full stop that was put in
 * brackets. */
static size_t unescape(struct str in, char *out)
{
    size_t n = 0, slash = sign_from(in, 0, '\\'), bracket = sign_from(in, 0, '[');
    for (size_t i = 0; i < in.n; i++) {
        if (slash < i)
            slash = sign_from(in, i, '\\');
        if (bracket < i)
            bracket = sign_from(in, i, '[');
        size_t plain = (slash < bracket ? slash : bracket) - i;
        memcpy(out + n, in.p + i, plain);
        n += plain;
        i += plain;
        if (i == in.n)
            break;
        char c = in.p[i];
        if (c == '\\' && i + 1 < in.n) {
            c = in.p[++i];
            if (c == 'u')
                i += unescape_unit(in, i + 1, &c);
            else if (c == 'n' || c == 'r' || c == 't')
                c = '\n';
        } else if (c == '[' && in.n - i > 2 && in.p[i + 1] == '.' && in.p[i + 2] == ']') {
            c = '.';
            i += 2;
        }
        out[n++] = c;
    }
    return n;
}

const char stix_guard_no_memory[] = "text for which there was no memory";

bool stix_guard_find(const struct stix_guard *g, struct str bytes, struct stix_guard_found *out)
{
    struct stix_guard_found ignored;
    struct search s = {.g = g, .text = bytes, .out = out ? out : &ignored};
    char *plain = base_alloc(bytes.n + 1);
    s.room = base_alloc(bytes.n + 1);
    s.values = base_alloc(bytes.n + 1);
    bool any = true;
    if (plain && s.room && s.values) {
        s.text = (struct str){plain, unescape(bytes, plain)};
        any = found(&s, guard_in_text(s.g, s.text), NULL) || in_hex(&s) || in_base64(&s);
    } else {
        *s.out = (struct stix_guard_found){stix_guard_no_memory, NULL};
    }
    base_free(plain);
    base_free(s.room);
    base_free(s.values);
    return any;
}
