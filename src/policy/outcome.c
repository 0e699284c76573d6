#include <string.h>

#include "policy/policy_priv.h"

/* ---- the memo ---- */

/* A table of texts to what was made of them; both live in the memo's arena. */
struct entry {
    struct entry *next; /* of the same bucket */
    uint64_t hash;
    struct str key;
    const void *value;
};
struct table {
    struct entry **buckets;
    size_t bucket_count, count;
};

struct policy_memo {
    struct arena *arena;   /* entries, outcomes, views */
    struct arena *scratch; /* of one decision */
    struct table decisions, outcomes, views;
    struct buf key;
    uint64_t *bits; /* of the latest decision */
    size_t bits_room;
    uint64_t serial;
};

struct policy_memo *policy_memo_new(void)
{
    struct policy_memo *m = base_alloc(sizeof *m);
    if (!m)
        return NULL;
    buf_init(&m->key, LIMIT_POLICY_MEMO_BYTES);
    m->arena = arena_new(LIMIT_POLICY_MEMO_BYTES);
    m->scratch = arena_new(LIMIT_POLICY_MEMO_BYTES);
    if (m->arena && m->scratch)
        return m;
    policy_memo_free(m);
    return NULL;
}

void policy_memo_free(struct policy_memo *m)
{
    if (!m)
        return;
    base_free(m->decisions.buckets);
    base_free(m->outcomes.buckets);
    base_free(m->views.buckets);
    base_free(m->bits);
    buf_done(&m->key);
    arena_free(m->arena);
    arena_free(m->scratch);
    base_free(m);
}

static void forget(struct table *t)
{
    if (t->buckets)
        memset(t->buckets, 0, t->bucket_count * sizeof(struct entry *));
    t->count = 0;
}

void policy_memo_reset(struct policy_memo *m)
{
    forget(&m->decisions);
    forget(&m->outcomes);
    forget(&m->views);
    arena_reset(m->arena);
}

size_t policy_memo_bytes(const struct policy_memo *m)
{
    return arena_used(m->arena);
}

static const void *look(const struct table *t, struct str key, uint64_t hash)
{
    struct entry *x = t->bucket_count ? t->buckets[hash & (t->bucket_count - 1)] : NULL;
    while (x && (x->hash != hash || !str_eq(x->key, key)))
        x = x->next;
    return x ? x->value : NULL;
}

static bool grow(struct table *t, struct err *e)
{
    size_t count = t->bucket_count ? 2 * t->bucket_count : 64;
    struct entry **buckets = base_alloc(count * sizeof(struct entry *));
    if (!buckets)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < t->bucket_count; i++)
        for (struct entry *x = t->buckets[i], *next; x; x = next) {
            next = x->next;
            x->next = buckets[x->hash & (count - 1)];
            buckets[x->hash & (count - 1)] = x;
        }
    base_free(t->buckets);
    t->buckets = buckets;
    t->bucket_count = count;
    return true;
}

/* Notes the value under a copy of the key, which is not there yet. */
static bool note(struct policy_memo *m, struct table *t, struct str key, const void *value,
                 struct err *e)
{
    if (t->count >= t->bucket_count && !grow(t, e))
        return false;
    struct entry *x = arena_alloc(m->arena, sizeof *x);
    struct str kept = arena_str(m->arena, key);
    if (!arena_ok(m->arena, e))
        return false;
    must(x != NULL);
    uint64_t hash = str_hash(key, 0);
    struct entry **bucket = &t->buckets[hash & (t->bucket_count - 1)];
    *x = (struct entry){*bucket, hash, kept, value};
    *bucket = x;
    t->count++;
    return true;
}

/* ---- keys ---- */

static void key_put(struct buf *key, const void *p, size_t n)
{
    buf_put(key, p, n);
}

static void key_u64(struct buf *key, uint64_t v)
{
    buf_put(key, &v, sizeof v);
}

static void key_text(struct buf *key, struct str s)
{
    key_u64(key, s.n);
    buf_str(key, s);
}

static void key_party(struct buf *key, const struct policy_party *party)
{
    key_text(key, party->nation);
    key_text(key, party->org);
}

/* The dates that have passed, so which rules hold; UINT64_MAX without a clock. */
static uint64_t epoch(const struct policy *p, int64_t now_us)
{
    size_t low = 0, high = p->change_count;
    if (now_us == 0)
        return UINT64_MAX;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->changes[mid] <= now_us)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* All that a decision depends on. */
static struct str decision_key(struct policy_memo *m, const struct policy *p,
                               const struct policy_facts *f, const struct policy_party *also)
{
    static const struct policy_party nobody;
    struct buf *key = &m->key;
    buf_clear(key);
    key_u64(key, p->number);
    key_u64(key, epoch(p, f->now_us));
    key_u64(key, (uint64_t)policy_effective(f->tlp) | (uint64_t)f->subscriber << 8 |
                     (uint64_t)f->local << 9 | (uint64_t)f->granular_tlps << 16);
    key_put(key, m->bits, SET_WORDS(p->test_count) * sizeof *m->bits);
    key_text(key, f->home);
    key_party(key, &f->source);
    key_party(key, also ? also : &nobody);
    return buf_view(key);
}

/* ---- one decision ---- */

struct deciding {
    struct policy_memo *m;
    struct walk w;
    const struct policy_party *also;
    struct err *e;
    struct cell *cells;
    size_t cell_count;
    const struct rule **rules[STIX_TLP_COUNT]; /* by slot; [0]: of the whole object */
    struct policy_group *groups;
    size_t group_count;
    struct {
        uint32_t class;
        unsigned drop;
        const struct policy_view *view;
    } latest; /* view that was asked for; latest.class UINT32_MAX: none yet */
};

static void *scratch(struct deciding *d, size_t count, size_t bytes)
{
    void *p = arena_calloc(d->m->scratch, count, bytes);
    must(p || !arena_ok(d->m->scratch, d->e));
    return p;
}

static void *keep(struct deciding *d, size_t count, size_t bytes)
{
    void *p = arena_calloc(d->m->arena, count, bytes);
    must(p || !arena_ok(d->m->arena, d->e));
    return p;
}

/* ---- cells ---- */

/* A short sorted list without doubles. */
struct few {
    struct str v[3];
    size_t count;
};

static void few_add(struct few *few, struct str name)
{
    size_t i = 0;
    while (i < few->count && str_cmp(few->v[i], name) < 0)
        i++;
    if (i < few->count && str_eq(few->v[i], name))
        return;
    for (size_t k = few->count++; k > i; k--)
        few->v[k] = few->v[k - 1];
    few->v[i] = name;
}

/* Walks two sorted lists as one, each name once. */
struct merge {
    const struct str *a;
    size_t a_count;
    const struct few *b;
    size_t i, k; /* next of a, of b */
};

/* The next name; *in_a is its index in a, or SIZE_MAX when only b has it. */
static bool merge_next(struct merge *m, struct str *name, size_t *in_a)
{
    if (m->i == m->a_count && m->k == m->b->count)
        return false;
    int order = m->i == m->a_count    ? 1
                : m->k == m->b->count ? -1
                                      : str_cmp(m->a[m->i], m->b->v[m->k]);
    *name = order <= 0 ? m->a[m->i] : m->b->v[m->k];
    *in_a = order <= 0 ? m->i++ : SIZE_MAX;
    if (order >= 0)
        m->k++;
    return true;
}

static void add_cell(struct deciding *d, struct str nation, struct str org, size_t slot)
{
    d->cells[d->cell_count++] = (struct cell){.nation = nation, .org = org, .slot = slot};
}

/* The cells of one nation; `k` is its index in the policy or SIZE_MAX. */
static void add_nation(struct deciding *d, struct str nation, size_t k)
{
    static const struct nation unnamed = {0};
    const struct nation *n = k == SIZE_MAX ? &unnamed : &d->w.p->nations[k];
    const struct policy_party *source = &d->w.f->source;
    struct few extra = {0};
    struct str org;
    size_t i;
    if (d->also && str_eq(d->also->nation, nation))
        few_add(&extra, d->also->org);
    if (policy_party_valid(source) && str_eq(source->nation, nation))
        few_add(&extra, source->org);
    add_cell(d, nation, STR_NONE, n->slot);
    struct merge m = {n->orgs, n->org_count, &extra, 0, 0};
    while (merge_next(&m, &org, &i))
        add_cell(d, nation, org, i == SIZE_MAX ? n->slot : n->slot + 1 + i);
}

static bool make_cells(struct deciding *d)
{
    const struct policy *p = d->w.p;
    const struct policy_facts *f = d->w.f;
    struct few extra = {0};
    struct str nation;
    size_t k;
    d->cells = scratch(d, p->slot_count + 5, sizeof *d->cells); /* three nations, two parties */
    if (!d->cells)
        return false;
    if (d->also)
        few_add(&extra, d->also->nation);
    if (policy_nation_valid(f->source.nation))
        few_add(&extra, f->source.nation);
    if (policy_nation_valid(f->home))
        few_add(&extra, f->home);
    add_cell(d, STR_NONE, STR_NONE, 0);
    struct merge m = {p->nation_codes.v, p->nation_codes.count, &extra, 0, 0};
    while (merge_next(&m, &nation, &k))
        add_nation(d, nation, k);
    return true;
}

/* ---- rules of slots ---- */

static struct walk of_colour(const struct walk *w, enum stix_tlp tlp)
{
    struct walk x = *w;
    x.tlp = policy_effective(tlp);
    return x;
}

static bool walk_colour(struct deciding *d, int place, enum stix_tlp tlp)
{
    const struct policy *p = d->w.p;
    struct walk w = of_colour(&d->w, tlp);
    uint64_t *open = scratch(d, SET_WORDS(p->slot_count), sizeof *open);
    d->rules[place] = scratch(d, p->slot_count, sizeof *d->rules[place]);
    if (!open || !d->rules[place])
        return false;
    for (size_t s = 0; s < p->slot_count; s++)
        set_add(open, s);
    policy_walk(&w, open, d->rules[place]);
    return true;
}

static bool walk_all(struct deciding *d)
{
    if (!walk_colour(d, 0, d->w.tlp))
        return false;
    for (int c = STIX_TLP_CLEAR; c < STIX_TLP_COUNT; c++)
        if (d->w.f->granular_tlps >> c & 1 && !walk_colour(d, c, (enum stix_tlp)c))
            return false;
    return true;
}

/* STIX 2.1 §7.2.3: the colours of granular markings that this cell may not have. */
static unsigned dropped(const struct deciding *d, const struct cell *c)
{
    unsigned drop = 0;
    for (int k = STIX_TLP_CLEAR; k < STIX_TLP_COUNT; k++) {
        if (!d->rules[k])
            continue;
        struct walk w = of_colour(&d->w, (enum stix_tlp)k);
        if (policy_floor(&w, d->rules[k][c->slot], c->nation, NULL) != POLICY_RELEASED)
            drop |= 1u << k;
    }
    return drop;
}

/* ---- views ---- */

/* Fills in which rules hold and whose conditions do; false for no redaction at all. */
static bool fill_view(struct deciding *d, uint32_t class, struct policy_view *v,
                      const struct policy_redaction **steps)
{
    const struct policy *p = d->w.p;
    const uint64_t *set = p->redact_sets + class * SET_WORDS(p->redact_count);
    struct buf *key = &d->m->key;
    unsigned char digest[CRYPT_SHA256_BYTES];
    bool any = v->drop_tlps != 0 || v->drop_local;
    buf_clear(key);
    for (size_t i = 0; i < p->redact_count; i++) {
        const struct rule *r = &p->redacts[i];
        if (!set_has(set, i) || !policy_rule_active(r, d->w.f->now_us))
            continue;
        any = true;
        key_text(key, r->redaction->own);
        if (!policy_rule_holds(&d->w, r))
            continue;
        steps[v->step_count++] = r->redaction;
        v->drop_references |= r->redaction->transform == TRANSFORM_DROP_REFERENCE;
    }
    key_u64(key, v->drop_tlps);
    if (v->drop_local)
        key_text(key, STR("local"));
    crypt_sha256(buf_view(key), digest);
    memcpy(v->profile, digest, sizeof v->profile);
    return any;
}

static bool keep_view(struct deciding *d, const struct policy_view *v,
                      const struct policy_redaction **steps, const struct policy_view **out)
{
    struct policy_view *kept = keep(d, 1, sizeof *kept);
    const struct policy_redaction **kept_steps = keep(d, v->step_count, sizeof *kept_steps);
    struct policy_rule_ref *rules = keep(d, v->step_count, sizeof *rules);
    if (!kept || !kept_steps || !rules)
        return false;
    *kept = *v;
    for (size_t i = 0; i < v->step_count; i++) {
        kept_steps[i] = steps[i];
        rules[i] = steps[i]->rule;
    }
    kept->steps = kept_steps;
    kept->rules = rules;
    *out = kept;
    return true;
}

/* The one view of this content, or NULL for the object as it is. */
static bool view_of(struct deciding *d, uint32_t class, unsigned drop,
                    const struct policy_view **out)
{
    struct policy_view v = {.drop_tlps = drop, .drop_local = d->w.f->local};
    const struct policy_redaction **steps = scratch(d, d->w.p->redact_count, sizeof *steps);
    struct buf *key = &d->m->key;
    *out = NULL;
    if (!steps)
        return false;
    if (!fill_view(d, class, &v, steps))
        return buf_ok(key, d->e);
    if (!buf_ok(key, d->e))
        return false;
    buf_clear(key);
    key_u64(key, d->w.p->number);
    key_put(key, v.profile, sizeof v.profile);
    key_u64(key, drop);
    for (size_t i = 0; i < v.step_count; i++)
        key_put(key, &steps[i], sizeof steps[i]);
    if (!buf_ok(key, d->e))
        return false;
    *out = look(&d->m->views, buf_view(key), str_hash(buf_view(key), 0));
    return *out ||
           (keep_view(d, &v, steps, out) && note(d->m, &d->m->views, buf_view(key), *out, d->e));
}

/* ---- groups ---- */

#define ALWAYS STR("an organisation always reads what it submitted itself")

static bool always(const struct deciding *d, const struct policy_party *who)
{
    const struct policy_party *source = &d->w.f->source;
    return (policy_party_valid(source) && policy_same_party(who, source)) ||
           (d->also && policy_same_party(who, d->also));
}

static bool same_group(const struct policy_group *a, const struct policy_group *b)
{
    return a->verdict == b->verdict && a->officers == b->officers &&
           a->within_hours == b->within_hours && a->by_name == b->by_name && a->view == b->view;
}

/* One more rule that decided for some of the group; what has no line is none. */
static void add_line(struct policy_group *g, unsigned line)
{
    unsigned kept = g->line_count < POLICY_GROUP_LINES ? g->line_count : POLICY_GROUP_LINES, i = 0;
    while (i < kept && g->lines[i] < line)
        i++;
    if (line == 0 || (i < kept && g->lines[i] == line))
        return;
    for (unsigned k = kept < POLICY_GROUP_LINES ? kept : kept - 1; k > i; k--)
        g->lines[k] = g->lines[k - 1];
    if (i < POLICY_GROUP_LINES)
        g->lines[i] = line;
    g->line_count++;
}

/* The group of the cell, from 1; 0 when it is denied. */
static void put_in_group(struct deciding *d, struct cell *c, const struct policy_group *g)
{
    size_t i = 0;
    while (i < d->group_count && !same_group(&d->groups[i], g))
        i++;
    if (i == d->group_count)
        d->groups[d->group_count++] = *g;
    else if (d->groups[i].rule.line == 0)
        d->groups[i].rule = g->rule;
    add_line(&d->groups[i], g->rule.line);
    c->group = (uint32_t)i + 1;
}

static bool place_cell(struct deciding *d, struct cell *c)
{
    struct policy_party who = {c->nation, c->org};
    struct policy_group g = {.verdict = POLICY_RELEASED, .rule = {0, ALWAYS}};
    if (c->org.n && always(d, &who)) {
        put_in_group(d, c, &g);
        return true;
    }
    const struct rule *r = d->rules[0][c->slot];
    g.verdict = policy_floor(&d->w, r, c->nation, NULL);
    if (g.verdict == POLICY_DENIED)
        return true;
    g.rule = (struct policy_rule_ref){r->line, r->text};
    if (g.verdict == POLICY_HELD) {
        g.officers = r->officers;
        g.within_hours = r->within_hours;
        g.by_name = d->w.tlp == STIX_TLP_RED;
    }
    uint32_t class = d->w.p->redact_class[c->slot];
    unsigned drop = dropped(d, c);
    if (d->latest.class != class || d->latest.drop != drop) {
        if (!view_of(d, class, drop, &d->latest.view))
            return false;
        d->latest.class = class;
        d->latest.drop = drop;
    }
    g.view = d->latest.view;
    put_in_group(d, c, &g);
    return true;
}

static bool make_groups(struct deciding *d)
{
    d->groups = scratch(d, d->cell_count, sizeof *d->groups);
    d->latest.class = UINT32_MAX;
    if (!d->groups)
        return false;
    for (size_t i = 0; i < d->cell_count; i++)
        if (!place_cell(d, &d->cells[i]))
            return false;
    return true;
}

/* ---- outcomes ---- */

/* Writes the audiences into the scratch arena and all that tells outcomes apart into the key. */
static bool outcome_key(struct deciding *d)
{
    struct buf text;
    buf_init(&text, 0);
    buf_clear(&d->m->key);
    key_u64(&d->m->key, d->w.p->number);
    for (size_t i = 0; i < d->group_count; i++) {
        struct policy_group *g = &d->groups[i];
        buf_clear(&text);
        policy_put_audience(d->cells, d->cell_count, (uint32_t)i + 1, &text);
        g->audience = arena_str(d->m->scratch, buf_view(&text));
        if (text.failed)
            break;
        key_u64(&d->m->key, (uint64_t)g->verdict | (uint64_t)g->by_name << 8 |
                                (uint64_t)g->officers << 16 | (uint64_t)g->within_hours << 32);
        key_put(&d->m->key, &g->view, sizeof g->view);
        key_put(&d->m->key, &g->rule.text.p, sizeof g->rule.text.p);
        key_put(&d->m->key, g->lines, sizeof g->lines);
        key_text(&d->m->key, g->audience);
    }
    bool ok = buf_ok(&text, d->e) && arena_ok(d->m->scratch, d->e) && buf_ok(&d->m->key, d->e);
    buf_done(&text);
    return ok;
}

/* Once for all objects of this outcome. */
static bool keep_lines(struct deciding *d, struct policy_group *g)
{
    struct buf b;
    if (g->line_count < 2)
        return true;
    buf_init(&b, 0);
    for (unsigned i = 0; i < g->line_count && i < POLICY_GROUP_LINES; i++)
        buf_printf(&b, "%s%u", i ? "," : "", g->lines[i]);
    if (g->line_count > POLICY_GROUP_LINES)
        buf_lit(&b, ",...");
    g->lines_text = arena_str(d->m->arena, buf_view(&b));
    bool ok = buf_ok(&b, d->e);
    buf_done(&b);
    return ok;
}

static bool keep_outcome(struct deciding *d, const struct policy_outcome **out)
{
    struct policy_outcome *o = keep(d, 1, sizeof *o);
    struct policy_group *groups = keep(d, d->group_count, sizeof *groups);
    if (!o || !groups)
        return false;
    for (size_t i = 0; i < d->group_count; i++) {
        groups[i] = d->groups[i];
        groups[i].audience = arena_str(d->m->arena, d->groups[i].audience);
        if (!keep_lines(d, &groups[i]))
            return false;
    }
    if (!arena_ok(d->m->arena, d->e))
        return false;
    *o = (struct policy_outcome){groups, d->group_count, ++d->m->serial};
    *out = o;
    return true;
}

static bool intern_outcome(struct deciding *d, const struct policy_outcome **out)
{
    struct str key;
    if (!outcome_key(d))
        return false;
    key = buf_view(&d->m->key);
    *out = look(&d->m->outcomes, key, str_hash(key, 0));
    return *out || (keep_outcome(d, out) && note(d->m, &d->m->outcomes, key, *out, d->e));
}

static struct walk walk_of(const struct policy *p, const struct policy_memo *m,
                           const struct policy_facts *f)
{
    return (struct walk){p, f, m->bits, policy_effective(f->tlp)};
}

static bool make_outcome(struct deciding *d, const struct policy_outcome **out)
{
    arena_reset(d->m->scratch);
    return make_cells(d) && walk_all(d) && make_groups(d) && intern_outcome(d, out);
}

static bool run_tests(const struct policy *p, struct policy_memo *m, const struct policy_facts *f,
                      struct err *e)
{
    size_t words = SET_WORDS(p->test_count);
    if (words > m->bits_room &&
        !base_grow((void **)&m->bits, &m->bits_room, words, sizeof *m->bits))
        return err_set(e, ERR_MEMORY, "out of memory");
    policy_tests_run(p, f, m->bits);
    return true;
}

bool policy_decide(const struct policy *p, struct policy_memo *m, const struct policy_facts *f,
                   const struct policy_party *also, const struct policy_outcome **out,
                   struct err *e)
{
    const struct policy_outcome *o = NULL;
    if (also && !policy_party_valid(also))
        return err_set(e, ERR_INVALID, "the submitter has no valid nation and organisation");
    if (!run_tests(p, m, f, e))
        return false;
    struct str key = decision_key(m, p, f, also);
    if (!buf_ok(&m->key, e))
        return false;
    o = look(&m->decisions, key, str_hash(key, 0));
    if (!o) {
        struct deciding d = {.m = m, .w = walk_of(p, m, f), .also = also, .e = e};
        if (!make_outcome(&d, &o))
            return false;
        key = decision_key(m, p, f, also);
        if (!buf_ok(&m->key, e) || !note(m, &m->decisions, key, o, e))
            return false;
    }
    *out = o;
    return true;
}

/* ---- one recipient ---- */

/* The walk of policy_decide for the one slot of `to`. */
static bool answer(struct deciding *d, const struct policy_party *to, struct policy_answer *out)
{
    const struct policy *p = d->w.p;
    size_t slot = policy_slot_of(p, to);
    arena_reset(d->m->scratch);
    uint64_t *open = scratch(d, SET_WORDS(p->slot_count), sizeof *open);
    const struct rule **rules = scratch(d, p->slot_count, sizeof *rules);
    if (!open || !rules)
        return false;
    set_add(open, slot);
    policy_walk(&d->w, open, rules);
    const struct rule *r = rules[slot];
    out->rule = r ? (struct policy_rule_ref){r->line, r->text}
                  : (struct policy_rule_ref){0, p->defaults[slot]};
    struct str why = STR_NONE;
    out->verdict = policy_floor(&d->w, r, to->nation, &why);
    if (why.n)
        out->rule = (struct policy_rule_ref){0, why};
    return true;
}

bool policy_answer_for(const struct policy *p, struct policy_memo *m, const struct policy_asked *q,
                       struct policy_answer *out, struct err *e)
{
    struct policy_answer a = {.verdict = POLICY_RELEASED, .rule = {0, ALWAYS}};
    const struct policy_outcome *o;
    if (!policy_decide(p, m, q->facts, q->also, &o, e))
        return false;
    struct deciding d = {.m = m, .w = walk_of(p, m, q->facts), .also = q->also, .e = e};
    if (!policy_party_valid(q->to)) {
        a.verdict = POLICY_DENIED;
        a.rule.text = STR("the recipient has no valid nation and organisation");
    } else if (!always(&d, q->to) && !answer(&d, q->to, &a)) {
        return false;
    }
    for (size_t i = 0; i < o->count && !a.group; i++)
        if (policy_audience_has(o->groups[i].audience, q->to))
            a.group = &o->groups[i];
    must((a.group ? a.group->verdict : POLICY_DENIED) == a.verdict);
    *out = a;
    return true;
}

/* ---- before redactions and holds ---- */

/* The group that gets the object as it is, or NULL. */
static const struct policy_group *plain_group(const struct policy_outcome *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->groups[i].verdict == POLICY_RELEASED && !o->groups[i].view)
            return &o->groups[i];
    return NULL;
}

static bool granular(const struct policy_facts *f)
{
    return f->granular || f->granular_tlps;
}

/* STIX 2.1 §7.2.3, and what is local: who cannot make a copy withholds the object whole, as if it
 * were for its submitter alone. */
static struct policy_facts whole(const struct policy_facts *f)
{
    struct policy_facts x = *f;
    if ((granular(f) || f->local) && x.tlp != STIX_TLP_RED)
        x.tlp = STIX_TLP_AMBER_STRICT;
    return x;
}

bool policy_audience(const struct policy *p, const struct policy_facts *f,
                     const struct policy_party *also, struct buf *out, struct err *e)
{
    struct policy_facts facts = whole(f);
    const struct policy_outcome *o;
    struct policy_memo *m = policy_memo_new();
    if (!m)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = policy_decide(p, m, &facts, also, &o, e);
    if (ok && plain_group(o))
        buf_str(out, plain_group(o)->audience);
    policy_memo_free(m);
    return ok && buf_ok(out, e);
}

/* Would the slot get a copy, of whatever object? */
static bool redacted(const struct policy *p, const struct policy_facts *f, size_t slot)
{
    for (size_t i = 0; i < p->redact_count; i++)
        if (set_has(p->redacts[i].who, slot) && policy_rule_active(&p->redacts[i], f->now_us))
            return true;
    return false;
}

static enum policy_release refused(struct policy_rule_ref *rule, struct str text)
{
    *rule = (struct policy_rule_ref){0, text};
    return POLICY_DENY;
}

enum policy_release policy_release_to(const struct policy *p, const struct policy_facts *f,
                                      const struct policy_party *to, struct policy_rule_ref *rule)
{
    struct policy_facts facts = whole(f);
    struct walk w = {p, &facts, NULL, policy_effective(facts.tlp)};
    struct rule_list releases = {p, p->releases, p->release_count};
    struct policy_rule_ref unused;
    struct str why = STR_NONE;
    if (!rule)
        rule = &unused;
    if (!policy_party_valid(to))
        return refused(rule, STR("the recipient has no valid nation and organisation"));
    if (policy_same_party(to, &f->source)) {
        *rule = (struct policy_rule_ref){0, ALWAYS};
        return POLICY_RELEASE;
    }
    if (f->local && f->tlp < STIX_TLP_AMBER_STRICT)
        return refused(rule, STR("an object with properties that their definition keeps local "
                                 "stays whole with the organisation that submitted it"));
    if (granular(f) && f->tlp < STIX_TLP_AMBER_STRICT)
        return refused(rule, STR("an object with granular markings (STIX 2.1 section 7.2.3) stays "
                                 "whole with the organisation that submitted it"));
    size_t slot = policy_slot_of(p, to);
    const struct rule *r = policy_first(&releases, &facts, slot);
    enum policy_verdict verdict = policy_floor(&w, r, to->nation, &why);
    *rule = why.n ? (struct policy_rule_ref){0, why}
            : r   ? (struct policy_rule_ref){r->line, r->text}
                  : (struct policy_rule_ref){0, p->defaults[slot]};
    return verdict == POLICY_RELEASED && !redacted(p, f, slot) && !f->granular_tlps ? POLICY_RELEASE
                                                                                    : POLICY_DENY;
}
