#include "policy/policy_priv.h"

/* ---- writing ---- */

static void put_part(struct buf *out, size_t start, bool on, struct str nation, struct str org)
{
    if (out->n > start)
        buf_byte(out, ' ');
    buf_byte(out, on ? '+' : '-');
    buf_str(out, nation);
    if (org.n) {
        buf_byte(out, '/');
        buf_str(out, org);
    }
}

void policy_put_audience(const struct cell *cells, size_t count, uint32_t group, struct buf *out)
{
    size_t start = out->n;
    bool star = false, rest = false;
    for (size_t i = 0; i < count; i++) {
        const struct cell *c = &cells[i];
        bool on = c->group == group;
        if (c->nation.n == 0) {
            star = on;
            if (on)
                put_part(out, start, true, STR("*"), STR_NONE);
        } else if (c->org.n == 0) {
            rest = on;
            if (on != star)
                put_part(out, start, on, c->nation, STR_NONE);
        } else if (on != rest) {
            put_part(out, start, on, c->nation, c->org);
        }
    }
}

/* ---- reading ---- */

void policy_audience_open(struct audience_reader *r, struct str text)
{
    *r = (struct audience_reader){.rest = text.n ? text : STR_NONE};
}

/* One part; false when the text is not canonical: unsorted, or saying what already holds. */
static bool read_part(struct audience_reader *r, struct str part)
{
    struct str x = str_from(part, 1), nation = str_slice(x, 0, 2), org = str_from(x, 3);
    if (part.n < 2 || (part.p[0] != '+' && part.p[0] != '-') || str_cmp(r->previous, x) >= 0)
        return false;
    r->on = part.p[0] == '+';
    r->key = r->previous = x;
    if (str_eq(x, STR("*"))) {
        r->star = r->on;
        return r->on;
    }
    if (!policy_nation_valid(nation))
        return false;
    if (!str_eq(nation, r->nation)) {
        r->nation = nation;
        r->nation_on = r->star;
    }
    if (x.n == 2) {
        r->nation_on = r->on;
        return r->on != r->star;
    }
    return x.p[2] == '/' && policy_org_valid(org) && r->on != r->nation_on;
}

bool policy_audience_next(struct audience_reader *r)
{
    if (r->bad || !r->rest.p)
        return false;
    r->bad = !read_part(r, str_cut(&r->rest, ' '));
    return !r->bad;
}

/* Does the part say something of `who`? */
static bool names(struct str key, const struct policy_party *who)
{
    return str_eq(key, STR("*")) || (str_eq(str_slice(key, 0, 2), who->nation) &&
                                     (key.n == 2 || str_eq(str_from(key, 3), who->org)));
}

bool policy_audience_has(struct str audience, const struct policy_party *who)
{
    struct audience_reader r;
    bool answer = false;
    if (!policy_party_valid(who))
        return false;
    policy_audience_open(&r, audience);
    while (policy_audience_next(&r))
        if (names(r.key, who))
            answer = r.on;
    return answer && !r.bad;
}

/* ---- combining ---- */

static bool combined(enum policy_set how, bool a, bool b)
{
    switch (how) {
    case POLICY_BOTH:
        return a && b;
    case POLICY_EITHER:
        return a || b;
    case POLICY_WITHOUT:
        return a && !b;
    }
    return false;
}

/* What one of the texts says, part after part, of everyone, the latest nation, the latest key. */
struct side {
    struct audience_reader r;
    bool more;
    bool star, nation, now;
};

/* Takes the part that has the key, if the side has one there. */
static void step(struct side *s, struct str key, bool new_nation)
{
    bool here = s->more && str_eq(s->r.key, key);
    bool on = s->r.on;
    if (new_nation)
        s->nation = s->star;
    if (key.n == 1) {
        s->star = here && on;
        s->now = s->star;
    } else if (key.n == 2) {
        s->nation = here ? on : s->star;
        s->now = s->nation;
    } else {
        s->now = here ? on : s->nation;
    }
    if (here)
        s->more = policy_audience_next(&s->r);
}

static struct str least(const struct side *a, const struct side *b)
{
    if (!a->more || !b->more)
        return a->more ? a->r.key : b->r.key;
    return str_cmp(a->r.key, b->r.key) <= 0 ? a->r.key : b->r.key;
}

bool policy_audience_combine(struct str a, struct str b, enum policy_set how, struct buf *out,
                             struct err *e)
{
    struct side x = {0}, y = {0};
    struct str nation = STR_NONE;
    size_t start = out->n;
    policy_audience_open(&x.r, a);
    policy_audience_open(&y.r, b);
    x.more = policy_audience_next(&x.r);
    y.more = policy_audience_next(&y.r);
    while (x.more || y.more) {
        struct str key = least(&x, &y), of = str_slice(key, 0, 2);
        bool new_nation = key.n > 1 && !str_eq(of, nation);
        if (new_nation)
            nation = of;
        step(&x, key, new_nation);
        step(&y, key, new_nation);
        bool parent = key.n == 1   ? false
                      : key.n == 2 ? combined(how, x.star, y.star)
                                   : combined(how, x.nation, y.nation);
        bool on = combined(how, x.now, y.now);
        if (on != parent)
            put_part(out, start, on, of, str_from(key, 3));
    }
    if (x.r.bad || y.r.bad) {
        out->n = start;
        return err_set(e, ERR_INVALID, "an audience is not canonical");
    }
    return buf_ok(out, e);
}
