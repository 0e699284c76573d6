/* Handing sightings to a server's collection, or to a node of which this is the directory. */
#include "sensor/sensor_priv.h"

struct sensor_target {
    struct arena *arena;
    struct str identity;
    struct peer_client *client;   /* of a server … */
    struct peer_collection found; /* of a server */
    struct exchange *x;           /* … or a directory */
    struct exchange_session *session;
    struct principal who;
    struct exchange_collection collection;
};

void sensor_target_close(struct sensor_target *t)
{
    if (!t)
        return;
    peer_client_close(t->client);
    exchange_session_close(t->session);
    exchange_close(t->x);
    buf_done(&t->found.url);
    arena_free(t->arena);
    base_free(t);
}

struct str sensor_target_identity(const struct sensor_target *t)
{
    return t->identity;
}

static bool open_url(struct sensor_target *t, struct str url, const struct peer_endpoint *how,
                     struct str collection, struct err *e)
{
    struct peer_endpoint at = *how;
    struct buf id;
    at.url = url;
    buf_init(&id, 0);
    if (!peer_client_open(&at, &t->client, e))
        return false;
    bool ok = peer_client_collection(t->client, collection, &t->found, e);
    if (ok && !t->identity.n) {
        ok = peer_client_identity(t->client, &id, e) && buf_ok(&id, e);
        t->identity = ok && id.n ? arena_str(t->arena, buf_view(&id)) : STR_NONE;
    }
    buf_done(&id);
    return ok;
}

static bool open_node(struct sensor_target *t, const char *dir, struct str collection,
                      struct err *e)
{
    if (!exchange_open(dir, &t->x, e) || !exchange_session_open(t->x, &t->session, e) ||
        !exchange_login_home(t->session, t->arena, &t->who, e) ||
        !sensor_collection(t->session, t->arena, collection, &t->collection, e))
        return false;
    if (!t->identity.n)
        t->identity = exchange_config(t->x)->identity;
    return true;
}

bool sensor_target_open(const char *where, const struct peer_endpoint *how, struct str collection,
                        struct str identity, struct sensor_target **out, struct err *e)
{
    struct sensor_target *t = base_alloc(sizeof *t);
    if (!t)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&t->found.url, 0);
    t->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    t->identity = t->arena && identity.n ? arena_str(t->arena, identity) : STR_NONE;
    bool ok = t->arena || err_set(e, ERR_MEMORY, "out of memory");
    if (ok && sensor_is_url(str_of(where)))
        ok = open_url(t, str_of(where), how, collection, e);
    else if (ok)
        ok = open_node(t, where, collection, e);
    ok = ok && arena_ok(t->arena, e);
    if (ok && !t->identity.n)
        ok = err_set(e, ERR_USAGE, "%s does not say which identity you are: name it", where);
    if (ok)
        *out = t;
    else
        sensor_target_close(t);
    return ok;
}

static bool stop_at_first(void *ctx, const struct store_row *row)
{
    (void)row;
    *(bool *)ctx = true;
    return false;
}

bool sensor_target_knows(struct sensor_target *t, struct str id, struct err *e)
{
    struct exchange_collection *all;
    size_t count;
    bool found = false, more;
    if (t->client) /* it may be in a collection of another server */
        return true;
    if (!exchange_collections(t->session, t->arena, &all, &count, e))
        return false;
    for (size_t i = 0; i < count && !found; i++) {
        struct exchange_query q = {
            .collection = &all[i], .limit = 1, .ids = &id, .id_count = 1, .versions = STORE_LAST};
        if (!exchange_read(t->session, &t->who, &q, stop_at_first, &found, &more, e))
            return false;
    }
    return found || err_set(e, ERR_NOT_FOUND, "%.*s is in no collection of this node", STR_FMT(id));
}

static bool post(struct sensor_target *t, struct str envelope, struct sensor_sent *out,
                 struct err *e)
{
    struct peer_posted p = {.first_failure = out->failure ? NULL : out->first_failure};
    if (!peer_client_post(t->client, buf_view(&t->found.url), envelope, &p, e))
        return false;
    out->success += p.success;
    out->failure += p.failure;
    out->pending += p.pending;
    return true;
}

static void count_results(const struct exchange_batch *b, struct sensor_sent *out)
{
    size_t count = exchange_batch_count(b);
    out->success += exchange_batch_total(b, EXCHANGE_ACCEPTED) +
                    exchange_batch_total(b, EXCHANGE_UNCHANGED) +
                    exchange_batch_total(b, EXCHANGE_HELD);
    out->pending += exchange_batch_total(b, EXCHANGE_QUARANTINED);
    for (size_t i = 0; i < count; i++) {
        const struct exchange_result *r = exchange_batch_result(b, i);
        if (r->outcome == EXCHANGE_REFUSED && out->failure++ == 0 && out->first_failure)
            buf_str(out->first_failure, r->message);
    }
}

static bool commit(struct sensor_target *t, struct str text, const struct json *doc,
                   struct sensor_sent *out, struct err *e)
{
    struct exchange_submission sub = {.who = &t->who, .collection = &t->collection};
    struct exchange_batch *b = NULL;
    const struct json *objects = json_get(doc, STR("objects"));
    bool ok = exchange_prepare(t->session, &sub, text, objects->u.child, objects->count, &b, e) &&
              exchange_commit_wait(t->x, b, e);
    if (ok)
        count_results(b, out);
    exchange_batch_free(b);
    return ok;
}

static bool accept(struct sensor_target *t, struct str envelope, struct sensor_sent *out,
                   struct err *e)
{
    struct json_reader *reader = json_reader_new();
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    const struct json *doc;
    bool ok = (reader && a) || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && json_parse(reader, a, envelope, false, &doc, e) && commit(t, envelope, doc, out, e);
    arena_free(a);
    json_reader_free(reader);
    return ok;
}

bool sensor_target_put(struct sensor_target *t, struct str envelope, struct sensor_sent *out,
                       struct err *e)
{
    return t->client ? post(t, envelope, out, e) : accept(t, envelope, out, e);
}

bool sensor_target_send(struct sensor_target *t, const struct sensor_sightings *s,
                        struct sensor_sent *out, struct err *e)
{
    size_t count = sensor_sightings_count(s);
    struct buf envelope;
    bool ok = true;
    buf_init(&envelope, 0);
    while (out->handed < count && ok) {
        size_t most = count - out->handed;
        if (most > SENSOR_ENVELOPE)
            most = SENSOR_ENVELOPE;
        buf_clear(&envelope);
        sensor_sightings_put(s, out->handed, most, &envelope);
        ok = buf_ok(&envelope, e) && sensor_target_put(t, buf_view(&envelope), out, e);
        if (ok)
            out->handed += most;
    }
    buf_done(&envelope);
    return ok;
}
