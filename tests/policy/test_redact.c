/*
 * Redacted copies: before and after row by row; what withholds an object; pseudonyms; and the
 * property: whatever is redacted from random objects, the copy is valid STIX or there is none,
 * nothing that goes leaves a byte behind, and nothing else goes.
 */
#include "copies.h"

/* ---- rows ---- */

static const struct copy_row {
    const char *rules, *type, *before;
    const char *after; /* NULL: SAME */
    const char *why;   /* WITHHELD */
} copy_rows[] = {
    /* drop */
    {"redact drop $.x_a to JP", "malware", "\"is_family\":false,\"x_a\":\"s\"",
     "\"is_family\":false", NULL},
    {"redact drop $.x_a to JP", "malware", "\"is_family\":false", NULL, NULL},
    {"redact drop $.x_a, $.x_b to JP", "malware", "\"x_b\":[1],\"x_a\":{},\"is_family\":false",
     "\"is_family\":false", NULL},
    {"redact drop $.x_a[1] to JP", "malware", "\"is_family\":false,\"x_a\":[ 1, 2 ,3 ]",
     "\"is_family\":false,\"x_a\":[1,3]", NULL},
    {"redact drop $.x_a[*].b to JP", "malware",
     "\"is_family\":false,\"x_a\":[{\"b\":1,\"c\":2},{\"b\":3},4]",
     "\"is_family\":false,\"x_a\":[{\"c\":2},4]", NULL},
    {"redact drop $.x_a[*] to JP", "malware", "\"is_family\":false,\"x_a\":[1,2]",
     "\"is_family\":false", NULL},
    {"redact drop $.x_a.b.c to JP", "malware", "\"is_family\":false,\"x_a\":{\"b\":{\"c\":[1]}}",
     "\"is_family\":false", NULL},
    {"redact drop $.x_a.b to JP", "malware", "\"is_family\":false,\"x_a\":[{\"b\":1}]", NULL, NULL},
    {"redact drop $.is_family to JP", "malware", "\"is_family\":false", NULL, "`is_family`"},
    {"redact drop $.x_a to JP\nredact drop $.x_b to JP", "malware",
     "\"is_family\":false,\"x_a\":1,\"x_b\":2", "\"is_family\":false", NULL},
    {"redact drop $.x_a types tool to JP", "malware", "\"is_family\":false,\"x_a\":1", NULL, NULL},
    {"redact drop $.x_a where x_b yes to JP", "malware",
     "\"is_family\":false,\"x_a\":1,\"x_b\":\"yes\"", "\"is_family\":false,\"x_b\":\"yes\"", NULL},
    {"redact drop $.x_a to JP", "malware",
     "\"x_b\" : { \"k\" : 1.0e1,\"l\":[ 1 , 2 ] } , \"x_a\":1, \"is_family\" : false",
     "\"x_b\" : { \"k\" : 1.0e1,\"l\":[ 1 , 2 ] },\"is_family\" : false", NULL},
    /* replace */
    {"redact replace identity name where sectors government with \"a government body\" to JP",
     "identity", "\"name\":\"NIC\",\"sectors\":[\"government\"]",
     "\"name\":\"a government body\",\"sectors\":[\"government\"]", NULL},
    {"redact replace identity name where sectors government with \"a government body\" to JP",
     "identity", "\"name\":\"NIC\",\"sectors\":[\"energy\"]", NULL, NULL},
    {"redact replace identity name with \"A\" to JP", "identity", "\"name\":\"A\"", NULL, NULL},
    {"redact replace $.aliases with \"x\" to JP", "malware",
     "\"is_family\":false,\"aliases\":[\"a\",\"b\"]",
     "\"is_family\":false,\"aliases\":[\"x\",\"x\"]", NULL},
    {"redact replace $.x_a with \"x\" to JP", "malware", "\"is_family\":false,\"x_a\":{\"b\":7}",
     "\"is_family\":false,\"x_a\":\"x\"", NULL},
    {"redact replace $.is_family with \"x\" to JP", "malware", "\"is_family\":false", NULL,
     "$.is_family"},
    /* mask */
    {"redact mask $.name to JP", "malware",
     "\"is_family\":false,\"name\":\"Anna B\\u00e9la (CERT-In)\"",
     "\"is_family\":false,\"name\":\"xxx xxx (xxx)\"", NULL},
    {"redact mask email-addr value to JP", "email-addr", "\"value\":\"anna.b@corp.example\"",
     "\"value\":\"xxx.xxx@xxx.xxx\"", NULL},
    {"redact mask url value to JP", "url", "\"value\":\"https://a.example/q?u=1%20\"",
     "\"value\":\"https://xxx.xxx/xxx?xxx=xxx\"", NULL},
    {"redact mask ipv4-addr value to JP", "ipv4-addr", "\"value\":\"198.51.100.7\"", NULL,
     "$.value"},
    {"redact mask $.x_a to JP", "malware", "\"is_family\":false,\"x_a\":12", "\"is_family\":false",
     NULL},
    /* prefix */
    {"redact prefix ipv4-addr value /24 to JP", "ipv4-addr", "\"value\":\"198.51.100.7\"",
     "\"value\":\"198.51.100.0/24\"", NULL},
    {"redact prefix ipv4-addr value /20 to JP", "ipv4-addr", "\"value\":\"198.51.111.7/32\"",
     "\"value\":\"198.51.96.0/20\"", NULL},
    {"redact prefix ipv4-addr value /24 to JP", "ipv4-addr", "\"value\":\"198.51.0.0/16\"", NULL,
     NULL},
    {"redact prefix ipv4-addr value /24 to JP", "ipv4-addr", "\"value\":\"198.51.7.9/16\"",
     "\"value\":\"198.51.0.0/16\"", NULL},
    {"redact prefix ipv4-addr value /32 to JP", "ipv4-addr", "\"value\":\"198.51.7.9\"", NULL,
     NULL},
    {"redact prefix ipv6-addr value /24 to JP", "ipv6-addr", "\"value\":\"2001:db8:1:2:3::4\"",
     "\"value\":\"2001:db8:1:2::/64\"", NULL},
    {"redact prefix ipv6-addr value /24 /48 to JP", "ipv6-addr", "\"value\":\"2001:db8:1:2::4\"",
     "\"value\":\"2001:db8:1::/48\"", NULL},
    {"redact prefix $.x_a /56 to JP", "malware",
     "\"is_family\":false,\"x_a\":[\"198.51.100.7\",\"2001:db8::1\",\"host\"]",
     "\"is_family\":false,\"x_a\":[\"198.51.100.0/24\",\"2001:db8::/56\"]", NULL},
    {"redact prefix domain-name value /24 to JP", "domain-name", "\"value\":\"a.example\"", NULL,
     "`value`"},
    /* coarsen */
    {"redact coarsen $.x_a, $.x_b to hour to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\",\"x_b\":\"soon\"",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:00:00.000Z\"", NULL},
    {"redact coarsen $.x_a to hour to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:00:00.000Z\"", NULL, NULL},
    {"redact coarsen $.x_a to second to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\"",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.000Z\"", NULL},
    {"redact coarsen $.x_a to minute to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\"",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:00.000Z\"", NULL},
    {"redact coarsen $.x_a to day to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\"",
     "\"is_family\":false,\"x_a\":\"2026-11-24T00:00:00.000Z\"", NULL},
    {"redact coarsen $.x_a to month to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\"",
     "\"is_family\":false,\"x_a\":\"2026-11-01T00:00:00.000Z\"", NULL},
    {"redact coarsen $.x_a to year to JP", "malware",
     "\"is_family\":false,\"x_a\":\"2026-11-24T02:14:17.5Z\"",
     "\"is_family\":false,\"x_a\":\"2026-01-01T00:00:00.000Z\"", NULL},
    /* generalise */
    {"redact generalise identity to JP", "identity",
     "\"name\":\"NIC\",\"description\":\"d\",\"identity_class\":\"organization\",\"sectors\":["
     "\"energy\",\"government\"],\"contact_information\":\"c\",\"x_a\":1,\"lang\":\"en\"",
     "\"name\":\"organization (energy, "
     "government)\",\"identity_class\":\"organization\",\"sectors\":[\"energy\",\"government\"]",
     NULL},
    {"redact generalise identity to JP", "identity", "\"name\":\"NIC\"", "\"name\":\"identity\"",
     NULL},
    {"redact drop $.sectors[0] to JP\nredact generalise identity to JP", "identity",
     "\"name\":\"NIC\",\"sectors\":[\"energy\",\"mining\"]",
     "\"name\":\"identity (mining)\",\"sectors\":[\"mining\"]", NULL},
    {"redact generalise identity to JP", "malware", "\"is_family\":false,\"name\":\"n\"", NULL,
     NULL},
    /* references */
    {"redact drop-reference to JP", "report",
     "\"name\":\"r\",\"published\":\"2026-11-01T00:00:00Z\",\"object_refs\":[" REF("1") "," REF(
         "2") "," REF("3") "]",
     "\"name\":\"r\",\"published\":\"2026-11-01T00:00:00Z\",\"object_refs\":[" REF(
         "1") ","
              "\"malware--99999999-0000-4000-8000-000000000000\""
              "]",
     NULL},
    {"redact drop-reference to JP", "report",
     "\"name\":\"r\",\"published\":\"2026-11-01T00:00:00Z\",\"object_refs\":[" REF("3") "]", NULL,
     "object_refs"},
    {"redact drop-reference to JP", "malware", "\"is_family\":false,\"sample_refs\":[" REF("1") "]",
     NULL, NULL},
    {"redact drop-reference to JP", "malware",
     "\"is_family\":false,\"x_note_ref\":" REF("3") ",\"x_a\":[{\"y_refs\":[" REF("3") "]}]",
     "\"is_family\":false", NULL},
    {"redact drop $.x_a to JP", "malware", "\"is_family\":false,\"x_note_ref\":" REF("3"), NULL,
     NULL},
    {"redact drop $.x_a to JP", "malware", "\"is_family\":false,\"x_note_ref\":" REF("2"),
     "\"is_family\":false,\"x_note_ref\":"
     "\"malware--99999999-0000-4000-8000-000000000000\"",
     NULL},
    {"redact drop $.x_a to JP", "malware",
     "\"is_family\":false,\"x_a\":1,\"x_note_ref\":\"malware--" UUID "\"",
     "\"is_family\":false,\"x_note_ref\":\"COPY\"", NULL},
    {"redact drop-reference to JP", "malware",
     "\"is_family\":false,\"object_marking_refs\":[\"marking-definition--00000003-0000-4000-8000-"
     "000000000000\"],\"granular_markings\":[{\"marking_ref\":\"marking-definition--00000003-0000-"
     "4000-8000-000000000000\",\"selectors\":[\"is_family\"]}]",
     NULL, NULL},
    /* granular markings: red ones go */
    {"", "malware",
     "\"is_family\":false,\"name\":\"n\",\"granular_markings\":[{" RED_REF
     ",\"selectors\":[\"name\"]}]",
     "\"is_family\":false", NULL},
    {"", "malware",
     "\"is_family\":false,\"x_a\":[\"p\",\"q\",\"r\"],\"granular_markings\":[{" RED_REF
     ",\"selectors\":[\"x_a.[1]\"]},{" CLEAR_REF
     ",\"selectors\":[\"x_a.[0]\",\"x_a.[1]\",\"x_a.[2]\"]}]",
     "\"is_family\":false,\"x_a\":[\"p\",\"r\"],\"granular_markings\":[{" CLEAR_REF
     ",\"selectors\":[\"x_a.[0]\",\"x_a.[1]\"]}]",
     NULL},
    {"redact drop $.x_a[0] to JP", "malware",
     "\"is_family\":false,\"x_a\":[\"p\",{\"qqq\":[1,2]}],\"granular_markings\":[{" CLEAR_REF
     ",\"selectors\":[\"x_a.[1].qqq.[1]\",\"is_family\"]}]",
     "\"is_family\":false,\"x_a\":[{\"qqq\":[1,2]}],\"granular_markings\":[{" CLEAR_REF
     ",\"selectors\":[\"x_a.[0].qqq.[1]\",\"is_family\"]}]",
     NULL},
    {"redact drop $.x_a to JP", "malware",
     "\"is_family\":false,\"x_a\":1,\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"x_"
     "a\"]}]",
     "\"is_family\":false", NULL},
    {"", "malware",
     "\"is_family\":false,\"granular_markings\":[{" RED_REF ",\"selectors\":[\"is_family\"]}]",
     NULL, "`is_family`"},
    {"", "malware",
     "\"is_family\":false,\"granular_markings\":[{" RED_REF ",\"selectors\":[\"modified\"]}]", NULL,
     "no copy can do without"},
    {"", "malware",
     "\"is_family\":false,\"granular_markings\":[{" RED_REF ",\"selectors\":[\"nothing\"]}]", NULL,
     "selects nothing"},
    {"", "malware", "\"is_family\":false,\"granular_markings\":[{" RED_REF "}]", NULL,
     "ill-formed"},
    /* what is not copied */
    {"redact drop $.x_a to JP", "extension-definition",
     "\"created_by_ref\":\"identity--" UUID "\",\"name\":\"n\",\"schema\":\"s\",\"version\":\"1\","
     "\"extension_types\":[\"property-extension\"],\"x_a\":1",
     NULL, "a definition is not copied"},
};

static void check_row(size_t i, const struct copy_row *r)
{
    struct str source = object_of(r->type, r->before);
    const struct json *object = json_of(source);
    struct policy_copy_options o = options();
    struct policy_copy c = {.kind = POLICY_COPY_WITHHELD};
    struct viewing w;
    struct err e = {0};
    enum policy_copy_kind want = r->why     ? POLICY_COPY_WITHHELD
                                 : r->after ? POLICY_COPY_MADE
                                            : POLICY_COPY_SAME;
    if (!object ||
        !open_view(&w, r->rules, object, holds(source, RED_REF) ? 1u << STIX_TLP_RED : 0))
        return;
    bool ok = policy_copy_make(w.view, object, source, &o, &c, &e);
    CHECK_ROW(ok && c.kind == want, "row %zu: %s: %d %.*s %s", i, r->rules, c.kind, STR_FMT(c.why),
              e.msg);
    if (ok && r->why)
        CHECK_ROW(holds(c.why, r->why), "row %zu: %.*s", i, STR_FMT(c.why));
    if (ok && c.kind == POLICY_COPY_MADE && r->after) {
        struct str bytes = copy_bytes(r->type, r->after, c.id);
        CHECK_ROW(str_eq(c.bytes, bytes), "row %zu:\n%.*s\n%.*s", i, STR_FMT(c.bytes),
                  STR_FMT(bytes));
        CHECK_ROW(valid(c.bytes), "row %zu", i);
    }
    close_view(&w);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(copy_rows) / sizeof(copy_rows[0]); i++) {
        check_row(i, &copy_rows[i]);
        arena_reset(arena);
    }
}

/* ---- ids, creators, markings ---- */

static struct policy_copy copy_of(const char *rules, struct str source,
                                  const struct policy_copy_options *o)
{
    struct policy_copy c = {.kind = POLICY_COPY_WITHHELD};
    const struct json *object = json_of(source);
    struct viewing w;
    struct err e = {0};
    if (object && open_view(&w, rules, object, 0)) {
        CHECK_ROW(policy_copy_make(w.view, object, source, o, &c, &e), "%s", e.msg);
        close_view(&w);
    }
    return c;
}

static bool uuid4(struct str id)
{
    struct str u = str_from(id, id.n - 36);
    return u.p[14] == '4' && strchr("89ab", u.p[19]);
}

static void test_ids(void)
{
    static const char rules[] = "redact drop $.x_a to JP";
    struct policy_copy_options o = options(), other = options();
    struct str first = object_of("malware", "\"is_family\":false,\"x_a\":1");
    struct str second = object_of("malware", "\"is_family\":false,\"x_a\":2,\"revoked\":true");
    struct policy_copy a = copy_of(rules, first, &o), b = copy_of(rules, second, &o);
    CHECK(a.kind == POLICY_COPY_MADE && uuid4(a.id) && str_starts(a.id, STR("malware--")));
    CHECK(str_eq(a.id, b.id)); /* stable over versions */
    CHECK(holds(b.bytes, "\"revoked\":true") && !holds(a.bytes, UUID));
    b = copy_of("redact drop $.x_a, $.x_b to JP", first, &o);
    CHECK(!str_eq(a.id, b.id)); /* another view */
    other.key = STR("0123456789abcdef0123456789abcdeX");
    b = copy_of(rules, first, &other);
    CHECK(!str_eq(a.id, b.id)); /* another node */
    other = o;
    other.variant = STR("v");
    b = copy_of(rules, first, &other);
    CHECK(!str_eq(a.id, b.id));
    /* a second hop redacts a copy again: one marking, another id */
    b = copy_of(rules, a.bytes, &o);
    CHECK(b.kind == POLICY_COPY_SAME);
    struct str again = arena_printf(arena, "%.*s,\"x_a\":1}", (int)(a.bytes.n - 1), a.bytes.p);
    b = copy_of(rules, again, &o);
    CHECK(b.kind == POLICY_COPY_MADE && !str_eq(a.id, b.id));
    CHECK(holds(b.bytes, "[\"" MARKING "\"]"));
    arena_reset(arena);
}

static void test_creator(void)
{
    static const char rules[] = "redact drop $.x_a to JP", id[] = "identity--" UUID;
    struct policy_copy_options o = options(), named = options();
    struct str bare = object_of("malware", "\"is_family\":false,\"x_a\":1");
    struct str created = object_of(
        "malware", "\"is_family\":false,\"x_a\":1,\"created_by_ref\":\"identity--" UUID "\","
                   "\"object_marking_refs\":[\"" MARKING "\"]");
    named.creator = STR("identity--00000000-0000-4000-8000-000000000001");
    CHECK(!holds(copy_of(rules, created, &o).bytes, "created_by_ref"));
    CHECK(!holds(copy_of(rules, bare, &o).bytes, "created_by_ref"));
    struct policy_copy c = copy_of(rules, created, &named);
    CHECK(holds(c.bytes, "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\""));
    CHECK(!holds(c.bytes, id) && holds(c.bytes, "_refs\":[\"" MARKING "\"]"));
    c = copy_of(rules, bare, &named);
    CHECK(holds(c.bytes, "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\""));
    CHECK(valid(c.bytes));
    /* an observable has no creator */
    c = copy_of("redact drop $.x_a to JP",
                object_of("ipv4-addr", "\"value\":\"198.51.100.3\",\"x_a\":1"), &named);
    CHECK(c.kind == POLICY_COPY_MADE && !holds(c.bytes, "created_by_ref"));
    /* STIX 2.1 §2.9: {"value":"198.51.100.3"} */
    CHECK(str_eq(c.id, STR("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4")));
    c = copy_of(rules, object_of("process", "\"pid\":3,\"x_a\":1"), &named);
    CHECK(c.kind == POLICY_COPY_MADE && uuid4(c.id)); /* nothing contributes */
    arena_reset(arena);
}

static void count_finding(void *ctx, const struct stix_finding *f)
{
    (void)f;
    ++*(unsigned *)ctx;
}

static void test_marking(void)
{
    static const struct stix_check_options strict = {.strict = true};
    unsigned findings = 0;
    const struct json *v = json_of(policy_copy_marking_bytes());
    CHECK(v && stix_object_check(v, &strict, count_finding, &findings) == 0 && findings == 0);
    CHECK(str_eq(json_get_str(v, STR("id")), policy_copy_marking_id()));
    CHECK(str_eq(policy_copy_marking_id(), STR(MARKING)));
    arena_reset(arena);
}

/* Without a view only references are looked at. */
static void test_plain(void)
{
    struct policy_copy_options o = options();
    struct policy_copy c = {0};
    struct err e = {0};
    struct str kept = object_of("malware", "\"is_family\":false,\"x_r_ref\":" REF("3"));
    struct str changed = object_of("malware", "\"is_family\":false,\"x_r_ref\":" REF("2"));
    CHECK(policy_copy_make(NULL, json_of(kept), kept, &o, &c, &e) && c.kind == POLICY_COPY_SAME);
    CHECK(policy_copy_make(NULL, json_of(changed), changed, &o, &c, &e) &&
          c.kind == POLICY_COPY_MADE && holds(c.bytes, "malware--99999999-"));
    o.reference = NULL;
    o.reader = NULL;
    CHECK(policy_copy_make(NULL, json_of(changed), changed, &o, &c, &e) &&
          c.kind == POLICY_COPY_SAME);
    arena_reset(arena);
}

static void test_memory(void)
{
    struct str source = object_of("malware", "\"is_family\":false,\"x_a\":1,\"x_b\":\"b\"");
    const struct json *object = json_of(source);
    struct viewing w;
    bool done = false, good = true;
    if (!open_view(&w, "redact drop $.x_a to JP redact pseudonym $.x_b to JP", object, 0))
        return;
    for (long k = 1; !done && k < 1000; k++) {
        struct arena *mine = arena_new((size_t)1 << 20);
        struct policy_copy_options o = options();
        struct policy_copy c = {.kind = POLICY_COPY_SAME};
        struct err e = {0};
        o.arena = mine;
        o.reader = NULL;
        base_fail_allocation(k, false);
        bool ok = policy_copy_make(w.view, object, source, &o, &c, &e);
        done = !base_fail_allocation(0, false);
        good = good && (ok || e.code == ERR_MEMORY || e.code == ERR_LIMIT) && (!done || ok) &&
               (!ok ||
                (c.kind == POLICY_COPY_MADE && !holds(c.bytes, "x_a") && !holds(c.bytes, "\"b\"") &&
                 holds(c.bytes, "\"x_b\":\"pseudonym-")) ||
                c.kind == POLICY_COPY_WITHHELD);
        arena_free(mine);
    }
    CHECK(done && good);
    close_view(&w);
    arena_reset(arena);
}

/* ---- pseudonyms ---- */

static void check_pseudonym(struct str plain)
{
    struct str other = STR("0123456789abcdef0123456789abcdeX");
    struct policy_copy_options o = options();
    struct buf members, out;
    struct err e = {0};
    buf_init(&members, 0);
    buf_init(&out, 0);
    buf_lit(&members, "\"is_family\":false,\"name\":");
    json_put_string(&members, plain);
    buf_byte(&members, 0);
    struct policy_copy c =
        copy_of("redact pseudonym $.name to JP", object_of("malware", members.p), &o);
    struct str name = c.bytes.n ? json_get_str(json_of(c.bytes), STR("name")) : STR_NONE;
    CHECK_ROW(c.kind == POLICY_COPY_MADE && str_starts(name, STR("pseudonym-")), "%.*s",
              STR_FMT(plain));
    CHECK(policy_pseudonym_reveal(key, name, &out, &e) && str_eq(buf_view(&out), plain));
    buf_clear(&out);
    CHECK(!policy_pseudonym_reveal(other, name, &out, &e) && e.code == ERR_INVALID && out.n == 0);
    for (size_t i = 0; i < name.n; i++) { /* any letter changed, and any cut */
        struct str bad = arena_str(arena, name);
        ((char *)(uintptr_t)bad.p)[i] = name.p[i] == 'a' ? 'b' : 'a';
        if (policy_pseudonym_reveal(key, bad, &out, &e) ||
            policy_pseudonym_reveal(key, str_slice(name, 0, i), &out, &e))
            CHECK_ROW(false, "letter %zu of %.*s", i, STR_FMT(name));
        ((char *)(uintptr_t)bad.p)[i] = '1'; /* no letter of base32 */
        if (policy_pseudonym_reveal(key, bad, &out, &e))
            CHECK_ROW(false, "1 at %zu of %.*s", i, STR_FMT(name));
    }
    buf_done(&members);
    buf_done(&out);
    arena_reset(arena);
}

static void test_pseudonyms(void)
{
    char text[80];
    check_pseudonym(STR(""));
    check_pseudonym(STR("Reserve Bank"));
    check_pseudonym(STR("\xe6\x97\xa5\xe6\x9c\xac \"quoted\" \\"));
    for (size_t n = 1; n < sizeof text; n++) {
        memset(text, 'q', n);
        check_pseudonym((struct str){text, n});
    }
}

/* ---- random objects ---- */

static uint64_t random_state;

static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

enum { CANARIES_MOST = 400, PATHS_MOST = 12 };
static unsigned canary_count;
static const char *const names[] = {"x_aa", "x_bb", "x_cc", "x_dd"};

static void put_canary(struct buf *b)
{
    buf_printf(b, "\"zq%04uqz\"", canary_count++);
}

/* A random value whose strings are canaries; nothing empty. */
static void put_random(struct buf *b, unsigned depth)
{
    unsigned kind = depth > 2 ? 0 : below(5), count = 1 + below(3);
    if (kind == 3) {
        for (unsigned i = 0; i < count; i++) {
            buf_byte(b, i ? ',' : '[');
            put_random(b, depth + 1);
        }
        buf_byte(b, ']');
    } else if (kind == 4) {
        for (unsigned i = 0; i < count; i++) {
            buf_printf(b, "%s\"%s\":", i ? "," : "{", names[i]);
            put_random(b, depth + 1);
        }
        buf_byte(b, '}');
    } else {
        put_canary(b);
    }
}

struct random_path {
    int steps[4]; /* a name, or 10 and a place, 19: every one */
    unsigned count;
};

static struct random_path random_path(void)
{
    struct random_path p = {.count = 1 + below(3)};
    p.steps[0] = (int)below(4);
    for (unsigned i = 1; i < p.count; i++)
        p.steps[i] = below(2) ? (int)below(4) : below(2) ? 19 : 10 + (int)below(3);
    return p;
}

static void put_path(struct buf *b, const struct random_path *p)
{
    buf_byte(b, '$');
    for (unsigned i = 0; i < p->count; i++)
        if (p->steps[i] < 10)
            buf_printf(b, ".%s", names[p->steps[i]]);
        else if (p->steps[i] == 19)
            buf_lit(b, "[*]");
        else
            buf_printf(b, "[%d]", p->steps[i] - 10);
}

/* Marks the canaries in v. */
static void mark(const struct json *v, bool *gone)
{
    uint64_t n;
    if (v->type == JSON_STRING && str_starts(v->u.s, STR("zq")) &&
        str_to_u64(str_slice(v->u.s, 2, 6), &n))
        gone[n] = true;
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        for (const struct json *m = v->u.child; m; m = m->next)
            mark(m, gone);
}

static void mark_path(const struct json *v, const struct random_path *p, unsigned at, bool *gone)
{
    int index = 0;
    if (!v)
        return;
    if (at == p->count) {
        mark(v, gone);
    } else if (p->steps[at] < 10) {
        mark_path(json_get(v, str_of(names[p->steps[at]])), p, at + 1, gone);
    } else if (v->type == JSON_ARRAY) {
        for (const struct json *m = v->u.child; m; m = m->next, index++)
            if (p->steps[at] == 19 || p->steps[at] - 10 == index)
                mark_path(m, p, at + 1, gone);
    }
}

/* Appends a selector to some value of v: `prefix` names v. */
static const struct json *random_selector(const struct json *v, struct buf *out)
{
    for (;;) {
        unsigned skip = v->count ? below(v->count) : 0, index = 0;
        bool list = v->type == JSON_ARRAY;
        if ((!list && v->type != JSON_OBJECT) || (out->n && below(3) == 0))
            return v;
        const struct json *m = v->u.child;
        for (; skip > 0; skip--, index++)
            m = m->next;
        if (out->n)
            buf_byte(out, '.');
        if (list)
            buf_printf(out, "[%u]", index);
        else
            buf_str(out, m->key);
        v = m;
    }
}

struct random_object {
    struct str source;
    const struct json *json;
    bool gone[CANARIES_MOST];
    bool sco;
};

static const char *const head[] = {
    "{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"malware--" UUID "\"," VERSION
    ",\"is_family\":false",
    "{\"type\":\"file\",\"id\":\"file--" UUID "\",\"size\":7,\"name\":",
};

/* Custom members, then granular markings of red (which go), green and a language. */
static void random_object(struct random_object *o)
{
    static const char *const refs[] = {RED_REF, CLEAR_REF, "\"lang\":\"en\""};
    struct buf b, selector;
    canary_count = 0;
    memset(o->gone, 0, sizeof o->gone);
    o->sco = below(2);
    buf_init(&b, 0);
    buf_init(&selector, 0);
    buf_lit(&b, head[o->sco]);
    if (o->sco)
        put_canary(&b);
    for (unsigned i = 0; i < 4; i++)
        if (below(4)) {
            buf_printf(&b, "%s\"%s\" : ", below(2) ? "," : " , ", names[i]);
            put_random(&b, 0);
        }
    struct str bare = arena_printf(arena, "%.*s}", (int)b.n, b.p);
    const struct json *v = json_of(bare);
    for (unsigned g = 0, count = below(4); v && g < count; g++) {
        unsigned ref = below(3);
        buf_printf(&b, "%s{%s,\"selectors\":[", g ? "," : ",\"granular_markings\":[", refs[ref]);
        for (unsigned s = 0, most = 1 + below(3); s < most; s++) {
            buf_clear(&selector);
            const struct json *at;
            do {
                buf_clear(&selector);
                at = random_selector(v, &selector);
            } while (!str_starts(buf_view(&selector), STR("x_")) && json_get(v, STR("x_aa")));
            if (ref == 0)
                mark(at, o->gone);
            buf_printf(&b, "%s\"%.*s\"", s ? "," : "", STR_FMT(buf_view(&selector)));
        }
        buf_lit(&b, g + 1 == count ? "]}]" : "]}");
    }
    buf_byte(&b, '}');
    o->source = arena_str(arena, buf_view(&b));
    o->json = json_of(o->source);
    buf_done(&b);
    buf_done(&selector);
}

/* Random rules over random paths; marks what each takes away. */
static void random_rules(struct random_object *o, struct buf *b)
{
    static const char *const transforms[] = {"drop ",   "mask ",      "replace ", "drop ",
                                             "prefix ", "pseudonym ", "coarsen "};
    static const char *const tails[] = {"", "", " with \"R\"", "", " /24", "", " to hour"};
    for (unsigned i = 0, count = below(4); i < count; i++) {
        unsigned t = below(7);
        buf_printf(b, "redact %s", transforms[t]);
        for (unsigned k = 0, most = 1 + below(2); k < most; k++) {
            struct random_path path = random_path();
            if (k)
                buf_lit(b, ", ");
            put_path(b, &path);
            mark_path(o->json, &path, 0, o->gone);
        }
        buf_printf(b, "%s to JP\n", tails[t]);
    }
}

/* False when a canary that goes is there or one that stays is not. */
static bool canaries_right(const struct random_object *o, struct str bytes, bool made)
{
    char canary[16];
    for (unsigned i = 0; i < canary_count; i++) {
        snprintf(canary, sizeof canary, "zq%04uqz", i);
        if (holds(bytes, canary) == (made && o->gone[i]))
            return false;
    }
    return true;
}

static bool id_right(const struct random_object *o, const struct policy_copy *c)
{
    const struct json *v = json_of(c->bytes);
    char uuid[37];
    if (!v || !str_eq(json_get_str(v, STR("id")), c->id))
        return false;
    if (!o->sco || stix_sco_id(v, uuid) != STIX_SCO_ID_MADE)
        return uuid4(c->id);
    return str_eq(str_from(c->id, c->id.n - 36), str_of(uuid));
}

static bool any_gone(const struct random_object *o)
{
    for (unsigned i = 0; i < canary_count; i++)
        if (o->gone[i])
            return true;
    return false;
}

static bool copy_right(const struct random_object *o, const struct policy_copy *c)
{
    switch (c->kind) {
    case POLICY_COPY_SAME:
        return !any_gone(o);
    case POLICY_COPY_MADE:
        return valid(c->bytes) && canaries_right(o, c->bytes, true) && id_right(o, c) &&
               holds(c->bytes, "\"object_marking_refs\":[\"" MARKING "\"]");
    case POLICY_COPY_WITHHELD:
        return c->why.n > 0;
    }
    return false;
}

static void test_random(unsigned rounds)
{
    unsigned kinds[3] = {0}, failed = test_failed;
    for (unsigned i = 0; i < rounds && test_failed == failed; i++) {
        struct random_object o;
        struct policy_copy_options options_ = options();
        struct policy_copy c = {0};
        struct viewing w;
        struct err e = {0};
        struct buf rules;
        buf_init(&rules, 0);
        random_object(&o);
        random_rules(&o, &rules);
        buf_byte(&rules, 0);
        CHECK_ROW(o.json && valid(o.source), "%.*s", STR_FMT(o.source));
        if (o.json &&
            open_view(&w, rules.p, o.json, holds(o.source, RED_REF) ? 1u << STIX_TLP_RED : 0)) {
            bool ok = policy_copy_make(w.view, o.json, o.source, &options_, &c, &e);
            CHECK_ROW(ok && copy_right(&o, &c), "%d %s %.*s\n%s%.*s\n%.*s", c.kind, e.msg,
                      STR_FMT(c.why), rules.p, STR_FMT(o.source), STR_FMT(c.bytes));
            kinds[c.kind]++;
            close_view(&w);
        }
        buf_done(&rules);
        arena_reset(arena);
    }
    CHECK_ROW(kinds[0] && kinds[1] && kinds[2], "%u %u %u", kinds[0], kinds[1], kinds[2]);
}

int main(void)
{
    const char *seed = getenv("SETU_TEST_SEED");
    if (!seed || !str_to_u64(str_of(seed), &random_state))
        base_random(&random_state, sizeof random_state);
    random_state |= 1;
    fprintf(stderr, "SETU_TEST_SEED=%llu\n", (unsigned long long)random_state);
    begin_copies();
    test_rows();
    test_ids();
    test_creator();
    test_marking();
    test_plain();
    test_memory();
    test_pseudonyms();
    test_random(3000);
    end_copies();
    TEST_END();
}
