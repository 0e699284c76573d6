#include "policy/policy_priv.h"

/* ---- writing ---- */

/* Walks two sorted lists as one, each name once. */
struct merge {
    const struct str *a, *b;
    size_t a_count, b_count;
    size_t i, k; /* next of a, of b */
};

/* The next name; *in_a is its index in a, or SIZE_MAX when only b has it. */
static bool merge_next(struct merge *m, struct str *name, size_t *in_a)
{
    if (m->i == m->a_count && m->k == m->b_count)
        return false;
    int order = m->i == m->a_count ? 1 : m->k == m->b_count ? -1 : str_cmp(m->a[m->i], m->b[m->k]);
    *name = order <= 0 ? m->a[m->i] : m->b[m->k];
    *in_a = order <= 0 ? m->i++ : SIZE_MAX;
    if (order >= 0)
        m->k++;
    return true;
}

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

struct writer {
    const struct policy *p;
    const struct policy_facts *f;
    const struct policy_party *always[2]; /* who reads it whatever the rules say */
    size_t always_count;
    bool star;                /* organisations of nations that nobody names */
    const uint64_t *released; /* slots */
    struct buf *out;
    size_t start; /* of the text in out */
};

static void put_part(struct writer *w, bool on, struct str nation, struct str org)
{
    if (w->out->n > w->start)
        buf_byte(w->out, ' ');
    buf_byte(w->out, on ? '+' : '-');
    buf_str(w->out, nation);
    if (org.n) {
        buf_byte(w->out, '/');
        buf_str(w->out, org);
    }
}

/* The parts of one nation; `k` is its index in the policy or SIZE_MAX. */
static void put_nation(struct writer *w, struct str nation, size_t k)
{
    static const struct nation unnamed = {0};
    const struct nation *n = k == SIZE_MAX ? &unnamed : &w->p->nations[k];
    bool third = policy_floor_third(w->f, nation);
    bool rest = !third && set_has(w->released, n->slot);
    struct few always = {0};
    struct str org;
    size_t i;
    for (size_t a = 0; a < w->always_count; a++)
        if (str_eq(w->always[a]->nation, nation))
            few_add(&always, w->always[a]->org);
    if (rest != w->star)
        put_part(w, rest, nation, STR_NONE);
    struct merge m = {n->orgs, always.v, n->org_count, always.count, 0, 0};
    while (merge_next(&m, &org, &i)) {
        bool on = i != SIZE_MAX && !third && set_has(w->released, n->slot + 1 + i);
        for (size_t a = 0; a < always.count; a++)
            on = on || str_eq(always.v[a], org);
        if (on != rest)
            put_part(w, on, nation, org);
    }
}

/* What the rules release, walked once for all slots together. */
static void decide_all(const struct policy *p, const struct policy_facts *f, uint64_t *released)
{
    uint64_t open[SET_WORDS_MOST], some = 1;
    size_t words = SET_WORDS(p->slot_count);
    struct query q;
    policy_query(p, f, &q);
    for (size_t w = 0; w < words; w++)
        open[w] = w + 1 < words || p->slot_count % 64 == 0
                      ? UINT64_MAX
                      : ((uint64_t)1 << (p->slot_count % 64)) - 1;
    for (size_t i = 0; i < p->release_count && some; i++) {
        const struct rule *r = &p->releases[i];
        if (!policy_rule_matches(p, r, &q))
            continue;
        some = 0;
        for (size_t w = 0; w < words; w++) {
            if (r->verb == WORD_RELEASE)
                released[w] |= open[w] & r->who[w];
            some |= open[w] &= ~r->who[w];
        }
    }
}

bool policy_audience(const struct policy *p, const struct policy_facts *f,
                     const struct policy_party *also, struct buf *out, struct err *e)
{
    uint64_t released[SET_WORDS_MOST] = {0};
    struct writer w = {.p = p, .f = f, .released = released, .out = out, .start = out->n};
    struct few extra = {0};
    struct str nation;
    size_t k;
    if (also && !policy_party_valid(also))
        return err_set(e, ERR_INVALID, "the submitter has no valid nation and organisation");
    if (!policy_floor_withholds(f, NULL))
        decide_all(p, f, released);
    if (also)
        w.always[w.always_count++] = also;
    if (policy_party_valid(&f->source))
        w.always[w.always_count++] = &f->source;
    if (also)
        few_add(&extra, also->nation);
    if (policy_nation_valid(f->source.nation))
        few_add(&extra, f->source.nation);
    if (policy_nation_valid(f->home))
        few_add(&extra, f->home);
    w.star = set_has(released, 0) && !policy_floor_third(f, STR_NONE);
    if (w.star)
        put_part(&w, true, STR("*"), STR_NONE);
    struct merge m = {p->nation_codes.v, extra.v, p->nation_codes.count, extra.count, 0, 0};
    while (merge_next(&m, &nation, &k))
        put_nation(&w, nation, k);
    return buf_ok(out, e);
}

/* ---- reading ---- */

struct reader {
    const struct policy_party *who;
    struct str previous;  /* the part before, without its sign */
    struct str nation;    /* the latest nation part */
    bool star, nation_on; /* what they say */
    bool answer;
};

/* One part; false when the text is not canonical: unsorted, or saying what already holds. */
static bool read_part(struct reader *r, struct str part)
{
    struct str x = str_from(part, 1), nation = str_slice(x, 0, 2), org = str_from(x, 3);
    if (part.n < 2 || (part.p[0] != '+' && part.p[0] != '-') || str_cmp(r->previous, x) >= 0)
        return false;
    bool on = part.p[0] == '+';
    r->previous = x;
    if (str_eq(x, STR("*"))) {
        r->star = on;
        r->answer = on;
        return on;
    }
    if (!policy_nation_valid(nation))
        return false;
    if (x.n == 2) {
        r->nation = nation;
        r->nation_on = on;
        if (str_eq(nation, r->who->nation))
            r->answer = on;
        return on != r->star;
    }
    if (x.p[2] != '/' || !policy_org_valid(org))
        return false;
    if (str_eq(nation, r->who->nation) && str_eq(org, r->who->org))
        r->answer = on;
    return on != (str_eq(nation, r->nation) ? r->nation_on : r->star);
}

bool policy_audience_has(struct str audience, const struct policy_party *who)
{
    struct reader r = {.who = who};
    if (audience.n == 0 || !policy_party_valid(who))
        return false;
    while (audience.p) {
        struct str part = str_cut(&audience, ' ');
        if (!read_part(&r, part))
            return false;
    }
    return r.answer;
}
