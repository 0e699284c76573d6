#include "cli/folders.h"

#include <dirent.h>
#include <stdlib.h>
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

static int is_shown(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool walk(struct inputs *in, const char *folder);

static bool take(struct inputs *in, const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return true;
    return S_ISDIR(st.st_mode) ? walk(in, path) : add(in, path);
}

/* As deep as a path can name. */
static bool walk(struct inputs *in, const char *folder)
{
    struct dirent **names = NULL;
    size_t n = strlen(folder);
    bool ok = true;
    if (n >= LIMIT_PATH_BYTES)
        return true;
    int count = scandir(folder, &names, is_shown, by_name);
    for (int i = 0; i < count; i++) {
        const char *slash = n && folder[n - 1] == '/' ? "" : "/";
        struct str path = arena_printf(in->a, "%s%s%s", folder, slash, names[i]->d_name);
        ok = ok && (path.p ? take(in, path.p) : arena_ok(in->a, in->e));
        base_free(names[i]);
    }
    base_free(names);
    return ok;
}

bool cli_open_folders(struct cli *c, struct err *e)
{
    struct inputs in = {.a = c->arena, .e = e};
    bool ok = true;
    for (size_t i = 0; i < c->arg_count && ok; i++) {
        size_t before = in.count;
        ok = !file_is_dir(c->args[i]) || walk(&in, c->args[i]);
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
