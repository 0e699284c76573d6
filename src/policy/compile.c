#include <stdlib.h>
#include <string.h>

#include "policy/policy_priv.h"

/* A declared name and the slots it stands for: a run of them, or a set (communities). */
struct name {
    struct str text;
    size_t at;
    const struct statement *s; /* that declares it */
    enum word kind;            /* NATION, COMMUNITY, AGENCY, OPERATOR, AGREEMENT, WARNINGLIST */
    size_t first, count;       /* slots; of an agreement or list: first is its index */
    uint64_t *set;
};

/* ---- memory: what stays with the policy, what goes with the draft ---- */

static void *take(struct build *b, struct arena *a, size_t count, size_t bytes)
{
    void *p = arena_calloc(a, count, bytes);
    must(p || !arena_ok(a, b->d->e));
    return p;
}

void *policy_keep(struct build *b, size_t count, size_t bytes)
{
    return take(b, b->p->arena, count, bytes);
}

void *policy_scratch(struct build *b, size_t count, size_t bytes)
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

int policy_by_str(const void *a, const void *b)
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
    b->names = policy_scratch(b, d->name_count, sizeof *b->names);
    if (!b->names)
        return false;
    for (const struct statement *s = d->first; s; s = s->next) {
        if (s->name.kind != WORD_NONE)
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
                                    "a name of its own for each thing that is declared");
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
    n->orgs = policy_keep(b, n->org_count, sizeof *n->orgs);
    if (!n->orgs)
        return false;
    for (const struct item *i = name->s->who.first; i; i = i->next)
        n->orgs[k++] = i->text;
    qsort(n->orgs, k, sizeof *n->orgs, policy_by_str);
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
        enum word kind = b->names[i].kind;
        nations += kind == WORD_NATION;
        p->slot_count += kind == WORD_NATION || kind == WORD_AGENCY || kind == WORD_OPERATOR;
    }
    b->words = SET_WORDS(p->slot_count);
    must(b->words <= SET_WORDS_MOST);
    p->operators = policy_keep(b, b->words, sizeof(uint64_t));
    p->defaults = policy_keep(b, p->slot_count, sizeof *p->defaults);
    p->nation_codes.v = policy_keep(b, nations, sizeof(struct str));
    p->nations = policy_keep(b, nations, sizeof *p->nations);
    b->except = policy_scratch(b, b->words, sizeof(uint64_t));
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
        c->set = policy_scratch(b, b->words, sizeof(uint64_t));
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

bool policy_add_party(struct build *b, const struct item *i, uint64_t *set)
{
    if (i->kind == WORD_ANY) {
        add_run(set, 0, b->p->slot_count);
        return true;
    }
    const struct name *n = find(b, i->text);
    if (n && (n->kind == WORD_AGREEMENT || n->kind == WORD_WARNINGLIST))
        n = NULL;
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

bool policy_add_parties(struct build *b, const struct statement *s, uint64_t *who)
{
    uint64_t some = 0;
    memset(b->except, 0, b->words * sizeof(uint64_t));
    for (const struct item *i = s->who.first; i; i = i->next)
        if (!policy_add_party(b, i, who))
            return false;
    for (const struct item *i = s->except.first; i; i = i->next)
        if (!policy_add_party(b, i, b->except))
            return false;
    for (size_t w = 0; w < b->words; w++)
        some |= who[w] &= ~b->except[w];
    if (some)
        return true;
    must(s->except.first != NULL); /* each of `who` names somebody */
    return policy_fail_item(b->d, s->except.first, "except leaves nobody",
                            "an exception that leaves somebody");
}

/* ---- agreements and delegates ---- */

static void declare_agreement(struct policy *p, struct name *n, unsigned line)
{
    n->first = p->agreement_count++;
    p->agreements[n->first] = (struct agreement){.name = n->text, .line = line, .span = n->s->span};
}

static bool organisation(struct build *b, const struct item *i, const struct name **out)
{
    *out = find(b, i->text);
    if (*out && ((*out)->kind == WORD_AGENCY || (*out)->kind == WORD_OPERATOR))
        return true;
    return policy_fail_item(b->d, i, "no organisation of this name is declared",
                            "an organisation that this policy declares");
}

static bool declare_delegates(struct build *b, const struct statement *s, unsigned line)
{
    struct policy *p = b->p;
    const struct name *owner, *who;
    if (!organisation(b, &s->name, &owner))
        return false;
    for (const struct item *i = s->who.first; i; i = i->next) {
        if (!organisation(b, i, &who))
            return false;
        if (who->s != owner->s)
            return policy_fail_item(b->d, i, "it is of another nation than whom it would act for",
                                    "an organisation of the same nation");
        if (who == owner)
            return policy_fail_item(b->d, i, "it would act for itself",
                                    "another organisation of the same nation");
        p->delegations[p->delegation_count++] = (struct delegation){who->first, owner->first, line};
    }
    return true;
}

static bool declare_others(struct build *b)
{
    struct policy *p = b->p;
    struct line_counter lines = {0, 1};
    size_t agreements = 0, delegates = 0;
    for (const struct statement *s = b->d->first; s; s = s->next) {
        agreements += s->verb == WORD_AGREEMENT;
        delegates += s->verb == WORD_DELEGATE ? s->who.count : 0;
    }
    p->agreements = policy_keep(b, agreements, sizeof *p->agreements);
    p->delegations = policy_keep(b, delegates, sizeof *p->delegations);
    if (!p->agreements || !p->delegations)
        return false;
    for (const struct statement *s = b->d->first; s; s = s->next) {
        unsigned line = policy_line_at(&lines, b->d->text, s->at);
        if (s->verb == WORD_AGREEMENT)
            declare_agreement(p, find(b, s->name.text), line);
        if (s->verb == WORD_DELEGATE && !declare_delegates(b, s, line))
            return false;
    }
    return true;
}

bool policy_find_agreement(struct build *b, const struct item *i, struct agreement **out)
{
    const struct name *n = find(b, i->text);
    if (!n || n->kind != WORD_AGREEMENT)
        return policy_fail_item(b->d, i, "no agreement of this name is declared",
                                "an agreement that this policy declares");
    *out = &b->p->agreements[n->first];
    return true;
}

unsigned policy_line_at(struct line_counter *c, struct str text, size_t at)
{
    for (; c->pos < at; c->pos++)
        c->line += text.p[c->pos] == '\n';
    return c->line;
}

bool policy_compile(struct draft *d, struct policy *p)
{
    struct build b = {.d = d, .p = p};
    buf_init(&b.key, 0);
    bool ok = collect_names(&b) && place_nations(&b) && place_communities(&b) &&
              declare_others(&b) && policy_compile_lists(&b) && policy_compile_rules(&b);
    buf_done(&b.key);
    return ok;
}
