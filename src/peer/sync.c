/* One pull of one subscription: each page goes through `exchange`, then the cursor moves. */
#include <stdio.h>
#include <string.h>

#include "peer/peer_priv.h"

/* A partner's clock may be ahead by so much; a later date_added never becomes the cursor, since
 * nothing added before that date would be seen again. */
#define AHEAD_US ((int64_t)86400 * 1000000)

enum stix_tlp peer_stricter(enum stix_tlp ours, enum stix_tlp theirs)
{
    if (ours == STIX_TLP_NONE)
        ours = STIX_TLP_AMBER; /* as the policy counts it */
    return theirs > ours ? theirs : ours;
}

/* ---- credentials ---- */

/* A path within the node's directory, or absolute. */
static struct str node_path(const struct exchange *x, struct arena *a, struct str path)
{
    if (path.n == 0 || path.p[0] == '/')
        return path;
    return arena_printf(a, "%s/%.*s", exchange_dir(x), STR_FMT(path));
}

static bool read_secret(struct arena *a, struct str path, struct str *out, struct err *e)
{
    struct str text;
    const char *name = arena_cstr(a, path);
    if (!name)
        return arena_ok(a, e);
    if (!file_read(name, LIMIT_SECRET_BYTES + 2, &text, e))
        return false;
    *out = arena_str(a, str_trim(text));
    base_free((void *)(uintptr_t)text.p);
    if (arena_ok(a, e) && out->n == 0)
        return err_set(e, ERR_INVALID, "%s: is empty: write the secret into it", name);
    return arena_ok(a, e);
}

bool peer_endpoint_of(const struct exchange *x, const struct store_peer *p, struct arena *a,
                      struct peer_endpoint *out, struct err *e)
{
    struct peer_endpoint r = {.url = p->url, .ca_file = node_path(x, a, p->ca)};
    struct str rest = p->auth, kind = str_cut(&rest, ':');
    bool ok = true;
    if (str_eq(p->auth, STR("cert"))) {
        r.cert_file = node_path(x, a, STR("tls/node.pem"));
        r.key_file = node_path(x, a, STR("tls/node.key"));
    } else if (str_eq(kind, STR("token"))) {
        ok = read_secret(a, node_path(x, a, rest), &r.token, e);
    } else if (str_eq(kind, STR("basic"))) {
        r.user = str_cut(&rest, ':');
        ok = read_secret(a, node_path(x, a, rest), &r.password, e);
    } else {
        ok = err_set(e, ERR_STORE, "partner \"%.*s\": its credentials are \"%.*s\": add it again",
                     STR_FMT(p->name), STR_FMT(kind));
    }
    if (!ok || !arena_ok(a, e))
        return false;
    *out = r;
    return true;
}

/* ---- pulling ---- */

struct sync {
    struct exchange_session *s;
    const struct store_peer *p;
    const struct peer_watch *w;
    struct peer_report *out;
    struct principal who;
    struct exchange_collection collection;
    int64_t cursor_us;
    bool later; /* a limit of the policy was reached */
};

static void tally(struct sync *y, const struct exchange_batch *b)
{
    for (size_t i = 0; i < exchange_batch_count(b); i++) {
        const struct exchange_result *r = exchange_batch_result(b, i);
        y->later = y->later || r->later;
        y->out->counts[r->outcome] += !r->later;
        if (y->w->refused && !r->later && r->outcome != EXCHANGE_ACCEPTED &&
            r->outcome != EXCHANGE_UNCHANGED)
            y->w->refused(y->w->ctx, r);
    }
}

static bool store_page(struct sync *y, const struct peer_page *page, struct err *e)
{
    struct exchange_submission sub = {
        .who = &y->who, .collection = &y->collection, .from_partner = true};
    struct exchange_batch *b = NULL;
    bool ok = exchange_prepare(y->s, &sub, page->text, page->first, page->count, &b, e) &&
              exchange_commit_wait(exchange_of(y->s), b, e);
    if (ok)
        tally(y, b);
    exchange_batch_free(b);
    return ok;
}

/* While more pages follow, the cursor stays a microsecond before the page's last date: servers that
 * give many objects one date_added may go on with it on the next page. */
static bool move_cursor(struct sync *y, const struct peer_page *page, struct err *e)
{
    char text[INSTANT_TEXT_BYTES];
    struct instant t;
    struct err ignored;
    struct str cursor = page->last_added;
    if (!cursor.n || !instant_parse(cursor, &t, &ignored))
        return true;
    int64_t us = instant_us(t) - page->more;
    if (us <= y->cursor_us || us > now_us() + AHEAD_US)
        return true;
    if (page->more)
        cursor = instant_text(instant_of_us(us), 6, text);
    if (!exchange_peer_cursor(exchange_of(y->s), y->p->id, cursor, e))
        return false;
    y->cursor_us = us;
    return true;
}

static bool take_page(void *ctx, const struct peer_page *page, struct err *e)
{
    struct sync *y = ctx;
    if (page->count && !store_page(y, page, e))
        return false;
    /* The page is asked for again: what came in of it will be unchanged then. */
    if (y->later)
        return err_set(
            e, ERR_BUSY,
            "the limit of an accept rule in policy.conf is reached: the next sync goes on "
            "where this one stopped");
    y->out->pages++;
    if (y->w->progress)
        y->w->progress(y->w->ctx, y->out);
    return move_cursor(y, page, e);
}

static bool local_collection(struct sync *y, struct arena *a, struct err *e)
{
    struct exchange_collection *list;
    size_t n;
    if (!exchange_collections(y->s, a, &list, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (list[i].id == y->p->collection) {
            y->collection = list[i];
            return true;
        }
    }
    return err_set(e, ERR_NOT_FOUND, "the collection that \"%.*s\" goes into is gone: add it again",
                   STR_FMT(y->p->remote));
}

/* Before anything is pulled: what is withdrawn and released again comes with the pull. Where it
 * fails, what is new is pulled all the same. */
static bool take_back(struct sync *y, struct peer_client *c, struct str url, struct err *e)
{
    struct peer_taking t = {.s = y->s,
                            .c = c,
                            .p = y->p,
                            .partner = &y->who,
                            .into = &y->collection,
                            .remote_url = url};
    return peer_take_back(&t, &y->out->withdrawn, e);
}

static bool pull(struct sync *y, struct peer_client *c, struct err *e)
{
    struct peer_collection found;
    struct err kept = {0};
    bool ok = peer_client_collection(c, y->p->remote, &found, e);
    bool taken = !ok || take_back(y, c, buf_view(&found.url), &kept);
    if (ok && found.marking != STIX_TLP_NONE)
        y->collection.marking = peer_stricter(y->collection.marking, found.marking);
    struct peer_pull what = {.collection_url = buf_view(&found.url), .added_after = y->p->cursor};
    ok = ok && peer_client_pull(c, &what, take_page, y, e);
    buf_done(&found.url);
    if (ok && !taken) {
        *e = kept;
        return err_prefix(e, "what it withdrew");
    }
    return ok;
}

bool peer_sync(struct exchange_session *s, const struct store_peer *p, const struct peer_watch *w,
               struct peer_report *out, struct err *e)
{
    struct sync y = {.s = s, .p = p, .w = w, .out = out, .cursor_us = INT64_MIN};
    struct policy_party party = {p->nation, p->org};
    struct peer_endpoint endpoint;
    struct peer_client *c = NULL;
    struct instant t;
    struct err ignored;
    *out = (struct peer_report){.peer = p->name, .remote = p->remote};
    if (p->cursor.n && instant_parse(p->cursor, &t, &ignored))
        y.cursor_us = instant_us(t);
    struct arena *a = arena_new(16u << 20);
    bool ok = a != NULL || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && exchange_login_partner(s, party, &y.who, e) && local_collection(&y, a, e) &&
         peer_endpoint_of(exchange_of(s), p, a, &endpoint, e);
    if (ok)
        endpoint.stop = w->stop;
    ok = ok && peer_client_open(&endpoint, &c, e) && pull(&y, c, e);
    peer_client_close(c);
    arena_free(a);
    return ok;
}
