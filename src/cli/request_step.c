/* The steps in a request's life: commands that differ in what they say and in their options. */
#include "cli/requests.h"

#define STEP_OPTIONS                                                                               \
    {"at", 0, CLI_TEXT, "TIME", NULL, "when it happened, where that is not now",                   \
     0,    0, false,    false},                                                                    \
        {"tlp",    0,    CLI_TEXT,                                                                 \
         "COLOUR", NULL, "how the step is marked; as the request is if not given",                 \
         0,        0,    false,                                                                    \
         false},                                                                                   \
        CLI_SPEAKER_COLLECTION, CLI_SPEAKER, CLI_JSON, CLI_OPTION_END
#define STEP_REASON                                                                                \
    {                                                                                              \
        "reason", 0, CLI_TEXT, "TEXT", NULL, "why, in words", 0, 0, false, false                   \
    }
#define STEP_CODE(must_be_given)                                                                   \
    {                                                                                              \
        "reason-code", 0, CLI_TEXT, "CODE", NULL,                                                  \
            "legal, capacity, no-such-subject, duplicate, policy, "                                \
            "awaiting-requester, awaiting-authority, no-answer, satisfied, other",                 \
            0, 0, false, must_be_given                                                             \
    }

static struct str text_if(const struct cli *c, const char *name)
{
    return cli_has_option(c, name) ? cli_text(c, name) : STR_NONE;
}

static bool read_author(struct cli_speaker *sp, struct dialogue_author *out, struct err *e)
{
    enum stix_tlp tlp = STIX_TLP_NONE;
    struct str colour = cli_text(sp->c, "tlp");
    if (colour.n && (!stix_tlp_parse(colour, &tlp) || tlp == STIX_TLP_NONE))
        return err_set(e, ERR_USAGE, "--tlp %.*s: one of clear, green, amber, amber+strict, red",
                       STR_FMT(colour));
    *out = (struct dialogue_author){
        .identity = sp->who.identity, .marking = stix_tlp_id(tlp), .now_us = now_us()};
    return sp->who.identity.n ||
           err_set(e, ERR_CONFLICT, "%.*s has no STIX identity", STR_FMT(sp->who.party.org));
}

static bool read_step(struct cli_speaker *sp, struct exchange_stepping *q, struct err *e)
{
    const struct cli *c = sp->c;
    struct dialogue_move *m = &q->move;
    q->say.who = &sp->who;
    q->id = str_of(c->args[1]);
    m->reason_code = text_if(c, "reason-code");
    m->reason = text_if(c, "reason");
    m->text = text_if(c, "text");
    m->reply_to_ref = text_if(c, "reply-to");
    m->contact_ref = text_if(c, "contact");
    if (cli_has_option(c, "with") && !cli_words(c, "with", &m->answer_refs, &m->answer_count, e))
        return false;
    if (cli_has_option(c, "to") &&
        !exchange_identity_find(sp->node.s, &sp->who, sp->arena, cli_text(c, "to"),
                                &m->referred_to_ref, e))
        return err_prefix(e, "--to");
    return read_author(sp, &q->author, e) && cli_instant(c, "at", 0, &m->at_us, e);
}

static bool take(struct cli_speaker *sp, enum dialogue_event event, enum dialogue_state to,
                 struct buf *b, size_t *refused, struct err *e)
{
    struct exchange_stepping q = {.move = {.event = event, .to = to}};
    struct cli_said said;
    return read_step(sp, &q, e) && cli_speaker_into(sp, &q.say, &said, b, e) &&
           exchange_request_step(sp->node.s, &q, refused, e);
}

/* word, event, state, what it does, what else is to be known */
#define STEPS(X)                                                                                   \
    X(acknowledge, MOVES, ACKNOWLEDGED, "say that a request has arrived and is read",              \
      "Stops the clock to acknowledge.")                                                           \
    X(start, MOVES, IN_PROGRESS, "say that a request is being worked on",                          \
      "By the side that asks: an answer does not do yet, and work goes on.")                       \
    X(decline, MOVES, DECLINED, "decline a request, with a reason",                                \
      "Nothing follows on it. Whoever still wants help makes a new request.")                      \
    X(refer, MOVES, REFERRED, "refer a request to another organisation",                           \
      "That organisation may take steps from then on; the clocks run on.")                         \
    X(withdraw, MOVES, WITHDRAWN, "take back a request of one's own",                              \
      "Nothing is due any more. What was said stays said.")                                        \
    X(pause, PAUSES, DRAFT, "pause the clock of the answer, with a reason",                        \
      "By the side that is asked, once it has acknowledged. The deadline moves by the length of "  \
      "the pause; clocks of the law run on. Every move ends a pause.")                             \
    X(resume, RESUMES, DRAFT, "end a pause", NULL)                                                 \
    X(escalate, ESCALATES, DRAFT, "escalate a request to another contact, as the diplomatic one",  \
      "Without --contact, to the one that the request names for it.")                              \
    X(note, NOTES, DRAFT, "add a note to the thread of a request",                                 \
      "A note has a marking of its own, and goes to those to whom policy.conf releases it.")

#define X(word, event, state, does, more)                                                          \
    static bool take_##word(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e) \
    {                                                                                              \
        return take(sp, DIALOGUE_##event, DIALOGUE_##state, b, refused, e);                        \
    }                                                                                              \
    static int run_##word(struct cli *c)                                                           \
    {                                                                                              \
        return cli_speaker_run(c, take_##word);                                                    \
    }
STEPS(X)
#undef X

static const struct cli_option acknowledge_options[] = {STEP_REASON, STEP_OPTIONS};
static const struct cli_option start_options[] = {STEP_REASON, STEP_OPTIONS};
static const struct cli_option decline_options[] = {STEP_CODE(true), STEP_REASON, STEP_OPTIONS};
static const struct cli_option refer_options[] = {
    {"to", 0, CLI_TEXT, "WHO", NULL, "to whom: an organisation, a contact point's id, an identity",
     0, 0, false, true},
    STEP_CODE(true),
    STEP_REASON,
    STEP_OPTIONS};
static const struct cli_option withdraw_options[] = {STEP_CODE(false), STEP_REASON, STEP_OPTIONS};
static const struct cli_option pause_options[] = {STEP_CODE(true), STEP_REASON, STEP_OPTIONS};
static const struct cli_option resume_options[] = {STEP_REASON, STEP_OPTIONS};
static const struct cli_option escalate_options[] = {
    {"contact", 0, CLI_TEXT, "ID", NULL, "to this contact point", 0, 0, false, false},
    STEP_CODE(false),
    STEP_REASON,
    STEP_OPTIONS};
static const struct cli_option note_options[] = {
    {"text", 0, CLI_TEXT, "TEXT", NULL, "the note", 0, 0, false, true},
    {"reply-to", 0, CLI_TEXT, "ID", NULL, "the step or note that it replies to", 0, 0, false,
     false},
    STEP_OPTIONS};

#define X(word, event, state, does, more)                                                          \
    const struct cli_command cli_request_##word = {                                                \
        .name = "request " #word,                                                                  \
        .args = "DIR ID",                                                                          \
        .least_args = 2,                                                                           \
        .most_args = 2,                                                                            \
        .summary = does,                                                                           \
        .text = more,                                                                              \
        .options = word##_options,                                                                 \
        .run = run_##word,                                                                         \
    };
STEPS(X)
#undef X

/* ---- answering, wholly or in part ---- */

static const struct cli_option answer_options[] = {
    {"partly", 0, CLI_FLAG, NULL, NULL, "a part of what was asked; the rest follows", 0, 0, false,
     false},
    {"with", 0, CLI_TEXT, "ID", NULL, "an object that answers", 0, 0, true, false},
    {"text", 0, CLI_TEXT, "TEXT", NULL, "the answer in words", 0, 0, false, false},
    STEP_OPTIONS};

static bool take_answer(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    return take(sp, DIALOGUE_MOVES,
                cli_flag(sp->c, "partly") ? DIALOGUE_PARTLY_ANSWERED : DIALOGUE_ANSWERED, b,
                refused, e);
}

static int run_answer(struct cli *c)
{
    return cli_speaker_run(c, take_answer);
}

const struct cli_command cli_request_answer = {
    .name = "request answer",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "answer a request, wholly or in part",
    .text = "Stops the clock of the answer, unless --partly. The objects of --with go by their own "
            "release: the line about each, when it was added, tells who has it.",
    .options = answer_options,
    .run = run_answer,
};
