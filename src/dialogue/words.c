/* The lexicon: lines of the text files in data/dialogue to phrases, found by their first word. */
#include "dialogue/dialogue_priv.h"

#define BUCKETS 2048

struct lexicon {
    struct arena *a;
    const struct phrase *bucket[BUCKETS];
    struct phrase *all;
    size_t count, room;
    struct {
        struct str from, to;
    } same[64];
    size_t same_count;
};

static size_t bucket_of(struct str norm)
{
    return (size_t)(str_hash(norm, 1) % BUCKETS);
}

struct str lexicon_same(const struct lexicon *l, struct str norm)
{
    for (size_t i = 0; i < l->same_count; i++)
        if (str_eq(l->same[i].from, norm))
            return l->same[i].to;
    return norm;
}

static bool kind_of(struct str name, enum word_kind *out)
{
    static const char *const names[] = {
#define X(id, text) text,
        WORD_KINDS(X)
#undef X
    };
    _Static_assert(sizeof names / sizeof names[0] == WORD_KIND_COUNT, "kinds are counted");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, str_of(names[i]))) {
            *out = (enum word_kind)i;
            return true;
        }
    return false;
}

static void attribute(struct entry *n, struct str word)
{
    struct str value = word, name = str_cut(&value, '=');
    uint64_t number;
    if (str_eq(name, STR("from")))
        n->from = value;
    else if (str_eq(name, STR("until")))
        n->until = value;
    else if (str_eq(name, STR("then")))
        n->then = value;
    else if (!n->code.n)
        n->code = word;
    else
        n->extra = word;
    if (!value.p && str_to_u64(word, &number))
        n->number = (unsigned)number;
}

static struct str marked(struct str form, unsigned *flags)
{
    *flags = 0;
    if (form.n && form.p[0] == '~')
        *flags = FORM_PART;
    else if (form.n && form.p[0] == '^')
        *flags = FORM_SHORT;
    else if (form.n && form.p[0] == '?')
        *flags = FORM_WRONG;
    return *flags ? str_from(form, 1) : form;
}

static bool form_add(struct lexicon *l, const struct entry *n, struct str form, struct err *e)
{
    struct text t;
    unsigned flags;
    struct str plain = marked(form, &flags);
    if (!text_split(l->a, l, plain, &t, e))
        return false;
    if (t.count == 0 || l->count >= l->room)
        return err_set(e, ERR_INTERNAL, "the lexicon has a form that is no word: %.*s",
                       STR_FMT(form));
    struct phrase *p = &l->all[l->count++];
    *p = (struct phrase){
        .entry = n, .form = plain, .words = t.words, .count = t.count, .flags = flags};
    p->cased = n->kind == WORD_NATION || n->kind == WORD_DEMONYM || n->kind == WORD_CITY ||
               n->kind == WORD_MONTH || n->kind == WORD_WEEKDAY;
    size_t b = bucket_of(t.words[0].norm);
    p->next = l->bucket[b];
    l->bucket[b] = p;
    return true;
}

static bool same_add(struct lexicon *l, struct str forms, struct err *e)
{
    struct str first = STR_NONE;
    while (forms.p) {
        struct str form = str_trim(str_cut(&forms, '|'));
        struct text t;
        if (!text_split(l->a, NULL, form, &t, e))
            return false;
        must(t.count == 1 && l->same_count < sizeof l->same / sizeof l->same[0]);
        if (first.n) {
            l->same[l->same_count].from = t.words[0].norm;
            l->same[l->same_count++].to = first;
        } else {
            first = t.words[0].norm;
        }
    }
    return true;
}

static bool line_add(struct lexicon *l, struct str line, struct err *e)
{
    struct str forms = line, head = str_trim(str_cut(&forms, '|')), word = str_cut(&head, ' ');
    struct entry *n = arena_calloc(l->a, 1, sizeof *n);
    if (!n)
        return arena_ok(l->a, e);
    if (!kind_of(word, &n->kind) || !forms.p)
        return err_set(e, ERR_INTERNAL, "the lexicon has a line of no kind: %.*s", STR_FMT(line));
    if (n->kind == WORD_SAME)
        return same_add(l, forms, e);
    while (head.p)
        attribute(n, str_cut(&head, ' '));
    while (forms.p) {
        struct str form = str_trim(str_cut(&forms, '|'));
        bool silent = form.n && form.p[0] == '!'; /* a name that no text is matched with */
        if (!n->name.n)
            n->name = silent ? str_from(form, 1) : form;
        if (!silent && !form_add(l, n, form, e))
            return false;
    }
    return true;
}

static size_t count_forms(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '|';
    return n;
}

bool lexicon_load(struct arena *a, const struct lexicon **out, struct err *e)
{
    static const enum dialogue_data files[] = {DIALOGUE_WORDS, DIALOGUE_NATIONS, DIALOGUE_AGENCIES};
    struct lexicon *l = arena_calloc(a, 1, sizeof *l);
    if (!l)
        return arena_ok(a, e);
    l->a = a;
    for (size_t i = 0; i < 3; i++)
        l->room += count_forms(dialogue_data(files[i]));
    l->all = arena_calloc(a, l->room, sizeof *l->all);
    if (!l->all)
        return arena_ok(a, e);
    for (size_t i = 0; i < 3; i++)
        for (struct str rest = dialogue_data(files[i]); rest.p;) {
            struct str line = str_trim(str_cut(&rest, '\n'));
            if (line.n && line.p[0] != '#' && !line_add(l, line, e))
                return false;
        }
    *out = l;
    return arena_ok(a, e);
}

/* May word `w` of the text stand for word `f` of a form? */
static bool word_fits(const struct phrase *p, const struct word *f, const struct word *w)
{
    if (!str_eq(f->norm, w->norm))
        return false;
    if (p->cased && f->upper && !w->upper)
        return false;
    if (!f->caps)
        return true;
    return p->count > 1 ? w->upper : w->caps || (w->upper && w->raw.n >= 5);
}

static bool phrase_fits(const struct phrase *p, const struct text *t, size_t at, size_t end)
{
    if (p->count > end - at)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct word *w = &t->words[at + i];
        if (!word_fits(p, &p->words[i], w))
            return false;
        if (i == 0)
            continue;
        if (w->gap & GAP_HARD || (w->gap & GAP_COMMA && p->count < 3 && !p->words[i].gap))
            return false;
        if (w->gap & GAP_COMMA && p->count < 3 && !(p->words[i].gap & GAP_COMMA))
            return false;
    }
    return true;
}

const struct phrase *lexicon_find(const struct lexicon *l, const struct text *t, size_t at,
                                  size_t end, enum word_kind kind, unsigned flags)
{
    const struct phrase *best = NULL;
    for (const struct phrase *p = l->bucket[bucket_of(t->words[at].norm)]; p; p = p->next)
        if (p->entry->kind == kind &&
            (flags ? (p->flags & flags) != 0 : !(p->flags & FORM_SHORT)) &&
            (!best || p->count > best->count) && phrase_fits(p, t, at, end))
            best = p;
    return best;
}

static bool same_words(const struct phrase *a, const struct phrase *b)
{
    if (a->count != b->count || (a->flags & FORM_SHORT) != (b->flags & FORM_SHORT))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->words[i].norm, b->words[i].norm))
            return false;
    return true;
}

const struct phrase *lexicon_again(const struct phrase *p)
{
    for (const struct phrase *q = p->next; q; q = q->next)
        if (q->entry->kind == p->entry->kind && same_words(p, q))
            return q;
    return NULL;
}

const struct phrase *lexicon_each(const struct lexicon *l, const struct phrase *p)
{
    size_t i = p ? (size_t)(p - l->all) + 1 : 0;
    return i < l->count ? &l->all[i] : NULL;
}

struct str lexicon_nation(const struct lexicon *l, struct str code)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i].entry->kind == WORD_NATION && str_eq(l->all[i].entry->code, code))
            return l->all[i].entry->name;
    return code;
}

bool lexicon_has(const struct lexicon *l, enum word_kind kind, struct str norm)
{
    for (const struct phrase *p = l->bucket[bucket_of(norm)]; p; p = p->next)
        if (p->entry->kind == kind && p->count == 1 && str_eq(p->words[0].norm, norm))
            return true;
    return false;
}
