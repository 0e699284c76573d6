/* Who speaks in the dialogue from the command line, and into which collection. */
#ifndef CLI_SPEAKER_H
#define CLI_SPEAKER_H

#include "cli/cli.h"
#include "dialogue/dialogue.h"

#define CLI_SPEAKER                                                                                \
    {"as",                                                                                         \
     0,                                                                                            \
     CLI_TEXT,                                                                                     \
     "USER",                                                                                       \
     NULL,                                                                                         \
     "speak and read as this user, with --token-file; the node's own organisation if not given",   \
     0,                                                                                            \
     0,                                                                                            \
     false,                                                                                        \
     false},                                                                                       \
    {                                                                                              \
        "token-file", 0, CLI_TEXT, "FILE", NULL,                                                   \
            "the user's token or password; - is standard input", 0, 0, false, false                \
    }
#define CLI_SPEAKER_COLLECTION                                                                     \
    {                                                                                              \
        "collection", 0, CLI_TEXT, "C", "dialogue", "where what is said goes: id, alias or title", \
            0, 0, false, false                                                                     \
    }
#define CLI_SPEAKER_MARKING                                                                        \
    {                                                                                              \
        "tlp", 0, CLI_TEXT, "COLOUR", "amber",                                                     \
            "how it is marked: clear, green, amber, amber+strict or red", 0, 0, false, false       \
    }
#define CLI_EXERCISE                                                                               \
    {                                                                                              \
        "exercise", 0, CLI_FLAG, NULL, NULL, "of an exercise: kept apart from what is live", 0, 0, \
            false, false                                                                           \
    }
#define CLI_AS_OF                                                                                  \
    {                                                                                              \
        "as-of", 0, CLI_TEXT, "TIME", NULL,                                                        \
            "judge deadlines as of this instant, as 2026-03-08T09:00:00Z; now if not given", 0, 0, \
            false, false                                                                           \
    }

struct cli_speaker {
    struct cli *c;
    struct cli_node node;
    struct principal who;
    struct arena *arena; /* for what is read: much more than the command's own holds */
};
/* Does the command have such an option at all? */
bool cli_has_option(const struct cli *c, const char *name);
/* Whoever writes objects by hand: by --tlp, which the command must have, and --exercise, at this
 * instant. */
bool cli_speaker_author(const struct cli_speaker *sp, struct dialogue_author *out,
                        struct err *e) BASE_CHECKED;
/* Fills say->collection by --collection, and has the results printed to `b`; `said` must outlive
 * the saying. */
struct cli_said {
    struct exchange_collection into;
    struct buf *b;
    bool json;
};
bool cli_speaker_into(struct cli_speaker *sp, struct exchange_saying *say, struct cli_said *said,
                      struct buf *b, struct err *e) BASE_CHECKED;
/* Opens the node, has `work` done, prints what it put; the exit status: 1 when anything was
 * refused. */
typedef bool cli_speaker_fn(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e);
int cli_speaker_run(struct cli *c, cli_speaker_fn *work);
/* Says `objects` into --collection and appends a line for each to `b`. *refused as
 * exchange_dialogue_add. */
bool cli_speaker_say(struct cli_speaker *sp, struct str objects, struct buf *b, size_t *refused,
                     struct err *e) BASE_CHECKED;
/* A member that is an instant: as in "due":"2026-03-08T09:00:00.000Z". */
void cli_put_instant(struct buf *b, const char *name, int64_t us);
/* "assistance-request" or "request": the types' names, with or without their first word. */
bool cli_dialogue_type(struct str word, enum dialogue_type *out, struct err *e) BASE_CHECKED;

#endif
