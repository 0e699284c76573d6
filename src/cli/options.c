/* Reading words by a command's option table, and the helps that come from the same table. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_priv.h"

static const struct cli_option *option_find(const struct cli_command *cmd, struct str name)
{
    for (const struct cli_option *o = cmd->options; o && o->name; o++)
        if (str_eq(name, str_of(o->name)))
            return o;
    return NULL;
}

static const struct cli_option *option_by_letter(const struct cli_command *cmd, char letter)
{
    for (const struct cli_option *o = cmd->options; o && o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

static size_t count_of(const struct cli *c, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < c->value_count; i++)
        n += strcmp(c->values[2 * i], name) == 0;
    return n;
}

struct str cli_text_nth(const struct cli *c, const char *name, size_t k)
{
    for (size_t i = 0; i < c->value_count; i++)
        if (strcmp(c->values[2 * i], name) == 0 && k-- == 0)
            return str_of(c->values[2 * i + 1]);
    return STR_NONE;
}

struct str cli_text(const struct cli *c, const char *name)
{
    const struct cli_option *o = option_find(c->command, str_of(name));
    must(o && o->type != CLI_FLAG);
    struct str given = cli_text_nth(c, name, 0);
    return given.p ? given : str_of(o->standard);
}

bool cli_flag(const struct cli *c, const char *name)
{
    const struct cli_option *o = option_find(c->command, str_of(name));
    must(o && o->type == CLI_FLAG);
    return count_of(c, name) > 0;
}

bool cli_instant(const struct cli *c, const char *option, int64_t otherwise, int64_t *us,
                 struct err *e)
{
    struct str text = cli_text(c, option);
    struct instant t;
    if (!text.n) {
        *us = otherwise;
        return true;
    }
    if (!instant_parse_zoned(text, &t, e)) {
        e->code = ERR_USAGE;
        return err_prefix(e, "--%s %.*s", option, STR_FMT(text));
    }
    *us = instant_us(t);
    return true;
}

uint64_t cli_number(const struct cli *c, const char *name)
{
    uint64_t v = 0;
    struct str text = cli_text(c, name);
    if (text.n)
        must(str_to_u64(text, &v));
    return v;
}

/* Keeps one option; its value was looked at as far as its type tells. */
static int option_keep(struct cli *c, const struct cli_option *o, const char *value)
{
    uint64_t v;
    if (!o->repeat && count_of(c, o->name))
        return cli_usage(c, "--%s was given twice", o->name);
    if (o->type == CLI_NUMBER && (!str_to_u64(str_of(value), &v) || v < o->least || v > o->most))
        return cli_usage(c, "--%s %s: a whole number from %llu to %llu is needed", o->name, value,
                         (unsigned long long)o->least, (unsigned long long)o->most);
    if (o->type == CLI_TEXT && !value[0])
        return cli_usage(c, "--%s needs a value that is not empty", o->name);
    c->values[2 * c->value_count] = o->name;
    c->values[2 * c->value_count + 1] = value;
    c->value_count++;
    return 0;
}

/* Reads the option at words[*i], and its value from there or the next word. */
static int option_read(struct cli *c, char **words, size_t count, size_t *i)
{
    const char *word = words[*i], *inline_value = NULL;
    const struct cli_option *o;
    if (word[1] == '-') {
        struct str rest = str_of(word + 2), name = str_cut(&rest, '=');
        inline_value = rest.p;
        o = option_find(c->command, name);
    } else {
        o = option_by_letter(c->command, word[1]);
        inline_value = word[2] ? word + 2 : NULL;
    }
    if (!o)
        return cli_usage(c, "there is no option %s", word);
    if (o->type == CLI_FLAG)
        return inline_value ? cli_usage(c, "--%s takes no value", o->name) : option_keep(c, o, "");
    if (!inline_value && *i + 1 >= count)
        return cli_usage(c, "--%s needs a value: %s", o->name, o->value);
    return option_keep(c, o, inline_value ? inline_value : words[++*i]);
}

static int check_counts(const struct cli *c)
{
    const struct cli_command *cmd = c->command;
    if (c->arg_count < cmd->least_args)
        return cli_usage(c, "%s is missing: usage is `setu %s %s`",
                         c->arg_count ? "an argument" : "everything", cmd->name, cmd->args);
    if (cmd->most_args && c->arg_count > cmd->most_args)
        return cli_usage(c, "\"%s\" is one argument too many", c->args[cmd->most_args]);
    for (const struct cli_option *o = cmd->options; o && o->name; o++)
        if (o->needed && count_of(c, o->name) == 0)
            return cli_usage(c, "--%s %s is needed: %s", o->name, o->value, o->text);
    return 0;
}

int cli_parse(struct cli *c, char **words, size_t count)
{
    bool only_args = false;
    c->args = arena_calloc(c->arena, count + 1, sizeof *c->args);
    c->values = arena_calloc(c->arena, 2 * count + 2, sizeof *c->values);
    if (!c->args || !c->values)
        return cli_usage(c, "too many words");
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        if (only_args || words[i][0] != '-' || !words[i][1])
            c->args[c->arg_count++] = words[i];
        else if (strcmp(words[i], "--") == 0)
            only_args = true;
        else
            status = option_read(c, words, count, &i);
        if (status)
            return status;
    }
    return check_counts(c);
}

/* ---- helps ---- */

static void put_option_head(struct buf *b, const struct cli_option *o)
{
    if (o->letter)
        buf_printf(b, "-%c, ", o->letter);
    buf_printf(b, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
}

static void put_option_tail(struct buf *b, const struct cli_option *o)
{
    buf_lit(b, o->text);
    if (o->type == CLI_NUMBER)
        buf_printf(b, " (%llu to %llu)", (unsigned long long)o->least, (unsigned long long)o->most);
    if (o->standard)
        buf_printf(b, "; default %s", o->standard);
    if (o->needed)
        buf_lit(b, "; needed");
    if (o->repeat)
        buf_lit(b, "; may be repeated");
}

void cli_help_put(struct buf *b, const struct cli_command *cmd)
{
    buf_printf(b, "usage: setu %s%s %s\n\n%s.\n", cmd->name, cmd->options ? " [OPTIONS]" : "",
               cmd->args, cmd->summary);
    if (cmd->text)
        buf_printf(b, "\n%s\n", cmd->text);
    buf_lit(b, "\noptions:\n");
    for (const struct cli_option *o = cmd->options; o && o->name; o++) {
        size_t start = b->n;
        buf_lit(b, "  ");
        put_option_head(b, o);
        size_t width = b->n - start;
        buf_printf(b, "%*s", width < 28 ? (int)(28 - width) : 1, "");
        put_option_tail(b, o);
        buf_byte(b, '\n');
    }
    buf_lit(b, "  --help                    print this text\n");
}

/* roff: a backslash is escaped, a leading dot or quote is shielded, a hyphen stays a hyphen. */
static void put_roff(struct buf *b, const char *text)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            buf_lit(b, "\\&");
        if (*p == '\\')
            buf_lit(b, "\\e");
        else if (*p == '-')
            buf_lit(b, "\\-");
        else
            buf_byte(b, *p);
        line_start = *p == '\n';
    }
}

void cli_man_put(struct buf *b, const struct cli_command *cmd)
{
    buf_lit(b, ".SS setu ");
    put_roff(b, cmd->name);
    buf_lit(b, cmd->options ? " [OPTIONS] " : " ");
    put_roff(b, cmd->args);
    buf_byte(b, '\n');
    put_roff(b, cmd->summary);
    buf_lit(b, ".\n");
    if (cmd->text) {
        buf_lit(b, ".PP\n");
        put_roff(b, cmd->text);
        buf_byte(b, '\n');
    }
    for (const struct cli_option *o = cmd->options; o && o->name; o++) {
        struct buf t;
        buf_init(&t, 0);
        put_option_head(&t, o);
        buf_byte(&t, '\0');
        buf_lit(b, ".TP\n.B ");
        put_roff(b, t.p ? t.p : "");
        buf_clear(&t);
        put_option_tail(&t, o);
        buf_byte(&t, '\0');
        buf_byte(b, '\n');
        put_roff(b, t.p ? t.p : "");
        buf_lit(b, ".\n");
        buf_done(&t);
    }
}
