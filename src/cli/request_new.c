#include <string.h>

#include "cli/requests.h"

static const struct cli_option options[] = {
    {"to", 0, CLI_TEXT, "WHO", NULL,
     "who is asked: an organisation, a contact point's id, or an identity's", 0, 0, false, true},
    {"kind", 0, CLI_TEXT, "KIND", NULL,
     "information, takedown, block, preserve-evidence, notify-owner, forensic-help or "
     "vulnerability-coordination",
     0, 0, false, true},
    {"summary", 0, CLI_TEXT, "TEXT", NULL, "what is asked, in a line", 0, 0, false, true},
    {"description", 0, CLI_TEXT, "TEXT", NULL, "what is asked, at length", 0, 0, false, false},
    {"subject", 0, CLI_TEXT, "ID", NULL, "an object that it is about", 0, 0, true, false},
    {"urgency", 0, CLI_TEXT, "U", "routine", "routine, urgent or emergency", 0, 0, false, false},
    {"acknowledge-within", 0, CLI_TEXT, "TIME", "6h", "to be acknowledged within: 30m, 6h, 3d", 0,
     0, false, false},
    {"answer-within", 0, CLI_TEXT, "TIME", "72h", "to be answered within", 0, 0, false, false},
    {"answer-by", 0, CLI_TEXT, "TIME", NULL,
     "to be answered by this instant, as 2026-03-08T09:00:00Z, in the place of --answer-within", 0,
     0, false, false},
    {"clock", 0, CLI_TEXT, "ID", NULL,
     "a clock of the law that runs: cert-in-report, in-telecom-report, in-telecom-details", 0, 0,
     true, false},
    {"noticed", 0, CLI_TEXT, "TIME", NULL, "when the incident was noticed: clocks of the law start",
     0, 0, false, false},
    {"contact", 0, CLI_TEXT, "ID", NULL, "a contact point of the other side", 0, 0, true, false},
    {"escalation", 0, CLI_TEXT, "ID", NULL, "the contact point to whom it would be escalated", 0, 0,
     false, false},
    {"instrument", 0, CLI_TEXT, "ID", NULL, "the memorandum or agreement that it is made under", 0,
     0, false, false},
    {"at", 0, CLI_TEXT, "TIME", NULL, "when it was sent, where that is not now", 0, 0, false,
     false},
    {"draft", 0, CLI_FLAG, NULL, NULL,
     "keep it as a draft that nobody else reads; `setu request send` sends it", 0, 0, false, false},
    CLI_SPEAKER_MARKING,
    CLI_EXERCISE,
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool read_deadlines(const struct cli *c, struct exchange_asking *q, struct err *e)
{
    int64_t acknowledge_s, answer_s;
    if (!cli_instant(c, "at", q->author.now_us, &q->at_us, e) ||
        !cli_instant(c, "noticed", 0, &q->request.noticed_us, e) ||
        !cli_span(c, "acknowledge-within", &acknowledge_s, e) ||
        !cli_span(c, "answer-within", &answer_s, e))
        return false;
    if (cli_text(c, "answer-by").n && cli_text_nth(c, "answer-within", 0).p)
        return err_set(e, ERR_USAGE, "--answer-by and --answer-within exclude each other");
    q->request.acknowledge_by_us = q->at_us + acknowledge_s * 1000000;
    return cli_instant(c, "answer-by", q->at_us + answer_s * 1000000, &q->request.answer_by_us, e);
}

static bool read_request(struct cli_speaker *sp, struct exchange_asking *q, struct err *e)
{
    const struct cli *c = sp->c;
    struct dialogue_request *r = &q->request;
    *q = (struct exchange_asking){.say = {.who = &sp->who}, .draft = cli_flag(c, "draft")};
    *r = (struct dialogue_request){.kind = cli_text(c, "kind"),
                                   .summary = cli_text(c, "summary"),
                                   .description = cli_text(c, "description"),
                                   .urgency = cli_text(c, "urgency"),
                                   .instrument_ref = cli_text(c, "instrument"),
                                   .escalation_ref = cli_text(c, "escalation")};
    if (!cli_speaker_author(sp, &q->author, e) || !read_deadlines(c, q, e) ||
        !cli_words(c, "subject", &r->subject_refs, &r->subject_count, e) ||
        !cli_words(c, "contact", &r->contact_refs, &r->contact_count, e) ||
        !cli_words(c, "clock", &r->clocks, &r->clock_count, e))
        return false;
    return exchange_identity_find(sp->node.s, &sp->who, sp->arena, cli_text(c, "to"), &r->to_ref,
                                  e) ||
           err_prefix(e, "--to");
}

static bool ask(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct exchange_asking q;
    struct cli_said said;
    return read_request(sp, &q, e) && cli_speaker_into(sp, &q.say, &said, b, e) &&
           exchange_request_new(sp->node.s, &q, refused, e);
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, ask);
}

const struct cli_command cli_request_new = {
    .name = "request new",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "ask a partner for assistance, with deadlines",
    .text =
        "Makes the request and the step that sends it: two objects in --collection, put before "
        "policy.conf; the lines that are printed tell to whom they are released, and when no line "
        "names the partner it will not hear of them (docs/DIALOGUE.md has the rules to add). The "
        "partner has it after its next sync. With --draft it is the request alone, marked "
        "TLP:AMBER+STRICT, for `setu request send`; --tlp is said there.",
    .options = options,
    .run = run,
};
