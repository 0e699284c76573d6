#include <stdio.h>

#include "cli/cli.h"
#include "dialogue/dialogue.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static int print(struct cli *c, const struct dialogue_draft *d)
{
    struct buf b;
    buf_init(&b, 0);
    if (cli_flag(c, "json"))
        dialogue_draft_json(d, &b);
    else
        dialogue_draft_text(d, &b);
    int status = cli_print(c, &b);
    buf_done(&b);
    return status ? status : !dialogue_draft_found(d);
}

static int run(struct cli *c)
{
    struct arena *a = arena_new(LIMIT_DIALOGUE_ARENA_BYTES);
    struct json_reader *jr = json_reader_new();
    const struct dialogue_draft *d;
    struct str text = STR_NONE;
    struct err e = {0};
    int status = 3;
    if (!a || !jr) {
        err_set(&e, ERR_MEMORY, "no memory to read %s", c->args[0]);
        cli_fail(c, &e);
    } else if (!file_read(c->args[0], LIMIT_DIALOGUE_TEXT_BYTES, &text, &e)) {
        status = (cli_fail(c, &e), 3);
    } else if (!dialogue_read(a, jr, text, &d, &e)) {
        err_prefix(&e, "%s", c->args[0]);
        status = cli_fail(c, &e);
    } else {
        status = print(c, d);
    }
    base_free((void *)(uintptr_t)text.p);
    json_reader_free(jr);
    arena_free(a);
    return status;
}

const struct cli_command cli_dialogue_read = {
    .name = "dialogue read",
    .args = "FILE",
    .least_args = 1,
    .most_args = 1,
    .summary =
        "draft a round of a cyber dialogue from a press statement, and say what is wrong in it",
    .text =
        "FILE is plain UTF-8 text of at most 256 KiB; - is standard input. The draft has ordinal, "
        "date, weekday, "
        "mode, place, host, the heads and agencies of each side, topics, fora and what was said "
        "of the next round, each with the sentence it came from; what the text does not say is "
        "null. Findings are contradictions with the calendar, within the text and with the "
        "public record that the program carries, and names that it does not know. Exit status 1 "
        "if the text is about no dialogue.",
    .options = options,
    .run = run,
};
