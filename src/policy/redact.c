#include <string.h>

#include "policy/policy_priv.h"

/* The marking of copies; no other object has this id. */
#define MARKING_ID "marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16"

struct str policy_copy_marking_id(void)
{
    return STR(MARKING_ID);
}

struct str policy_copy_marking_bytes(void)
{
    return STR("{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" MARKING_ID
               "\",\"created\":\"2026-11-25T00:00:00.000Z\",\"name\":\"Redacted copy\","
               "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"This object is a "
               "redacted copy. What its creator may not release to you was left out, replaced or "
               "made coarser.\"}}");
}

/* ---- the tree that is edited ---- */

/* A value of the original, or one that was added. What goes stays in its place, marked, so that
 * places in lists and selectors still count as in the original. */
struct node {
    const struct json *v; /* NULL: an added string */
    struct str key;
    struct node *child, *next;
    struct str text; /* a string in its place, if `set` */
    bool set, gone, own_id, changed;
    bool added; /* its name stands in `key` alone */
};

struct copy {
    const struct policy_view *view;
    const struct policy_copy_options *o;
    struct str source, id, type;
    struct arena *scratch;
    struct err *e;
    struct node *root;
    struct str why; /* the object is withheld, once not empty */
    uint64_t steps; /* through members and elements, for selectors */
    bool failed;    /* no memory; e is filled */
};

static struct node *new_node(struct copy *c)
{
    struct node *n = arena_calloc(c->scratch, 1, sizeof *n);
    if (!n && !c->failed)
        c->failed = !arena_ok(c->scratch, c->e);
    return n;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static struct node *mirror(struct copy *c, const struct json *v)
{
    struct node *n = new_node(c), **end = n ? &n->child : NULL;
    if (!n)
        return NULL;
    n->v = v;
    n->key = v->key;
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return n;
    for (const struct json *m = v->u.child; m; m = m->next, end = &(*end)->next)
        if (!(*end = mirror(c, m)))
            return NULL;
    return n;
}

static void withhold(struct copy *c, struct str why)
{
    if (c->why.n == 0)
        c->why = why;
}

static bool is(const struct node *n, enum json_type type)
{
    return n && n->v && !n->set && n->v->type == type;
}

/* The string that stands there now. */
static const struct str *text_of(const struct node *n)
{
    return n->set ? &n->text : json_is(n->v, JSON_STRING) ? &n->v->u.s : NULL;
}

/* The member of that name that is there still, or NULL. */
static struct node *member(const struct node *n, struct str name)
{
    struct node *m = n->child;
    while (m && (m->gone || !str_eq(m->key, name)))
        m = m->next;
    return m;
}

static void set_text(struct node *n, struct str text)
{
    n->set = true;
    n->text = text;
}

/* Adds a string at the end of an object (under `key`) or list. */
static void append(struct copy *c, struct node *to, struct str key, struct str text)
{
    struct node *n = new_node(c), **end = &to->child;
    if (!n)
        return;
    *n = (struct node){.key = key, .text = text, .set = true, .added = true};
    while (*end)
        end = &(*end)->next;
    *end = n;
}

/* ---- selectors (STIX 2.1 §7.2.3) ---- */

/* One part of a selector below `n`; *place is its place among what is there still. */
static struct node *select_part(struct copy *c, const struct node *n, struct str part,
                                size_t *place)
{
    struct node *m = n->child;
    uint64_t index = 0;
    bool list = is(n, JSON_ARRAY);
    if (list && (part.n < 3 || part.p[0] != '[' || part.p[part.n - 1] != ']' ||
                 !str_to_u64(str_slice(part, 1, part.n - 1), &index)))
        return NULL;
    for (*place = 0; m && (list ? index > 0 : !str_eq(m->key, part)); m = m->next) {
        index -= list;
        *place += !m->gone;
        c->steps++;
    }
    return m;
}

struct selected {
    struct node *node;
    bool gone;       /* it, or something above it */
    struct buf text; /* the selector as it must be now */
};

/* False, and the object is withheld, when a selector names nothing. */
static bool selector(struct copy *c, struct str s, struct selected *out)
{
    const struct node *n = c->root;
    struct str rest = s;
    size_t place;
    out->node = NULL;
    out->gone = false;
    buf_clear(&out->text);
    while (rest.p && n) {
        struct str part = str_cut(&rest, '.');
        bool list = is(n, JSON_ARRAY);
        out->node = n->set ? NULL : select_part(c, n, part, &place);
        n = out->node;
        if (!n)
            break;
        out->gone = out->gone || n->gone;
        if (out->text.n)
            buf_byte(&out->text, '.');
        if (list)
            buf_printf(&out->text, "[%zu]", place);
        else
            buf_str(&out->text, part);
    }
    if (c->steps > LIMIT_STIX_STEPS)
        withhold(c, STR("its granular markings are too many to be judged"));
    else if (!n || !out->node)
        withhold(c, STR("a granular marking of it selects nothing that is there"));
    return c->why.n == 0;
}

/* What a copy cannot do without, or what a marking that goes would open. */
static bool protected(struct str s)
{
    static const char *const names[] = {"type",
                                        "spec_version",
                                        "id",
                                        "created",
                                        "modified",
                                        "revoked",
                                        "object_marking_refs",
                                        "granular_markings"};
    struct str first = str_cut(&s, '.');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq(first, str_of(names[i])))
            return true;
    return false;
}

/* Calls `each` for every selector of every granular marking. False when the object is withheld. */
typedef void selector_fn(struct copy *c, struct node *entry, struct node *s, struct selected *at);
static bool each_selector(struct copy *c, selector_fn *each)
{
    struct node *all = member(c->root, STR("granular_markings"));
    struct selected at = {0};
    if (!all)
        return true;
    buf_init(&at.text, 0);
    for (struct node *g = all->child; g && c->why.n == 0; g = g->next) {
        struct node *list = is(g, JSON_OBJECT) ? member(g, STR("selectors")) : NULL;
        if (!list || !is(list, JSON_ARRAY) || !list->child) {
            withhold(c, STR("a granular marking of it is ill-formed"));
            break;
        }
        for (struct node *s = list->child; s && c->why.n == 0; s = s->next) {
            if (!is(s, JSON_STRING))
                withhold(c, STR("a granular marking of it is ill-formed"));
            else if (selector(c, s->v->u.s, &at))
                each(c, g, s, &at);
        }
    }
    if (at.text.failed && !c->failed)
        c->failed = !buf_ok(&at.text, c->e);
    buf_done(&at.text);
    return c->why.n == 0 && !c->failed;
}

/* Takes out what a marking of a colour selects that these recipients may not have. */
static void drop_selected(struct copy *c, struct node *entry, struct node *s, struct selected *at)
{
    const struct node *ref = member(entry, STR("marking_ref"));
    const struct str *id = ref ? text_of(ref) : NULL;
    enum stix_tlp tlp = id ? stix_tlp_of_id(*id) : STIX_TLP_NONE;
    if (tlp == STIX_TLP_NONE || !(c->view->drop_tlps >> tlp & 1))
        return;
    if (protected(s->v->u.s))
        withhold(c, STR("a granular marking withholds a property that no copy can do without"));
    at->node->gone = true;
}

/* STIX 2.1 §7.2.3: a selector names something. */
static void mend_selector(struct copy *c, struct node *entry, struct node *s, struct selected *at)
{
    (void)entry;
    struct str first = s->v->u.s, now = buf_view(&at->text);
    first = str_cut(&first, '.');
    if (str_eq(first, STR("granular_markings")))
        withhold(c, STR("a granular marking of it selects granular markings"));
    else if (at->gone)
        s->gone = true;
    else if (!str_eq(now, s->v->u.s))
        set_text(s, arena_str(c->scratch, now));
}

static bool all_gone(const struct node *n)
{
    for (const struct node *m = n->child; m; m = m->next)
        if (!m->gone)
            return false;
    return n->child != NULL;
}

static bool mend_granular(struct copy *c)
{
    struct node *all = member(c->root, STR("granular_markings"));
    if (!each_selector(c, mend_selector))
        return false;
    for (struct node *g = all ? all->child : NULL; g; g = g->next)
        g->gone = all_gone(member(g, STR("selectors")));
    return true;
}

/* ---- transforms ---- */

static void transform_value(struct copy *c, const struct policy_redaction *x, struct node *n)
{
    struct str out = STR_NONE;
    switch (policy_transform_value(x, c->o->key, text_of(n), c->scratch, &out)) {
    case CHANGE_NONE:
        return;
    case CHANGE_SET:
        set_text(n, out);
        return;
    case CHANGE_DROP:
        n->gone = true;
        return;
    case CHANGE_FAILED:
        c->failed = true;
        err_set(c->e, ERR_MEMORY, "out of memory");
        return;
    }
}

/* A list's elements each; the list itself when it is dropped. */
static void transform_node(struct copy *c, const struct policy_redaction *x, struct node *n)
{
    if (x->transform == TRANSFORM_DROP) {
        n->gone = true;
    } else if (is(n, JSON_ARRAY)) {
        for (struct node *m = n->child; m; m = m->next)
            if (!m->gone)
                transform_node(c, x, m);
    } else {
        transform_value(c, x, n);
    }
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static void transform_path(struct copy *c, const struct policy_redaction *x,
                           const struct path *path, size_t at, struct node *n)
{
    size_t index = 0;
    if (!n || n->gone)
        return;
    if (at == path->count) {
        transform_node(c, x, n);
        return;
    }
    const struct path_step *step = &path->steps[at];
    if (step->name.p) {
        transform_path(c, x, path, at + 1, is(n, JSON_OBJECT) ? member(n, step->name) : NULL);
        return;
    }
    for (struct node *m = is(n, JSON_ARRAY) ? n->child : NULL; m; m = m->next, index++)
        if (step->index == SIZE_MAX || step->index == index)
            transform_path(c, x, path, at + 1, m);
}

/* What tells no more of an identity than its kind; its name becomes one. */
static void generalise(struct copy *c)
{
    static const char *const kept[] = {"type",
                                       "spec_version",
                                       "id",
                                       "created",
                                       "modified",
                                       "revoked",
                                       "created_by_ref",
                                       "object_marking_refs",
                                       "granular_markings",
                                       "identity_class",
                                       "sectors",
                                       "confidence",
                                       "name"};
    const struct node *class = member(c->root, STR("identity_class"));
    const struct node *sectors = member(c->root, STR("sectors"));
    const char *before = " (";
    struct buf b;
    const struct str *kind = class ? text_of(class) : NULL;
    buf_init(&b, 0);
    buf_str(&b, kind ? *kind : STR("identity"));
    for (const struct node *s = is(sectors, JSON_ARRAY) ? sectors->child : NULL; s; s = s->next) {
        const struct str *text = s->gone ? NULL : text_of(s);
        if (!text)
            continue;
        buf_lit(&b, before);
        buf_str(&b, *text);
        before = ", ";
    }
    if (*before == ',')
        buf_byte(&b, ')');
    for (struct node *m = c->root->child; m; m = m->next) {
        size_t i = 0;
        while (i < sizeof(kept) / sizeof(kept[0]) && !str_eq(m->key, str_of(kept[i])))
            i++;
        m->gone = m->gone || i == sizeof(kept) / sizeof(kept[0]);
        const struct str *text = str_eq(m->key, STR("name")) ? text_of(m) : NULL;
        if (text && !str_eq(*text, buf_view(&b)))
            set_text(m, arena_str(c->scratch, buf_view(&b)));
    }
    if (b.failed && !c->failed)
        c->failed = !buf_ok(&b, c->e);
    buf_done(&b);
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static void drop_local(const struct stix_local *local, struct node *n)
{
    n->gone = n->gone || stix_local_has(local, n->v);
    for (struct node *m = n->child; m; m = m->next)
        drop_local(local, m);
}

static void transform_all(struct copy *c)
{
    for (size_t i = 0; i < c->view->step_count; i++) {
        const struct policy_redaction *x = c->view->steps[i];
        if (x->transform == TRANSFORM_GENERALISE)
            generalise(c);
        for (size_t k = 0; k < x->path_count; k++)
            transform_path(c, x, &x->paths[k], 0, c->root);
    }
}

/* ---- references ---- */

static void refer(struct copy *c, struct node *n)
{
    struct str to = STR_NONE, id = n->v->u.s;
    struct err e;
    if (str_eq(id, c->id)) {
        n->own_id = true;
        return;
    }
    if (!c->o->reference || !stix_id_parse(id, NULL, &e))
        return;
    switch (c->o->reference(c->o->ctx, id, &to)) {
    case POLICY_REFERENCE_KEPT:
        return;
    case POLICY_REFERENCE_CHANGED:
        if (!str_eq(id, to))
            set_text(n, to);
        return;
    case POLICY_REFERENCE_GONE:
        n->gone = n->gone || c->view->drop_references;
        return;
    }
}

static bool names_objects(struct str key)
{
    return (str_ends(key, STR("_ref")) || str_ends(key, STR("_refs"))) &&
           !str_eq(key, STR("object_marking_refs")) && !str_eq(key, STR("marking_ref"));
}

/* `names`: the values here are ids of objects. Depth is bounded by LIMIT_JSON_DEPTH. */
static void refer_all(struct copy *c, struct node *n, bool names)
{
    if (n->gone || n->set)
        return;
    if (names && is(n, JSON_STRING))
        refer(c, n);
    for (struct node *m = n->child; m; m = m->next)
        refer_all(c, m, m->key.p ? names_objects(m->key) : names);
}

/* ---- the whole ---- */

/* A container that lost all it held goes too; notes what has changed. Depth is bounded by
 * LIMIT_JSON_DEPTH. */
static void prune(struct node *n, bool top)
{
    bool lost = n->child != NULL && !n->set;
    n->changed = n->set || n->gone;
    for (struct node *m = n->child; m; m = m->next) {
        prune(m, false);
        lost = lost && m->gone;
        n->changed = n->changed || m->changed;
    }
    n->gone = n->gone || (lost && !top);
}

static void write(const struct copy *c, const struct node *n, struct buf *out)
{
    bool list = is(n, JSON_ARRAY), first = true;
    if (n->set) {
        json_put_string(out, n->text);
        return;
    }
    if (!n->changed) {
        buf_str(out, json_source(c->source, n->v));
        return;
    }
    buf_byte(out, list ? '[' : '{');
    for (const struct node *m = n->child; m; m = m->next) {
        if (m->gone)
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        if (!list && !m->added) {
            buf_str(out, str_slice(c->source, m->v->key_at, m->v->at));
        } else if (!list) {
            json_put_string(out, m->key);
            buf_byte(out, ':');
        }
        write(c, m, out);
    }
    buf_byte(out, list ? ']' : '}');
}

/* Writes the tree and reads it again. */
static bool render(struct copy *c, struct str *bytes, const struct json **out)
{
    struct json_reader *reader = c->o->reader ? c->o->reader : json_reader_new();
    struct buf b;
    bool ok = reader || err_set(c->e, ERR_MEMORY, "out of memory");
    buf_init(&b, 0);
    if (ok)
        write(c, c->root, &b);
    ok = ok && buf_ok(&b, c->e);
    char *p = ok ? arena_calloc(c->scratch, 1, b.n + BASE_PADDING) : NULL;
    ok = ok && arena_ok(c->scratch, c->e);
    if (ok && p) {
        memcpy(p, b.p, b.n);
        *bytes = (struct str){p, b.n};
        ok = json_parse(reader, c->scratch, *bytes, true, out, c->e);
    }
    buf_done(&b);
    if (!c->o->reader)
        json_reader_free(reader);
    return ok;
}

struct first_finding {
    struct copy *c;
    bool unjudged;
};

static void note_finding(void *ctx, const struct stix_finding *f)
{
    struct first_finding *first = ctx;
    struct copy *c = first->c;
    if (f->severity != STIX_ERROR)
        return;
    first->unjudged = first->unjudged || f->unjudged;
    if (c->why.n == 0)
        c->why = arena_printf(c->o->arena, "what its redactions leave is no valid STIX: %.*s: %.*s",
                              STR_FMT(f->path), STR_FMT(f->message));
}

static bool check(struct copy *c, const struct json *v)
{
    static const struct stix_check_options options = {.tolerate_short_times = true};
    struct first_finding first = {c, false};
    stix_object_check(v, &options, note_finding, &first);
    return (!first.unjudged || err_set(c->e, ERR_MEMORY, "out of memory")) &&
           arena_ok(c->o->arena, c->e);
}

/* A UUIDv4 of 122 bits of HMAC-SHA-256(key; original id, profile, variant). */
static bool hidden_id(struct copy *c, struct str *out)
{
    unsigned char mac[CRYPT_SHA256_BYTES];
    char uuid[CRYPT_UUID_TEXT];
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "setu copy\n");
    buf_str(&b, c->id);
    buf_byte(&b, '\n');
    buf_put(&b, c->view->profile, sizeof c->view->profile);
    buf_str(&b, c->o->variant);
    bool ok = buf_ok(&b, c->e);
    if (ok) {
        crypt_hmac_sha256((const unsigned char *)c->o->key.p, buf_view(&b), mac);
        crypt_uuid4_of(mac, uuid);
        *out = arena_printf(c->o->arena, "%.*s--%s", STR_FMT(c->type), uuid);
        ok = arena_ok(c->o->arena, c->e);
    }
    buf_done(&b);
    return ok;
}

/* The id of a copy that is a cyber-observable, from what is in it now. */
static bool observable_id(struct copy *c, struct str *out)
{
    const struct json *v = NULL;
    struct str bytes;
    char uuid[37];
    if (!render(c, &bytes, &v))
        return false;
    switch (stix_sco_id(v, uuid)) {
    case STIX_SCO_ID_MADE:
        *out = arena_printf(c->o->arena, "%.*s--%s", STR_FMT(c->type), uuid);
        return arena_ok(c->o->arena, c->e);
    case STIX_SCO_ID_EMPTY:
    case STIX_SCO_ID_OPEN:
        return hidden_id(c, out);
    case STIX_SCO_ID_NO_MEMORY:
        break;
    }
    return err_set(c->e, ERR_MEMORY, "out of memory");
}

static void put_id(struct node *n, struct str id)
{
    if (n->own_id)
        set_text(n, id);
    for (struct node *m = n->child; m; m = m->next)
        put_id(m, id);
}

static void put_creator(struct copy *c, bool versioned)
{
    struct node *creator = member(c->root, STR("created_by_ref"));
    struct str id = versioned ? c->o->creator : STR_NONE;
    if (creator && id.n)
        set_text(creator, id);
    else if (creator)
        creator->gone = true;
    else if (id.n)
        append(c, c->root, STR("created_by_ref"), id);
}

static void put_marking(struct copy *c)
{
    struct node *refs = member(c->root, STR("object_marking_refs"));
    if (!refs) {
        refs = new_node(c);
        struct node **end = &c->root->child;
        if (!refs)
            return;
        static const struct json list = {.type = JSON_ARRAY};
        *refs = (struct node){.v = &list, .key = STR("object_marking_refs"), .added = true};
        while (*end)
            end = &(*end)->next;
        *end = refs;
    }
    for (struct node *m = refs->child; m; m = m->next)
        if (text_of(m) && str_eq(*text_of(m), STR(MARKING_ID)))
            return;
    append(c, refs, STR_NONE, STR(MARKING_ID));
}

/* Makes the object of its own that STIX 2.1 §3.6 asks for. */
static bool finish(struct copy *c, const struct json *object, struct policy_copy *out)
{
    bool versioned = json_get(object, STR("created")) != NULL;
    bool observable = stix_class_of(c->type) == STIX_SCO ||
                      (stix_class_of(c->type) == STIX_UNKNOWN && !versioned);
    const struct json *v = NULL;
    struct node *id = member(c->root, STR("id"));
    struct str bytes = STR_NONE, now = STR_NONE;
    if (!id)
        return (withhold(c, STR("it has no id")), true);
    if (!c->o->led_home) {
        put_creator(c, versioned && !observable);
        put_marking(c);
    }
    struct node *modified = member(c->root, STR("modified"));
    if (modified && c->o->modified.n)
        set_text(modified, c->o->modified);
    if (!mend_granular(c))
        return !c->failed;
    prune(c->root, true);
    if (c->failed || !(observable ? observable_id(c, &now) : hidden_id(c, &now)))
        return false;
    set_text(id, now);
    put_id(c->root, now);
    prune(c->root, true);
    if (!render(c, &bytes, &v) || !check(c, v))
        return false;
    if (bytes.n > LIMIT_STIX_OBJECT_BYTES)
        withhold(c, STR("its copy would be larger than 16 MiB"));
    if (c->why.n)
        return true;
    *out = (struct policy_copy){.kind = POLICY_COPY_MADE, .id = now};
    out->bytes = arena_str(c->o->arena, bytes);
    return arena_ok(c->o->arena, c->e);
}

static bool make(struct copy *c, const struct json *object, struct policy_copy *out)
{
    c->root = mirror(c, object);
    if (!c->root)
        return false;
    if (c->view->drop_tlps && !each_selector(c, drop_selected))
        return !c->failed;
    if (c->view->drop_local)
        drop_local(c->o->local, c->root);
    transform_all(c);
    refer_all(c, c->root, false);
    prune(c->root, true);
    if (c->failed || !arena_ok(c->scratch, c->e))
        return false;
    if (!c->root->changed) {
        *out = (struct policy_copy){.kind = POLICY_COPY_SAME};
        return true;
    }
    /* Others name these by their ids where no reference is rewritten: in object_marking_refs and as
     * keys of extensions. */
    if (stix_class_of(c->type) == STIX_META && !str_eq(c->type, STR("language-content")))
        return (withhold(c, STR("a definition is not copied, because what names it would not "
                                "find the copy")),
                true);
    return finish(c, object, out);
}

bool policy_copy_make(const struct policy_view *v, const struct json *object, struct str source,
                      const struct policy_copy_options *o, struct policy_copy *out, struct err *e)
{
    static const struct policy_view plain;
    struct copy c = {.view = v ? v : &plain,
                     .o = o,
                     .source = source,
                     .id = json_get_str(object, STR("id")),
                     .type = json_get_str(object, STR("type")),
                     .scratch = arena_new(LIMIT_ARENA_REQUEST_BYTES),
                     .e = e};
    struct policy_copy made = {.kind = POLICY_COPY_WITHHELD};
    must(o->key.n == CRYPT_KEY_BYTES);
    if (!c.scratch)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = make(&c, object, &made);
    if (ok && c.why.n)
        made =
            (struct policy_copy){.kind = POLICY_COPY_WITHHELD, .why = arena_str(o->arena, c.why)};
    ok = ok && arena_ok(o->arena, e);
    arena_free(c.scratch);
    if (ok)
        *out = made;
    return ok;
}
