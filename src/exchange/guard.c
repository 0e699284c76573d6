/* The guard of subscribers: what is local by definition, what names a subscriber by its bytes, and
 * the wall that stands behind the policy. */
#include <string.h>

#include "exchange/gate_priv.h"

/* ---- definitions of extensions ---- */

struct gate_definition {
    struct gate_definition *next;
    struct str id;
    const struct json *json;
};

static bool keep_bytes(void *ctx, const struct store_object *o)
{
    struct buf *b = ctx;
    buf_clear(b); /* versions come in order: the last call has the newest */
    buf_str(b, o->bytes);
    return true;
}

static bool parse_known(struct gate *g, struct str text, const struct json **out, struct err *e)
{
    struct str kept = arena_str(g->known, text);
    return arena_ok(g->known, e) && json_parse(g->json, g->known, kept, false, out, e);
}

static bool note(struct gate *g, struct str id, const struct json *json, struct err *e)
{
    struct gate_definition *d = arena_calloc(g->known, 1, sizeof *d);
    if (!d)
        return arena_ok(g->known, e);
    *d = (struct gate_definition){g->definitions, arena_str(g->known, id), json};
    g->definitions = d;
    return arena_ok(g->known, e);
}

/* No node's store can loosen what the program carries. */
static bool note_own(struct gate *g, struct err *e)
{
    const struct json *bundle;
    if (!parse_known(g, stix_telecom_definitions(), &bundle, e))
        return false;
    const struct json *all = json_get(bundle, STR("objects"));
    for (const struct json *o = all ? all->u.child : NULL; o; o = o->next)
        if (!note(g, json_get_str(o, STR("id")), o, e))
            return false;
    return true;
}

/* What is not known is asked for again: it may come with the next objects. */
static bool definition_of(void *ctx, struct str id, const struct json **out, struct err *e)
{
    struct gate *g = ctx;
    struct buf b;
    if (!g->definitions && !note_own(g, e))
        return false;
    for (const struct gate_definition *d = g->definitions; d; d = d->next)
        if (str_eq(d->id, id)) {
            *out = d->json;
            return true;
        }
    buf_init(&b, 0);
    bool ok = store_object_versions(g->store, id, keep_bytes, &b, e) && buf_ok(&b, e) &&
              (b.n == 0 || (parse_known(g, buf_view(&b), out, e) && note(g, id, *out, e)));
    buf_done(&b);
    return ok;
}

bool gate_local(struct gate *g, const struct json *object, struct stix_local *out, struct err *e)
{
    return stix_local_find(object, definition_of, g, g->arena, out, e);
}

/* ---- the first wall ---- */

bool gate_guard_find(const struct exchange *x, struct str bytes, enum gate_guarded *out,
                     struct err *e)
{
    struct stix_guard_found found;
    *out = stix_guard_find(x->guard, bytes, &found) ? GATE_NAMES_SUBSCRIBER : GATE_NAMES_NONE;
    return *out == GATE_NAMES_NONE || found.name != stix_guard_no_memory ||
           err_set(e, ERR_MEMORY, "out of memory");
}

bool gate_names_subscriber(const struct gate *g, const struct gate_subject *s, bool *out,
                           struct err *e)
{
    const struct json *v = s->object->json;
    enum gate_guarded guarded = s->guarded;
    if (guarded == GATE_NAMES_NONE_AT_ALL) {
        *out = false;
        return true;
    }
    *out = stix_names_subscriber(v, &g->local);
    /* Of what holds local values no bytes go as they are: the wall reads those of its copies. */
    if (*out || g->local.count)
        return true;
    if (guarded == GATE_NOT_LOOKED &&
        !gate_guard_find(g->x, json_source(s->source, v), &guarded, e))
        return false;
    *out = guarded == GATE_NAMES_SUBSCRIBER;
    return true;
}

/* ---- the second ---- */

#define NAMES                                                                                      \
    STR("it holds what reads as an identifier of a subscriber (3GPP TS 23.003), which "            \
        "crosses no border")
#define LOCAL STR("it holds properties that the definition of their extension keeps local")

static bool without(struct gate *g, struct str *audience, const struct policy_party *who,
                    struct err *e)
{
    if (!policy_nation_valid(who->nation) || !policy_org_valid(who->org))
        return true;
    struct str one = arena_printf(g->arena, "+%.*s/%.*s", STR_FMT(who->nation), STR_FMT(who->org));
    return arena_ok(g->arena, e) && gate_combine(g, *audience, one, POLICY_WITHOUT, audience, e);
}

/* What stands in the bytes of a copy; of the original that is known. */
static bool judge(struct gate *g, const struct gate_share *share, bool *names, bool *local,
                  struct err *e)
{
    const struct json *v;
    struct stix_local left;
    if (!share->copy_id.n)
        return true;
    if (!json_parse(g->json, g->arena, share->copy_bytes, false, &v, e) ||
        !gate_local(g, v, &left, e))
        return false;
    *local = left.count > 0;
    enum gate_guarded guarded = GATE_NAMES_NONE;
    *names = stix_names_subscriber(v, NULL);
    if (!*names && !gate_guard_find(g->x, share->copy_bytes, &guarded, e))
        return false;
    *names = *names || guarded == GATE_NAMES_SUBSCRIBER;
    return true;
}

/* Takes from the share those who may not have it; submitters read what they submitted. */
static bool guard_share(struct gate *g, const struct gate_subject *s, const struct policy_facts *f,
                        struct gate_share *share, struct gate_decision *d, struct err *e)
{
    bool names = f->subscriber, local = f->local;
    struct str from = share->audience;
    const struct gate_org *also;
    if (!judge(g, share, &names, &local, e))
        return false;
    if (!names && !local)
        return true;
    struct str home = arena_printf(g->arena, "+%.*s", STR_FMT(g->x->config.nation));
    if (!arena_ok(g->arena, e) ||
        (!local && !gate_combine(g, from, home, POLICY_WITHOUT, &from, e)) ||
        !gate_org_of(g, s->source_org, &also, e) || !without(g, &from, &f->source, e) ||
        !without(g, &from, &also->party, e))
        return false;
    if (from.n == 0)
        return true;
    d->guarded = d->guarded || names;
    share->serial = 0;
    return gate_withhold(g, d, from, local ? LOCAL : NAMES, e) &&
           gate_combine(g, share->audience, from, POLICY_WITHOUT, &share->audience, e);
}

bool gate_wall(struct gate *g, const struct gate_subject *s, const struct policy_facts *f,
               struct gate_decision *d, struct err *e)
{
    d->guarded = f->subscriber;
    for (struct gate_share **at = &d->shares; *at;) {
        if ((*at)->verdict == POLICY_RELEASED && !guard_share(g, s, f, *at, d, e))
            return false;
        if ((*at)->audience.n == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    return true;
}
