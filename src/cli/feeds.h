/*
 * Where indicators come from, for the commands that read them: options of servers, what could not
 * be used and why, the line that sums it up.
 */
#ifndef CLI_FEEDS_H
#define CLI_FEEDS_H

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "crypt/crypt.h"
#include "sensor/sensor.h"

#define CLI_FEED_OPTIONS                                                                           \
    {"collection",                                                                                 \
     0,                                                                                            \
     CLI_TEXT,                                                                                     \
     "C",                                                                                          \
     NULL,                                                                                         \
     "the collection of a server or directory: id, alias or title; of a directory all are read "   \
     "if not given",                                                                               \
     0,                                                                                            \
     0,                                                                                            \
     false,                                                                                        \
     false},                                                                                       \
        {"warninglists",                                                                           \
         0,                                                                                        \
         CLI_FLAG,                                                                                 \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "leave out, and name, values that a built-in warning list holds (public resolvers, "      \
         "private addresses, names everybody uses); of a compiled set it was said when compiling", \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false},                                                                                   \
        CLI_ENDPOINT_OPTIONS

#define CLI_FEED_VERBOSE                                                                           \
    {                                                                                              \
        "verbose", 'v', CLI_FLAG, NULL, NULL,                                                      \
            "print every indicator that cannot be used, and why, on a line of its own", 0, 0,      \
            false, false                                                                           \
    }

#define CLI_FEED_BLIND_KEY                                                                         \
    {                                                                                              \
        "blind-key", 0, CLI_TEXT, "FILE", NULL, "the key of a blinded set (`setu compile`)", 0, 0, \
            false, false                                                                           \
    }

struct cli_feeds {
    struct cli *c;
    const char *option; /* whose values are the sources; NULL: the arguments are */
    struct peer_endpoint how;
    int64_t as_of_us;
    struct sensor_indicators *indicators;
    const unsigned char *blind_key; /* of a compiled set, or NULL */
    unsigned char key[CRYPT_KEY_BYTES];
    bool live; /* they are to be followed: sensor_live_start */
    /* Loads what stands in no source, between them and the end of reading; or NULL. */
    bool (*more)(void *ctx, struct cli_feeds *f, struct err *e);
    void *ctx;
    struct buf reasons; /* the first few, for the summary */
    size_t reason_count;
};
void cli_feeds_init(struct cli_feeds *f, struct cli *c, const char *option);
void cli_feeds_done(struct cli_feeds *f);
/* sensor_note_fn: with --verbose a line on stderr, and a reason for the summary. */
void cli_feeds_note(void *feeds, const struct sensor_note *n);
struct str cli_feeds_nth(const struct cli_feeds *f, size_t i); /* a source; p is NULL at the end */
/* Reads the options; `more`, which may be empty, is an URL that the credentials serve too. */
bool cli_feeds_options(struct cli_feeds *f, struct str more, struct err *e) BASE_CHECKED;
/* Reads the file of --blind-key, where the command has it and it is given; made if absent when
 * `make`. */
bool cli_feeds_key(struct cli_feeds *f, bool make, struct err *e) BASE_CHECKED;
bool cli_feeds_load(struct cli_feeds *f, struct err *e) BASE_CHECKED;
void cli_feeds_summarize(const struct cli_feeds *f); /* a line on stderr */
/* A feed that is broken must not look like one that has nothing: an error if nothing can be used,
 * which was to be `done`. That no source was named at all is none. */
bool cli_feeds_check_usable(const struct cli_feeds *f, const char *done,
                            struct err *e) BASE_CHECKED;

#endif
