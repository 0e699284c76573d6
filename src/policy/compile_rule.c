#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_priv.h"

/* ---- names that conditions ask for ---- */

/* All types, or labels, of conditions: sorted, each once. */
static bool collect_values(struct build *b, enum condition_kind kind, struct names *out)
{
    size_t all = 0, n = 0;
    for (const struct statement *s = b->d->first; s; s = s->next)
        for (const struct condition *c = s->conditions; c; c = c->next)
            all += c->kind == kind ? c->values.count : 0;
    out->v = policy_keep(b, all, sizeof *out->v);
    if (!out->v)
        return false;
    for (const struct statement *s = b->d->first; s; s = s->next)
        for (const struct condition *c = s->conditions; c; c = c->next)
            for (const struct item *i = c->kind == kind ? c->values.first : NULL; i; i = i->next)
                out->v[n++] = i->text;
    qsort(out->v, n, sizeof *out->v, policy_by_str);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !str_eq(out->v[i], out->v[out->count - 1]))
            out->v[out->count++] = out->v[i];
    if (out->count > LIMIT_POLICY_NAMES)
        return err_set(b->d->e, ERR_LIMIT, "%s: over %d types or labels", b->d->name,
                       LIMIT_POLICY_NAMES);
    return true;
}

/* ---- one test ---- */

static bool set_of_names(struct build *b, const struct condition *c, struct test *t)
{
    const struct names *names = c->kind == CONDITION_TYPE ? &b->p->types : &b->p->labels;
    uint64_t *set = policy_keep(b, SET_WORDS(names->count), sizeof *set);
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

/* Parties as slots, texts in quotes as texts; types as texts. */
static bool parties_and_texts(struct build *b, const struct condition *c, struct test *t)
{
    uint64_t *set = policy_keep(b, b->words, sizeof *set);
    struct str *texts = policy_keep(b, c->values.count, sizeof *texts);
    if (!set || !texts)
        return false;
    for (const struct item *i = c->values.first; i; i = i->next) {
        if (c->kind == CONDITION_REFERENCED || i->quoted)
            texts[t->text_count++] = i->text;
        else if (!policy_add_party(b, i, set))
            return false;
    }
    qsort(texts, t->text_count, sizeof *texts, policy_by_str);
    t->texts = texts;
    t->set = set;
    return true;
}

static bool lists_of(struct build *b, const struct condition *c, struct test *t)
{
    t->lists = c->values.count ? 0 : policy_lists_default(b->p);
    for (const struct item *i = c->values.first; i; i = i->next) {
        unsigned bit;
        if (!policy_list_find(b->p, i->text, &bit))
            return policy_fail_item(b->d, i, "no warning list has this name",
                                    "a list that this policy declares, or a built-in one");
        t->lists |= (uint64_t)1 << bit;
    }
    b->p->lists_asked |= t->lists;
    return true;
}

/* A path, or a property, which is the path of one name. */
static bool read_path(struct build *b, const struct item *i, struct path *out)
{
    if (i->text.p[0] == '$')
        return policy_path_read(b->p->arena, i->text, out, b->d->e);
    struct path_step *step = policy_keep(b, 1, sizeof *step);
    if (!step)
        return false;
    step->name = i->text;
    *out = (struct path){step, 1};
    return true;
}

static bool comparison(struct build *b, const struct condition *c, struct test *t)
{
    struct operand *operands = policy_keep(b, c->values.count, sizeof *operands);
    struct path *path = policy_keep(b, 1, sizeof *path);
    if (!operands || !path || !read_path(b, &c->path, path))
        return false;
    for (const struct item *i = c->values.first; i; i = i->next)
        operands[t->operand_count++] = policy_operand(i);
    t->operands = operands;
    t->path = path;
    return true;
}

static bool make_test(struct build *b, const struct condition *c, struct test *t)
{
    *t =
        (struct test){.kind = c->kind, .mask = c->mask, .compare = c->compare, .number = c->number};
    switch (c->kind) {
    case CONDITION_TYPE:
    case CONDITION_LABEL:
        return set_of_names(b, c, t);
    case CONDITION_CREATOR:
    case CONDITION_SOURCE:
    case CONDITION_REFERENCED:
        return parties_and_texts(b, c, t);
    case CONDITION_LISTS:
        return lists_of(b, c, t);
    case CONDITION_WHERE:
        return comparison(b, c, t);
    case CONDITION_TLP:
    case CONDITION_PAP:
    case CONDITION_OWNER:
    case CONDITION_OLDER:
    case CONDITION_NEWER:
    case CONDITION_CONFIDENCE:
        return true;
    }
    must(false);
    return false;
}

/* ---- distinct tests ---- */

static void key_bytes(struct buf *key, const void *p, size_t n)
{
    if (n)
        buf_put(key, p, n);
}

static void key_text(struct buf *key, struct str s)
{
    buf_u64(key, s.n);
    buf_byte(key, ':');
    buf_str(key, s);
}

/* Equal keys, equal tests. */
static struct str key_of(struct build *b, const struct test *t)
{
    bool names = t->kind == CONDITION_TYPE || t->kind == CONDITION_LABEL;
    size_t count = t->kind == CONDITION_TYPE    ? SET_WORDS(b->p->types.count)
                   : t->kind == CONDITION_LABEL ? SET_WORDS(b->p->labels.count)
                                                : b->words;
    buf_clear(&b->key);
    buf_printf(&b->key, "%d %d %u %d %lld %llu ", (int)t->kind, t->observables, t->mask,
               (int)t->compare, (long long)t->number, (unsigned long long)t->lists);
    if (names || t->set)
        key_bytes(&b->key, t->set, count * sizeof(uint64_t));
    for (size_t i = 0; i < t->text_count; i++)
        key_text(&b->key, t->texts[i]);
    for (size_t i = 0; t->path && i < t->path->count; i++) {
        const struct path_step *s = &t->path->steps[i];
        key_text(&b->key, s->name.p ? s->name : STR("[]"));
        buf_u64(&b->key, s->index);
    }
    for (size_t i = 0; i < t->operand_count; i++) {
        key_text(&b->key, t->operands[i].text);
        buf_byte(&b->key,
                 t->operands[i].is_number || t->operands[i].is_true || t->operands[i].is_false
                     ? '#'
                     : '"');
    }
    return buf_view(&b->key);
}

struct draft_test {
    struct test test;
    struct str key;
    uint32_t place; /* when sorted */
};

/* The index of the test in `all`, which has *count; adds it when it is new. */
static bool intern(struct build *b, struct draft_test *all, size_t *count, const struct test *t,
                   uint32_t *out)
{
    struct str key = key_of(b, t);
    if (!buf_ok(&b->key, b->d->e))
        return false;
    size_t k = str_hash(key, 0) & (b->bucket_count - 1);
    for (; b->buckets[k]; k = (k + 1) & (b->bucket_count - 1))
        if (str_eq(all[b->buckets[k] - 1].key, key)) {
            *out = b->buckets[k] - 1;
            return true;
        }
    all[*count] = (struct draft_test){.test = *t, .key = arena_str(b->d->arena, key)};
    if (!arena_ok(b->d->arena, b->d->e))
        return false;
    *out = (uint32_t)(*count)++;
    b->buckets[k] = *out + 1;
    return true;
}

static int by_kind(const void *a, const void *b)
{
    const struct draft_test *x = *(struct draft_test *const *)a,
                            *y = *(struct draft_test *const *)b;
    if (x->test.kind != y->test.kind)
        return x->test.kind < y->test.kind ? -1 : 1;
    return (x > y) - (x < y);
}

/* Sorts the distinct tests by kind into the policy and notes their places. */
static bool place_tests(struct build *b, struct draft_test *all, size_t count)
{
    struct policy *p = b->p;
    struct draft_test **order = policy_scratch(b, count, sizeof *order);
    p->tests = policy_keep(b, count, sizeof *p->tests);
    if (!order || !p->tests)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = &all[i];
    qsort(order, count, sizeof *order, by_kind);
    for (size_t i = 0; i < count; i++) {
        order[i]->place = (uint32_t)i;
        p->tests[i] = order[i]->test;
    }
    p->test_count = count;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* ---- rules ---- */

/* A piece of the text on one line: blanks, newlines and comments between tokens become one blank.
 */
static bool one_line(struct build *b, size_t at, size_t end, struct str *out)
{
    struct str text = b->d->text;
    char *p = policy_keep(b, 1, end - at);
    size_t n = 0;
    if (!p)
        return false;
    for (size_t pos = at; pos < end;) {
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

static bool compile_redaction(struct build *b, const struct statement *s, struct rule *r)
{
    struct policy_redaction *x = policy_keep(b, 1, sizeof *x);
    struct path *paths = policy_keep(b, s->paths.count, sizeof *paths);
    if (!x || !paths || !one_line(b, s->at, s->own_end, &x->own))
        return false;
    x->transform = s->transform;
    x->rule = (struct policy_rule_ref){r->line, r->text};
    x->paths = paths;
    x->with = s->with.text;
    x->bits4 = s->bits4;
    x->bits6 = s->bits6;
    x->unit = s->unit;
    for (const struct item *i = s->paths.first; i; i = i->next)
        if (!read_path(b, i, &paths[x->path_count++]))
            return false;
    r->redaction = x;
    return true;
}

/* Its own dates within those of its agreement. */
static bool set_span(struct build *b, const struct statement *s, struct rule *r)
{
    struct agreement *a;
    r->span = s->span;
    if (s->under.text.n == 0)
        return true;
    if (!policy_find_agreement(b, &s->under, &a))
        return false;
    r->under = a;
    a->uses++;
    if (a->span.from_us > r->span.from_us)
        r->span.from_us = a->span.from_us;
    if (a->span.until_us < r->span.until_us)
        r->span.until_us = a->span.until_us;
    return true;
}

static bool compile_rule(struct build *b, const struct statement *s, struct rule *r)
{
    uint64_t *who = policy_keep(b, b->words, sizeof *who);
    if (!who || !policy_add_parties(b, s, who) || !set_span(b, s, r) ||
        !one_line(b, s->at, s->end, &r->text))
        return false;
    r->verb = s->verb;
    r->who = who;
    r->officers = s->officers;
    r->within_hours = s->within_hours;
    r->limit_count = s->limit_count;
    r->limit_us = s->limit_us;
    return s->verb != WORD_REDACT || compile_redaction(b, s, r);
}

/* All rules, one part after the other. */
static bool compile_all(struct build *b, const struct statement **from)
{
    static const struct {
        enum word verbs[3];
    } parts[] = {{{WORD_RELEASE, WORD_DENY, WORD_HOLD}},
                 {{WORD_ACCEPT, WORD_REFUSE, WORD_QUARANTINE}},
                 {{WORD_REDACT, WORD_REDACT, WORD_REDACT}}};
    struct policy *p = b->p;
    size_t *const counts[] = {&p->release_count, &p->arrival_count, &p->redact_count};
    for (size_t k = 0; k < 3; k++) {
        struct line_counter lines = {0, 1};
        for (const struct statement *s = b->d->first; s; s = s->next) {
            const enum word *v = parts[k].verbs;
            if (s->verb != v[0] && s->verb != v[1] && s->verb != v[2])
                continue;
            struct rule *r = &p->rules[p->rule_count];
            r->line = policy_line_at(&lines, b->d->text, s->at);
            from[p->rule_count++] = s;
            (*counts[k])++;
            if (!compile_rule(b, s, r))
                return false;
        }
    }
    p->releases = p->rules;
    p->arrivals = p->releases + p->release_count;
    p->redacts = p->arrivals + p->arrival_count;
    return true;
}

/* Tests of all rules: interned in the order of the text, then placed by kind. */
static bool compile_tests(struct build *b, const struct statement **from)
{
    struct policy *p = b->p;
    size_t all = 0, count = 0;
    for (size_t i = 0; i < p->rule_count; i++)
        for (const struct condition *c = from[i]->conditions; c; c = c->next)
            all++;
    for (b->bucket_count = 16; b->bucket_count < 2 * all;)
        b->bucket_count *= 2;
    struct draft_test *tests = policy_scratch(b, all, sizeof *tests);
    uint32_t *used = policy_keep(b, all, sizeof *used), *next = used;
    b->buckets = policy_scratch(b, b->bucket_count, sizeof *b->buckets);
    if (!tests || !used || !b->buckets)
        return false;
    for (size_t i = 0; i < p->rule_count; i++) {
        p->rules[i].tests = next;
        for (const struct condition *c = from[i]->conditions; c; c = c->next) {
            struct test t;
            if (!make_test(b, c, &t) || !intern(b, tests, &count, &t, next++))
                return false;
        }
        p->rules[i].test_count = (size_t)(next - p->rules[i].tests);
    }
    if (!place_tests(b, tests, count))
        return false;
    for (uint32_t *u = used; u < next; u++)
        *u = tests[*u].place;
    for (size_t i = 0; i < p->rule_count; i++)
        qsort(used + (p->rules[i].tests - used), p->rules[i].test_count, sizeof *used, by_number);
    return true;
}

/* To each test that costs a look elsewhere, the rules that ask it; which tests releases ask. */
static bool note_askers(struct build *b)
{
    struct policy *p = b->p;
    p->release_tests = policy_keep(b, SET_WORDS(p->test_count), sizeof(uint64_t));
    if (!p->release_tests)
        return false;
    for (size_t i = 0; i < p->rule_count; i++)
        for (size_t k = 0; k < p->rules[i].test_count; k++)
            if (&p->rules[i] < p->arrivals || &p->rules[i] >= p->redacts)
                set_add(p->release_tests, p->rules[i].tests[k]);
    for (size_t t = 0; t < p->test_count; t++) {
        if (p->tests[t].kind != CONDITION_REFERENCED)
            continue;
        uint32_t *rules = policy_keep(b, p->rule_count, sizeof *rules);
        if (!rules)
            return false;
        p->tests[t].rules = rules;
        for (size_t i = 0; i < p->rule_count; i++)
            for (size_t k = 0; k < p->rules[i].test_count; k++)
                if (p->rules[i].tests[k] == t)
                    rules[p->tests[t].rule_count++] = (uint32_t)i;
    }
    return true;
}

/* ---- what the whole asks ---- */

static void note_asks(struct policy *p)
{
    for (size_t i = 0; i < p->test_count; i++) {
        enum condition_kind k = p->tests[i].kind;
        p->asks |= k == CONDITION_OWNER                           ? (unsigned)POLICY_ASKS_OWNER
                   : k == CONDITION_LISTS                         ? (unsigned)POLICY_ASKS_LISTS
                   : k == CONDITION_REFERENCED                    ? (unsigned)POLICY_ASKS_REFERENCED
                   : k == CONDITION_OLDER || k == CONDITION_NEWER ? (unsigned)POLICY_ASKS_AGE
                                                                  : 0;
    }
    for (size_t i = 0; i < p->arrival_count; i++)
        p->asks |= p->arrivals[i].limit_us ? (unsigned)POLICY_LIMITS : 0;
    for (size_t i = 0; i < p->redact_count; i++)
        p->asks |= p->redacts[i].redaction->transform == TRANSFORM_DROP_REFERENCE
                       ? (unsigned)(POLICY_REDACTS | POLICY_DROPS_REFERENCES)
                       : (unsigned)POLICY_REDACTS;
}

static int by_instant(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool note_changes(struct build *b)
{
    struct policy *p = b->p;
    size_t n = 0;
    p->changes = policy_keep(b, 2 * p->rule_count, sizeof *p->changes);
    if (!p->changes)
        return false;
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct span *s = &p->rules[i].span;
        if (s->from_us >= s->until_us)
            continue; /* never */
        if (s->from_us != INT64_MIN)
            p->changes[n++] = s->from_us;
        if (s->until_us != INT64_MAX)
            p->changes[n++] = s->until_us;
    }
    qsort(p->changes, n, sizeof *p->changes, by_instant);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || p->changes[i] != p->changes[p->change_count - 1])
            p->changes[p->change_count++] = p->changes[i];
    return true;
}

/* Divides the slots by the redact rules that name them: rule after rule, each class splits into
 * those whom the rule names and the others. Class 0 stays that of those whom none names. */
static bool classify(struct build *b)
{
    struct policy *p = b->p;
    size_t words = SET_WORDS(p->redact_count), count = 1;
    uint32_t *next = policy_scratch(b, 2 * (p->slot_count + 1), sizeof *next);
    p->redact_class = policy_keep(b, p->slot_count, sizeof *p->redact_class);
    if (!next || !p->redact_class)
        return false;
    for (size_t r = 0; r < p->redact_count; r++) {
        memset(next, 0, 2 * count * sizeof *next);
        count = 1;
        for (size_t s = 0; s < p->slot_count; s++) {
            size_t from = 2 * (size_t)p->redact_class[s] + set_has(p->redacts[r].who, s);
            if (from > 0 && next[from] == 0)
                next[from] = (uint32_t)count++;
            p->redact_class[s] = next[from];
        }
    }
    p->redact_sets = policy_keep(b, count, words * sizeof(uint64_t));
    if (!p->redact_sets)
        return false;
    p->redact_classes = count;
    for (size_t s = 0; s < p->slot_count; s++)
        for (size_t r = 0; r < p->redact_count; r++)
            if (set_has(p->redacts[r].who, s))
                set_add(p->redact_sets + p->redact_class[s] * words, r);
    return true;
}

bool policy_compile_rules(struct build *b)
{
    static atomic_uint_least64_t numbers;
    struct policy *p = b->p;
    const struct statement **from = policy_scratch(b, b->d->rule_count, sizeof *from);
    p->rules = policy_keep(b, b->d->rule_count, sizeof *p->rules);
    p->number = atomic_fetch_add(&numbers, 1) + 1;
    if (!from || !p->rules || !collect_values(b, CONDITION_TYPE, &p->types) ||
        !collect_values(b, CONDITION_LABEL, &p->labels) || !compile_all(b, from) ||
        !compile_tests(b, from) || !note_askers(b) || !note_changes(b) || !classify(b))
        return false;
    note_asks(p);
    return true;
}

/* ---- looking ---- */

unsigned policy_asks(const struct policy *p)
{
    return p->asks;
}

int64_t policy_next_change_us(const struct policy *p, int64_t now_us)
{
    size_t i = 0;
    while (i < p->change_count && p->changes[i] <= now_us)
        i++;
    return i < p->change_count ? p->changes[i] : INT64_MAX;
}

bool policy_delegate(const struct policy *p, const struct policy_party *who,
                     const struct policy_party *owner)
{
    if (!policy_party_valid(who) || !policy_party_valid(owner))
        return false;
    size_t a = policy_slot_of(p, who), b = policy_slot_of(p, owner);
    for (size_t i = 0; i < p->delegation_count; i++)
        if (p->delegations[i].who == a && p->delegations[i].owner == b)
            return true;
    return false;
}
