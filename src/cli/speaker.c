#include "cli/speaker.h"

static void close_speaker(struct cli_speaker *sp)
{
    arena_free(sp->arena);
    cli_node_close(&sp->node);
}

/* Opens the node named by the first argument and signs the speaker in; messages and status as
 * cli_fail. */
static bool open_speaker(struct cli *c, struct cli_speaker *sp, int *status)
{
    struct err e = {0};
    struct str name = cli_text(c, "as"), file = cli_text(c, "token-file"), secret;
    bool ok;
    *sp = (struct cli_speaker){.c = c};
    if ((name.n > 0) != (file.n > 0)) {
        *status = cli_usage(c, "--as and --token-file belong together: give both");
        return false;
    }
    if (!cli_node_open(c, c->args[0], &sp->node, status))
        return false;
    sp->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!sp->arena) {
        ok = err_set(&e, ERR_MEMORY, "out of memory");
    } else if (!name.n) {
        ok = exchange_login_home(sp->node.s, c->arena, &sp->who, &e);
    } else {
        ok = file_read(file.p, LIMIT_SECRET_BYTES + 2, &secret, &e);
        if (ok) {
            ok = exchange_login_basic(sp->node.s, c->arena, name, str_trim(secret), &sp->who, &e) ||
                 err_prefix(&e, "--as %.*s", STR_FMT(name));
            base_free((void *)(uintptr_t)secret.p);
        }
    }
    if (ok)
        return true;
    *status = cli_fail(c, &e);
    close_speaker(sp);
    return false;
}

bool cli_has_option(const struct cli *c, const char *name)
{
    for (const struct cli_option *o = c->command->options; o->name; o++)
        if (str_eq(str_of(o->name), str_of(name)))
            return true;
    return false;
}

bool cli_speaker_author(const struct cli_speaker *sp, struct dialogue_author *out, struct err *e)
{
    enum stix_tlp tlp;
    struct str colour = cli_text(sp->c, "tlp");
    if (!stix_tlp_parse(colour, &tlp) || tlp == STIX_TLP_NONE)
        return err_set(e, ERR_USAGE, "--tlp %.*s: one of clear, green, amber, amber+strict, red",
                       STR_FMT(colour));
    if (!sp->who.identity.n)
        return err_set(e, ERR_CONFLICT,
                       "%.*s has no STIX identity: give it one with `setu user add --identity`",
                       STR_FMT(sp->who.party.org));
    *out = (struct dialogue_author){.identity = sp->who.identity,
                                    .marking = stix_tlp_id(tlp),
                                    .now_us = now_us(),
                                    .exercise = cli_has_option(sp->c, "exercise") &&
                                                cli_flag(sp->c, "exercise")};
    return true;
}

static void tell(void *ctx, const struct exchange_result *r)
{
    struct cli_said *t = ctx;
    if (t->json || r->rule.n) {
        cli_put_result(t->b, t->json, r);
        return;
    }
    buf_printf(t->b, "%s ", exchange_outcome_name(r->outcome));
    buf_printable(t->b, r->id, 200);
    buf_lit(t->b, r->message.n ? ": " : "");
    buf_printable(t->b, r->message, LIMIT_EXCHANGE_MESSAGE_BYTES);
    buf_byte(t->b, '\n');
}

bool cli_speaker_into(struct cli_speaker *sp, struct exchange_saying *say, struct cli_said *said,
                      struct buf *b, struct err *e)
{
    struct str name = cli_text(sp->c, "collection");
    *said = (struct cli_said){.b = b, .json = cli_flag(sp->c, "json")};
    if (!exchange_collection_find(sp->node.s, sp->c->arena, name, true, &said->into, e)) {
        if (e->code == ERR_NOT_FOUND)
            err_hint(e, "make it with `setu collection add %s --title Dialogue --alias %.*s`",
                     sp->c->args[0], STR_FMT(name));
        return err_prefix(e, "--collection");
    }
    say->collection = &said->into;
    say->each = tell;
    say->ctx = said;
    return true;
}

bool cli_speaker_say(struct cli_speaker *sp, struct str objects, struct buf *b, size_t *refused,
                     struct err *e)
{
    struct exchange_saying d = {.who = &sp->who, .objects = objects};
    struct cli_said said;
    return cli_speaker_into(sp, &d, &said, b, e) &&
           exchange_dialogue_add(sp->node.s, &d, refused, e);
}

int cli_speaker_run(struct cli *c, cli_speaker_fn *work)
{
    struct cli_speaker sp;
    struct err e = {0};
    struct buf b;
    size_t refused = 0;
    int status;
    if (!open_speaker(c, &sp, &status))
        return status;
    buf_init(&b, 0);
    bool ok = work(&sp, &b, &refused, &e);
    status = cli_print(c, &b); /* also what was said before it failed */
    if (!ok)
        status = cli_fail(c, &e);
    buf_done(&b);
    close_speaker(&sp);
    return status ? status : refused > 0;
}

void cli_put_instant(struct buf *b, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, name, instant_text(instant_of_us(us), 3, text));
}

bool cli_dialogue_type(struct str word, enum dialogue_type *out, struct err *e)
{
    for (size_t i = 0; i < DIALOGUE_TYPE_COUNT; i++) {
        struct str name = str_of(dialogue_type_name((enum dialogue_type)i)), rest = name;
        str_cut(&rest, '-');
        if (str_eq(word, name) || str_eq(word, rest) ||
            (i == DIALOGUE_CONTACT && str_eq(word, STR("contact")))) {
            *out = (enum dialogue_type)i;
            return true;
        }
    }
    return err_set(e, ERR_USAGE,
                   "%.*s is no type of the dialogue: one of instrument, round, commitment, "
                   "measure, assessment, contact, request, move",
                   STR_FMT(word));
}
