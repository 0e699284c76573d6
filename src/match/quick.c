/*
 * The quick scanner but for its kernels: what is marked or has passed the filter is looked at more
 * closely here, and the stretches around what remains are given to the plain scanner. A closer look
 * may say yes too often, never no where the plain scanner would find something or count work.
 */
#include "match/kernel_priv.h"
#include "match/kernel_walk_priv.h"

struct quick {
    struct match_scan *sc;
    const char *done;      /* the plain scanner was here */
    const char *ipv6_done; /* up to here IPv6 addresses were looked for, and hashes */
    const char *hash_done;
    struct match_pass pass;
    uint64_t due[MATCH_BLOCKS + 1]; /* bit i: look at the stretch of the byte before base + i */
    bool any_due;
    /* Questions to the filters whose words were asked for; if one says yes, p is due. */
    struct {
        const struct match_bloom *of;
        uint64_t key;
        const char *p;
    } asked[64];
    unsigned asked_count;
};

/* The stretch of the byte in front of p, which is in the window or at its end. */
static void due(struct quick *q, const char *p)
{
    size_t at = (size_t)(p - q->pass.base);
    if (!q->any_due)
        memset(q->due, 0, sizeof q->due);
    q->any_due = true;
    q->due[at / 64] |= 1ull << (at % 64);
}

static void hear(struct quick *q)
{
    for (unsigned i = 0; i < q->asked_count; i++)
        if (match_bloom_has(q->asked[i].of, q->asked[i].key))
            due(q, q->asked[i].p);
    q->asked_count = 0;
}

static void ask(struct quick *q, const struct match_bloom *of, uint64_t key, const char *p)
{
    if (q->asked_count == sizeof q->asked / sizeof *q->asked)
        hear(q);
    __builtin_prefetch(&of->words[match_bloom_word(key, of->count)]);
    q->asked[q->asked_count].of = of;
    q->asked[q->asked_count].key = key;
    q->asked[q->asked_count++].p = p;
}

/* ---- words as the masks show them -------------------------------------------------------------
 */

/* Where the run of such bytes that ends before p, a place in the window, starts by two masks; p
 * itself if they do not tell. */
static const char *run_start(const struct quick *q, const uint64_t *a, const uint64_t *b,
                             const char *p)
{
    size_t at = (size_t)(p - q->pass.base);
    unsigned n = match_above(~(match_bits_before(a, at) | match_bits_before(b, at)));
    return n < MATCH_LONG ? p - n : p;
}

static const char *word_start(const struct quick *q, const char *p)
{
    const char *s = run_start(q, q->pass.word, q->pass.word, p);
    while (s > q->sc->begin && match_is_word(s[-1]))
        s--;
    return s;
}

/* Bits of the 57 bytes and more from a place in the window on, the first in the lowest. */
static uint64_t bits_at(const uint64_t *bits, size_t at)
{
    return match_load((const char *)bits + at / 8 + 8) >> at % 8;
}

static const char *word_end(const struct quick *q, const char *p)
{
    size_t at = (size_t)(p - q->pass.base);
    if (at + MATCH_BLOCK <= (size_t)q->pass.blocks * MATCH_BLOCK)
        p += match_low(~bits_at(q->pass.word, at) | 1ull << MATCH_LONG);
    while (p < q->sc->end && match_is_word(*p))
        p++;
    return p;
}

/* ---- words with dots ------------------------------------------------------------------------ */

static bool ipv4_maybe(const struct match_gate *g, const char *s, const char *e)
{
    unsigned char a[4];
    return observable_parse_ipv4(match_between(s, e), a) && match_gate_ipv4(g, a);
}

/* As match_gate_suffixes, but asks. */
static void ask_suffixes(struct quick *q, struct str name, const char *p)
{
    const struct match_gate *g = &q->sc->set->gate;
    struct match_name m;
    uint64_t h = g->facts.seed;
    if (!match_name_split(&m, name.p, name.n))
        return;
    for (unsigned i = m.labels; i > 0; i--) {
        h = match_name_step(&m, i - 1, h);
        ask(q, &g->values, match_salted(h, OBSERVABLE_DOMAIN), p);
    }
    ask(q, &g->values, match_salted(h, MATCH_SALT_URL_HOST), p);
    ask(q, &g->values, match_salted(h, MATCH_SALT_EMAIL_HOST), p);
}

/* A name, an address, or two of these with a hyphen between them; p is due if it may be known. */
static void judge_token(struct quick *q, const char *s, const char *e, const char *p)
{
    const struct match_gate *g = &q->sc->set->gate;
    if (s >= e)
        return;
    if (match_is_digit(e[-1])) {
        const char *hyphen = memchr(s, '-', (size_t)(e - s));
        if (ipv4_maybe(g, s, e) ||
            (hyphen != NULL && (ipv4_maybe(g, s, hyphen) || ipv4_maybe(g, hyphen + 1, e))))
            due(q, p);
    }
    if (match_gate_name(g, match_between(s, e)))
        ask_suffixes(q, match_between(s, e), p);
}

/* The word whose last byte is before p. The host of a URL loses the dots behind it, a name other
 * signs too, and those before it. */
static void judge_word(struct quick *q, const char *p)
{
    const struct match_scan *sc = q->sc;
    const char *e = p, *s = word_start(q, p);
    for (const char *c = s; c < e; c++)
        if (match_class_of(*c) & MATCH_HIGH || e - s > OBSERVABLE_NAME_BYTES + MATCH_BLOCK) {
            due(q, p);
            return;
        }
    s = match_word_start(sc, s, e);
    while (e > s && e[-1] == '.')
        e--;
    for (const char *dot = s; dot + 1 < e; dot++)
        if (dot[0] == '.' && dot[1] == '.') {
            due(q, p);
            return;
        }
    const char *first = s, *last = e;
    while (first < e && (*first == '.' || *first == '-'))
        first++;
    while (last > first && (last[-1] == '.' || last[-1] == '-' || last[-1] == '_'))
        last--;
    judge_token(q, s, e, p);
    if (first > s || last < e) {
        judge_token(q, first, last, p);
        judge_token(q, s, last, p);
        judge_token(q, first, e, p);
    }
}

/* ---- marks ---------------------------------------------------------------------------------- */

/* Passes a slash that may be escaped as in JSON; NULL when there is none. */
static const char *pass_slash(const struct match_scan *sc, const char *p)
{
    if (p < sc->end && *p == '\\')
        p++;
    return p < sc->end && (*p == '/' || *p == '\\') ? p + 1 : NULL;
}

/* If the host of a URL cannot be taken as it stands: it has a user before it, escapes, or letters
 * of other scripts. */
static bool url_odd(const struct quick *q, const char *colon)
{
    const struct match_scan *sc = q->sc;
    const char *p = pass_slash(sc, colon + 1);
    if (p == NULL || (p = pass_slash(sc, p)) == NULL)
        return false;
    if (p[-1] == '\\')
        return true;
    const char *first = p;
    size_t at = (size_t)(p - q->pass.base);
    if (at + MATCH_BLOCK <= (size_t)q->pass.blocks * MATCH_BLOCK) { /* the host up to 56 bytes */
        unsigned n = match_low(~bits_at(q->pass.word, at) | 1ull << MATCH_LONG);
        if (bits_at(q->pass.high, at) & ((1ull << n) - 1))
            return true;
        p += n;
    }
    for (; p < sc->end && p - first <= 512; p++) {
        unsigned class = match_class_of(*p);
        if ((class & (MATCH_WORD | MATCH_HIGH)) == MATCH_WORD)
            continue;
        if (match_ends_authority(*p))
            return false;
        if (*p == '\\')
            return p + 1 < sc->end && p[1] != '/' && !(match_class_of(p[1]) & MATCH_BREAK);
        if (class & MATCH_HIGH || *p == '@' || *p == '%')
            return true;
    }
    return false;
}

#define X10 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16
/* Values of hexadecimal digits; 16: none. */
static const unsigned char hex[256] = {
    X10, X10, X10, 0,  1,  2,  3,  4,  5,  6,  7,   8,   9,   16,  16,  16,  16,  16,  16, 16, 10,
    11,  12,  13,  14, 15, 16, 16, 16, 16, 16, 16,  16,  16,  16,  X10, 16,  10,  11,  12, 13, 14,
    15,  16,  16,  16, 16, 16, 16, 16, 16, 16, X10, X10, X10, X10, X10, X10, X10, X10, X10};
#undef X10

/* Reads hexadecimal groups and colons, nothing else, from p up to the end of words and colons.
 * Returns where that is, or NULL when something else is among them. *ok: they are an address. */
static const char *read_plain_ipv6(const struct match_scan *sc, const char *p, unsigned char a[16],
                                   bool *ok)
{
    const char *s = p;
    size_t n = 0, gap = 16;
    unsigned gaps = 0;
    bool good = true;
    while (p < sc->end && (match_is_word(*p) || *p == ':')) {
        const char *first = p;
        unsigned v = 0, digit;
        for (; p < sc->end && (digit = hex[(unsigned char)*p]) < 16; p++)
            v = v << 4 | digit;
        if (p - first > 4 || (p < sc->end && *p != ':' && match_is_word(*p)))
            return NULL;
        if (p > first) {
            good = good && n < 16;
            a[n % 16] = (unsigned char)(v >> 8);
            a[n % 16 + 1] = (unsigned char)v;
            n += 2;
        }
        if (p == sc->end || *p != ':')
            break;
        bool two = p + 1 < sc->end && p[1] == ':';
        if (first == p && !(two && p == s))
            return NULL; /* colons behind colons, or one at the start */
        if (two && gaps++ == 0)
            gap = n;
        p += two ? 2 : 1;
        if (!two && (p == sc->end || !match_is_word(*p)))
            return NULL; /* one at the end */
    }
    *ok = good && gaps <= 1 && (gaps == 1 ? n <= 14 && n > 0 : n == 16) && p - s > 2;
    if (*ok && gaps == 1) {
        memmove(a + 16 - (n - gap), a + gap, n - gap);
        memset(a + gap, 0, 16 - n);
    }
    return p;
}

/* What words and colons one behind the other may hold of addresses: as the plain scanner reads
 * them, from their start p on. Returns their end; NULL when there may be something. */
static const char *read_any_ipv6(const struct match_scan *sc, const char *p)
{
    must(p != NULL);
    const char *until = p;
    while (p < sc->end && (match_is_word(*p) || *p == ':')) {
        struct match_ipv6 x;
        const char *s = p;
        if (*p == ':') {
            p++;
            continue;
        }
        unsigned seen = 0;
        while (p < sc->end && match_is_word(*p))
            seen |= match_class_of(*p++);
        if (seen & MATCH_HIGH) /* another may start inside the word */
            return NULL;
        if (s < until || !match_starts_ipv6(sc, s, p))
            continue;
        if (match_read_ipv6(sc, s, &x) && match_gate_ipv6(&sc->set->gate, x.a))
            return NULL;
        if (x.read != NULL)
            until = x.read;
    }
    return p;
}

/* As match_gate_ipv6, but asks. */
static void ask_ipv6(struct quick *q, const unsigned char a[16], const char *p)
{
    const struct match_gate *g = &q->sc->set->gate;
    unsigned char inner[4], base[16];
    if (observable_ipv4_mapped(a, inner) || match_is_nat64(a)) {
        if (match_gate_ipv6(g, a))
            due(q, p);
        return;
    }
    if (!match_gate_network(g, a))
        return;
    for (unsigned i = 0; i < g->ipv6_prefix_count; i++) {
        match_keep_prefix(a, 16, g->ipv6_prefixes[i], base);
        ask(q, &g->first, match_ipv6_hash(g->facts.seed, base, g->ipv6_prefixes[i]), p);
    }
}

/* The run of words and colons around p is looked at as a whole: nothing else in it is to be judged.
 */
static bool run_is_due(struct quick *q, const char *p)
{
    while (p < q->sc->end && (match_is_word(*p) || *p == ':'))
        p++;
    q->ipv6_done = p;
    return true;
}

/* p is in the window, behind a colon. */
static bool ipv6_maybe(struct quick *q, const char *behind)
{
    const struct match_scan *sc = q->sc;
    const char *p = run_start(q, q->pass.word, q->pass.colon, behind);
    unsigned char a[16];
    bool ok;
    for (; p > sc->begin && (match_is_word(p[-1]) || p[-1] == ':'); p--)
        if (behind - p > MATCH_WINDOW)
            return run_is_due(q, behind);
    p = match_word_start(sc, p, sc->end);
    if (p < sc->end && *p == ':' && p > sc->begin && p[-1] == '[' && sc->end - p > 2 && p[2] == ']')
        return true; /* [::] */
    const char *end = read_plain_ipv6(sc, p, a, &ok);
    if (end == NULL)
        end = read_any_ipv6(sc, p);
    else if (ok)
        ask_ipv6(q, a, behind);
    if (end == NULL)
        return run_is_due(q, p);
    q->ipv6_done = end;
    return false;
}

/* A colon after a word or a colon, and what stands at p behind it. */
static bool colon_maybe(struct quick *q, const char *p)
{
    const struct match_scan *sc = q->sc;
    if (p == sc->end)
        return false;
    if (*p == '/' || *p == '\\')
        return url_odd(q, p - 1);
    return (*p == ':' || match_is_word(*p)) && p > q->ipv6_done && ipv6_maybe(q, p);
}

/* Two to four bytes in front of the bracket at p stands another. */
static bool bracket_maybe(const struct match_scan *sc, const char *p)
{
    struct str plain;
    for (int i = 2; i <= 4 && p - sc->begin >= i; i++)
        if (observable_defanged(match_between(p - i, sc->end), &plain) > 0)
            return true;
    return false;
}

/* An escape that stands for a letter, or for a border in front of one. */
static bool escape_maybe(const struct match_scan *sc, const char *p)
{
    bool word;
    return p + 1 < sc->end && match_is_word(p[1]) && match_escape_before(sc, p + 1, &word) != NULL;
}

/* n bytes from s are a hash or none; p is due if it may be known. */
static void judge_hash(struct quick *q, const char *s, size_t n, const char *p)
{
    if (n == 32 || n == 40 || n == 64 || n == 128)
        ask(q, &q->sc->set->gate.first, match_place_key(s + MATCH_PLACE_BYTES, MATCH_PLACE_BYTES),
            p);
}

/* If some of n bytes of a word are - . _ or above ASCII, eight at a time: below 0, above ASCII, or
 * the underscore. */
static bool any_sign(const char *p, size_t n)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t seen = 0;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t w = match_load(p), line = w ^ '_' * ones;
        seen |= ~((w | tops) - '0' * ones) | w | ~(((line & ~tops) + ~tops) | line);
    }
    for (; n > 0; p++, n--)
        seen |= match_is_alnum(*p) ? 0 : tops;
    return (seen & tops) != 0;
}

/* Hashes in the word around the byte at p. Behind a percent sign two digits may not belong to it.
 */
static void judge_hashes(struct quick *q, const char *p)
{
    const struct match_scan *sc = q->sc;
    if (p < q->hash_done)
        return;
    const char *s = word_start(q, p), *end = word_end(q, p);
    q->hash_done = end;
    if (end - s < MATCH_SHORTEST_HASH)
        return;
    bool escaped = s > sc->begin && s[-1] == '%', whole = !any_sign(s, (size_t)(end - s));
    for (const char *e; s < end; s = e + 1, escaped = false) {
        for (e = whole ? end : s; e < end && match_is_alnum(*e); e++)
            ;
        judge_hash(q, s, (size_t)(e - s), p + 1);
        if (escaped && e - s > 2)
            judge_hash(q, s + 2, (size_t)(e - s - 2), p + 1);
    }
}

/* A word with a byte above ASCII at p: if the plain scanner would look at it. */
static bool high_maybe(const struct match_scan *sc, const char *p)
{
    const char *s = p, *e = p;
    unsigned seen = 0;
    while (s > sc->begin && match_is_word(s[-1]) && e - s < MATCH_SHORTEST_HASH)
        seen |= match_class_of(*--s);
    while (e < sc->end && match_is_word(*e) && e - s < MATCH_SHORTEST_HASH)
        seen |= match_class_of(*e++);
    if (seen & MATCH_DOT || e - s >= MATCH_SHORTEST_HASH || sc->set->gate.facts.short_names)
        return true;
    return (e < sc->end && match_class_of(*e) & MATCH_JOIN) ||
           (s > sc->begin && strchr("@/:%\\", s[-1]) != NULL);
}

static void judge_mark(struct quick *q, const char *p)
{
    const struct match_scan *sc = q->sc;
    if (p > sc->begin && p[-1] == ':' && colon_maybe(q, p))
        due(q, p);
    if (p == sc->end)
        return;
    if (match_class_of(*p) & MATCH_HIGH && high_maybe(sc, p))
        due(q, p + 1);
    switch (*p) {
    case ']':
    case ')':
        if (bracket_maybe(sc, p))
            due(q, p + 1);
        break;
    case '\\':
        if (escape_maybe(sc, p))
            due(q, p + 1);
        break;
    default:
        if (match_is_word(*p))
            judge_hashes(q, p);
    }
}

/* ---- stretches ------------------------------------------------------------------------------ */

/* The plain scanner, on the stretches that [from, to) touches, but for what it has seen. */
static void look(struct quick *q, const char *from, const char *to)
{
    struct match_scan *sc = q->sc;
    if (to <= q->done)
        return;
    if (from < q->done)
        from = q->done;
    while (from > q->done && !(match_class_of(from[-1]) & MATCH_BREAK))
        from--;
    while (to < sc->end && !(match_class_of(*to) & MATCH_BREAK))
        to++;
    match_scan_words(sc, from, to);
    q->done = to;
}

/* In an order that lets the words of the filters come in the meantime. */
static void look_closer(struct quick *q, const struct match_kernel *k)
{
    struct match_pass *x = &q->pass;
    q->any_due = false;
    q->asked_count = 0;
    for (unsigned i = 0; i < x->mark_count; i++)
        judge_mark(q, x->base + x->marks[i]);
    k->sift(x);
    for (unsigned i = 0; i < x->passed_count; i++)
        judge_word(q, x->base + x->passed[i]);
    hear(q);
}

static void look_at_window(struct quick *q, const struct match_kernel *k)
{
    const struct match_pass *x = &q->pass;
    if (x->crowded) {
        const char *to = x->base + (size_t)x->blocks * MATCH_BLOCK;
        look(q, x->base, to < x->end ? to : x->end);
        q->pass.asked_names.n = q->pass.asked_numbers.n = 0;
        return;
    }
    look_closer(q, k);
    for (unsigned i = 0; q->any_due && i <= MATCH_BLOCKS; i++)
        for (uint64_t bits = q->due[i]; bits != 0 && !q->sc->stop; bits &= bits - 1) {
            const char *p = x->base + i * MATCH_BLOCK + match_low(bits);
            look(q, p - 1, p);
        }
}

void match_quick_scan(struct match_scan *sc, const struct match_kernel *k)
{
    struct quick q;
    q.sc = sc;
    q.done = q.ipv6_done = q.hash_done = sc->begin;
    struct match_pass *x = &q.pass;
    memset(x, 0, offsetof(struct match_pass, names));
    x->gate = &sc->set->gate;
    x->begin = x->base = sc->begin;
    x->end = sc->end;
    for (;;) {
        size_t rest = (size_t)(x->end - x->base);
        x->blocks = rest < MATCH_WINDOW ? (unsigned)rest / MATCH_BLOCK + 1 : MATCH_BLOCKS;
        k->collect(x);
        look_at_window(&q, k);
        if (rest < MATCH_WINDOW || sc->stop)
            return;
        x->base += MATCH_WINDOW;
    }
}
