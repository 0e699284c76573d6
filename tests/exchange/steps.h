/* The steps of a history: each is done to the node and to its model, and what the node says of it
 * is compared. */
#ifndef TESTS_EXCHANGE_STEPS_H
#define TESTS_EXCHANGE_STEPS_H

#include "history.h"

/* ---- making objects ---- */

/* An id to refer to: an object's, before or after it arrives, or a copy's. References go to lower
 * numbers, so that they make no circle. */
static bool random_ref(const struct history *h, const struct content *c, unsigned kinds,
                       char out[ID_BYTES])
{
    const struct model *m = &h->m;
    for (unsigned tries = 0; tries < 8; tries++) {
        unsigned object = c->object > 1 ? 1 + below(c->object - 1) : 0;
        if (m->copy_count && one_in(4)) {
            const struct copy_id *copy = &m->copies[below(m->copy_count)];
            object = copy->object;
            memcpy(out, copy->id, ID_BYTES);
        } else if (object) {
            put_id(object, m->types[object], out);
        }
        if (object && object < c->object && kinds & bit(m->types[object]) && !refers_to(c, out))
            return true;
    }
    return false;
}

static bool random_refs(const struct history *h, struct content *c)
{
    static const unsigned kinds[TYPES] = {
        [RELATIONSHIP] = 1 << INDICATOR | 1 << MALWARE | 1 << ADDRESS | 1 << REPORT,
        [SIGHTING] = 1 << INDICATOR | 1 << MALWARE,
        [REPORT] = 1 << INDICATOR | 1 << MALWARE | 1 << ADDRESS | 1 << RELATIONSHIP | 1 << SIGHTING,
        [NOTE] = (1 << TYPES) - 1};
    unsigned count = c->type == RELATIONSHIP ? 2 : c->type == SIGHTING ? 1 : 1 + below(REFS_MOST);
    for (c->ref_count = 0; kinds[c->type] && c->ref_count < count; c->ref_count++)
        if (!random_ref(h, c, kinds[c->type], c->refs[c->ref_count]))
            break;
    return c->ref_count == count || !kinds[c->type] ||
           (c->ref_count && (c->type == REPORT || c->type == NOTE));
}

static void random_properties(const struct history *h, struct content *c)
{
    c->tlp = one_in(4) ? STIX_TLP_NONE : STIX_TLP_CLEAR + below(one_in(3) ? 5 : 3);
    c->old_tlp = one_in(4);
    c->labels = one_in(2) ? below(1 << LABELS) : 0;
    c->value = below(VALUES);
    c->confidence = one_in(2) ? (int)below(101) : -1;
    c->creator = one_in(3) && c->type != ADDRESS ? (int)random_party() : -1;
    c->a = one_in(2);
    c->b = one_in(2);
    c->granular =
        h->redacts && c->a && c->type != ADDRESS && one_in(3) ? STIX_TLP_CLEAR + below(5) : 0;
    c->revoked = c->type != ADDRESS && one_in(20);
}

/* A new object, or a new version of one. */
static bool random_content(struct history *h, struct content *c)
{
    struct model *m = &h->m;
    *c = (struct content){.creator = -1, .confidence = -1};
    if (m->object_count < OBJECTS_MOST && (m->object_count == 0 || !one_in(4))) {
        c->object = m->object_count + 1;
        c->type = (enum thing_type)(one_in(3) ? below(3) : below(TYPES));
        if (!random_refs(h, c)) {
            c->type = INDICATOR;
            c->ref_count = 0;
        }
        m->types[++m->object_count] = c->type;
        m->versions[c->object] = 1 + below(3); /* so that older ones may come later */
    } else {
        c->object = 1 + below(m->object_count);
        c->type = m->types[c->object];
        if (!random_refs(h, c))
            return false;
    }
    random_properties(h, c);
    c->version = one_in(4) && c->type != ADDRESS ? 1 + below(m->versions[c->object])
                                                 : ++m->versions[c->object];
    /* One version has one content, unless the test means it to conflict. */
    for (unsigned i = 0; i < m->count; i++)
        if (m->stored[i].content.object == c->object && m->stored[i].content.version == c->version)
            *c = m->stored[i].content;
    return c->version < VERSIONS_MOST;
}

/* What is to be submitted: something new, or what is or was here already. */
static bool next_content(struct history *h, struct content *c)
{
    struct model *m = &h->m;
    if (m->count == 0 || !one_in(3))
        return random_content(h, c);
    const struct stored *s = &m->stored[below(m->count)];
    *c = s->content;
    c->other = c->other || (s->used && one_in(6)); /* one version, another content */
    return true;
}

/* ---- submitting ---- */

static const char *outcome_text(const struct arrival *a, char out[80])
{
    static const char *const names[] = {"accepted", "unchanged", "refused", "quarantined"};
    if (a->clause)
        snprintf(out, 80, "%s %s", names[a->outcome], a->clause);
    else if (a->rule)
        snprintf(out, 80, "%s policy.conf:%u", names[a->outcome], a->rule->line);
    else
        snprintf(out, 80, "%s", names[a->outcome]);
    return out;
}

/* A held object is accepted too; for whom it is held the desk tells. */
static bool check_result(struct history *h, const struct exchange_result *r,
                         const struct arrival *want, unsigned from)
{
    char text[80], got[80];
    bool held = r->outcome == EXCHANGE_HELD;
    snprintf(got, sizeof got, "%s%s%.*s", held ? "accepted" : exchange_outcome_name(r->outcome),
             r->rule.n && !held ? " " : "", held ? 0 : STR_FMT(r->rule));
    if (strcmp(got, outcome_text(want, text)) != 0)
        return wrong(h, "%.*s: %s, not %s (%.*s)", STR_FMT(r->id), got, text, STR_FMT(r->message));
    /* Whoever is abroad learns nothing of other recipients. */
    if (parties[from].nation != NATION_IN && holds(r->message, "released"))
        return wrong(h, "a sender abroad is told %.*s", STR_FMT(r->message));
    return right(h);
}

static void model_quarantine(struct history *h, const struct arriving *a)
{
    struct model *m = &h->m;
    must(m->entry_count < ENTRIES_MOST);
    m->entries[m->entry_count++] = (struct entry){.quarantine = true,
                                                  .officers = 1,
                                                  .user = a->user,
                                                  .expires_us = m->now_us + 90 * DAY_US,
                                                  .content = *a->content,
                                                  .collection = a->collection,
                                                  .from = a->from};
}

static bool step_submit(struct history *h)
{
    struct content contents[3];
    struct arrival want[3];
    struct parcel p;
    struct buf b;
    unsigned count = 0, most = 1 + below(3);
    unsigned from = one_in(4) ? HOME : random_party(), c = below(COLLECTIONS);
    int user = from == HOME && one_in(2) ? (int)below(OFFICERS) : -1;
    bool from_partner = parties[from].nation != NATION_IN && !one_in(4), ok = true;
    buf_init(&b, 0);
    for (unsigned i = 0; i < most; i++)
        count += next_content(h, &contents[count]);
    for (unsigned i = 0; i < count; i++) {
        struct arriving a = {&contents[i], c, from, user, from_partner, false};
        buf_lit(&b, i ? ",\n" : "");
        put_content(&b, &contents[i]);
        want[i] = model_arrive(&h->m, &a);
        if (want[i].outcome == QUARANTINED)
            model_quarantine(h, &a);
    }
    tell(h, "%s (user %d) submits into %u%s:", name_of(from), user, c,
         from_partner ? " as a partner" : "");
    buf_str(&h->trace, buf_view(&b));
    tell(h, "%s", "");
    if (count == 0)
        return true;
    node_submit(&h->node, sender(&h->node, from, user), c, buf_view(&b), from_partner, &p);
    for (unsigned i = 0; i < count && ok; i++)
        ok = check_result(h, exchange_batch_result(p.b, i), &want[i], from);
    parcel_free(&p);
    buf_done(&b);
    return ok;
}

/* ---- taking back ---- */

static bool removable(const struct history *h, const struct stored *s, unsigned from, bool admin)
{
    (void)h;
    return admin || s->source == from || s->owner == (int)from;
}

struct taking {
    unsigned from, collection, object;
    int user; /* -2: the administrator */
    unsigned versions;
    const int64_t *exact;
    unsigned exact_count;
};

/* What the model says of a withdrawal. */
static enum err_code model_withdraw(struct history *h, const struct taking *t, const char *id)
{
    struct model *m = &h->m;
    const struct rows *l = rows_of(h, t->from, t->collection);
    struct str one = str_of(id);
    struct exchange_query q = {.after_us = INT64_MIN,
                               .ids = &one,
                               .id_count = 1,
                               .versions = t->versions,
                               .version_us = t->exact,
                               .version_count = t->exact_count};
    unsigned seen = 0, removed = 0;
    for (unsigned i = 0; i < l->count; i++)
        seen += asked_for(l, i, &q);
    if (seen == 0)
        return ERR_NOT_FOUND;
    for (unsigned i = 0; i < m->count; i++) {
        struct stored *s = &m->stored[i];
        bool named = t->versions & STORE_ALL;
        char own[ID_BYTES];
        put_id(s->content.object, s->content.type, own);
        for (unsigned k = 0; k < l->count && !named; k++)
            named = asked_for(l, k, &q) && l->list[k].version_us == s->version_us;
        if (!s->used || !s->at[t->collection].in || strcmp(own, id) != 0 || !named ||
            !removable(h, s, t->from, t->user == -2))
            continue;
        s->at[t->collection].in = false;
        s->used = s->at[0].in || s->at[1].in;
        if (!s->used)
            forget_content(h, &s->content);
        removed++;
    }
    return removed ? ERR_NONE : ERR_FORBIDDEN;
}

static bool step_withdraw(struct history *h)
{
    static const unsigned modes[] = {STORE_ALL, STORE_ALL, STORE_LAST, STORE_FIRST, 0};
    struct model *m = &h->m;
    struct err e = {0};
    char id[ID_BYTES];
    int64_t exact = 0;
    if (m->count == 0)
        return true;
    const struct stored *s = &m->stored[below(m->count)];
    struct taking t = {.from = one_in(2) ? s->source : below(PARTIES),
                       .collection = below(COLLECTIONS),
                       .object = s->content.object,
                       .user = -1,
                       .versions = modes[below(COUNT(modes))],
                       .exact = &exact};
    exact = s->version_us;
    t.exact_count = t.versions == 0;
    if (t.from == HOME && one_in(2))
        t.user = one_in(2) ? -2 : (int)below(OFFICERS);
    put_id(s->content.object, s->content.type, id);
    const struct copy_id *copy = m->copy_count ? &m->copies[below(m->copy_count)] : NULL;
    bool by_copy = copy && one_in(5) && m->types[copy->object] != ADDRESS;
    if (by_copy)
        memcpy(id, copy->id, sizeof id);
    tell(h, "%s (user %d) withdraws %s from %u, versions %u", name_of(t.from), t.user, id,
         t.collection, t.versions);
    struct exchange_query q = {.collection = &h->node.t->collections[t.collection],
                               .versions = t.versions,
                               .version_us = t.exact,
                               .version_count = t.exact_count};
    const struct principal *who =
        t.user == -2 ? &h->node.t->admin : sender(&h->node, t.from, t.user);
    bool ok = exchange_withdraw(h->node.s, who, &q, str_of(id), STR(""), &e);
    if (by_copy && parties[t.from].nation == NATION_IN) /* at home it stands for the original */
        put_id(copy->object, m->types[copy->object], id);
    enum err_code want = model_withdraw(h, &t, id);
    if (strstr(e.msg, "CNRY"))
        return wrong(h, "an error's words: %s", e.msg);
    return ok == (want == ERR_NONE) && (ok || e.code == want)
               ? right(h)
               : wrong(h, "withdrawing: %s, not %s", ok ? "done" : e.msg, err_name(want));
}

/* ---- the desk ---- */

/* Whom an audience has: the most specific part decides. */
static bool audience_has(struct str text, unsigned party)
{
    char org[64], nation[8];
    int best = 0;
    bool in = false;
    snprintf(org, sizeof org, "%s/%s", codes[parties[party].nation], parties[party].org);
    snprintf(nation, sizeof nation, "%s", codes[parties[party].nation]);
    while (text.p) {
        struct str part = str_cut(&text, ' '), name = str_from(part, 1);
        int rank = str_eq(name, str_of(org))      ? 3
                   : str_eq(name, str_of(nation)) ? 2
                   : str_eq(name, STR("*"))       ? 1
                                                  : 0;
        if (rank > best) {
            best = rank;
            in = part.p[0] == '+';
        }
    }
    return in;
}

struct desk {
    struct history *h;
    bool failed;
    unsigned missing[STORED_MOST][COLLECTIONS]; /* who is to wait and does not yet */
};

static bool is_officer(const struct history *h, int64_t user, int *out)
{
    *out = -1;
    for (int i = 0; i < OFFICERS; i++)
        if (h->node.t->officers[i].user == user)
            *out = i;
    return *out >= 0;
}

static bool new_quarantine(struct history *h, const struct store_desk *d)
{
    for (unsigned i = 0; i < h->m.entry_count; i++) {
        struct entry *e = &h->m.entries[i];
        char id[ID_BYTES];
        put_id(e->content.object, e->content.type, id);
        if (!e->quarantine || e->id)
            continue;
        e->id = d->id;
        return str_eq(d->stix_id, str_of(id))
                   ? right(h)
                   : wrong(h, "quarantine %.*s is not that of %s", STR_FMT(d->stix_id), id);
    }
    return wrong(h, "quarantine %.*s is of nothing", STR_FMT(d->stix_id));
}

static bool new_hold(struct desk *k, const struct store_desk *d)
{
    struct history *h = k->h;
    struct model *m = &h->m;
    unsigned i = 0, c = 0;
    while (i < m->count && (m->stored[i].row != d->object || !m->stored[i].used))
        i++;
    while (c < COLLECTIONS && h->node.t->collections[c].id != d->collection)
        c++;
    if (i == m->count || c == COLLECTIONS)
        return wrong(h, "hold %lld is of no object: %.*s", (long long)d->id, STR_FMT(d->stix_id));
    must(m->entry_count < ENTRIES_MOST);
    struct entry *e = &m->entries[m->entry_count++];
    *e = (struct entry){.id = d->id, .stored = i, .collection = c, .expires_us = d->expires_us};
    e->officers = d->officers;
    e->by_name = d->by_name;
    e->user = -1;
    for (unsigned p = 0; p < PARTIES; p++) {
        struct due due_now = due(m, i, c, p);
        if (!audience_has(d->audience, p))
            continue;
        e->who |= bit(p);
        const struct rule *r = due_now.rule;
        if (!(k->missing[i][c] & bit(p)) || !r || d->officers != (r->officers ? r->officers : 1) ||
            d->expires_us != m->now_us + (r->hours ? r->hours : 720) * INT64_C(3600000000))
            return wrong(h, "hold of %.*s for %s is not due so", STR_FMT(d->stix_id), name_of(p));
    }
    is_officer(h, d->user, &e->user);
    /* Who submitted it may not approve it. */
    if (e->user < 0 ? m->stored[i].user >= 0 && m->stored[i].at[c].user >= 0
                    : !(m->stored[i].users & bit((unsigned)e->user)))
        return wrong(h, "hold of %.*s: submitted by officer %d, not %d", STR_FMT(d->stix_id),
                     e->user, m->stored[i].user);
    k->missing[i][c] &= ~e->who;
    return right(h);
}

static bool known_entry(struct history *h, const struct exchange_desk_entry *d)
{
    static const enum entry_state states[] = {WAITING, APPROVED, TURNED_DOWN, EXPIRED, VOID};
    for (unsigned i = 0; i < h->m.entry_count; i++) {
        const struct entry *e = &h->m.entries[i];
        if (e->id != d->desk.id || e->dead)
            continue;
        /* What has waited too long is told apart at once, and closed by the next writing. */
        bool late = e->state == WAITING && e->expires_us <= h->m.now_us;
        if (states[d->desk.state] != (late ? EXPIRED : e->state))
            return wrong(h, "entry %lld (%.*s) is %s, not %d", (long long)e->id,
                         STR_FMT(d->desk.stix_id), exchange_desk_state_name(d->desk.state),
                         (int)e->state);
    }
    return right(h);
}

static bool look_at_entry(void *ctx, const struct exchange_desk_entry *d)
{
    struct desk *k = ctx;
    struct history *h = k->h;
    bool ok = true;
    if (d->desk.id > h->last_desk) {
        h->last_desk = d->desk.id;
        ok = d->desk.kind == STORE_DESK_QUARANTINE ? new_quarantine(h, &d->desk)
                                                   : new_hold(k, &d->desk);
    }
    k->failed = !ok || !known_entry(h, d);
    return !k->failed;
}

/* Who is held waits at the desk, once, under the rule that holds; and nobody else. */
static bool check_desk(struct history *h)
{
    static struct desk k;
    struct err e = {0};
    struct model *m = &h->m;
    k = (struct desk){.h = h};
    model_void(m);
    for (unsigned i = 0; i < m->count; i++)
        for (unsigned c = 0; c < COLLECTIONS; c++)
            for (unsigned p = 0; p < PARTIES; p++)
                if (due(m, i, c, p).form == FORM_HELD && !(covered(m, i, c) & bit(p)))
                    k.missing[i][c] |= bit(p);
    must_do(exchange_desk_each(h->node.s, h->arenas[h->turn], true, look_at_entry, &k, &e), &e);
    for (unsigned i = 0; i < m->count && !k.failed; i++)
        for (unsigned c = 0; c < COLLECTIONS; c++)
            if (k.missing[i][c])
                return wrong(h, "object %u version %u in %u: 0x%x are held and wait nowhere",
                             m->stored[i].content.object, m->stored[i].content.version, c,
                             k.missing[i][c]);
    return !k.failed;
}

struct voting {
    struct entry *e;
    unsigned officer;
    int party; /* -1: all */
    bool refuse;
};

static enum err_code model_vote(struct history *h, const struct voting *v)
{
    struct entry *e = v->e;
    model_expire(&h->m);
    if (e->user == (int)v->officer)
        return ERR_FORBIDDEN;
    if (e->state != WAITING)
        return ERR_CONFLICT;
    if (v->refuse) {
        e->state = TURNED_DOWN;
        return ERR_NONE;
    }
    if (v->party < 0 ? e->by_name : !(e->who & bit((unsigned)v->party)))
        return ERR_USAGE;
    if (v->party < 0)
        e->all |= bit(v->officer);
    else
        e->party[v->officer] |= bit((unsigned)v->party);
    if (e->quarantine || (e->who & ~approved_of(e)) == 0)
        e->state = APPROVED;
    return ERR_NONE;
}

/* What leaves quarantine arrives as from its sender. */
static void model_leave(struct history *h, const struct entry *e)
{
    struct arriving a = {&e->content, e->collection, e->from, e->user, true, true};
    model_arrive(&h->m, &a);
}

static bool step_vote(struct history *h)
{
    struct model *m = &h->m;
    struct err err = {0};
    enum store_desk_state state = STORE_DESK_VOID;
    if (m->entry_count == 0)
        return true;
    struct voting v = {&m->entries[below(m->entry_count)], below(OFFICERS), -1, one_in(6)};
    for (unsigned tries = 0; tries < 8 && (v.e->state != WAITING || v.e->dead); tries++)
        v.e = &m->entries[below(m->entry_count)];
    if (v.e->dead)
        return true;
    if (!v.e->quarantine && one_in(2))
        v.party = (int)below(PARTIES);
    if (v.party >= 0 &&
        parties[v.party].witness) /* only a vote for all reaches all they stand for */
        v.party = -1;
    struct policy_party to = {str_of(v.party < 0 ? "" : codes[parties[v.party].nation]),
                              str_of(v.party < 0 ? "" : name_of((unsigned)v.party))};
    struct exchange_verdict verdict = {.officer = &h->node.t->officers[v.officer],
                                       .id = v.e->id,
                                       .to = v.party < 0 ? NULL : &to,
                                       .refuse = v.refuse,
                                       .reason = STR("because")};
    tell(h, "officer %u %s %lld (object %u) for %s", v.officer, v.refuse ? "refuses" : "approves",
         (long long)v.e->id, v.e->quarantine ? 0 : m->stored[v.e->stored].content.object,
         v.party < 0 ? "all" : name_of((unsigned)v.party));
    bool ok = exchange_desk_decide(h->node.s, &verdict, &state, &err);
    enum err_code want = model_vote(h, &v);
    if (ok != (want == ERR_NONE) || (!ok && err.code != want))
        return wrong(h, "the vote: %s, not %s", ok ? "done" : err.msg, err_name(want));
    if (ok && v.e->quarantine && !v.refuse)
        model_leave(h, v.e);
    return right(h);
}

/* ---- the policy ---- */

struct effects {
    bool had[STORED_MOST][PARTIES], held[STORED_MOST][PARTIES];
};

static void effects_before(const struct history *h, struct effects *out)
{
    const struct model *m = &h->m;
    for (unsigned i = 0; i < m->count; i++)
        for (unsigned p = 0; p < PARTIES; p++) {
            out->had[i][p] = false;
            for (unsigned c = 0; c < COLLECTIONS; c++)
                out->had[i][p] = out->had[i][p] || due(m, i, c, p).form >= FORM_OWN;
        }
}

/* The effect for one object and organisation, as the plan counts them. */
static bool effect(const struct history *h, const struct effects *before, unsigned i, unsigned p,
                   enum exchange_plan_effect *out)
{
    const struct model *m = &h->m;
    bool has = false, held = false, was_held = false;
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        bool any_held = false;
        for (unsigned q = 0; q < PARTIES; q++)
            any_held = any_held || due(m, i, c, q).form == FORM_HELD;
        has = has || due(m, i, c, p).form >= FORM_OWN;
        held = held || due(m, i, c, p).form == FORM_HELD;
        was_held = was_held || (any_held && covered(m, i, c) & bit(p));
    }
    if (!m->stored[i].used)
        return false;
    *out = has                 ? EXCHANGE_PLAN_RELEASED
           : before->had[i][p] ? EXCHANGE_PLAN_WITHDRAWN
                               : EXCHANGE_PLAN_HELD;
    return has != before->had[i][p] || (!has && held && !was_held);
}

static const struct exchange_plan_party *planned_for(const struct exchange_plan *plan, unsigned p)
{
    for (size_t i = 0; i < plan->party_count; i++)
        if (str_eq(plan->parties[i].party.org, str_of(parties[p].org)) &&
            str_eq(plan->parties[i].party.nation, str_of(codes[parties[p].nation])))
            return &plan->parties[i];
    return NULL;
}

static bool samples_are(const struct history *h, const struct effects *before, unsigned p,
                        enum exchange_plan_effect f, const struct exchange_plan_party *plan)
{
    uint64_t most =
        plan->counts[f] < EXCHANGE_PLAN_SAMPLES ? plan->counts[f] : EXCHANGE_PLAN_SAMPLES;
    for (uint64_t k = 0; k < most; k++) {
        bool found = false;
        for (unsigned i = 0; i < h->m.count && !found; i++) {
            char id[ID_BYTES];
            enum exchange_plan_effect is;
            put_id(h->m.stored[i].content.object, h->m.stored[i].content.type, id);
            found =
                str_eq(plan->samples[f][k], str_of(id)) && effect(h, before, i, p, &is) && is == f;
        }
        if (!found)
            return false;
    }
    return true;
}

/* The model holds the new policy already; the node does not. */
static bool check_plan(struct history *h, const struct effects *before,
                       const struct exchange_plan *plan)
{
    for (unsigned p = 0; p < PARTIES; p++) {
        uint64_t counts[EXCHANGE_PLAN_EFFECTS] = {0};
        const struct exchange_plan_party *told = planned_for(plan, p);
        enum exchange_plan_effect f;
        for (unsigned i = 0; i < h->m.count; i++)
            if (effect(h, before, i, p, &f))
                counts[f]++;
        for (f = 0; f < EXCHANGE_PLAN_EFFECTS; f++) {
            uint64_t said = told ? told->counts[f] : 0;
            if (said != counts[f] || (told && !samples_are(h, before, p, f, told)))
                return wrong(h, "the plan says %llu %s for %s, not %llu", (unsigned long long)said,
                             exchange_plan_effect_name(f), name_of(p),
                             (unsigned long long)counts[f]);
        }
        right(h);
    }
    return true;
}

static void plan(struct history *h, struct exchange_plan *out)
{
    struct err e = {0};
    struct exchange_plan_options o = {.text = str_of(h->m.policy.text), .name = "new"};
    must_do(exchange_policy_plan(h->node.s, &o, h->arenas[h->turn], out, &e), &e);
}

static void apply(struct history *h)
{
    struct err e = {0};
    h->applied = true;
    must_do(exchange_policy_apply(h->node.x, str_of(h->m.policy.text), NULL, NULL, &e), &e);
}

/* All that the node holds is settled: the policy that is in force would change nothing. */
static bool check_settled(struct history *h)
{
    struct exchange_plan p;
    plan(h, &p);
    if (p.changed == 0 && p.party_count == 0)
        return right(h);
    const struct exchange_plan_party *q = p.party_count ? &p.parties[0] : NULL;
    return wrong(h,
                 "the policy in force would change %llu objects, for %.*s/%.*s: %llu %llu %llu "
                 "%llu %llu, as %.*s%.*s%.*s",
                 (unsigned long long)p.changed, STR_FMT(q ? q->party.nation : STR("?")),
                 STR_FMT(q ? q->party.org : STR("?")), q ? (unsigned long long)q->counts[0] : 0,
                 q ? (unsigned long long)q->counts[1] : 0, q ? (unsigned long long)q->counts[2] : 0,
                 q ? (unsigned long long)q->counts[3] : 0, q ? (unsigned long long)q->counts[4] : 0,
                 STR_FMT(q ? q->samples[0][0] : STR_NONE), STR_FMT(q ? q->samples[1][0] : STR_NONE),
                 STR_FMT(q ? q->samples[2][0] : STR_NONE));
}

static bool step_policy(struct history *h)
{
    static struct effects before;
    struct exchange_plan p;
    effects_before(h, &before);
    edit_policy(&h->m.policy, h->redacts, h->arrivals);
    tell(h, "the policy becomes:\n%s", "");
    buf_lit(&h->trace, h->m.policy.text);
    plan(h, &p);
    model_void(&h->m);
    /* A plan does not foresee yet that what refers to a new copy becomes a copy too. */
    if (h->redacts == 0 && !check_plan(h, &before, &p))
        return false;
    model_expire(&h->m);
    apply(h);
    return true;
}

/* ---- time ---- */

static void set_clock(struct history *h, int64_t to)
{
    h->m.now_us = to;
    base_clock_set(to);
}

/* Hours pass, within a day. */
static void step_hours(struct history *h)
{
    int64_t left = DAY_US - h->m.now_us % DAY_US - 3600000000;
    if (left <= 0)
        return;
    set_clock(h, h->m.now_us + (int64_t)below(1000) * (left / 2000));
    tell(h, "it is %lld:%02lld", (long long)(h->m.now_us % DAY_US / 3600000000),
         (long long)(h->m.now_us % 3600000000 / 60000000));
}

/* Days pass, and all is decided again, as a server would. */
static void step_days(struct history *h)
{
    int64_t day = h->m.now_us / DAY_US + 1 + below(3);
    set_clock(h, day * DAY_US + 60000000);
    tell(h, "it is 2026-01-%02lld", (long long)(h->m.now_us - YEAR_US) / DAY_US + 1);
    model_expire(&h->m);
    apply(h);
}

#endif
