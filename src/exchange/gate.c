/* Deciding: the policy's groups become shares, each with the object or a copy of its own. */
#include <string.h>

#include "exchange/gate_priv.h"

/* ---- sets of recipients ---- */

bool gate_combine(struct gate *g, struct str a, struct str b, enum policy_set how, struct str *out,
                  struct err *e)
{
    struct gate_combined *slot = &g->combined[(str_hash(a, how) ^ str_hash(b, 7)) % GATE_COMBINED];
    struct buf text;
    if (a.n == 0 || b.n == 0) { /* nobody */
        if (how == POLICY_BOTH || (how == POLICY_WITHOUT && a.n == 0))
            *out = STR("");
        else
            *out = arena_str(g->arena, a.n ? a : b);
        return arena_ok(g->arena, e);
    }
    if (slot->how == how && slot->a.n && str_eq(slot->a, a) && str_eq(slot->b, b)) {
        *out = slot->out;
        return true;
    }
    buf_init(&text, 0);
    bool ok = policy_audience_combine(a, b, how, &text, e) && buf_ok(&text, e);
    if (ok)
        *out = arena_str(g->arena, buf_view(&text));
    buf_done(&text);
    ok = ok && arena_ok(g->arena, e);
    if (ok && g->combined_count++ < LIMIT_GATE_COMBINED)
        *slot = (struct gate_combined){how, arena_str(g->known, a), arena_str(g->known, b),
                                       arena_str(g->known, *out)};
    return ok && arena_ok(g->known, e);
}

/* ---- what an object refers to ---- */

/* An id under which some read a target: its own, or a copy's. */
struct form {
    struct form *next;
    struct str id, readers;
    bool varied;     /* a copy that not all recipients of its view have */
    struct str know; /* those of its readers who know the target by it: none by a form before */
};

/* One id that the object names, as the recipients of one group may know it. */
struct target {
    struct target *next;
    struct str id;
    struct str origin;  /* the id it has at home: of what it is a copy, else itself */
    struct form *forms; /* copies stand before the original */
};

/* One group, and the parts that its references divide it into. */
struct dividing {
    struct gate *g;
    const struct gate_subject *s;
    const struct policy_group *group;
    struct str audience;    /* of all groups whose copies would have one id */
    struct target *targets; /* by id */
    bool failed;
    struct err *e;
};

struct readers {
    struct gate *g;
    struct str all;
    bool failed;
    struct err *e;
};

static bool add_readers(void *ctx, struct str text)
{
    struct readers *r = ctx;
    r->failed = !gate_combine(r->g, text, r->all, POLICY_EITHER, &r->all, r->e);
    return !r->failed;
}

/* Who reads a version under this very id. */
static bool readers_of(struct gate *g, struct str id, struct str *out, struct err *e)
{
    struct readers r = {.g = g, .all = STR(""), .e = e};
    int64_t name = store_name(g->store, id);
    if (gate_foreseen_readers(g, name, out))
        return true;
    if (!store_release_readers(g->store, name, add_readers, &r, e) || r.failed)
        return false;
    *out = r.all;
    return true;
}

struct copy_ids {
    struct arena *a;
    struct form *list;
};

/* In order of the ids; the original stands last. */
static bool note_copy_id(void *ctx, struct str id, bool varied)
{
    struct copy_ids *c = ctx;
    struct form *f = arena_calloc(c->a, 1, sizeof *f), **at = &c->list;
    if (!f)
        return false;
    while (*at && (*at)->next && str_cmp((*at)->id, id) < 0)
        at = &(*at)->next;
    *f = (struct form){.next = *at, .id = arena_str(c->a, id), .varied = varied};
    *at = f;
    return true;
}

/* What it is known as, and by whom. */
static bool look_up_target(struct dividing *d, struct target *t)
{
    struct gate *g = d->g;
    struct copy_ids ids = {.a = g->arena};
    struct str origin;
    if (!store_copy_origin(g->store, g->arena, t->id, &origin, d->e))
        return false;
    t->origin = origin.n ? origin : t->id;
    /* Where nothing depends on who reads it, nobody looks. */
    if (!d->group->view && !origin.n)
        return true;
    note_copy_id(&ids, t->origin, false);
    if (!gate_foreseen_copies(g, store_name(g->store, t->origin), note_copy_id, &ids) &&
        !store_copies_of(g->store, t->origin, note_copy_id, &ids, d->e))
        return false;
    t->forms = ids.list;
    struct str before = STR("");
    for (struct form *f = t->forms; f; f = f->next)
        if (!readers_of(g, f->id, &f->readers, d->e) ||
            !gate_combine(g, f->readers, before, POLICY_WITHOUT, &f->know, d->e) ||
            !gate_combine(g, f->readers, before, POLICY_EITHER, &before, d->e))
            return false;
    return arena_ok(g->arena, d->e);
}

static const struct form *origin_of(const struct target *t)
{
    const struct form *f = t->forms;
    while (f->next)
        f = f->next;
    return f;
}

static bool note_target(void *ctx, struct str id)
{
    struct dividing *d = ctx;
    struct target **at = &d->targets;
    while (*at && str_cmp((*at)->id, id) < 0)
        at = &(*at)->next;
    if (*at && str_eq((*at)->id, id))
        return true;
    struct target *t = arena_calloc(d->g->arena, 1, sizeof *t);
    if (!t) {
        d->failed = !arena_ok(d->g->arena, d->e);
        return false;
    }
    t->id = id;
    d->failed = !look_up_target(d, t);
    t->next = *at;
    *at = t;
    return !d->failed;
}

/* ---- one part of a group ---- */

struct part {
    struct part *next;
    struct str audience;
};

struct mapping {
    const struct dividing *d;
    struct str audience;
    bool failed;
    struct err *e;
};

static bool all_among(struct mapping *m, struct str audience, struct str readers)
{
    struct str without;
    if (!gate_combine(m->d->g, audience, readers, POLICY_WITHOUT, &without, m->e)) {
        m->failed = true;
        return false;
    }
    return without.n == 0;
}

/* As what the part knows the target; NULL when not all of it read it so. */
static const struct form *form_of(struct mapping *m, const struct target *t)
{
    const struct form *f = t->forms;
    while (f && (f->know.n == 0 || !all_among(m, m->audience, f->know)))
        f = f->next;
    return f;
}

/* The id by which the part knows what the object refers to. Of what it does not read it is told
 * nothing, not even that there is a copy: the reference stands as it was, or goes. */
static enum policy_reference map_reference(void *ctx, struct str id, struct str *to)
{
    struct mapping *m = ctx;
    const struct policy_view *view = m->d->group->view;
    const struct target *t = m->d->targets;
    while (t && !str_eq(t->id, id))
        t = t->next;
    must(t != NULL);
    const struct form *f = form_of(m, t);
    if (!f)
        return view && view->drop_references ? POLICY_REFERENCE_GONE : POLICY_REFERENCE_KEPT;
    *to = f->id;
    return str_eq(*to, id) ? POLICY_REFERENCE_KEPT : POLICY_REFERENCE_CHANGED;
}

/* Who knows the target as this part does, or by what can be told apart from it anyway: by the
 * original, which is knowing more, or by a copy that is marked as one for some only. */
static bool know_alike(struct mapping *m, const struct target *t, const struct form *mine,
                       struct str *out)
{
    const struct form *origin = origin_of(t);
    *out = mine->know;
    for (const struct form *f = t->forms; f; f = f->next)
        if ((f->varied || f == origin) &&
            !gate_combine(m->d->g, *out, f->know, POLICY_EITHER, out, m->e))
            return false;
    return true;
}

/* Recipients of one group that differ in what they read of what it refers to get copies of their
 * own. What tells those apart is what each reads and others of the group do not, or only as a copy:
 * never what it does not read itself, nor in how many forms others have it, since that is to stay
 * unknown to it. Where all read alike there is nothing to tell apart, and the id stays the same
 * from version to version. */
static bool variant_of(struct mapping *m, struct str *out)
{
    struct gate *g = m->d->g;
    struct buf b;
    buf_init(&b, 0);
    for (const struct target *t = m->d->targets; t && !m->failed; t = t->next) {
        const struct form *f = form_of(m, t);
        struct str alike;
        if (!f)
            continue;
        m->failed = !know_alike(m, t, f, &alike);
        if (!m->failed && (f->varied || !all_among(m, m->d->audience, alike))) {
            buf_str(&b, f->id);
            buf_byte(&b, '\n');
        }
    }
    bool ok = !m->failed && buf_ok(&b, m->e);
    *out = b.n ? arena_str(g->arena, buf_view(&b)) : STR_NONE;
    buf_done(&b);
    return ok && arena_ok(g->arena, m->e);
}

static bool add_share(struct gate *g, struct gate_decision *out, const struct gate_share *share,
                      struct err *e)
{
    struct gate_share *copy = arena_alloc(g->arena, sizeof *copy);
    if (!copy)
        return arena_ok(g->arena, e);
    *copy = *share;
    copy->next = out->shares;
    out->shares = copy;
    return true;
}

bool gate_withhold(struct gate *g, struct gate_decision *out, struct str audience, struct str why,
                   struct err *e)
{
    struct gate_withheld *w = arena_calloc(g->arena, 1, sizeof *w);
    if (!w)
        return arena_ok(g->arena, e);
    *w = (struct gate_withheld){out->withheld, audience, arena_str(g->arena, why)};
    out->withheld = w;
    return arena_ok(g->arena, e);
}

static bool share_of_part(struct dividing *d, struct str audience, struct gate_decision *out)
{
    struct gate *g = d->g;
    struct mapping m = {.d = d, .audience = audience, .e = d->e};
    struct policy_copy copy;
    struct policy_copy_options options = {
        .key = {(const char *)g->x->key, sizeof g->x->key},
        .creator = g->x->config.identity,
        .local = &g->local,
        .led_home = d->group->view == NULL,
        .reference = map_reference,
        .ctx = &m,
        .reader = g->json,
        .arena = g->arena,
    };
    struct gate_share share = {.audience = audience, .verdict = POLICY_RELEASED, .group = d->group};
    if (!variant_of(&m, &options.variant) ||
        !gate_copy(g, d->s, d->group->view, &options, &copy, d->e) || m.failed)
        return false;
    if (copy.kind == POLICY_COPY_WITHHELD)
        return gate_withhold(g, out, audience, copy.why, d->e);
    if (copy.kind == POLICY_COPY_MADE) {
        share.copy_id = copy.id;
        share.copy_bytes = copy.bytes;
        share.varied = options.variant.n > 0;
    }
    return add_share(g, out, &share, d->e);
}

/* ---- dividing ---- */

/* Splits each part into those who know the target as this and those who do not. Past the limit
 * parts stay whole: then what not all of a part read counts as read by none. */
static bool split(struct dividing *d, struct part *parts, struct str know, size_t *count)
{
    for (struct part *p = parts; p && know.n; p = p->next) {
        struct str in, out;
        if (*count == LIMIT_GATE_PARTS)
            return true;
        if (!gate_combine(d->g, p->audience, know, POLICY_BOTH, &in, d->e) ||
            !gate_combine(d->g, p->audience, know, POLICY_WITHOUT, &out, d->e))
            return false;
        if (in.n == 0 || out.n == 0)
            continue;
        struct part *more = arena_calloc(d->g->arena, 1, sizeof *more);
        if (!more)
            return arena_ok(d->g->arena, d->e);
        p->audience = in;
        more->audience = out;
        more->next = p->next;
        p->next = more;
        p = more;
        ++*count;
    }
    return true;
}

static bool divide(struct dividing *d, struct str audience, struct gate_decision *out)
{
    struct part all = {.audience = audience};
    size_t count = 1;
    if (!gate_references(d->s->object->json, note_target, d) && d->failed)
        return false;
    for (const struct target *t = d->targets; t; t = t->next)
        for (const struct form *f = t->forms; f; f = f->next)
            if (!split(d, &all, f->know, &count))
                return false;
    for (const struct part *p = &all; p; p = p->next)
        if (!share_of_part(d, p->audience, out))
            return false;
    return true;
}

/* The organisations of the node's own nation among `audience`, and the others. */
static bool home_of(struct gate *g, struct str audience, struct str *home, struct str *abroad,
                    struct err *e)
{
    struct str nation = arena_printf(g->arena, "+%.*s", STR_FMT(g->x->config.nation));
    return arena_ok(g->arena, e) && gate_combine(g, audience, nation, POLICY_BOTH, home, e) &&
           gate_combine(g, audience, nation, POLICY_WITHOUT, abroad, e);
}

/* A group that is to be divided, once all are known. */
struct division {
    struct division *next;
    const struct policy_group *group;
    struct str audience;
};

/* One decision on its way. */
struct deciding {
    struct gate *g;
    const struct gate_subject *s;
    struct division *divisions;
    struct gate_decision *out;
    struct err *e;
};

static bool add_division(struct deciding *x, const struct policy_group *group, struct str audience)
{
    struct division *d = arena_alloc(x->g->arena, sizeof *d);
    if (!d)
        return arena_ok(x->g->arena, x->e);
    *d = (struct division){x->divisions, group, audience};
    x->divisions = d;
    return true;
}

static bool same_profile(const struct policy_view *a, const struct policy_view *b)
{
    return a && b ? memcmp(a->profile, b->profile, sizeof a->profile) == 0 : a == b;
}

static bool divide_all(struct deciding *x)
{
    for (const struct division *v = x->divisions; v; v = v->next) {
        struct dividing d = {
            .g = x->g, .s = x->s, .group = v->group, .audience = v->audience, .e = x->e};
        for (const struct division *o = x->divisions; o; o = o->next)
            if (same_profile(o->group->view, v->group->view) &&
                !gate_combine(x->g, o->audience, d.audience, POLICY_EITHER, &d.audience, x->e))
                return false;
        if (!divide(&d, v->audience, x->out))
            return false;
    }
    return true;
}

static bool released_group(struct deciding *x, const struct gate_share *share)
{
    struct gate *g = x->g;
    struct gate_decision *out = x->out;
    struct err *e = x->e;
    const struct gate_org *source;
    struct str home, abroad;
    if (share->group->view)
        return add_division(x, share->group, share->audience);
    if (!g->has_copies)
        return add_share(g, out, share, e);
    /* What comes from abroad may speak of our copies; at home it is to speak of the originals. */
    if (!gate_org_of(g, x->s->source_org, &source, e))
        return false;
    if (str_eq(source->party.nation, g->x->config.nation))
        return add_share(g, out, share, e);
    if (!home_of(g, share->audience, &home, &abroad, e))
        return false;
    struct gate_share rest = *share;
    rest.audience = abroad;
    rest.serial = 0;
    return (abroad.n == 0 || add_share(g, out, &rest, e)) &&
           (home.n == 0 || add_division(x, share->group, home));
}

/* ---- the decision ---- */

/* Whoever else submitted it reads it as it is. */
struct submitters {
    struct gate *g;
    struct str all;
    bool failed;
    struct err *e;
};

static bool add_submitter(void *ctx, const struct store_org *o)
{
    struct submitters *s = ctx;
    struct str one = arena_printf(s->g->arena, "+%.*s/%.*s", STR_FMT(o->nation), STR_FMT(o->name));
    s->failed = !arena_ok(s->g->arena, s->e) ||
                !gate_combine(s->g, one, s->all, POLICY_EITHER, &s->all, s->e);
    return !s->failed;
}

static bool submitters_of(struct gate *g, const struct gate_subject *s, struct str *out,
                          struct err *e)
{
    struct submitters all = {.g = g, .all = STR(""), .e = e};
    if (s->row && !s->first &&
        (!store_submitter_each(g->store, s->row, s->collection->id, add_submitter, &all, e) ||
         all.failed))
        return false;
    *out = all.all;
    return true;
}

/* Takes those who are approved, and the further submitters, out of a group's share. */
static bool place_group(struct deciding *x, struct gate_share *share, struct str submitters)
{
    struct gate *g = x->g;
    struct gate_decision *out = x->out;
    struct str approved = STR("");
    if (submitters.n) {
        share->serial = 0;
        if (!gate_combine(g, share->audience, submitters, POLICY_WITHOUT, &share->audience, x->e))
            return false;
    }
    if (share->verdict != POLICY_HELD)
        return share->audience.n == 0 || released_group(x, share);
    struct gate_share free = *share;
    if (!gate_combine(g, share->audience, out->held, POLICY_EITHER, &out->held, x->e) ||
        !gate_approved(g, x->s, share, &approved, x->e) ||
        !gate_combine(g, share->audience, approved, POLICY_BOTH, &free.audience, x->e) ||
        !gate_combine(g, share->audience, approved, POLICY_WITHOUT, &share->audience, x->e))
        return false;
    share->serial = free.serial = 0;
    free.verdict = POLICY_RELEASED;
    if (free.audience.n && !released_group(x, &free))
        return false;
    return share->audience.n == 0 || add_share(g, out, share, x->e);
}

bool gate_decide(struct gate *g, const struct gate_subject *s, struct gate_decision *out,
                 struct err *e)
{
    static const struct policy_group as_it_is = {.verdict = POLICY_RELEASED};
    struct deciding x = {.g = g, .s = s, .out = out, .e = e};
    const struct policy_outcome *o;
    const struct gate_org *also;
    struct policy_facts facts;
    struct str submitters;
    *out = (struct gate_decision){.held = STR("")};
    if (!gate_facts(g, s, &facts, e) || !gate_org_of(g, s->source_org, &also, e) ||
        !policy_decide(g->policy, g->memo, &facts, &also->party, &o, e) ||
        !submitters_of(g, s, &submitters, e))
        return false;
    for (size_t i = 0; i < o->count; i++) {
        struct gate_share share = {.audience = o->groups[i].audience,
                                   .verdict = o->groups[i].verdict,
                                   .group = &o->groups[i],
                                   .serial = o->serial * LIMIT_POLICY_GROUPS + i + 1};
        if (!place_group(&x, &share, submitters))
            return false;
    }
    struct gate_share own = {
        .audience = submitters, .verdict = POLICY_RELEASED, .group = &as_it_is};
    return divide_all(&x) && gate_wall(g, s, &facts, out, e) &&
           (submitters.n == 0 || add_share(g, out, &own, e));
}
