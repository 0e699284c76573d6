#include "cli/speaker.h"

static const struct cli_option options[] = {
    {"record", 0, CLI_TEXT, "NAME", NULL,
     "the public record of this name that the program carries: india-japan", 0, 0, false, false},
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool add_file(struct cli_speaker *sp, const char *path, struct buf *b, size_t *refused,
                     struct err *e)
{
    struct str text;
    size_t line, column;
    if (!file_read(path, LIMIT_DIALOGUE_FILE_BYTES, &text, e))
        return false;
    bool ok = cli_speaker_say(sp, text, b, refused, e);
    if (!ok && (e->code == ERR_INVALID || e->code == ERR_SYNTAX)) {
        str_line_column(text, e->at, &line, &column);
        err_prefix(e, "%s:%zu:%zu", path, line, column);
    }
    base_free((void *)(uintptr_t)text.p);
    return ok;
}

static bool add_record(struct cli_speaker *sp, struct str name, struct buf *b, size_t *refused,
                       struct err *e)
{
    struct buf text;
    buf_init(&text, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = dialogue_record_put(sp->c->arena, exchange_session_json(sp->node.s), name,
                                  sp->who.identity, &text, e) &&
              buf_ok(&text, e) && cli_speaker_say(sp, buf_view(&text), b, refused, e);
    buf_done(&text);
    return ok;
}

static bool add(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct str record = cli_text(sp->c, "record");
    size_t some = 0;
    if (sp->c->arg_count < 2 && !record.n)
        return err_set(e, ERR_USAGE, "nothing to add: name a FILE or --record");
    if (record.n && !add_record(sp, record, b, &some, e))
        return false;
    *refused += some;
    for (size_t i = 1; i < sp->c->arg_count; i++) {
        if (!add_file(sp, sp->c->args[i], b, &some, e))
            return false;
        *refused += some;
    }
    return true;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, add);
}

const struct cli_command cli_dialogue_add = {
    .name = "dialogue add",
    .args = "DIR [FILE...]",
    .least_args = 1,
    .summary = "add objects of the dialogue from JSON files, or a public record",
    .text =
        "FILE holds STIX objects: a bundle, an envelope, an array or one object; objects of the "
        "dialogue are checked by their schemas, and where one is not as its schema says none of "
        "the file is added. The extension definitions of their types go with them. Each is put "
        "before policy.conf like any other object, and the line about it tells to whom it is "
        "released. Exit status 1 when one was refused or quarantined.",
    .options = options,
    .run = run,
};
