#include "cli/speaker.h"

#define SHOWN_BYTES 200

static const struct cli_option options[] = {
    {"exercise", 0, CLI_FLAG, NULL, NULL, "what belongs to exercises, in the place of what is live",
     0, 0, false, false},
    {"faulty", 0, CLI_FLAG, NULL, NULL, "also what is not as its schema says, and why", 0, 0, false,
     false},
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static struct str text_of(const struct json *v, const char *name)
{
    const struct json *t = json_get(v, str_of(name));
    struct str en = json_get_str(t, STR("en"));
    if (en.n || !json_is(t, JSON_OBJECT))
        return en;
    return json_is(t->u.child, JSON_STRING) ? t->u.child->u.s : STR_NONE;
}

/* What tells one object of its type from another. */
static void put_summary(struct buf *b, const struct exchange_statement *st)
{
    const struct json *v = st->json, *ordinal = json_get(v, STR("ordinal"));
    switch (st->type) {
    case DIALOGUE_REQUEST:
        buf_printable(b, json_get_str(v, STR("summary")), SHOWN_BYTES);
        return;
    case DIALOGUE_MOVE:
        buf_printable(b, json_get_str(v, STR("event")), SHOWN_BYTES);
        buf_byte(b, ' ');
        buf_printable(b, json_get_str(v, STR("to_state")), SHOWN_BYTES);
        return;
    case DIALOGUE_CONTACT:
        buf_printable(b, json_get_str(v, STR("name")), SHOWN_BYTES);
        return;
    case DIALOGUE_INSTRUMENT:
        buf_printable(b, text_of(v, "title"), SHOWN_BYTES);
        return;
    case DIALOGUE_ROUND:
        if (json_is(ordinal, JSON_INTEGER))
            buf_printf(b, "round %lld of ", (long long)ordinal->u.i);
        buf_printable(b, json_get_str(v, STR("series")), SHOWN_BYTES);
        buf_byte(b, ' ');
        buf_printable(b, json_get_str(v, STR("date")), SHOWN_BYTES);
        return;
    case DIALOGUE_COMMITMENT:
        buf_printable(b, text_of(v, "text"), SHOWN_BYTES);
        return;
    case DIALOGUE_MEASURE:
        buf_printable(b, json_get_str(v, STR("query")), SHOWN_BYTES);
        return;
    case DIALOGUE_ASSESSMENT:
        buf_printable(b, json_get_str(v, STR("side")), SHOWN_BYTES);
        buf_lit(b, ": ");
        buf_printable(b, json_get_str(v, STR("state")), SHOWN_BYTES);
        return;
    }
}

static void put_json(struct buf *b, const struct exchange_statement *st)
{
    struct buf summary;
    buf_init(&summary, 0);
    put_summary(&summary, st);
    buf_byte(b, '{');
    json_put_member(b, "id", st->id);
    json_put_member(b, "type", str_of(dialogue_type_name(st->type)));
    json_put_member(b, "summary", buf_view(&summary));
    json_put_member(b, "author", st->author);
    json_put_member(b, "nation", st->source.nation);
    json_put_member(b, "org", st->source.org);
    cli_put_instant(b, "created", st->created_us);
    cli_put_instant(b, "version", st->version_us);
    cli_put_instant(b, "arrived", st->arrived_us);
    json_put_name(b, "exercise");
    buf_lit(b, st->exercise ? "true" : "false");
    if (st->fault.n)
        json_put_member(b, "fault", st->fault);
    json_put_name(b, "object");
    buf_str(b, st->text);
    buf_lit(b, "}\n");
    buf_done(&summary);
}

static void put_text(struct buf *b, const struct exchange_statement *st)
{
    buf_printf(b, "%s%s\n    ", st->exercise ? "[exercise] " : "", dialogue_type_name(st->type));
    put_summary(b, st);
    buf_lit(b, "\n    ");
    buf_printable(b, st->id, SHOWN_BYTES);
    buf_lit(b, " from ");
    buf_printable(b, st->source.org, SHOWN_BYTES);
    buf_lit(b, " of ");
    buf_printable(b, st->source.nation, SHOWN_BYTES);
    if (st->fault.n) {
        buf_lit(b, "\n    not as its schema says: ");
        buf_printable(b, st->fault, 2 * SHOWN_BYTES);
    }
    buf_byte(b, '\n');
}

static bool list(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    (void)refused; /* nothing is said */
    struct cli *c = sp->c;
    struct exchange_statement_query q = {
        .who = &sp->who, .exercise = cli_flag(c, "exercise"), .faulty = cli_flag(c, "faulty")};
    struct exchange_statements found;
    for (size_t i = 1; i < c->arg_count; i++) {
        enum dialogue_type type;
        if (!cli_dialogue_type(str_of(c->args[i]), &type, e))
            return false;
        q.types |= 1u << type;
    }
    if (!exchange_dialogue_read(sp->node.s, sp->arena, &q, &found, e))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (cli_flag(c, "json"))
            put_json(b, &found.list[i]);
        else
            put_text(b, &found.list[i]);
    return true;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, list);
}

const struct cli_command cli_dialogue_list = {
    .name = "dialogue list",
    .args = "DIR [TYPE...]",
    .least_args = 1,
    .summary = "list rounds, commitments and the other objects of the dialogue",
    .text = "What is released to the reader, each in its newest version, in the order in which it "
            "was made. With --json a line holds the object itself too.",
    .options = options,
    .run = run,
};
