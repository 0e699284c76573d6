/*
 * Objects of the dialogue in the store: who reads what, which version; and the k-th allocation
 * fails, for every k until none does, in every verb: what failed left nothing, what is done stands.
 */
#include "exchange/node.h"

#define POLICY                                                                                     \
    "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"                             \
    "nation JP \"Japan\" { agency jpcert operator docomo }\n"                                      \
    "nation US \"United States\" { agency cisa }\n"                                                \
    "accept from any\n"                                                                            \
    "release to cert-in, nciipc\n"                                                                 \
    "release types dialogue to jpcert\n"

static void ask_into(struct node *n, const struct exchange_collection *c, struct exchange_asking *q)
{
    *q = (struct exchange_asking){
        .say = {.who = person(n, 'a'), .collection = c},
        .author = {.identity = person(n, 'a')->identity,
                   .marking = stix_tlp_id(STIX_TLP_AMBER),
                   .now_us = now_us()},
        .request = {.kind = STR("information"),
                    .summary = STR("Who runs it?"),
                    .to_ref = person(n, 'j')->identity},
    };
    q->at_us = q->author.now_us;
}

static size_t requests_of(struct node *n, char reader, struct exchange_requests *out)
{
    struct exchange_request_query q = {.who = person(n, reader)};
    struct err e = {0};
    CHECK_ROW(exchange_requests_read(n->s, n->arena, &q, out, &e), "%c: %s", reader, e.msg);
    return out->count;
}

static size_t statements_of(struct node *n, char reader, unsigned types,
                            struct exchange_statements *out)
{
    struct exchange_statement_query q = {.who = person(n, reader), .types = types, .both = true};
    struct err e = {0};
    CHECK_ROW(exchange_dialogue_read(n->s, n->arena, &q, out, &e), "%c: %s", reader, e.msg);
    return out->count;
}

/* ---- who reads what ---- */

static void test_readers(void)
{
    static const struct {
        char reader;
        bool sees, party;
        enum dialogue_party side;
    } rows[] = {
        {'a', true, true, DIALOGUE_ASKING},
        {'j', true, true, DIALOGUE_ASKED},
        {'b', true, true, DIALOGUE_ASKED},
        {'n', true, false, DIALOGUE_ASKING},
        {'t', false, false, 0},
        {'d', false, false, 0},
        {'u', false, false, 0},
    };
    struct node n;
    struct exchange_asking q;
    struct exchange_requests got;
    struct err e = {0};
    size_t refused = 9;
    node_make(&n, "readers", POLICY);
    ask_into(&n, &n.c, &q);
    CHECK_ROW(exchange_request_new(n.s, &q, &refused, &e) && refused == 0, "%s", e.msg);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t count = requests_of(&n, rows[i].reader, &got);
        CHECK_ROW(count == rows[i].sees, "%c sees %zu", rows[i].reader, count);
        if (count)
            CHECK_ROW(got.list->mine == rows[i].party && got.list->side == rows[i].side &&
                          got.list->step_count == 1 && got.list->life.state == DIALOGUE_SENT &&
                          str_eq(got.list->to.org, STR("jpcert")),
                      "%c", rows[i].reader);
        /* And takes no step in what it does not see, or is no side of. */
        struct exchange_stepping step = {
            .say = {.who = person(&n, rows[i].reader), .collection = &n.c},
            .author = {.identity = person(&n, rows[i].reader)->identity, .now_us = now_us()},
            .move = {.event = DIALOGUE_MOVES, .to = DIALOGUE_EXPIRED}};
        requests_of(&n, 'a', &got);
        step.id = got.list->asked->id;
        CHECK(!exchange_request_step(n.s, &step, &refused, &e));
        CHECK_ROW(e.code == (!rows[i].sees   ? ERR_NOT_FOUND
                             : rows[i].party ? ERR_CONFLICT
                                             : ERR_FORBIDDEN),
                  "%c: %s", rows[i].reader, e.msg);
    }
    node_done(&n);
}

/* ---- which version ---- */

static void say_contact(struct node *n, const struct exchange_collection *c, int version,
                        const char *more)
{
    struct str me = person(n, 'a')->identity;
    char text[1200];
    struct err e = {0};
    size_t refused = 9;
    snprintf(text, sizeof text,
             "{\"type\":\"contact-point\",\"spec_version\":\"2.1\",\"id\":\"contact-point--"
             "00000000-0000-4000-8000-000000000001\",\"created_by_ref\":\"%.*s\",\"created\":"
             "\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:0%d.000Z\","
             "\"extensions\":{\"extension-definition--6084afa5-c683-419c-9f2b-3f688f6f6d6d\":{"
             "\"extension_type\":\"new-sdo\"}},\"organisation_ref\":\"%.*s\",\"nation\":\"IN\","
             "\"role\":\"technical\",\"name\":\"version %d\",\"valid_from\":"
             "\"2026-01-01T00:00:00Z\"%s}",
             STR_FMT(me), version, STR_FMT(me), version, more);
    struct exchange_saying d = {.who = person(n, 'a'), .collection = c, .objects = str_of(text)};
    CHECK_ROW(exchange_dialogue_add(n->s, &d, &refused, &e) && refused == 0, "%s", e.msg);
}

static void check_version(struct node *n, const char *name)
{
    struct exchange_statements got;
    size_t count = statements_of(n, 'a', 1u << DIALOGUE_CONTACT, &got);
    CHECK_ROW(count == (name != NULL), "%zu", count);
    if (count && name)
        CHECK_ROW(str_eq(json_get_str(got.list->json, STR("name")), str_of(name)), "%s", name);
}

/* Two collections hold versions of one id: the newest counts, also when it is a revocation. */
static void test_versions(void)
{
    struct node n;
    struct exchange_collection other;
    node_make(&n, "versions", POLICY);
    node_collection(&n, "other", STIX_TLP_AMBER, &other);
    say_contact(&n, &n.c, 2, "");
    check_version(&n, "version 2");
    say_contact(&n, &other, 3, "");
    check_version(&n, "version 3");
    say_contact(&n, &n.c, 4, ",\"exercise\":true");
    check_version(&n, "version 4");
    struct exchange_statement_query live = {.who = person(&n, 'a')};
    struct exchange_statements got;
    struct err e;
    CHECK(exchange_dialogue_read(n.s, n.arena, &live, &got, &e) && got.count == 0);
    say_contact(&n, &other, 5, ",\"revoked\":true");
    check_version(&n, NULL);
    node_done(&n);
}

/* ---- without memory ---- */

static size_t count_statements(struct node *n)
{
    struct exchange_statement_query q = {.who = person(n, 'a'), .both = true};
    struct exchange_statements all = {NULL, 0};
    struct arena *a = arena_new(16 << 20);
    struct err e = {0};
    CHECK_ROW(exchange_dialogue_read(n->s, a, &q, &all, &e), "%s", e.msg);
    arena_free(a);
    return all.count;
}

static bool ask(struct node *n, struct err *e)
{
    struct exchange_asking q;
    size_t refused;
    ask_into(n, &n->c, &q);
    return exchange_request_new(n->s, &q, &refused, e);
}

static bool answer(struct node *n, struct err *e)
{
    size_t refused;
    struct exchange_stepping q = {
        .say = {.who = person(n, 'j'), .collection = &n->c},
        .author = {.identity = person(n, 'j')->identity, .now_us = now_us()},
        .id = n->c.description, /* where test_memory keeps it */
        .move = {.event = DIALOGUE_MOVES, .to = DIALOGUE_ANSWERED}};
    return exchange_request_step(n->s, &q, &refused, e);
}

static bool contact(struct node *n, struct err *e)
{
    size_t refused;
    char text[400];
    const struct principal *me = person(n, 'a');
    struct arena *a = arena_new(1 << 20);
    struct exchange_contact_new c = {.say = {.who = me, .collection = &n->c},
                                     .author = {.identity = me->identity, .now_us = now_us()}};
    snprintf(text, sizeof text,
             "{\"organisation_ref\":\"%.*s\",\"nation\":\"IN\",\"role\":\"technical\","
             "\"name\":\"desk\",\"valid_from\":\"2026-01-01T00:00:00Z\"}",
             STR_FMT(me->identity));
    bool ok = a ? json_parse(exchange_session_json(n->s), a, str_of(text), false, &c.given, e) &&
                      exchange_contact_add(n->s, &c, &refused, e)
                : err_set(e, ERR_MEMORY, "out of memory");
    arena_free(a);
    return ok;
}

static bool read_all(struct node *n, struct err *e)
{
    struct exchange_request_query q = {.who = person(n, 'a'), .both = true};
    struct exchange_requests requests;
    struct exchange_contacts contacts;
    struct arena *a = arena_new(16 << 20);
    bool ok = a ? exchange_requests_read(n->s, a, &q, &requests, e) &&
                      exchange_contacts_read(n->s, a, &q, &contacts, e)
                : err_set(e, ERR_MEMORY, "out of memory");
    if (ok)
        CHECK(requests.count == 1 && contacts.count == 1 && requests.list->step_count == 2);
    arena_free(a);
    return ok;
}

static const struct {
    const char *what;
    bool (*verb)(struct node *n, struct err *e);
    size_t adds; /* objects */
} verbs[] = {
    {"ask", ask, 2}, {"answer", answer, 1}, {"contact", contact, 1}, {"read", read_all, 0}};

/* Fails the first allocation, the second, and so on, until the verb comes to its end. */
static void strike(struct node *n, size_t i, bool persistent)
{
    size_t before = count_statements(n);
    bool ok = false;
    long k = 1;
    for (; !ok && k < 20000; k++) {
        struct err e = {0};
        base_fail_allocation(k, persistent);
        ok = verbs[i].verb(n, &e);
        bool struck = base_fail_allocation(0, false);
        CHECK_ROW(ok || (struck && e.code == ERR_MEMORY && e.msg[0]), "%s at %ld: %s",
                  verbs[i].what, k, e.msg);
        size_t now = count_statements(n);
        CHECK_ROW(now == before + (ok ? verbs[i].adds : 0), "%s at %ld: %zu objects", verbs[i].what,
                  k, now);
    }
    CHECK_ROW(ok && k > 3, "%s: %ld", verbs[i].what, k);
}

static void test_memory(bool persistent)
{
    struct node n;
    struct exchange_requests got;
    node_make(&n, persistent ? "memory" : "memory1", POLICY);
    for (size_t i = 0; i < COUNT(verbs); i++) {
        strike(&n, i, persistent);
        if (i == 0 && requests_of(&n, 'a', &got) == 1) {
            static char id[80];
            snprintf(id, sizeof id, "%.*s", STR_FMT(got.list->asked->id));
            n.c.description = str_of(id);
        }
    }
    node_done(&n);
}

int main(void)
{
    struct err e;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    folder_make("dialogue");
    test_readers();
    test_versions();
    test_memory(false);
    test_memory(true);
    folder_remove();
    TEST_END();
}
