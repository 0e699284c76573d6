/* Contact points: who may be asked, from when until when, who follows whom, and whether tests were
 * answered. A test is a request, so its clock, its answer and its record are those of requests. */
#include "exchange/exchange_priv.h"

static const char test_kind[] = "contact-test";

static int64_t time_of(const struct json *v, const char *name, int64_t otherwise)
{
    struct instant t;
    struct err e;
    return instant_parse(json_get_str(v, str_of(name)), &t, &e) ? instant_us(t) : otherwise;
}

static bool names_contact(const struct json *request, struct str id)
{
    const struct json *refs = json_get(request, STR("contact_refs"));
    for (const struct json *v = json_is(refs, JSON_ARRAY) ? refs->u.child : NULL; v; v = v->next)
        if (json_is(v, JSON_STRING) && str_eq(v->u.s, id))
            return true;
    return false;
}

static void note_tests(struct exchange_contact *c, const struct exchange_requests *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct exchange_request *r = &all->list[i];
        if (!str_eq(json_get_str(r->asked->json, STR("kind")), str_of(test_kind)) ||
            r->asked->exercise != c->said->exercise || !names_contact(r->asked->json, c->said->id))
            continue;
        c->test_count++;
        c->answered_count += r->life.answered_us != 0;
        c->test = r;
    }
}

static bool choose(const struct exchange_request_query *q, struct exchange_contact *all,
                   size_t *count, struct err *e)
{
    const struct exchange_contact *found = NULL;
    for (size_t i = 0; i < *count; i++) {
        if (!exchange_id_begins(all[i].said->id, q->id))
            continue;
        if (found)
            return err_set(e, ERR_CONFLICT,
                           "several contact points begin with %.*s: name more of it",
                           STR_FMT(q->id));
        found = &all[i];
    }
    if (!found)
        return err_set(e, ERR_NOT_FOUND,
                       "there is no contact point %.*s: `setu contact list` tells them",
                       STR_FMT(q->id));
    all[0] = *found;
    *count = 1;
    return true;
}

bool exchange_contacts_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_contacts *out,
                            struct err *e)
{
    struct exchange_statement_query points = {.who = q->who,
                                              .types = 1u << DIALOGUE_CONTACT,
                                              .exercise = q->exercise,
                                              .both = q->both || q->id.n};
    struct exchange_request_query tests = {.who = q->who, .both = true, .as_of_us = q->as_of_us};
    struct exchange_statements found;
    struct exchange_requests requests;
    int64_t now = q->as_of_us ? q->as_of_us : now_us();
    if (!exchange_dialogue_read(s, a, &points, &found, e) ||
        !exchange_requests_read(s, a, &tests, &requests, e))
        return false;
    struct exchange_contact *list = arena_calloc(a, found.count + 1, sizeof *list);
    if (!list)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (size_t i = 0; i < found.count; i++) {
        const struct json *v = found.list[i].json;
        list[i] = (struct exchange_contact){.said = &found.list[i],
                                            .from_us = time_of(v, "valid_from", INT64_MIN),
                                            .until_us = time_of(v, "valid_until", INT64_MAX),
                                            .successor = json_get_str(v, STR("successor_ref"))};
        list[i].holds = list[i].from_us <= now && now < list[i].until_us;
        note_tests(&list[i], &requests);
    }
    if (q->id.n && !choose(q, list, &found.count, e))
        return false;
    *out = (struct exchange_contacts){list, found.count};
    return true;
}

bool exchange_contact_holds(const struct exchange_contact *c, struct err *e)
{
    char text[INSTANT_TEXT_BYTES];
    bool over = c->until_us <= now_us();
    if (c->holds)
        return true;
    struct str when = instant_text(instant_of_us(over ? c->until_us : c->from_us), 0, text);
    err_set(e, ERR_CONFLICT, "%.*s held %s %.*s", STR_FMT(c->said->id),
            over ? "until" : "not before", STR_FMT(when));
    return c->successor.n ? err_hint(e, "%.*s follows it", STR_FMT(c->successor)) : false;
}

/* ---- adding ---- */

/* The next version of the one before: until `from`, and followed by `id`. */
static bool put_followed(struct exchange_session *s, struct arena *a,
                         const struct exchange_contact_new *c, const struct json *next,
                         struct buf *b, struct err *e)
{
    struct exchange_request_query q = {.who = c->say.who, .id = c->follows};
    struct dialogue_making m = {.type = DIALOGUE_CONTACT};
    struct exchange_contacts found;
    struct str members;
    if (!exchange_contacts_read(s, a, &q, &found, e))
        return false;
    const struct exchange_statement *before = found.list->said;
    if (!str_eq(before->author, c->author.identity))
        return err_set(e, ERR_FORBIDDEN, "%.*s is another's to end", STR_FMT(before->id));
    members = arena_printf(a, "{\"valid_until\":\"%.*s\",\"successor_ref\":\"%.*s\"}",
                           STR_FMT(json_get_str(next, STR("valid_from"))),
                           STR_FMT(json_get_str(next, STR("id"))));
    if (!arena_ok(a, e) || !json_parse(s->json, a, members, false, &m.given, e))
        return false;
    m.base = before->json;
    buf_byte(b, ',');
    return dialogue_object_put(&c->author, &m, b, e);
}

static bool put_contact(struct exchange_session *s, struct arena *a,
                        const struct exchange_contact_new *c, struct buf *b, struct err *e)
{
    struct dialogue_making m = {.type = DIALOGUE_CONTACT, .given = c->given};
    const struct json *next;
    buf_byte(b, '[');
    if (!dialogue_object_put(&c->author, &m, b, e) || !buf_ok(b, e))
        return false;
    if (c->follows.n && (!json_parse(s->json, a, str_from(buf_view(b), 1), false, &next, e) ||
                         !put_followed(s, a, c, next, b, e)))
        return false;
    buf_byte(b, ']');
    return true;
}

bool exchange_contact_add(struct exchange_session *s, const struct exchange_contact_new *c,
                          size_t *refused, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct buf b;
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&b, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = put_contact(s, a, c, &b, e) && exchange_say(s, &c->say, &b, refused, e);
    buf_done(&b);
    arena_free(a);
    return ok;
}

/* ---- testing ---- */

bool exchange_contact_test(struct exchange_session *s, const struct exchange_asking *q,
                           struct str id, size_t *refused, struct err *e)
{
    struct exchange_request_query query = {.who = q->say.who, .id = id};
    struct exchange_contacts found;
    struct exchange_asking asking = *q;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok =
        exchange_contacts_read(s, a, &query, &found, e) && exchange_contact_holds(found.list, e);
    if (ok) {
        const struct exchange_statement *said = found.list->said;
        asking.request.kind = str_of(test_kind);
        asking.request.summary = STR("Test of a contact point: please answer");
        asking.request.to_ref = json_get_str(said->json, STR("organisation_ref"));
        asking.request.contact_refs = &said->id;
        asking.request.contact_count = 1;
        ok = exchange_request_new(s, &asking, refused, e);
    }
    arena_free(a);
    return ok;
}
