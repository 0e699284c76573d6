/* Rules, and from the first line that begins with { an object: what Japan gets of it is the object,
 * or a copy that is valid STIX and has an id of its own, or nothing. */
#include "json/json.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const struct str key = {"0123456789abcdef0123456789abcdef", 32};
static struct json_reader *reader;
static struct arena *arena;

static enum policy_reference answer(void *ctx, struct str id, struct str *to)
{
    (void)ctx;
    *to = STR("malware--99999999-0000-4000-8000-000000000000");
    return (enum policy_reference)(str_hash(id, 0) % 3);
}

static void count_error(void *ctx, const struct stix_finding *f)
{
    *(unsigned *)ctx += f->severity == STIX_ERROR;
}

static unsigned errors_of(const struct json *v)
{
    static const struct stix_check_options o = {.tolerate_short_times = true};
    unsigned errors = 0;
    stix_object_check(v, &o, count_error, &errors);
    return errors;
}

/* The colours of its granular markings. */
static unsigned granular(const struct json *object)
{
    const struct json *all = json_get(object, STR("granular_markings"));
    unsigned colours = 0;
    for (const struct json *g = json_is(all, JSON_ARRAY) ? all->u.child : NULL; g; g = g->next)
        colours |= 1u << stix_tlp_of_id(json_get_str(g, STR("marking_ref")));
    return colours & ~1u;
}

static void check_copy(const struct policy_view *view, const struct json *object, struct str source)
{
    struct policy_copy_options o = {
        .key = key, .reference = answer, .reader = reader, .arena = arena};
    struct policy_copy c, again;
    const struct json *v;
    struct err e;
    if (!policy_copy_make(view, object, source, &o, &c, &e))
        return;
    if (c.kind == POLICY_COPY_WITHHELD)
        must(c.why.n > 0);
    if (c.kind != POLICY_COPY_MADE)
        return;
    must(json_parse(reader, arena, c.bytes, false, &v, &e));
    must(errors_of(v) == 0 && str_eq(json_get_str(v, STR("id")), c.id));
    must(policy_copy_make(view, object, source, &o, &again, &e));
    must(str_eq(c.bytes, again.bytes));
    if (policy_copy_make(view, v, c.bytes, &o, &again, &e) && again.kind == POLICY_COPY_MADE)
        must(json_parse(reader, arena, again.bytes, false, &v, &e) && errors_of(v) == 0);
}

static void check_object(const struct policy *p, struct str source)
{
    struct policy_memo *m = policy_memo_new();
    const struct policy_outcome *o;
    const struct json *object;
    struct err e;
    if (json_parse(reader, arena, source, false, &object, &e)) {
        struct policy_facts f = {.type = json_get_str(object, STR("type")),
                                 .tlp = STIX_TLP_CLEAR,
                                 .home = STR("IN"),
                                 .granular_tlps = granular(object),
                                 .labels = json_get(object, STR("labels")),
                                 .object = object};
        must(policy_decide(p, m, &f, NULL, &o, &e));
        for (size_t i = 0; i < o->count; i++)
            check_copy(o->groups[i].view, object, source);
    }
    policy_memo_free(m);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str text = {(const char *)data, n}, rules, source;
    struct policy *p;
    struct buf b, out;
    struct err e;
    size_t at = 0;
    if (!reader) {
        reader = json_reader_new();
        arena = arena_new((size_t)64 << 20);
    }
    while (at < n && (text.p[at] != '{' || (at > 0 && text.p[at - 1] != '\n')))
        at++;
    rules = str_slice(text, 0, at);
    source = str_from(text, at);
    buf_init(&b, 0);
    buf_init(&out, 0);
    if (policy_pseudonym_reveal(key, text, &out, &e)) /* not without the key */
        must(out.n < n);
    buf_lit(&b, "nation JP \"Japan\" { agency nisc }\nrelease to JP\n");
    buf_str(&b, rules);
    if (policy_parse(buf_view(&b), "p", &p, &e)) {
        check_object(p, source);
        policy_free(p);
    }
    buf_done(&b);
    buf_done(&out);
    arena_reset(arena);
    return 0;
}
