#include <stdlib.h>
#include <string.h>

#include "policy/policy_priv.h"

/* A declared name and the slots it stands for: a run of them, or a set (communities). */
struct name {
    struct str text;
    size_t at;
    const struct statement *s; /* that declares it */
    enum word kind;            /* NATION, COMMUNITY, AGENCY, OPERATOR */
    size_t first, count;
    uint64_t *set;
};

struct build {
    struct draft *d;
    struct policy *p;
    struct name *names;  /* sorted by text */
    size_t count, words; /* words of a set of slots */
    uint64_t *except;    /* scratch, one set of slots */
};

/* ---- memory: what stays with the policy, what goes with the draft ---- */

static void *take(struct build *b, struct arena *a, size_t count, size_t bytes)
{
    void *p = arena_calloc(a, count, bytes);
    must(p || !arena_ok(a, b->d->e));
    return p;
}

static void *keep(struct build *b, size_t count, size_t bytes)
{
    return take(b, b->p->arena, count, bytes);
}

static void *scratch(struct build *b, size_t count, size_t bytes)
{
    return take(b, b->d->arena, count, bytes);
}

/* ---- names ---- */

static int by_text_and_place(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = str_cmp(x->text, y->text);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_str(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return str_cmp(*x, *y);
}

static struct name *find(const struct build *b, struct str text)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(text, b->names[mid].text);
        if (order == 0)
            return &b->names[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static void add_name(struct build *b, const struct item *i, const struct statement *s)
{
    b->names[b->count++] = (struct name){.text = i->text, .at = i->at, .s = s, .kind = i->kind};
}

static bool collect_names(struct build *b)
{
    struct draft *d = b->d;
    b->names = scratch(b, d->name_count, sizeof *b->names);
    if (!b->names)
        return false;
    for (const struct statement *s = d->first; s; s = s->next) {
        if (s->verb == WORD_NATION || s->verb == WORD_COMMUNITY)
            add_name(b, &s->name, s);
        for (const struct item *i = s->verb == WORD_NATION ? s->who.first : NULL; i; i = i->next)
            add_name(b, i, s);
    }
    must(b->count == d->name_count);
    qsort(b->names, b->count, sizeof *b->names, by_text_and_place);
    for (size_t i = 1; i < b->count; i++) {
        const struct name *n = &b->names[i];
        struct item twice = {.text = n->text, .at = n->at};
        if (str_eq(n->text, n[-1].text))
            return policy_fail_item(d, &twice, "this name is declared twice",
                                    "a name of its own for each nation, community, organisation");
    }
    return true;
}

/* ---- slots ---- */

static void add_run(uint64_t *set, size_t first, size_t count)
{
    for (size_t i = first, end = first + count; i < end;) {
        if (i % 64 == 0 && end - i >= 64) {
            set[i / 64] = UINT64_MAX;
            i += 64;
        } else {
            set_add(set, i++);
        }
    }
}

/* The sentences for "nothing matched", one for each slot of a nation. */
static bool write_defaults(struct build *b, struct str code, const struct nation *n)
{
    struct policy *p = b->p;
    p->defaults[n->slot] =
        arena_printf(p->arena, "no rule releases it to organisations of %.*s", STR_FMT(code));
    for (size_t i = 0; i < n->org_count; i++)
        p->defaults[n->slot + 1 + i] = arena_printf(p->arena, "no rule releases it to %.*s of %.*s",
                                                    STR_FMT(n->orgs[i]), STR_FMT(code));
    return arena_ok(p->arena, b->d->e);
}

static bool place_nation(struct build *b, struct name *name, struct nation *n)
{
    size_t k = 0;
    n->org_count = name->s->who.count;
    n->orgs = keep(b, n->org_count, sizeof *n->orgs);
    if (!n->orgs)
        return false;
    for (const struct item *i = name->s->who.first; i; i = i->next)
        n->orgs[k++] = i->text;
    qsort(n->orgs, k, sizeof *n->orgs, by_str);
    name->first = n->slot;
    name->count = 1 + k;
    for (size_t i = 0; i < k; i++) {
        struct name *org = find(b, n->orgs[i]);
        must(org != NULL);
        org->first = n->slot + 1 + i;
        org->count = 1;
        if (org->kind == WORD_OPERATOR)
            set_add(b->p->operators, org->first);
    }
    return write_defaults(b, name->text, n);
}

static bool place_nations(struct build *b)
{
    struct policy *p = b->p;
    size_t nations = 0, slot = 1;
    p->slot_count = 1;
    for (size_t i = 0; i < b->count; i++) {
        nations += b->names[i].kind == WORD_NATION;
        p->slot_count += b->names[i].kind != WORD_COMMUNITY;
    }
    b->words = SET_WORDS(p->slot_count);
    must(b->words <= SET_WORDS_MOST);
    p->operators = keep(b, b->words, sizeof(uint64_t));
    p->defaults = keep(b, p->slot_count, sizeof *p->defaults);
    p->nation_codes.v = keep(b, nations, sizeof(struct str));
    p->nations = keep(b, nations, sizeof *p->nations);
    b->except = scratch(b, b->words, sizeof(uint64_t));
    if (!p->operators || !p->defaults || !p->nation_codes.v || !p->nations || !b->except)
        return false;
    p->defaults[0] = STR("no rule releases it to nations that the policy does not name");
    for (size_t i = 0; i < b->count; i++) {
        size_t k = p->nation_codes.count;
        if (b->names[i].kind != WORD_NATION)
            continue;
        p->nations[k].slot = slot;
        if (!place_nation(b, &b->names[i], &p->nations[k]))
            return false;
        p->nation_codes.v[k] = b->names[i].text;
        p->nation_codes.count++;
        slot += b->names[i].count;
    }
    must(slot == p->slot_count);
    return true;
}

static bool place_communities(struct build *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct name *c = &b->names[i];
        if (c->kind != WORD_COMMUNITY)
            continue;
        c->set = scratch(b, b->words, sizeof(uint64_t));
        if (!c->set)
            return false;
        for (const struct item *m = c->s->who.first; m; m = m->next) {
            const struct name *n = find(b, m->text);
            if (!n)
                return policy_fail_item(b->d, m, "no nation of this code is declared",
                                        "a nation that this policy declares");
            if (set_has(c->set, n->first))
                return policy_fail_item(b->d, m, "this nation stands twice in the community",
                                        "each nation once");
            add_run(c->set, n->first, n->count);
        }
    }
    return true;
}

/* ---- parties of a rule ---- */

/* The named agencies, or operators, of a nation; their number. */
static size_t add_kind(const struct build *b, const struct name *nation, bool operators,
                       uint64_t *set)
{
    size_t added = 0;
    for (size_t i = nation->first + 1; i < nation->first + nation->count; i++) {
        if (set_has(b->p->operators, i) != operators)
            continue;
        set_add(set, i);
        added++;
    }
    return added;
}

static bool add_party(struct build *b, const struct item *i, uint64_t *set)
{
    if (i->kind == WORD_ANY) {
        add_run(set, 0, b->p->slot_count);
        return true;
    }
    const struct name *n = find(b, i->text);
    if (!n && i->kind == WORD_NONE)
        return policy_fail_item(b->d, i, "no organisation or community of this name is declared",
                                "a name that this policy declares");
    if (!n)
        return policy_fail_item(b->d, i, "no nation of this code is declared",
                                "a nation that this policy declares");
    if (i->kind == WORD_AGENCY || i->kind == WORD_OPERATOR) {
        if (add_kind(b, n, i->kind == WORD_OPERATOR, set) > 0)
            return true;
        return policy_fail_item(b->d, i, "this nation's block names none, so the rule names nobody",
                                "a nation that has some");
    }
    if (n->kind != WORD_COMMUNITY)
        add_run(set, n->first, n->count);
    for (size_t w = 0; n->set && w < b->words; w++)
        set[w] |= n->set[w];
    return true;
}

static bool add_parties(struct build *b, const struct statement *s, uint64_t *who)
{
    uint64_t some = 0;
    memset(b->except, 0, b->words * sizeof(uint64_t));
    for (const struct item *i = s->who.first; i; i = i->next)
        if (!add_party(b, i, who))
            return false;
    for (const struct item *i = s->except.first; i; i = i->next)
        if (!add_party(b, i, b->except))
            return false;
    for (size_t w = 0; w < b->words; w++)
        some |= who[w] &= ~b->except[w];
    if (some)
        return true;
    must(s->except.first != NULL); /* each of `who` names somebody */
    return policy_fail_item(b->d, s->except.first, "except leaves nobody",
                            "an exception that leaves somebody");
}

/* ---- conditions ---- */

static const struct condition *condition_of(const struct statement *s, enum condition_kind kind)
{
    const struct condition *c = s->conditions;
    while (c && c->kind != kind)
        c = c->next;
    return c;
}

/* All types, or labels, that rules ask for: sorted, each once. */
static bool collect_values(struct build *b, enum condition_kind kind, struct names *out)
{
    size_t all = 0, n = 0;
    const struct condition *c;
    for (const struct statement *s = b->d->first; s; s = s->next)
        if ((c = condition_of(s, kind)) != NULL)
            all += c->values.count;
    out->v = keep(b, all, sizeof *out->v);
    if (!out->v)
        return false;
    for (const struct statement *s = b->d->first; s; s = s->next)
        if ((c = condition_of(s, kind)) != NULL)
            for (const struct item *i = c->values.first; i; i = i->next)
                out->v[n++] = i->text;
    qsort(out->v, n, sizeof *out->v, by_str);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !str_eq(out->v[i], out->v[out->count - 1]))
            out->v[out->count++] = out->v[i];
    if (out->count > LIMIT_POLICY_NAMES)
        return err_set(b->d->e, ERR_LIMIT, "%s: over %d types or labels", b->d->name,
                       LIMIT_POLICY_NAMES);
    return true;
}

static bool compile_test(struct build *b, const struct condition *c, struct test *t)
{
    const struct names *names = c->kind == CONDITION_TYPE ? &b->p->types : &b->p->labels;
    uint64_t *set = NULL;
    t->kind = c->kind;
    t->tlp = c->tlp;
    if (c->kind == CONDITION_TLP)
        return true;
    set = keep(b, SET_WORDS(names->count), sizeof *set);
    if (!set)
        return false;
    for (const struct item *i = c->values.first; i; i = i->next) {
        if (i->kind == WORD_OBSERVABLES)
            t->observables = true;
        else
            set_add(set, policy_names_find(names, i->text));
    }
    t->set = set;
    return true;
}

/* In order of their cost. */
static bool compile_tests(struct build *b, const struct statement *s, struct rule *r)
{
    static const enum condition_kind kinds[] = {CONDITION_TLP, CONDITION_TYPE, CONDITION_LABEL};
    size_t n = 0;
    for (const struct condition *c = s->conditions; c; c = c->next)
        n++;
    r->tests = keep(b, n, sizeof *r->tests);
    if (!r->tests)
        return false;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        const struct condition *c = condition_of(s, kinds[k]);
        if (c && !compile_test(b, c, &r->tests[r->test_count++]))
            return false;
    }
    return true;
}

/* ---- rules ---- */

/* The rule as written, on one line: blanks, newlines and comments between tokens become one blank.
 */
static bool rule_text(struct build *b, const struct statement *s, struct str *out)
{
    struct str text = b->d->text;
    char *p = keep(b, 1, s->end - s->at);
    size_t n = 0;
    if (!p)
        return false;
    for (size_t pos = s->at; pos < s->end;) {
        struct token t = policy_lex(text, pos);
        if (t.at > pos)
            p[n++] = ' ';
        memcpy(p + n, text.p + t.at, t.end - t.at);
        n += t.end - t.at;
        pos = t.end;
    }
    *out = (struct str){p, n};
    return true;
}

static bool compile_rule(struct build *b, const struct statement *s, struct rule *r)
{
    uint64_t *who = keep(b, b->words, sizeof *who);
    if (!who || !add_parties(b, s, who))
        return false;
    r->verb = s->verb;
    r->who = who;
    return compile_tests(b, s, r) && rule_text(b, s, &r->text);
}

static bool compile_rules(struct build *b)
{
    struct policy *p = b->p;
    struct str text = b->d->text;
    unsigned line = 1;
    size_t pos = 0;
    p->releases = keep(b, b->d->rule_count, sizeof *p->releases);
    p->arrivals = keep(b, b->d->rule_count, sizeof *p->arrivals);
    if (!p->releases || !p->arrivals)
        return false;
    for (const struct statement *s = b->d->first; s; s = s->next) {
        struct rule *r = NULL;
        for (; pos < s->at; pos++)
            line += text.p[pos] == '\n';
        if (s->verb == WORD_RELEASE || s->verb == WORD_DENY)
            r = &p->releases[p->release_count++];
        else if (s->verb == WORD_ACCEPT || s->verb == WORD_REFUSE)
            r = &p->arrivals[p->arrival_count++];
        if (r && !compile_rule(b, s, r))
            return false;
        if (r)
            r->line = line;
    }
    return true;
}

bool policy_compile(struct draft *d, struct policy *p)
{
    struct build b = {.d = d, .p = p};
    return collect_names(&b) && place_nations(&b) && place_communities(&b) &&
           collect_values(&b, CONDITION_TYPE, &p->types) &&
           collect_values(&b, CONDITION_LABEL, &p->labels) && compile_rules(&b);
}
