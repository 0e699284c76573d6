#include <stdio.h>

#include "cli/speaker.h"

static const struct cli_option options[] = {
    {"from", 0, CLI_TEXT, "FILE", NULL,
     "the members as a JSON object, as the type's schema names them; - is standard input", 0, 0,
     false, false},
    {"statement", 0, CLI_TEXT, "FILE", NULL,
     "a press statement, for a round: what `setu dialogue read` drafts from it; --from corrects it",
     0, 0, false, false},
    {"revise", 0, CLI_TEXT, "ID", NULL,
     "a later version of this object: members of --from take the place of those it has, null takes "
     "one away",
     0, 0, false, false},
    CLI_SPEAKER_MARKING,
    CLI_EXERCISE,
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

struct making {
    struct cli_speaker *sp;
    struct dialogue_author author;
    struct dialogue_making m;
    struct buf draft, object;
};

static bool read_members(struct making *mk, struct err *e)
{
    struct cli *c = mk->sp->c;
    struct str text, path = cli_text(c, "from");
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_DIALOGUE_FILE_BYTES, &text, e))
        return false;
    bool ok =
        json_parse(exchange_session_json(mk->sp->node.s), c->arena, text, false, &mk->m.given, e);
    base_free((void *)(uintptr_t)text.p);
    return ok || err_prefix(e, "--from %s", path.p);
}

/* What the statement says becomes the base; what is odd about it goes to standard error. */
static bool read_statement(struct making *mk, struct err *e)
{
    struct cli *c = mk->sp->c;
    struct json_reader *jr = exchange_session_json(mk->sp->node.s);
    struct str text, path = cli_text(c, "statement");
    const struct dialogue_draft *d;
    struct arena *a;
    if (!path.n)
        return true;
    if (mk->m.type != DIALOGUE_ROUND)
        return err_set(e, ERR_USAGE, "--statement drafts a round, nothing else");
    if (!file_read(path.p, LIMIT_DIALOGUE_TEXT_BYTES, &text, e))
        return false;
    if (!(a = arena_new(LIMIT_DIALOGUE_ARENA_BYTES))) {
        base_free((void *)(uintptr_t)text.p);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    bool ok = dialogue_read(a, jr, text, &d, e);
    if (ok && !dialogue_round_put(&mk->author, d, &mk->draft))
        ok = err_set(e, ERR_NOT_FOUND, "it is about no round of a dialogue");
    if (ok) {
        struct buf findings;
        buf_init(&findings, 0);
        dialogue_draft_text(d, &findings);
        fwrite(findings.p, 1, findings.n, stderr);
        buf_done(&findings);
        ok = buf_ok(&mk->draft, e) &&
             json_parse(jr, c->arena, buf_view(&mk->draft), false, &mk->m.base, e);
    }
    base_free((void *)(uintptr_t)text.p);
    arena_free(a);
    return ok || err_prefix(e, "--statement %s", path.p);
}

static bool read_base(struct making *mk, struct err *e)
{
    struct cli *c = mk->sp->c;
    struct exchange_statement_query q = {
        .who = &mk->sp->who, .id = cli_text(c, "revise"), .both = true, .faulty = true};
    struct exchange_statements found;
    if (!q.id.n)
        return true;
    if (cli_text(c, "statement").n)
        return err_set(e, ERR_USAGE, "--revise and --statement exclude each other: give one");
    if (!exchange_dialogue_read(mk->sp->node.s, mk->sp->arena, &q, &found, e))
        return false;
    if (!found.count || found.list->type != mk->m.type)
        return err_set(e, ERR_NOT_FOUND, "--revise %.*s: there is no such %s", STR_FMT(q.id),
                       dialogue_type_name(mk->m.type));
    if (!str_eq(found.list->author, mk->sp->who.identity))
        return err_set(e, ERR_FORBIDDEN, "--revise %.*s: it is another's; say your own beside it",
                       STR_FMT(q.id));
    mk->m.base = found.list->json;
    return true;
}

static bool make(struct making *mk, struct buf *b, size_t *refused, struct err *e)
{
    struct cli *c = mk->sp->c;
    if (!cli_dialogue_type(str_of(c->args[1]), &mk->m.type, e) ||
        !cli_speaker_author(mk->sp, &mk->author, e) || !read_members(mk, e) ||
        !read_statement(mk, e) || !read_base(mk, e))
        return false;
    if (!mk->m.given && !mk->m.base)
        return err_set(e, ERR_USAGE, "there are no members: give --from%s",
                       mk->m.type == DIALOGUE_ROUND ? " or --statement" : "");
    return dialogue_object_put(&mk->author, &mk->m, &mk->object, e) && buf_ok(&mk->object, e) &&
           cli_speaker_say(mk->sp, buf_view(&mk->object), b, refused, e);
}

static bool make_new(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct making mk = {.sp = sp};
    buf_init(&mk.draft, LIMIT_DIALOGUE_FILE_BYTES);
    buf_init(&mk.object, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = make(&mk, b, refused, e);
    buf_done(&mk.object);
    buf_done(&mk.draft);
    return ok;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, make_new);
}

const struct cli_command cli_dialogue_new = {
    .name = "dialogue new",
    .args = "DIR TYPE",
    .least_args = 2,
    .most_args = 2,
    .summary = "make an object of the dialogue: an instrument, a round, a commitment or another",
    .text =
        "TYPE is instrument, round, commitment, measure, assessment or contact. The members come "
        "from --from or, for a round, from a press statement; id, creator, dates and extension "
        "follow from who says it. The object is checked by its schema (docs/DIALOGUE.md) and put "
        "before policy.conf; the line that is printed tells to whom it is released. A correction "
        "is a later version (--revise) of an object of one's own.",
    .options = options,
    .run = run,
};
