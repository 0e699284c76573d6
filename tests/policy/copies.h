/*
 * What tests of redacted copies share: objects written as a type and its members, the view that
 * Japan has of them under some rules, and what a copy must look like.
 */
#ifndef TESTS_POLICY_COPIES_H
#define TESTS_POLICY_COPIES_H

#include "test.h"

#include "json/json.h"
#include "policy/policy.h"

#define MARKING    "marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16"
#define UUID       "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define VERSION    "\"created\":\"2026-11-01T00:00:00.000Z\",\"modified\":\"2026-11-02T00:00:00.000Z\""
#define RED_REF    "\"marking_ref\":\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\""
#define CLEAR_REF  "\"marking_ref\":\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\""
#define REF(digit) "\"malware--0000000" digit "-0000-4000-8000-000000000000\""

static struct str key = {"0123456789abcdef0123456789abcdef", 32};
static struct json_reader *reader;
static struct arena *arena; /* of one case */

static bool holds(struct str text, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, words, n) == 0)
            return true;
    return false;
}

static const struct json *json_of(struct str text)
{
    const struct json *v = NULL;
    struct err e = {0};
    bool ok = json_parse(reader, arena, text, false, &v, &e);
    CHECK_ROW(ok, "%.*s: %s", STR_FMT(text), e.msg);
    return ok ? v : NULL;
}

static void count_error(void *ctx, const struct stix_finding *f)
{
    if (f->severity == STIX_ERROR && ++*(unsigned *)ctx == 1)
        fprintf(stderr, "%s: %.*s: %.*s\n", f->rule, STR_FMT(f->path), STR_FMT(f->message));
}

static bool valid(struct str text)
{
    static const struct stix_check_options o = {.tolerate_short_times = true};
    unsigned errors = 0;
    const struct json *v = json_of(text);
    return v && stix_object_check(v, &o, count_error, &errors) == 0;
}

/* KEPT, CHANGED and GONE by the first digits of the id. */
static enum policy_reference answer(void *ctx, struct str id, struct str *to)
{
    (void)ctx;
    if (holds(id, "--00000002"))
        *to = STR("malware--99999999-0000-4000-8000-000000000000");
    return holds(id, "--00000002")   ? POLICY_REFERENCE_CHANGED
           : holds(id, "--00000003") ? POLICY_REFERENCE_GONE
                                     : POLICY_REFERENCE_KEPT;
}

/* The view that JP has of the object under the rules, which stand behind a release to JP. */
struct viewing {
    struct policy *p;
    struct policy_memo *m;
    const struct policy_view *view;
};

static bool open_view(struct viewing *w, const char *rules, const struct json *object,
                      unsigned granular)
{
    struct policy_facts f = {.type = json_get_str(object, STR("type")),
                             .tlp = STIX_TLP_CLEAR,
                             .home = STR("IN"),
                             .source = {STR("IN"), STR("cert-in")},
                             .granular_tlps = granular,
                             .object = object};
    const struct policy_outcome *o;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "nation IN \"India\" { } nation JP \"Japan\" { agency nisc }\n"
                "community quad { IN, JP }\nrelease to JP\n");
    buf_lit(&b, rules);
    *w = (struct viewing){.m = policy_memo_new()};
    bool ok =
        policy_parse(buf_view(&b), "p", &w->p, &e) && policy_decide(w->p, w->m, &f, NULL, &o, &e);
    CHECK_ROW(ok, "%s: %s", rules, e.msg);
    for (size_t i = 0; ok && i < o->count; i++)
        if (!str_eq(o->groups[i].audience, STR("+IN/cert-in")))
            w->view = o->groups[i].view;
    buf_done(&b);
    return ok;
}

static void close_view(struct viewing *w)
{
    policy_memo_free(w->m);
    policy_free(w->p);
}

static struct policy_copy_options options(void)
{
    return (struct policy_copy_options){
        .key = key, .reference = answer, .reader = reader, .arena = arena};
}

static bool observable(const char *type)
{
    return stix_class_of(str_of(type)) == STIX_SCO;
}

static struct str object_of(const char *type, const char *members)
{
    if (observable(type))
        return arena_printf(arena, "{\"type\":\"%s\",\"id\":\"%s--" UUID "\",%s}", type, type,
                            members);
    return arena_printf(
        arena, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s--" UUID "\"," VERSION ",%s}",
        type, type, members);
}

/* The copy of such an object whose members are `after`; COPY in it stands for its id. */
static struct str copy_bytes(const char *type, const char *after, struct str id)
{
    bool sco = observable(type);
    const char *at = strstr(after, "COPY");
    struct str members = str_of(after);
    if (at)
        members = arena_printf(arena, "%.*s%.*s%s", (int)(at - after), after, STR_FMT(id), at + 4);
    return arena_printf(arena,
                        "{\"type\":\"%s\",%s\"id\":\"%.*s\",%s%.*s,"
                        "\"object_marking_refs\":[\"" MARKING "\"]}",
                        type, sco ? "" : "\"spec_version\":\"2.1\",", STR_FMT(id),
                        sco ? "" : VERSION ",", STR_FMT(members));
}

static void begin_copies(void)
{
    reader = json_reader_new();
    arena = arena_new((size_t)64 << 20);
}

static void end_copies(void)
{
    arena_free(arena);
    json_reader_free(reader);
}

#endif
