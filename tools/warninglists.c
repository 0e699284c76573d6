/*
 * Makes the warning lists' tables at build time: warninglists FILE... writes C on stdout. A file's
 * name is its list's. A line holds one value in normal form: an address or block, a name, .NAME for
 * a name and all below it, an e-mail address or a hash; `#` at its start or after a blank begins a
 * comment. A line that is anything else ends the program, and so the build, with its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observable/observable.h"

enum { ROWS = 4096 };

static const char *const list_names[] = {
#define X(name, text, on) text,
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
};

struct row {
    struct observable o;
    unsigned lists, below; /* bits */
};
static struct row rows[ROWS];
static size_t row_count;

static void add(const struct observable *o, unsigned list, bool tree)
{
    must(row_count < ROWS);
    rows[row_count++] = (struct row){*o, 1u << list, tree ? 1u << list : 0};
}

/* An indicator for a parent of a listed name would find that name. */
static void add_name(struct observable o, unsigned list, bool tree)
{
    add(&o, list, tree);
    for (size_t dot = str_find(o.text, '.'); dot < o.text.n; dot = str_find(o.text, '.')) {
        o.text = str_from(o.text, dot + 1);
        add(&o, list, false);
    }
}

static bool add_value(struct str value, unsigned list, struct err *e)
{
    static char out[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct observable o;
    bool tree = str_starts(value, STR("."));
    if (tree ? !observable_normalize(OBSERVABLE_DOMAIN, str_from(value, 1), false, out, sizeof out,
                                     &o, e)
             : !observable_guess(value, out, sizeof out, &o, e))
        return false;
    /* The row points into the file's text, which is therefore in normal form. */
    struct str text = str_from(value, tree);
    if (o.kind == OBSERVABLE_IPV4 || o.kind == OBSERVABLE_IPV6)
        text = str_slice(text, 0, str_find(text, '/'));
    if (!str_eq(text, o.text))
        return err_set(e, ERR_INVALID, "its normal form is %.*s", STR_FMT(o.text));
    o.text = text;
    if (o.kind == OBSERVABLE_DOMAIN)
        add_name(o, list, tree);
    else
        add(&o, list, false);
    return true;
}

static unsigned list_of(const char *path)
{
    struct str name = str_of(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    for (unsigned i = 0; i < OBSERVABLE_WARNINGLISTS; i++)
        if (str_starts(name, str_of(list_names[i])) &&
            str_eq(str_from(name, strlen(list_names[i])), STR(".txt")))
            return i;
    fprintf(stderr, "warninglists: %s: there is no such list\n", path);
    exit(1);
}

static void read_list(const char *path)
{
    unsigned list = list_of(path);
    struct str rest;
    struct err e;
    if (!file_read(path, 0, &rest, &e)) { /* kept: rows point into it */
        fprintf(stderr, "warninglists: %s\n", e.msg);
        exit(1);
    }
    for (size_t line = 1; rest.p != NULL; line++) {
        struct str text = str_cut(&rest, '\n');
        size_t end = 0;
        while (end < text.n && (text.p[end] != '#' || (end > 0 && text.p[end - 1] != ' ')))
            end++;
        text = str_trim(str_slice(text, 0, end));
        if (text.n > 0 && !add_value(text, list, &e)) {
            fprintf(stderr, "%s:%zu: %.*s: %s\n", path, line, STR_FMT(text), e.msg);
            exit(1);
        }
    }
}

static bool is_block(const struct row *r)
{
    return r->o.kind <= OBSERVABLE_IPV6;
}

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->o.kind != y->o.kind)
        return x->o.kind < y->o.kind ? -1 : 1;
    if (!is_block(x))
        return str_cmp(x->o.text, y->o.text);
    int order = memcmp(x->o.addr, y->o.addr, 16);
    return order != 0 ? order : (int)x->o.prefix - (int)y->o.prefix;
}

static void sort_and_merge(void)
{
    size_t n = 0;
    qsort(rows, row_count, sizeof *rows, compare);
    for (size_t i = 0; i < row_count; i++) {
        if (n > 0 && compare(&rows[n - 1], &rows[i]) == 0) {
            rows[n - 1].lists |= rows[i].lists;
            rows[n - 1].below |= rows[i].below;
        } else {
            rows[n++] = rows[i];
        }
    }
    row_count = n;
}

static bool holds(const struct row *block, const struct row *r)
{
    if (block->o.kind != r->o.kind || block->o.prefix > r->o.prefix)
        return false;
    for (unsigned bit = 0; bit < block->o.prefix; bit++)
        if ((block->o.addr[bit / 8] ^ r->o.addr[bit / 8]) & 0x80 >> bit % 8)
            return false;
    return true;
}

static void print_blocks(void)
{
    size_t n = 0;
    puts("const struct observable_warned_block observable_warned_blocks[] = {");
    for (; n < row_count && is_block(&rows[n]); n++) {
        size_t around = n; /* 1 + index of the row before */
        while (around > 0 && !holds(&rows[around - 1], &rows[n]))
            around--;
        printf("    {%d, %u, 0x%x, %zu, {", (int)rows[n].o.kind, rows[n].o.prefix, rows[n].lists,
               around);
        for (int i = 0; i < 16; i++)
            printf("%s%d", i ? ", " : "", rows[n].o.addr[i]);
        puts("}},");
    }
    printf("};\nconst size_t observable_warned_block_count = %zu;\n", n);
}

static void print_texts(void)
{
    size_t n = 0;
    puts("const struct observable_warned_text observable_warned_texts[] = {");
    for (size_t i = 0; i < row_count; i++)
        if (!is_block(&rows[i])) {
            printf("    {%d, 0x%x, 0x%x, \"%.*s\"},\n", (int)rows[i].o.kind, rows[i].lists,
                   rows[i].below, (int)rows[i].o.text.n, rows[i].o.text.p);
            n++;
        }
    printf("};\nconst size_t observable_warned_text_count = %zu;\n", n);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        read_list(argv[i]);
    sort_and_merge();
    puts("/* Made from data/warninglists by tools/warninglists.c. */");
    puts("#include \"observable/warninglist_priv.h\"\n");
    print_blocks();
    print_texts();
    return fflush(stdout) != 0;
}
