/*
 * The command line. A command is one file: a table of its options, a sentence, a function. From the
 * same tables come the parser, `--help` and the manual page (tools/man). Commands hold no rules:
 * they translate words into calls of the rooms above and print what comes back.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"
#include "exchange/exchange.h"

enum cli_type { CLI_FLAG, CLI_TEXT, CLI_NUMBER };

struct cli_option {
    const char *name; /* without its dashes */
    char letter;      /* a short form, or 0 */
    enum cli_type type;
    const char *value;    /* how the value is called in the help: FILE, SECONDS; NULL for a flag */
    const char *standard; /* the default, as written; NULL: none */
    const char *text;     /* what it does, in a sentence without its full stop */
    uint64_t least, most; /* of a number */
    bool repeat;          /* may be given several times */
    bool needed;          /* must be given */
};

#define CLI_OPTION_END                                                                             \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define CLI_JSON                                                                                   \
    {                                                                                              \
        "json", 0, CLI_FLAG, NULL, NULL, "print results as JSON, one object a line", 0, 0, false,  \
            false                                                                                  \
    }

struct cli;

struct cli_command {
    const char *name;               /* "init", "user add" */
    const char *args;               /* how its arguments are called: "DIR NAME" */
    unsigned least_args, most_args; /* most 0: no limit */
    const char *summary;            /* one line for `setu --help` */
    const char *text;               /* a paragraph or two for the manual; may be NULL */
    const struct cli_option *options;
    /* Returns the exit status: 0 done or yes, 1 no, 2 wrong usage, 3 could not. */
    int (*run)(struct cli *c);
};

/* What was given. */
struct cli {
    const struct cli_command *command;
    const char **args;
    size_t arg_count;
    const char **values; /* pairs of option name and value, in order */
    size_t value_count;
    struct arena *arena;
};

/* The option's value, its default, or STR_NONE; the k-th of a repeated one. */
struct str cli_text(const struct cli *c, const char *name);
struct str cli_text_nth(const struct cli *c, const char *name, size_t k);
bool cli_flag(const struct cli *c, const char *name);
uint64_t cli_number(const struct cli *c, const char *name);
/* An option's instant (RFC 3339, with Z or an offset) in microseconds; `otherwise` when it was not
 * given. ERR_USAGE. */
bool cli_instant(const struct cli *c, const char *option, int64_t otherwise, int64_t *us,
                 struct err *e) BASE_CHECKED;

/* Prints `setu COMMAND: message` and returns the exit status that belongs to the error. */
int cli_fail(const struct cli *c, const struct err *e);
/* The same for wrong usage: points to --help and returns 2. */
int cli_usage(const struct cli *c, const char *fmt, ...) BASE_PRINTF(2, 3);
/* Writes a buffer to stdout; 0, or 3 with a message when stdout is closed or full. */
int cli_print(const struct cli *c, const struct buf *b);

/* A line about an object that was not accepted, and why; ids and messages hold words of others: in
 * text they are made fit for a terminal. */
void cli_put_result(struct buf *b, bool json, const struct exchange_result *r);

/* Opens the node named by the first argument, with a session; messages and status as cli_fail. */
struct cli_node {
    struct exchange *x;
    struct exchange_session *s;
};
bool cli_node_open(const struct cli *c, const char *dir, struct cli_node *n, int *status);
void cli_node_close(struct cli_node *n);

/* What is to be said of a node that was restored and that no officer has confirmed; else empty. */
#define CLI_RESTORED_BYTES 256
bool cli_restored(struct exchange_session *s, char out[CLI_RESTORED_BYTES],
                  struct err *e) BASE_CHECKED;

/* A progress bar on a terminal, nothing in a pipe. `total` 0: unknown. */
struct cli_progress {
    const char *what;
    uint64_t total;
    int64_t started_us, shown_us;
    bool on;
};
void cli_progress_start(struct cli_progress *p, const char *what, uint64_t total);
void cli_progress_at(struct cli_progress *p, uint64_t done);
void cli_progress_end(struct cli_progress *p);

/* Set by SIGTERM and SIGINT after cli_signals_catch; a command that runs long looks at it. */
void cli_signals_catch(void);
bool cli_signals_stopped(void);
/* The other way, for a command whose threads do the work: called before any of them starts, so that
 * the signals wait, whoever they would reach, until cli_signals_wait takes one: true for SIGTERM
 * and SIGINT, false for SIGHUP, which asks that settings are read again. */
void cli_signals_block(void);
bool cli_signals_wait(void);

/* Every command, in the order of the help; the last has no name. Defined in main.c. */
extern const struct cli_command *const cli_commands[];

#endif
