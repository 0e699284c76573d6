#include "cli/folders.h"

#include <string.h>
#include <sys/stat.h>

struct inputs {
    struct arena *a;
    const char **list;
    size_t count, room;
    struct err *e;
};

static bool add(struct inputs *in, const char *path)
{
    void *list = in->list;
    if (in->count == LIMIT_CLI_INPUTS)
        return err_set(in->e, ERR_LIMIT, "more than %u inputs", LIMIT_CLI_INPUTS);
    if (!base_grow(&list, &in->room, in->count + 1, sizeof *in->list))
        return err_set(in->e, ERR_MEMORY, "out of memory");
    in->list = list;
    in->list[in->count++] = path;
    return true;
}

static bool take(void *ctx, const char *path, const struct stat *st)
{
    struct inputs *in = ctx;
    if (S_ISDIR(st->st_mode)) /* nothing in it can be read */
        return true;
    struct str kept = arena_str(in->a, str_of(path));
    return kept.p ? add(in, kept.p) : arena_ok(in->a, in->e);
}

bool cli_open_folders(struct cli *c, struct err *e)
{
    struct inputs in = {.a = c->arena, .e = e};
    bool ok = true;
    for (size_t i = 0; i < c->arg_count && ok; i++) {
        size_t before = in.count;
        ok = !file_is_dir(c->args[i]) || file_walk(c->args[i], take, &in);
        if (ok && in.count == before)
            ok = add(&in, c->args[i]);
    }
    const char **list = ok && in.count ? arena_calloc(c->arena, in.count, sizeof *list) : NULL;
    if (list) {
        memcpy(list, in.list, in.count * sizeof *list);
        c->args = list;
        c->arg_count = in.count;
    }
    ok = ok && (list || !in.count || arena_ok(c->arena, e));
    base_free(in.list);
    return ok;
}
