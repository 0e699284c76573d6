/*
 * One random history of a node and its model, step by step; and the comparison of what every
 * organisation reads with what the model says. SETU_TRACE=1 tells every step.
 */
#ifndef TESTS_EXCHANGE_HISTORY_H
#define TESTS_EXCHANGE_HISTORY_H

#include <stdarg.h>

#include "history_node.h"

enum { SEEN_MOST = 4000 };

/* STIX 2.1 §3.6: one id and `modified` have one content, for ever. */
struct seen {
    uint64_t key, bytes;
    unsigned object, version;
};

struct history {
    uint64_t seed;
    struct node node;
    struct model m;
    unsigned redacts, arrivals; /* at the most in one policy */
    bool failed;
    struct buf trace;
    unsigned checks;
    bool applied; /* a policy, by the last step */
    /* What everybody reads, now and before the last step. */
    struct rows rows[2][PARTIES][COLLECTIONS];
    struct arena *arenas[2];
    unsigned turn;
    int64_t last_date[COLLECTIONS], cursors[PARTIES][COLLECTIONS];
    struct seen seen[SEEN_MOST];
    unsigned seen_count;
    bool had_copies[PARTIES][COLLECTIONS];
    int64_t last_desk;
};

static void BASE_PRINTF(2, 3) tell(struct history *h, const char *fmt, ...)
{
    char line[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_lit(&h->trace, line);
    buf_byte(&h->trace, '\n');
    if (getenv("SETU_TRACE"))
        fprintf(stderr, "%s\n", line);
}

/* The first failure of a history ends it and tells all that led there. */
static bool BASE_PRINTF(2, 3) wrong(struct history *h, const char *fmt, ...)
{
    va_list ap;
    if (h->failed)
        return false;
    h->failed = true;
    test_failed++;
    fprintf(stderr, "---- SETU_TEST_SEED=%llu\n%.*s\nfailed: ", (unsigned long long)h->seed,
            (int)h->trace.n, h->trace.p ? h->trace.p : "");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return false;
}

static bool right(struct history *h)
{
    h->checks++;
    return true;
}

static struct rows *rows_of(struct history *h, unsigned who, unsigned c)
{
    return &h->rows[h->turn][who][c];
}

static const char *name_of(unsigned party)
{
    return parties[party].org;
}

/* ---- what ids an organisation knows an object by ---- */

static bool reads_as(struct history *h, unsigned who, unsigned object, const char *id)
{
    for (unsigned c = 0; c < COLLECTIONS; c++)
        for (unsigned i = 0; i < rows_of(h, who, c)->count; i++) {
            const struct row *r = &rows_of(h, who, c)->list[i];
            if (r->of_object == object && (!id || str_eq(r->id, str_of(id))))
                return true;
        }
    return false;
}

static bool holds(struct str bytes, const char *text)
{
    return bytes.n && memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

/* ---- the references of a row ---- */

struct ref_list {
    char ids[REFS_MOST + 1][ID_BYTES];
    unsigned count;
};

static void take_refs(struct str bytes, const char *key, bool list, struct ref_list *out)
{
    const char *at = memmem(bytes.p, bytes.n, key, strlen(key)), *end = bytes.p + bytes.n;
    if (!at)
        return;
    at += strlen(key);
    do {
        const char *from = memchr(at, '"', (size_t)(end - at));
        const char *to = from ? memchr(from + 1, '"', (size_t)(end - from - 1)) : NULL;
        must(to && out->count <= REFS_MOST && to - from - 1 < ID_BYTES);
        snprintf(out->ids[out->count++], ID_BYTES, "%.*s", (int)(to - from - 1), from + 1);
        at = to + 1;
    } while (list && *at == ',');
}

static void refs_of(const struct row *r, enum thing_type type, struct ref_list *out)
{
    out->count = 0;
    if (type == RELATIONSHIP) {
        take_refs(r->bytes, "\"source_ref\":", false, out);
        take_refs(r->bytes, "\"target_ref\":", false, out);
    } else if (type == SIGHTING) {
        take_refs(r->bytes, "\"sighting_of_ref\":", false, out);
    } else if (type == REPORT || type == NOTE) {
        take_refs(r->bytes, "\"object_refs\":[", true, out);
    }
}

/* ---- the form of a row ---- */

struct judging {
    struct history *h;
    unsigned who, collection, stored;
    struct due due;
    const struct content *content;
};

static bool ref_goes(const struct judging *j, unsigned k)
{
    return j->due.view.drop_references &&
           !reads_as(j->h, j->who, object_of_id(&j->h->m, j->content->refs[k]), NULL);
}

/* Nothing valid would be left of its copy. */
static bool withheld(const struct judging *j)
{
    unsigned gone = 0;
    if (j->due.form != FORM_VIEW || j->content->ref_count == 0)
        return false;
    for (unsigned k = 0; k < j->content->ref_count; k++)
        gone += ref_goes(j, k);
    return j->content->type == RELATIONSHIP ? gone > 0 : gone == j->content->ref_count;
}

/* May `got` stand where the original names refs[k]? What they read is named as they know it; of
 * what they do not read nothing is told but what the original says. */
static bool ref_is_right(const struct judging *j, unsigned k, const char *got)
{
    const char *asked = j->content->refs[k];
    unsigned object = object_of_id(&j->h->m, asked);
    bool mapped = j->due.form == FORM_VIEW || copy_of_id(&j->h->m, asked);
    if (mapped && object && reads_as(j->h, j->who, object, NULL))
        return reads_as(j->h, j->who, object, got);
    return strcmp(got, asked) == 0;
}

static const char *judge_refs(const struct judging *j, const struct row *r, bool *same)
{
    struct ref_list got;
    unsigned at = 0;
    refs_of(r, j->content->type, &got);
    for (unsigned k = 0; k < j->content->ref_count; k++) {
        if (ref_goes(j, k)) {
            *same = false;
            continue;
        }
        if (at == got.count || !ref_is_right(j, k, got.ids[at]))
            return "a reference is not the one that they know";
        *same = *same && strcmp(got.ids[at], j->content->refs[k]) == 0;
        at++;
    }
    return at == got.count ? NULL : "a reference stands there that should have gone";
}

/* Is a property there, and as it was, exactly if it should? */
static const char *judge_property(const struct judging *j, const struct row *r, unsigned property,
                                  char letter)
{
    char canary[32], value[40];
    const struct content *c = j->content;
    snprintf(canary, sizeof canary, CANARY "\"", c->object, c->version, letter);
    snprintf(value, sizeof value, "\"198.51.%u.%u\"", c->object, c->version);
    bool hidden = j->due.view.properties & property;
    bool there = holds(r->bytes, property == PROPERTY_VALUE ? value : canary);
    if (there == hidden)
        return hidden ? "a property stands there that should have gone or changed"
                      : "a property is missing";
    if (property == PROPERTY_NAME && hidden && !holds(r->bytes, "\"withheld\""))
        return "a property is missing that should have been replaced";
    return NULL;
}

static const char *judge_properties(const struct judging *j, const struct row *r, bool *same)
{
    const struct content *c = j->content;
    const char *why = NULL;
    unsigned has = (c->a ? PROPERTY_A : 0) | (c->b ? PROPERTY_B : 0) |
                   (c->type == ADDRESS ? PROPERTY_VALUE : PROPERTY_NAME);
    if (has & PROPERTY_A)
        why = judge_property(j, r, PROPERTY_A, 'a');
    if (!why && has & PROPERTY_B)
        why = judge_property(j, r, PROPERTY_B, 'b');
    if (!why)
        why = c->type == ADDRESS ? judge_property(j, r, PROPERTY_VALUE, 'v')
                                 : judge_property(j, r, PROPERTY_NAME, 'n');
    *same = *same && !(has & j->due.view.properties);
    return why;
}

static unsigned occurrences(struct str bytes, const char *text)
{
    unsigned n = 0;
    const char *at = bytes.p, *end = bytes.p + bytes.n;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
        n++;
        at += strlen(text);
    }
    return n;
}

/* No id of an object, no canary, but those that were judged. */
static const char *judge_rest(const struct judging *j, const struct row *r)
{
    struct ref_list got;
    char own[32], value[16];
    unsigned ids = 0;
    refs_of(r, j->content->type, &got);
    for (unsigned k = 0; k < got.count; k++)
        ids += strstr(got.ids[k], "000-8000-") != NULL;
    if (occurrences(r->bytes, "000-8000-") != ids)
        return "an id stands in it that should not";
    snprintf(own, sizeof own, "CNRY-%03u-%02u-", j->content->object, j->content->version);
    if (occurrences(r->bytes, "CNRY-") != occurrences(r->bytes, own))
        return "words of another object stand in it";
    snprintf(value, sizeof value, "\"v%u%s\"", j->content->value, j->content->other ? "!" : "");
    if (!holds(r->bytes, value))
        return "it is the copy of another content";
    return NULL;
}

static const char *judge_copy(const struct judging *j, const struct row *r)
{
    static const char marking[] = "marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16";
    char id[ID_BYTES], creator[ID_BYTES];
    const struct content *c = j->content;
    bool same = true, view = j->due.form == FORM_VIEW;
    const char *why = judge_refs(j, r, &same);
    put_id(c->object, c->type, id);
    put_identity(view ? HOME : c->creator >= 0 ? (unsigned)c->creator : PARTIES, creator);
    if (!why)
        why = judge_properties(j, r, &same);
    if (!why)
        why = judge_rest(j, r);
    if (why)
        return why;
    if (str_eq(r->id, str_of(id)))
        return "a redacted copy has the original's id";
    if (view != holds(r->bytes, marking))
        return view ? "a redacted copy does not say so" : "what is no redacted copy says it is";
    if ((c->type != ADDRESS && (view || c->creator >= 0)) != holds(r->bytes, creator) ||
        occurrences(r->bytes, "identity--") != (c->type != ADDRESS && (view || c->creator >= 0)))
        return "a copy has the wrong creator";
    bool creator_went = view && j->due.view.drop_references && c->creator >= 0;
    return same && !creator_went ? "a copy was made though nothing differs" : NULL;
}

static bool refers_to_copy(const struct judging *j)
{
    for (unsigned k = 0; k < j->content->ref_count; k++)
        if (copy_of_id(&j->h->m, j->content->refs[k]))
            return true;
    return false;
}

/* NULL, or what is wrong with the row as the form of the stored object that is due. */
static const char *judge(const struct judging *j, const struct row *r)
{
    const struct stored *s = &j->h->m.stored[j->stored];
    bool same = true, original = str_eq(r->bytes, (struct str){s->text, s->length});
    bool led_home = j->due.form == FORM_PLAIN && parties[j->who].nation == NATION_IN &&
                    parties[s->source].nation != NATION_IN && refers_to_copy(j);
    if (original && s->row && r->object != s->row)
        return "another row of the same bytes";
    if (j->due.form == FORM_OWN || (j->due.form == FORM_PLAIN && !led_home))
        return original ? NULL : "it is not as it was submitted";
    if (!original)
        return judge_copy(j, r);
    const char *why = judge_refs(j, r, &same);
    if (!why)
        why = judge_properties(j, r, &same);
    if (!why && j->due.view.drop_references && j->content->creator >= 0)
        why = "its creator should have gone";
    return why;
}

/* ---- all rows of one reader ---- */

static bool is_marking(const struct row *r)
{
    return str_eq(r->id, STR("marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16"));
}

static bool find_row(const struct judging *j, struct rows *l, const char **why)
{
    const struct stored *s = &j->h->m.stored[j->stored];
    *why = "it is missing";
    for (unsigned i = 0; i < l->count; i++) {
        struct row *r = &l->list[i];
        if (r->of_object != j->content->object || r->of_version != j->content->version ||
            (s->row && r->object == s->row && r->claimed))
            continue;
        const char *not = judge(j, r);
        /* An observable's copy may be of several originals. */
        if (!not &&(!r->claimed || j->content->type == ADDRESS)) {
            r->claimed = true;
            return true;
        }
        if (not )
            *why = not ;
    }
    return false;
}

static bool check_reader(struct history *h, unsigned who, unsigned c)
{
    struct rows *l = rows_of(h, who, c);
    bool copies = false, marking = false;
    for (unsigned i = 0; i < h->m.count; i++) {
        const char *why;
        struct judging j = {h, who, c, i, due(&h->m, i, c, who), &h->m.stored[i].content};
        if (j.due.form < FORM_OWN || withheld(&j))
            continue;
        if (!find_row(&j, l, &why))
            return wrong(h, "%s in %u: object %u version %u from %s, form %d: %s", name_of(who), c,
                         j.content->object, j.content->version, name_of(h->m.stored[i].source),
                         (int)j.due.form, why);
        right(h);
    }
    for (unsigned i = 0; i < l->count; i++) {
        const struct row *r = &l->list[i];
        copies = copies || holds(r->bytes, "marking-definition--aa3b1327-");
        marking = marking || is_marking(r);
        if (!r->claimed && !(is_marking(r) && h->had_copies[who][c]))
            return wrong(h, "%s in %u reads %.*s (object %u version %u), which is not due: %.*s",
                         name_of(who), c, STR_FMT(r->id), r->of_object, r->of_version,
                         STR_FMT(r->bytes));
    }
    return copies && !marking
               ? wrong(h, "%s in %u reads copies and not their marking", name_of(who), c)
               : right(h);
}

/* ---- learning what the node made up ---- */

static bool learn_row(struct history *h, const struct row *r)
{
    char id[ID_BYTES], name[ID_BYTES];
    struct model *m = &h->m;
    if (r->of_object == 0 || r->of_object > OBJECTS_MOST)
        return is_marking(r) || wrong(h, "a row without a tag: %.*s", STR_FMT(r->bytes));
    put_id(r->of_object, m->types[r->of_object], id);
    if (str_eq(r->id, str_of(id)))
        return true;
    snprintf(name, sizeof name, "%.*s", STR_FMT(r->id));
    const struct copy_id *known = copy_of_id(m, name);
    if (known)
        return known->object == r->of_object ||
               wrong(h, "%s names copies of objects %u and %u", name, known->object, r->of_object);
    must(m->copy_count < COPIES_MOST);
    struct copy_id *c = &m->copies[m->copy_count++];
    c->object = r->of_object;
    memcpy(c->id, name, sizeof c->id);
    return true;
}

static bool one_content(struct history *h, const struct row *r)
{
    uint64_t key = str_hash(r->id, (uint64_t)r->version_us), bytes = str_hash(r->bytes, 7);
    if (str_eq(r->type, STR("ipv4-addr")))
        return true;
    for (unsigned i = 0; i < h->seen_count; i++)
        if (h->seen[i].key == key)
            return h->seen[i].bytes == bytes
                       ? right(h)
                       : wrong(h, "%.*s of one `modified` had another content before: %.*s",
                               STR_FMT(r->id), STR_FMT(r->bytes));
    if (h->seen_count < SEEN_MOST)
        h->seen[h->seen_count++] = (struct seen){key, bytes, r->of_object, r->of_version};
    return true;
}

/* A version that is taken back everywhere may come again, and its copies with it. */
static void forget_content(struct history *h, const struct content *c)
{
    for (unsigned i = 0; i < h->seen_count; i++)
        if (h->seen[i].object == c->object && h->seen[i].version == c->version)
            h->seen[i].key = 0;
}

/* Which row of the store is whose, from what its source reads. */
static void learn_numbers(struct history *h)
{
    for (unsigned i = 0; i < h->m.count; i++) {
        struct stored *s = &h->m.stored[i];
        for (unsigned c = 0; c < COLLECTIONS && s->used && !s->row; c++) {
            const struct rows *l = rows_of(h, s->source, c);
            for (unsigned k = 0; k < l->count && s->at[c].in; k++)
                if (l->list[k].version_us == s->version_us &&
                    str_eq(l->list[k].bytes, (struct str){s->text, s->length}))
                    s->row = l->list[k].object;
        }
    }
}

static const struct row *row_of_object(const struct rows *l, int64_t object)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->list[i].object == object)
            return &l->list[i];
    return NULL;
}

/* What somebody read before the last step and does not any more. */
static void note_taken(struct history *h, unsigned who, unsigned c)
{
    const struct rows *before = &h->rows[!h->turn][who][c];
    struct model *m = &h->m;
    for (unsigned k = 0; k < before->count; k++) {
        const struct row *r = &before->list[k];
        unsigned i = m->count;
        char id[ID_BYTES];
        if (row_of_object(rows_of(h, who, c), r->object))
            continue;
        while (i && (m->stored[i - 1].content.object != r->of_object ||
                     m->stored[i - 1].content.version != r->of_version))
            i--;
        if (i == 0)
            continue;
        put_id(r->of_object, m->types[r->of_object], id);
        if (str_eq(r->id, str_of(id)) && m->stored[i - 1].source != who)
            m->taken[r->of_object][r->of_version] |= bit(who);
    }
}

/* ---- dates and pollers ---- */

static bool check_dates(struct history *h, unsigned who, unsigned c)
{
    const struct rows *l = rows_of(h, who, c), *before = &h->rows[!h->turn][who][c];
    for (unsigned i = 0; i < l->count; i++) {
        const struct row *r = &l->list[i], *old = row_of_object(before, r->object);
        if (i && r->date <= l->list[i - 1].date)
            return wrong(h, "%s in %u: dates do not increase", name_of(who), c);
        if (row_of_object(l, r->object) != r)
            return wrong(h, "%s in %u reads %.*s twice", name_of(who), c, STR_FMT(r->id));
        /* What refers to a copy may go and come again while a policy is applied. */
        if (old && old->date != r->date && h->applied && h->redacts)
            old = NULL;
        if (old ? old->date != r->date : r->date <= h->last_date[c])
            return wrong(h, "%s in %u: %.*s %s", name_of(who), c, STR_FMT(r->id),
                         old ? "has another date than before" : "is new with an old date");
    }
    return right(h);
}

/* One date, one object; whoever reads. */
static bool check_dates_of_all(struct history *h, unsigned c)
{
    for (unsigned a = 0; a < PARTIES; a++)
        for (unsigned b = a + 1; b < PARTIES; b++) {
            const struct rows *x = rows_of(h, a, c), *y = rows_of(h, b, c);
            for (unsigned i = 0, k = 0; i < x->count && k < y->count;) {
                int64_t d = x->list[i].date, e = y->list[k].date;
                if (d == e && x->list[i].object != y->list[k].object)
                    return wrong(h, "in %u two objects have one date", c);
                i += d <= e;
                k += e <= d;
            }
        }
    return right(h);
}

static bool same_rows(const struct rows *a, unsigned from, const struct rows *b)
{
    if (a->count - from != b->count)
        return false;
    for (unsigned i = 0; i < b->count; i++) {
        const struct row *x = &a->list[from + i], *y = &b->list[i];
        if (x->date != y->date || x->object != y->object || !str_eq(x->bytes, y->bytes))
            return false;
    }
    return true;
}

/* A poller who goes on from the last date meets all that is new, once. */
static bool poll(struct history *h, unsigned who, unsigned c, struct rows *scratch)
{
    const struct rows *l = rows_of(h, who, c), *before = &h->rows[!h->turn][who][c];
    struct exchange_query q = {.after_us = h->cursors[who][c], .versions = STORE_ALL};
    unsigned old = 0;
    scratch->count = 0;
    read_more(&h->node, who, q, c, scratch);
    for (const struct row *r; old < l->count; old++)
        if (!(r = row_of_object(before, l->list[old].object)) || r->date != l->list[old].date)
            break;
    if (!same_rows(l, old, scratch))
        return wrong(h, "%s in %u: a poller missed what is new, or met what is old", name_of(who),
                     c);
    if (l->count)
        h->cursors[who][c] = l->list[l->count - 1].date > h->cursors[who][c]
                                 ? l->list[l->count - 1].date
                                 : h->cursors[who][c];
    return right(h);
}

/* ---- everything that a reader can ask ---- */

/* The rows of `all` that a query is to find. */
static bool asked_for(const struct rows *all, unsigned i, const struct exchange_query *q)
{
    const struct row *r = &all->list[i];
    bool first = true, last = true, in = q->id_count == 0;
    for (unsigned k = 0; k < all->count; k++)
        if (str_eq(all->list[k].id, r->id)) {
            first = first && all->list[k].version_us >= r->version_us;
            last = last && all->list[k].version_us <= r->version_us;
        }
    for (size_t k = 0; k < q->id_count; k++)
        in = in || str_eq(q->ids[k], r->id);
    if (!in || r->date <= q->after_us)
        return false;
    in = q->type_count == 0;
    for (size_t k = 0; k < q->type_count; k++)
        in = in || str_eq(q->types[k], r->type);
    bool exact = false;
    for (size_t k = 0; k < q->version_count; k++)
        exact = exact || q->version_us[k] == r->version_us;
    return in && ((q->versions & STORE_ALL) || (q->versions & STORE_LAST && last) ||
                  (q->versions & STORE_FIRST && first) || exact);
}

/* The query by pages of a size gives what it should, and says rightly whether there is more. */
static bool check_query(struct history *h, unsigned who, unsigned c, struct exchange_query q,
                        struct rows *scratch)
{
    const struct rows *all = rows_of(h, who, c);
    unsigned want = 0, got = 0;
    int64_t after = q.after_us;
    bool more = true;
    struct exchange_query whole = q;
    while (more) {
        scratch->count = 0;
        q.after_us = after;
        more = read_more(&h->node, who, q, c, scratch);
        for (unsigned i = 0; i < scratch->count; i++) {
            while (want < all->count && !asked_for(all, want, &whole))
                want++;
            const struct row *r = &scratch->list[i];
            if (want == all->count || all->list[want].object != r->object ||
                all->list[want].date != r->date || !str_eq(all->list[want].bytes, r->bytes))
                return wrong(h, "%s in %u: a page has what it should not: %.*s", name_of(who), c,
                             STR_FMT(r->id));
            want++;
            got++;
            after = r->date;
        }
        if (q.limit && (scratch->count > q.limit || (more && scratch->count != q.limit)))
            return wrong(h, "%s in %u: a page has the wrong size", name_of(who), c);
    }
    while (want < all->count && !asked_for(all, want, &whole))
        want++;
    return want == all->count ? right(h)
                              : wrong(h, "%s in %u: %.*s is on no page (%u were)", name_of(who), c,
                                      STR_FMT(all->list[want].id), got);
}

static bool check_modes(struct history *h, unsigned who, unsigned c, struct rows *scratch)
{
    static const unsigned modes[] = {STORE_LAST, STORE_FIRST, STORE_FIRST | STORE_LAST, STORE_ALL};
    const struct rows *all = rows_of(h, who, c);
    struct exchange_query q = {.after_us = INT64_MIN};
    for (size_t k = 0; k < COUNT(modes); k++) {
        q.versions = modes[k];
        for (size_t size = 0; size <= all->count + 1; size++) {
            q.limit = size;
            if (!check_query(h, who, c, q, scratch))
                return false;
        }
        for (unsigned i = 0; i < all->count; i++) {
            struct exchange_query later = {.after_us = all->list[i].date, .versions = modes[k]};
            if (!check_query(h, who, c, later, scratch))
                return false;
        }
    }
    return true;
}

/* By every id that there is, whoever reads it, and by every type. */
static bool check_filters(struct history *h, unsigned who, unsigned c, struct rows *scratch)
{
    const struct model *m = &h->m;
    for (unsigned i = 0; i < m->object_count + m->copy_count; i++) {
        char id[ID_BYTES];
        int64_t version = 0;
        if (i < m->object_count)
            put_id(i + 1, m->types[i + 1], id);
        struct str one = str_of(i < m->object_count ? id : m->copies[i - m->object_count].id);
        for (unsigned k = 0; k < m->count; k++)
            if (m->stored[k].content.object == i + 1)
                version = m->stored[k].version_us;
        struct exchange_query q = {
            .after_us = INT64_MIN, .ids = &one, .id_count = 1, .versions = bit(below(3))};
        if (!check_query(h, who, c, q, scratch))
            return false;
        q.versions = one_in(2) ? 0 : STORE_FIRST;
        q.version_us = &version;
        q.version_count = 1;
        q.limit = below(3);
        if (!check_query(h, who, c, q, scratch))
            return false;
    }
    for (unsigned t = 0; t < TYPES; t++) {
        struct str two[2] = {str_of(type_names[t]), str_of(type_names[below(TYPES)])};
        struct exchange_query q = {.after_us = INT64_MIN,
                                   .types = two,
                                   .type_count = 1 + below(2),
                                   .versions = bit(below(3)),
                                   .limit = below(4)};
        if (!check_query(h, who, c, q, scratch))
            return false;
    }
    return true;
}

/* ---- after a step ---- */

static bool read_everybody(struct history *h)
{
    h->turn = !h->turn;
    arena_reset(h->arenas[h->turn]);
    for (unsigned who = 0; who < PARTIES; who++)
        for (unsigned c = 0; c < COLLECTIONS; c++) {
            struct rows *l = rows_of(h, who, c);
            l->arena = h->arenas[h->turn];
            read_all(&h->node, who, c, l);
            for (unsigned i = 0; i < l->count; i++) {
                if (!learn_row(h, &l->list[i]) || !one_content(h, &l->list[i]))
                    return false;
                h->had_copies[who][c] = h->had_copies[who][c] ||
                                        holds(l->list[i].bytes, "marking-definition--aa3b1327-");
            }
        }
    learn_numbers(h);
    for (unsigned who = 0; who < PARTIES; who++)
        for (unsigned c = 0; c < COLLECTIONS; c++)
            note_taken(h, who, c);
    return true;
}

/* What everybody reads is what the model says. `full`: who is asked everything. */
static bool check_reading(struct history *h, unsigned full)
{
    static struct rows scratch;
    scratch.arena = h->arenas[h->turn];
    if (!read_everybody(h))
        return false;
    for (unsigned who = 0; who < PARTIES; who++)
        for (unsigned c = 0; c < COLLECTIONS; c++) {
            scratch.arena = h->arenas[h->turn];
            if (!check_reader(h, who, c) || !check_dates(h, who, c) || !poll(h, who, c, &scratch))
                return false;
            if (full & bit(who) &&
                (!check_modes(h, who, c, &scratch) || !check_filters(h, who, c, &scratch)))
                return false;
        }
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        if (!check_dates_of_all(h, c))
            return false;
        for (unsigned who = 0; who < PARTIES; who++) {
            const struct rows *l = rows_of(h, who, c);
            if (l->count && l->list[l->count - 1].date > h->last_date[c])
                h->last_date[c] = l->list[l->count - 1].date;
        }
    }
    return true;
}

#endif
