#include "cli/requests.h"

#define SHOWN_BYTES 2000

static const struct cli_option options[] = {
    CLI_AS_OF,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static const char *who_took(const struct exchange_step *s)
{
    return !s->counts ? "none" : s->by == DIALOGUE_ASKING ? "asking" : "asked";
}

static void put_some(struct buf *b, const char *name, struct str s)
{
    if (s.n)
        json_put_member(b, name, s);
}

static void put_step_json(struct buf *b, const struct exchange_step *s)
{
    const struct json *answers = json_get(s->said->json, STR("answer_refs"));
    struct err ignored;
    buf_byte(b, '{');
    json_put_member(b, "id", s->said->id);
    json_put_member(b, "event", str_of(dialogue_event_name(s->move.event)));
    if (s->move.event == DIALOGUE_MOVES) {
        json_put_member(b, "from", str_of(dialogue_state_name(s->move.from)));
        json_put_member(b, "to", str_of(dialogue_state_name(s->move.to)));
    }
    json_put_member(b, "side", str_of(who_took(s)));
    json_put_member(b, "author", s->said->author);
    json_put_member(b, "org", s->said->source.org);
    json_put_member(b, "nation", s->said->source.nation);
    cli_put_instant(b, "occurred", s->move.at_us);
    cli_put_instant(b, "recorded", s->said->created_us);
    cli_put_instant(b, "arrived", s->said->arrived_us);
    put_some(b, "reason_code", s->move.reason_code);
    put_some(b, "reason", s->move.reason);
    put_some(b, "text", s->move.text);
    put_some(b, "reply_to", s->move.reply_to_ref);
    put_some(b, "referred_to", s->move.referred_to_ref);
    put_some(b, "contact", s->move.contact_ref);
    json_put_name(b, "counts");
    buf_lit(b, s->counts ? "true" : "false");
    put_some(b, "why", s->why);
    json_put_name(b, "answers");
    if (!answers || !json_canonical(answers, b, &ignored))
        buf_lit(b, "[]");
    buf_byte(b, '}');
}

static void put_words(struct buf *b, const char *before, struct str s)
{
    if (!s.n)
        return;
    buf_lit(b, before);
    buf_printable(b, s, SHOWN_BYTES);
}

static void put_step_text(struct buf *b, const struct exchange_step *s)
{
    char text[INSTANT_TEXT_BYTES];
    struct str at = instant_text(instant_of_us(s->move.at_us), 0, text);
    const struct json *answers = json_get(s->said->json, STR("answer_refs"));
    buf_printf(b, "    %.*s  ", STR_FMT(at));
    buf_printable(b, s->said->source.org, SHOWN_BYTES);
    buf_printf(b, ": %s%s", s->counts ? "" : "(does not count) ",
               s->move.event == DIALOGUE_MOVES ? dialogue_state_name(s->move.to)
                                               : dialogue_event_name(s->move.event));
    put_words(b, ", ", s->move.reason_code);
    put_words(b, ": ", s->move.reason);
    put_words(b, ": ", s->move.text);
    put_words(b, "\n        in reply to ", s->move.reply_to_ref);
    put_words(b, "\n        referred to ", s->move.referred_to_ref);
    put_words(b, "\n        contact ", s->move.contact_ref);
    for (const struct json *v = json_is(answers, JSON_ARRAY) ? answers->u.child : NULL; v;
         v = v->next)
        put_words(b, "\n        with ", v->u.s);
    put_words(b, "\n        ", s->why);
    if (s->move.event == DIALOGUE_NOTES)
        put_words(b, "\n        ", s->said->id);
    buf_byte(b, '\n');
}

static bool show_json(const struct cli_requests *r, const struct exchange_request *q, struct buf *b,
                      struct err *e)
{
    if (!cli_request_json(r, q, b, e))
        return false;
    json_put_name(b, "steps");
    buf_byte(b, '[');
    for (size_t i = 0; i < q->step_count; i++) {
        buf_lit(b, i ? "," : "");
        put_step_json(b, &q->steps[i]);
    }
    buf_byte(b, ']');
    json_put_name(b, "object");
    buf_str(b, q->asked->text);
    buf_lit(b, "}\n");
    return true;
}

static bool show(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    (void)refused; /* nothing is said */
    struct exchange_request_query q = {.id = str_of(sp->c->args[1])};
    struct exchange_requests found;
    struct cli_requests r;
    if (!cli_requests_read(&r, sp, &q, &found, e))
        return false;
    if (cli_flag(sp->c, "json"))
        return show_json(&r, found.list, b, e);
    if (!cli_request_text(&r, found.list, b, e))
        return false;
    put_words(b, "    ", json_get_str(found.list->asked->json, STR("description")));
    const struct json *subjects = json_get(found.list->asked->json, STR("subject_refs"));
    for (const struct json *v = json_is(subjects, JSON_ARRAY) ? subjects->u.child : NULL; v;
         v = v->next)
        put_words(b, b->n && b->p[b->n - 1] == '\n' ? "    about " : "\n    about ", v->u.s);
    buf_lit(b, b->n && b->p[b->n - 1] == '\n' ? "" : "\n");
    for (size_t i = 0; i < found.list->step_count; i++)
        put_step_text(b, &found.list->steps[i]);
    return true;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, show);
}

const struct cli_command cli_request_show = {
    .name = "request show",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "show a request, its deadlines, its steps and notes",
    .text =
        "ID is the request's, or how its UUID begins. Each step is shown with who took it, when "
        "it happened, when it was recorded and when it arrived here. A step that does not "
        "count (a move that the table of states does not allow, the word of somebody who is no "
        "party) stands there with the reason.",
    .options = options,
    .run = run,
};
