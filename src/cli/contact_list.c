#include "cli/requests.h"

#define SHOWN_BYTES 300

static const struct cli_option options[] = {
    {"all", 0, CLI_FLAG, NULL, NULL, "also those that do not hold at that instant", 0, 0, false,
     false},
    {"exercise", 0, CLI_FLAG, NULL, NULL, "those of exercises, in the place of live ones", 0, 0,
     false, false},
    CLI_AS_OF,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static void put_json(struct buf *b, const struct exchange_contact *k)
{
    const struct json *v = k->said->json;
    buf_byte(b, '{');
    json_put_member(b, "id", k->said->id);
    json_put_member(b, "name", json_get_str(v, STR("name")));
    json_put_member(b, "role", json_get_str(v, STR("role")));
    json_put_member(b, "nation", json_get_str(v, STR("nation")));
    json_put_member(b, "said_by", k->said->source.org);
    cli_put_instant(b, "valid_from", k->from_us);
    if (k->until_us != INT64_MAX)
        cli_put_instant(b, "valid_until", k->until_us);
    json_put_name(b, "holds");
    buf_lit(b, k->holds ? "true" : "false");
    if (k->successor.n)
        json_put_member(b, "successor", k->successor);
    json_put_member_u64(b, "tests", k->test_count);
    json_put_member_u64(b, "answered", k->answered_count);
    if (k->test) {
        json_put_name(b, "last_test");
        buf_byte(b, '{');
        json_put_member(b, "request", k->test->asked->id);
        json_put_member(b, "state", str_of(dialogue_state_name(k->test->life.state)));
        if (k->test->life.sent_us)
            cli_put_instant(b, "sent", k->test->life.sent_us);
        if (k->test->life.answered_us)
            cli_put_instant(b, "answered", k->test->life.answered_us);
        buf_byte(b, '}');
    }
    json_put_name(b, "object");
    buf_str(b, k->said->text);
    buf_lit(b, "}\n");
}

static void put_some(struct buf *b, const char *before, struct str s)
{
    if (!s.n)
        return;
    buf_lit(b, before);
    buf_printable(b, s, SHOWN_BYTES);
}

static void put_some_list(struct buf *b, const char *before, const struct json *list)
{
    const struct json *v = json_is(list, JSON_ARRAY) ? list->u.child : NULL;
    for (; v; v = v->next) {
        put_some(b, before, v->u.s);
        before = ", ";
    }
}

static void put_day(struct buf *b, const char *before, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    struct str at = instant_text(instant_of_us(us), 0, text);
    buf_printf(b, "%s%.*s", before, STR_FMT(at));
}

static void put_text(struct buf *b, const struct exchange_contact *k)
{
    const struct json *v = k->said->json;
    put_some(b, k->said->exercise ? "[exercise] " : "", json_get_str(v, STR("nation")));
    put_some(b, "  ", json_get_str(v, STR("role")));
    put_some(b, "  ", json_get_str(v, STR("name")));
    put_some(b, "\n    ", k->said->id);
    put_some(b, "\n    ", json_get_str(v, STR("email")));
    put_some(b, "\n    ", json_get_str(v, STR("phone")));
    put_some_list(b, "\n    speaks ", json_get(v, STR("languages")));
    put_some_list(b, "\n    key ", json_get(v, STR("key_fingerprints")));
    put_some(b, "\n    there ", json_get_str(v, STR("hours")));
    put_some(b, " ", json_get_str(v, STR("zone")));
    put_day(b, "\n    from ", k->from_us);
    if (k->until_us != INT64_MAX)
        put_day(b, " until ", k->until_us);
    put_some(b, "\n    followed by ", k->successor);
    if (k->test)
        buf_printf(b, "\n    %zu of %zu tests answered; the last is %s", k->answered_count,
                   k->test_count, dialogue_state_name(k->test->life.state));
    buf_byte(b, '\n');
}

static bool list(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct cli *c = sp->c;
    struct exchange_request_query q = {.who = &sp->who, .exercise = cli_flag(c, "exercise")};
    struct exchange_contacts found;
    (void)refused; /* nothing is said */
    if (!cli_instant(c, "as-of", 0, &q.as_of_us, e) ||
        !exchange_contacts_read(sp->node.s, sp->arena, &q, &found, e))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (!found.list[i].holds && !cli_flag(c, "all"))
            continue;
        if (cli_flag(c, "json"))
            put_json(b, &found.list[i]);
        else
            put_text(b, &found.list[i]);
    }
    return true;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, list);
}

const struct cli_command cli_contact_list = {
    .name = "contact list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list points of contact, who follows whom, and tests",
    .text = "Those that hold at --as-of, of all organisations whose contact points are released to "
            "the reader.",
    .options = options,
    .run = run,
};
