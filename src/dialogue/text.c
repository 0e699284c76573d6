/* Text to words and sentences. Whether a line's end is a sentence's end depends on whether the text
 * was broken to a width; whether a point is one depends on the word before it. */
#include "dialogue/dialogue_priv.h"

struct splitter {
    struct arena *a;
    const struct lexicon *l;
    struct str s;
    size_t at, width; /* width: bytes of the longest line */
    struct text *out;
    size_t room;
    unsigned gap;
    size_t gap_from; /* where the gap began */
};

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(unsigned char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

/* Punctuation of more than one byte. */
static const struct {
    const char *bytes;
    unsigned gap;
} marks[] = {
    {"\xE2\x80\x9C", GAP_QUOTE},  {"\xE2\x80\x9D", GAP_QUOTE}, {"\xE2\x80\x98", GAP_QUOTE},
    {"\xE2\x80\x93", GAP_DASH},   {"\xE2\x80\x94", GAP_DASH},  {"\xE2\x80\x90", GAP_HYPHEN},
    {"\xE2\x80\x91", GAP_HYPHEN}, {"\xE2\x80\xA2", GAP_BREAK}, {"\xC2\xB7", GAP_BREAK},
    {"\xC2\xA0", GAP_BLANK},      {"\xE3\x80\x80", GAP_BLANK}, {"\xE3\x80\x82", GAP_POINT},
    {"\xE2\x80\xA6", GAP_POINT},  {"\xE2\x80\x8B", GAP_BLANK}, {"\xEF\xBB\xBF", GAP_BLANK},
    {"\xE2\x80\xAF", GAP_BLANK},  {"\xE2\x80\x89", GAP_BLANK}, {"\xE2\x88\x92", GAP_DASH},
    {"\xE2\x80\x99", GAP_QUOTE},  {"\xC2\xAB", GAP_QUOTE},     {"\xC2\xBB", GAP_QUOTE},
};

/* Bytes of the punctuation at `at` and what it means; 0 for a letter. */
static size_t punctuation(struct str s, size_t at, unsigned *gap)
{
    unsigned char c = (unsigned char)s.p[at];
    static const char plain[] = " \t\r\n,-/([)]\"';:.!?|*";
    static const unsigned means[] = {GAP_BLANK,  GAP_BLANK, GAP_BLANK, GAP_LINE,  GAP_COMMA,
                                     GAP_HYPHEN, GAP_SLASH, GAP_OPEN,  GAP_OPEN,  GAP_CLOSE,
                                     GAP_CLOSE,  GAP_QUOTE, GAP_QUOTE, GAP_COLON, GAP_COLON,
                                     GAP_POINT,  GAP_POINT, GAP_POINT, GAP_COLON, GAP_BREAK};
    if (c < 0x80) {
        const char *found = c ? strchr(plain, c) : NULL;
        *gap = found ? means[found - plain] : GAP_BLANK;
        return !is_letter(c) && !is_digit(c) && c != '&' && c != '+' && c != '%';
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (str_starts(str_from(s, at), str_of(marks[i].bytes))) {
            *gap = marks[i].gap;
            return strlen(marks[i].bytes);
        }
    return 0;
}

static bool apostrophe(struct str s, size_t at, size_t *bytes)
{
    *bytes = at < s.n && s.p[at] == '\'' ? 1 : 3;
    return at < s.n && (s.p[at] == '\'' || str_starts(str_from(s, at), STR("\xE2\x80\x99")));
}

/* "U.S.", "D.C.", "H.E.": letters with a point behind each. Bytes of it, or 0. */
static size_t dotted(struct str s, size_t at)
{
    size_t i = at, letters = 0;
    while (i + 1 < s.n && is_letter((unsigned char)s.p[i]) && s.p[i + 1] == '.') {
        letters++;
        i += 2;
    }
    if (letters == 1 && i < s.n && is_upper((unsigned char)s.p[at]) &&
        is_upper((unsigned char)s.p[i]) && (i + 1 >= s.n || !is_letter((unsigned char)s.p[i + 1])))
        return i + 1 - at; /* "U.S-Japan", the second point forgotten */
    return letters >= 2 ? i - at : 0;
}

static size_t word_end(struct str s, size_t at)
{
    size_t i = at, bytes;
    unsigned gap;
    if ((bytes = dotted(s, at)) > 0)
        return at + bytes;
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 || is_letter(c) || is_digit(c) || c == '%') {
            if (punctuation(s, i, &gap))
                break;
            continue;
        }
        if (c == '&' && i > at && i + 1 < s.n && is_letter((unsigned char)s.p[i + 1]))
            continue; /* "R&D" */
        if (c == '+' || (c == '&' && i == at))
            return i == at ? i + 1 : i;
        if (c == '.' && i > at && i + 1 < s.n && is_digit((unsigned char)s.p[i - 1]) &&
            is_digit((unsigned char)s.p[i + 1]))
            continue; /* "30.06.2022" */
        if (apostrophe(s, i, &bytes) && i + 1 < s.n && s.p[i] == '\'' && i > at &&
            is_letter((unsigned char)s.p[i + 1]) && (s.p[i + 1] | 0x20) != 's')
            continue; /* "O'Neil" */
        break;
    }
    return i > at ? i : at + 1;
}

static bool ends(struct str s, const char *tail)
{
    return str_ends(s, str_of(tail));
}

/* Lower case, points away, singular. */
static struct str normal(struct splitter *x, struct str raw)
{
    char *p = arena_alloc(x->a, raw.n + 1);
    size_t n = 0;
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < raw.n; i++) {
        unsigned char c = (unsigned char)raw.p[i];
        if (c == '.' && !is_digit((unsigned char)raw.p[0]))
            continue;
        p[n++] = (char)(is_upper(c) ? c | 0x20 : c);
    }
    struct str s = {p, n};
    if (str_eq(s, STR("&")))
        return STR("and");
    if (n > 4 && ends(s, "ies")) {
        p[n - 3] = 'y';
        s.n = n - 2;
    } else if (n > 3 && ends(s, "s") && !ends(s, "ss") && !ends(s, "us") && !ends(s, "is")) {
        s.n = n - 1;
    }
    return x->l ? lexicon_same(x->l, s) : s;
}

static bool push(struct splitter *x, struct str raw, unsigned gap)
{
    struct text *t = x->out;
    if (t->count >= x->room)
        return false;
    struct word *w = &t->words[t->count];
    *w = (struct word){.raw = raw, .norm = normal(x, raw), .gap = gap};
    unsigned capitals = 0;
    for (size_t i = 0; i < raw.n; i++)
        capitals += is_upper((unsigned char)raw.p[i]);
    w->upper = is_upper((unsigned char)raw.p[0]) || (unsigned char)raw.p[0] >= 0xC3;
    w->caps = capitals >= 2;
    w->digits = is_digit((unsigned char)raw.p[0]);
    for (size_t i = 0; i < raw.n && i < 9 && is_digit((unsigned char)raw.p[i]); i++)
        w->number = w->number * 10 + (uint32_t)(raw.p[i] - '0');
    t->count++;
    return true;
}

/* "cybersecurity" is two words, so that it is the same as "cyber security"; so is
 * "videoconference".
 */
static size_t cyber(struct str raw)
{
    static const char *const rests[] = {"security",  "space",  "crime",    "crimes",  "attack",
                                        "attacks",   "threat", "threats",  "defence", "defense",
                                        "diplomacy", "policy", "criminals"};
    if (str_eq_nocase(str_slice(raw, 0, 5), STR("video")))
        return raw.n > 5 ? 5 : 0;
    if (!str_eq_nocase(str_slice(raw, 0, 5), STR("cyber")))
        return 0;
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++)
        if (str_eq_nocase(str_from(raw, 5), str_of(rests[i])))
            return 5;
    return 0;
}

/* A line that begins with "1.", "(2)" or a star is an item of its own. */
static bool bullet(struct str s, size_t at, size_t *end)
{
    size_t i = at;
    while (i < s.n && i < at + 3 && is_digit((unsigned char)s.p[i]))
        i++;
    if (i == at || i + 1 >= s.n || (s.p[i] != '.' && s.p[i] != ')') || s.p[i + 1] != ' ')
        return false;
    *end = i + 1;
    return true;
}

/* Does a line end here because its width was full? Then the sentence goes on. */
static bool wrapped(const struct splitter *x, size_t newline)
{
    size_t start = newline, next = newline + 1, first = 0;
    while (start > 0 && x->s.p[start - 1] != '\n')
        start--;
    while (next < x->s.n && (x->s.p[next] == ' ' || x->s.p[next] == '\t'))
        next++;
    while (next + first < x->s.n && !strchr(" \t\r\n", x->s.p[next + first]))
        first++;
    return x->width <= 140 && newline - start + 1 + first > x->width;
}

static bool blank_line(const struct splitter *x, size_t newline)
{
    size_t i = newline + 1;
    while (i < x->s.n && strchr(" \t\r", x->s.p[i]) && x->s.p[i])
        i++;
    return i >= x->s.n || x->s.p[i] == '\n';
}

/* Reads what is no word; afterwards x->at stands at a word or at the end. */
static void skip_gap(struct splitter *x)
{
    bool hyphen_only = true;
    x->gap = x->out->count == 0 ? GAP_BREAK : 0;
    x->gap_from = x->at;
    while (x->at < x->s.n) {
        unsigned gap = 0;
        size_t n = punctuation(x->s, x->at, &gap), end;
        if (n == 0 && (x->gap & GAP_LINE || x->at == 0) && bullet(x->s, x->at, &end)) {
            x->gap |= GAP_BREAK;
            x->at = end;
            continue;
        }
        if (n == 0)
            break;
        if (gap == GAP_LINE && (blank_line(x, x->at) || !wrapped(x, x->at)))
            x->gap |= GAP_BREAK;
        if (gap & (GAP_BLANK | GAP_LINE))
            hyphen_only = false;
        x->gap |= gap;
        x->at += n;
    }
    if (x->gap & GAP_HYPHEN && !hyphen_only)
        x->gap = (x->gap & ~(unsigned)GAP_HYPHEN) | GAP_DASH;
    if (x->gap & GAP_DASH && hyphen_only && !(x->gap & ~(unsigned)(GAP_DASH | GAP_HYPHEN)))
        x->gap = GAP_HYPHEN; /* "India–Japan" with a long dash */
}

/* Words behind which a point ends nothing. */
static bool abbreviation(const struct word *w)
{
    static const char *const words[] = {
        "mr",   "mr",  "dr",  "shri", "smt",    "prof", "hon",  "st",  "no",  "vs",  "gen",
        "lt",   "col", "maj", "brig", "jr",     "sr",   "jan",  "feb", "mar", "apr", "jun",
        "jul",  "aug", "sep", "sept", "oct",    "nov",  "dec",  "mon", "tue", "wed", "thu",
        "thur", "fri", "sat", "sun",  "approx", "dept", "govt", "mrs", "ms"};
    if (w->raw.n == 1 && is_upper((unsigned char)w->raw.p[0]))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word_is(w, words[i]))
            return true;
    return false;
}

/* Words that begin a sentence even behind "U.S.". */
static bool starter(struct str raw)
{
    static const char *const words[] = {"The",  "This", "It",   "In",    "On",    "Both", "During",
                                        "They", "He",   "She",  "A",     "An",    "At",   "From",
                                        "For",  "With", "Two",  "These", "Those", "Such", "Mr",
                                        "Ms",   "Dr",   "Shri", "Our",   "We",    "As",   "After"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(raw, str_of(words[i])))
            return true;
    return false;
}

/* Is the gap before the word at x->at the end of a sentence? */
static bool breaks(const struct splitter *x, struct str next)
{
    const struct text *t = x->out;
    if (x->gap & GAP_BREAK || t->count == 0)
        return true;
    const struct word *last = &t->words[t->count - 1];
    bool pointed = last->raw.n > 1 && last->raw.p[last->raw.n - 1] == '.';
    if (!(x->gap & GAP_POINT) && !(pointed && x->gap & (GAP_BLANK | GAP_LINE)))
        return false;
    if (!(x->gap & (GAP_BLANK | GAP_LINE | GAP_QUOTE)))
        return false;
    if (pointed || abbreviation(last))
        return starter(next);
    unsigned char c = (unsigned char)next.p[0];
    return is_upper(c) || c >= 0xC3 || (is_digit(c) && !(x->gap & GAP_OPEN));
}

static size_t longest_line(struct str s)
{
    size_t best = 0;
    for (struct str rest = s; rest.p;) {
        size_t n = str_trim(str_cut(&rest, '\n')).n;
        best = n > best ? n : best;
    }
    return best;
}

static bool words(struct splitter *x)
{
    for (skip_gap(x); x->at < x->s.n; skip_gap(x)) {
        size_t end = word_end(x->s, x->at), bytes;
        struct str raw = str_slice(x->s, x->at, end);
        unsigned gap = x->gap;
        if (breaks(x, raw))
            gap |= GAP_BREAK;
        size_t split = cyber(raw);
        if (!push(x, split ? str_slice(raw, 0, split) : raw, gap) ||
            (split && !push(x, str_from(raw, split), GAP_HYPHEN)))
            return false;
        x->at = end;
        if (apostrophe(x->s, end, &bytes)) {
            struct str rest = str_from(x->s, end + bytes);
            bool s = rest.n && (rest.p[0] == 's' || rest.p[0] == 'S') &&
                     (rest.n == 1 || !is_letter((unsigned char)rest.p[1]));
            x->out->words[x->out->count - 1].possessive = s || ends(raw, "s");
            x->at = end + (s ? bytes + 1 : 0);
        }
    }
    return true;
}

static bool sentences(struct splitter *x)
{
    struct text *t = x->out;
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++)
        n += (t->words[i].gap & GAP_BREAK) != 0;
    t->sentences = arena_calloc(x->a, n + 1, sizeof *t->sentences);
    if (!t->sentences)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        if (t->words[i].gap & GAP_BREAK)
            t->sentences[t->sentence_count++].first = i;
        t->words[i].sentence = (uint32_t)(t->sentence_count - 1);
        t->sentences[t->sentence_count - 1].end = i + 1;
    }
    for (size_t i = 0; i < t->sentence_count; i++) {
        struct sentence *s = &t->sentences[i];
        size_t from = (size_t)(t->words[s->first].raw.p - x->s.p);
        size_t to = i + 1 < t->sentence_count
                        ? (size_t)(t->words[t->sentences[i + 1].first].raw.p - x->s.p)
                        : x->s.n;
        while (from > 0 && from <= x->s.n && strchr("(\"[", x->s.p[from - 1]))
            from--;
        s->text = str_trim(str_slice(x->s, from, to));
        while (s->text.n && strchr("([\"*-|", s->text.p[s->text.n - 1]))
            s->text = str_trim(str_slice(s->text, 0, s->text.n - 1));
    }
    return true;
}

bool text_split(struct arena *a, const struct lexicon *l, struct str source, struct text *out,
                struct err *e)
{
    struct splitter x = {.a = a, .l = l, .s = source, .out = out};
    *out = (struct text){.source = source};
    x.width = longest_line(source);
    x.room = source.n + 1 < LIMIT_DIALOGUE_WORDS ? source.n + 1 : LIMIT_DIALOGUE_WORDS;
    out->words = arena_calloc(a, x.room + 1, sizeof *out->words);
    if (out->words && !words(&x) && arena_ok(a, e))
        return err_set(e, ERR_LIMIT, "the text has more than %d words", LIMIT_DIALOGUE_WORDS);
    if (out->words && sentences(&x) && arena_ok(a, e))
        return true;
    return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "no memory for the text's words") : false;
}

struct str text_span(struct arena *a, const struct text *t, size_t first, size_t end)
{
    must(first < end && end <= t->count);
    const char *p = t->words[first].raw.p;
    struct str last = t->words[end - 1].raw, all = {p, (size_t)(last.p + last.n - p)};
    char *out = arena_alloc(a, all.n + 1);
    size_t n = 0;
    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < all.n; i++) {
        bool blank = strchr(" \t\r\n", all.p[i]) != NULL;
        if (!blank || (n && out[n - 1] != ' '))
            out[n++] = blank ? ' ' : all.p[i];
    }
    return (struct str){out, n};
}

bool word_is(const struct word *w, const char *norm)
{
    return str_eq(w->norm, str_of(norm));
}
