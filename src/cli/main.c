#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_priv.h"
#include "crypt/crypt.h"

#define COMMANDS(X)                                                                                \
    X(init)                                                                                        \
    X(serve)                                                                                       \
    X(user_add)                                                                                    \
    X(user_list)                                                                                   \
    X(user_revoke)                                                                                 \
    X(collection_add)                                                                              \
    X(collection_list)                                                                             \
    X(import)                                                                                      \
    X(export)                                                                                      \
    X(peer_add)                                                                                    \
    X(peer_list)                                                                                   \
    X(peer_accept)                                                                                 \
    X(sync)                                                                                        \
    X(check)                                                                                       \
    X(compile)                                                                                     \
    X(detect)                                                                                      \
    X(hunt)                                                                                        \
    X(notice)                                                                                      \
    X(feedback)                                                                                    \
    X(dialogue_read)                                                                               \
    X(dialogue_new)                                                                                \
    X(dialogue_add)                                                                                \
    X(dialogue_list)                                                                               \
    X(review)                                                                                      \
    X(request_new)                                                                                 \
    X(request_send)                                                                                \
    X(request_list)                                                                                \
    X(request_show)                                                                                \
    X(request_acknowledge)                                                                         \
    X(request_start)                                                                               \
    X(request_answer)                                                                              \
    X(request_decline)                                                                             \
    X(request_refer)                                                                               \
    X(request_pause)                                                                               \
    X(request_resume)                                                                              \
    X(request_escalate)                                                                            \
    X(request_note)                                                                                \
    X(request_withdraw)                                                                            \
    X(contact_add)                                                                                 \
    X(contact_list)                                                                                \
    X(contact_ping)                                                                                \
    X(contact_answer)                                                                              \
    X(policy_check)                                                                                \
    X(policy_explain)                                                                              \
    X(policy_plan)                                                                                 \
    X(policy_apply)                                                                                \
    X(policy_reveal)                                                                               \
    X(release_list)                                                                                \
    X(release_approve)                                                                             \
    X(release_refuse)                                                                              \
    X(withdraw)                                                                                    \
    X(holders)                                                                                     \
    X(ledger_verify)                                                                               \
    X(ledger_prove)                                                                                \
    X(ledger_check_proof)                                                                          \
    X(ledger_export)                                                                               \
    X(ledger_key)                                                                                  \
    X(ledger_witness)                                                                              \
    X(ledger_confirm)                                                                              \
    X(ledger_erase)                                                                                \
    X(backup)                                                                                      \
    X(restore)                                                                                     \
    X(doctor)

#define X(name) extern const struct cli_command cli_##name;
COMMANDS(X)
#undef X

const struct cli_command *const cli_commands[] = {
#define X(name) &cli_##name,
    COMMANDS(X)
#undef X
        NULL,
};

/* ---- messages ---- */

int cli_fail(const struct cli *c, const struct err *e)
{
    fprintf(stderr, "setu %s: %s\n", c->command->name, e->msg[0] ? e->msg : err_text(e->code));
    return err_exit(e->code) ? err_exit(e->code) : 3;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "setu %s: ", c->command->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; see `setu %s --help`\n", c->command->name);
    return 2;
}

int cli_print(const struct cli *c, const struct buf *b)
{
    struct err e;
    if (!buf_ok(b, &e))
        return cli_fail(c, &e);
    if ((b->n && fwrite(b->p, 1, b->n, stdout) != b->n) || fflush(stdout) != 0) {
        fprintf(stderr, "setu %s: cannot write to standard output: %s\n", c->command->name,
                strerror(errno));
        return 3;
    }
    return 0;
}

/* ---- nodes ---- */

bool cli_node_open(const struct cli *c, const char *dir, struct cli_node *n, int *status)
{
    struct err e = {0};
    *n = (struct cli_node){0};
    if (exchange_open(dir, &n->x, &e) && exchange_session_open(n->x, &n->s, &e))
        return true;
    cli_node_close(n);
    *status = e.code == ERR_SYNTAX ? cli_fail(c, &e) : (cli_fail(c, &e), 3);
    return false;
}

void cli_node_close(struct cli_node *n)
{
    exchange_session_close(n->s);
    exchange_close(n->x);
    *n = (struct cli_node){0};
}

/* ---- progress ---- */

void cli_progress_start(struct cli_progress *p, const char *what, uint64_t total)
{
    *p = (struct cli_progress){.what = what, .total = total, .on = isatty(STDERR_FILENO) == 1};
    p->started_us = monotonic_us();
}

void cli_progress_at(struct cli_progress *p, uint64_t done)
{
    int64_t now = monotonic_us();
    if (!p->on || now - p->shown_us < 100000)
        return;
    p->shown_us = now;
    double seconds = (double)(now - p->started_us) / 1e6;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    if (p->total && done <= p->total) {
        int filled = (int)(30.0 * (double)done / (double)p->total);
        double left = rate > 0 ? (double)(p->total - done) / rate : 0;
        fprintf(stderr, "\r%s [%.*s%*s] %3.0f %%  %.0f/s  %.0f s left \033[K", p->what, filled,
                "##############################", 30 - filled, "",
                100.0 * (double)done / (double)p->total, rate, left);
    } else {
        fprintf(stderr, "\r%s %llu  %.0f/s \033[K", p->what, (unsigned long long)done, rate);
    }
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->on && p->shown_us)
        fprintf(stderr, "\r\033[K");
}

/* ---- signals ---- */

static atomic_bool stopped; /* threads that follow files ask too */

static void on_signal(int n)
{
    (void)n;
    atomic_store(&stopped, true);
}

void cli_signals_catch(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
}

bool cli_signals_stopped(void)
{
    return atomic_load(&stopped);
}

static sigset_t awaited_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void cli_signals_block(void)
{
    sigset_t set = awaited_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool cli_signals_wait(void)
{
    sigset_t set = awaited_signals();
    int which;
    while (sigwait(&set, &which) != 0)
        ;
    return which != SIGHUP;
}

/* ---- main ---- */

static int print_help(void)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "Setu: an exchange of cyber threat intelligence between nations.\n\n"
                "usage: setu COMMAND [OPTIONS] ...\n\ncommands:\n");
    for (size_t i = 0; cli_commands[i]; i++)
        buf_printf(&b, "  %-18s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    buf_lit(&b, "\n`setu COMMAND --help` tells its options; setu(1) is the manual.\n"
                "Exit status: 0 done or yes, 1 no, 2 wrong usage, 3 could not.\n");
    bool ok = fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    buf_done(&b);
    return ok ? 0 : 3;
}

static int print_man(void)
{
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; cli_commands[i]; i++)
        cli_man_put(&b, cli_commands[i]);
    bool ok = fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    buf_done(&b);
    return ok ? 0 : 3;
}

/* The command whose one or two words stand first; *used says how many. */
static const struct cli_command *command_find(int argc, char **argv, size_t *used)
{
    char two[64];
    snprintf(two, sizeof two, "%s %s", argv[1], argc > 2 ? argv[2] : "");
    for (size_t i = 0; cli_commands[i]; i++) {
        *used = strchr(cli_commands[i]->name, ' ') ? 2 : 1;
        if (strcmp(cli_commands[i]->name, *used == 2 ? two : argv[1]) == 0)
            return cli_commands[i];
    }
    return NULL;
}

/* `setu user` alone, or with a wrong second word: says which there are. */
static int unknown(const char *word)
{
    bool any = false;
    size_t n = strlen(word);
    for (size_t i = 0; cli_commands[i]; i++) {
        const char *name = cli_commands[i]->name;
        if (strncmp(name, word, n) != 0 || name[n] != ' ')
            continue;
        fprintf(stderr, any ? ", %s" : "setu: `setu %s` goes on with one of: ", any ? name : word);
        if (!any)
            fprintf(stderr, "%s", name);
        any = true;
    }
    if (any)
        fprintf(stderr, "; see `setu --help`\n");
    else
        fprintf(stderr, "setu: there is no command \"%s\"; see `setu --help`\n", word);
    return 2;
}

static int run_command(const struct cli_command *cmd, char **words, size_t count)
{
    struct cli c = {.command = cmd, .arena = arena_new(64u << 20)};
    struct buf b;
    if (!c.arena)
        return 3;
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "--help") != 0)
            continue;
        buf_init(&b, 0);
        cli_help_put(&b, cmd);
        int status = cli_print(&c, &b);
        buf_done(&b);
        arena_free(c.arena);
        return status;
    }
    int status = cli_parse(&c, words, count);
    if (status == 0)
        status = cmd->run(&c);
    arena_free(c.arena);
    return status;
}

int main(int argc, char **argv)
{
    struct err e;
    size_t used;
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        int status = print_help();
        return argc < 2 ? 2 : status;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("setu " SETU_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--man") == 0)
        return print_man();
    const struct cli_command *cmd = command_find(argc, argv, &used);
    if (!cmd)
        return unknown(argv[1]);
    if (!crypt_init(&e)) {
        fprintf(stderr, "setu: %s\n", e.msg);
        return 3;
    }
    return run_command(cmd, argv + 1 + used, (size_t)argc - 1 - used);
}
