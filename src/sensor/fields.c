/* In which field of its line does something stand? Lines of JSON, and of columns between tabs. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/sensor_priv.h"

/* Bytes of a line that are in a field; in rising order, where paths overlap not apart. */
struct extent {
    size_t from, to;
};
struct field {
    struct str path; /* of JSON, with dots */
    uint64_t column; /* or of columns, from 1 */
};
struct sensor_fields {
    struct field *list;
    size_t count;
    struct arena *text;
    atomic_uint_least64_t lines; /* numbers given out */
    pthread_mutex_t lock;        /* guards what follows: logs that are followed have threads each */
    struct arena *scratch;
    struct json_reader *reader;
    uint64_t line; /* the line that was read last */
    bool all;      /* all of it counts */
    struct extent *extents;
    size_t extent_count, extent_room, extent_at; /* at: where the last question was answered */
};

bool sensor_fields_new(struct str names, struct sensor_fields **out, struct err *e)
{
    struct sensor_fields *f = base_alloc(sizeof *f);
    size_t most = 1;
    for (size_t i = 0; i < names.n; i++)
        most += names.p[i] == ',';
    if (f) {
        pthread_mutex_init(&f->lock, NULL);
        f->text = arena_new(LIMIT_ARENA_REQUEST_BYTES);
        f->scratch = arena_new(LIMIT_ARENA_REQUEST_BYTES);
        f->reader = json_reader_new();
        f->list = f->text ? arena_calloc(f->text, most, sizeof *f->list) : NULL;
    }
    if (!f || !f->scratch || !f->reader || !f->list) {
        sensor_fields_free(f);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    while (names.p) {
        struct field *one = &f->list[f->count++];
        one->path = arena_str(f->text, str_trim(str_cut(&names, ',')));
        if (!str_to_u64(one->path, &one->column))
            one->column = 0;
        if (one->path.n == 0 || str_eq(one->path, STR("0"))) {
            sensor_fields_free(f);
            return err_set(e, ERR_USAGE,
                           "write names of JSON, as src.ip, or numbers of columns "
                           "from 1, with commas between");
        }
    }
    *out = f;
    return true;
}

void sensor_fields_free(struct sensor_fields *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    json_reader_free(f->reader);
    base_free(f->extents);
    arena_free(f->scratch);
    arena_free(f->text);
    base_free(f);
}

/* id.orig_h is below id. */
static bool is_below(struct str name, struct str path)
{
    return str_starts(name, path) && name.n > path.n && name.p[path.n] == '.';
}

/* Without memory all of the line counts. */
static void put_extent(struct sensor_fields *f, size_t from, size_t to)
{
    void *items = f->extents;
    if (f->all || !base_grow(&items, &f->extent_room, f->extent_count + 1, sizeof *f->extents)) {
        f->all = true;
        return;
    }
    f->extents = items;
    f->extents[f->extent_count++] = (struct extent){from, to};
}

/* What stands under the path below `v`. What is inside of a field is in it, and elements of arrays
 * are in the array's field. A name may have dots itself, as Zeek's id.orig_h, which is below id. */
static void put_path(struct sensor_fields *f, const struct json *v, struct str path, size_t before)
{
    const struct json *child = v->type == JSON_OBJECT || v->type == JSON_ARRAY ? v->u.child : NULL;
    for (; child; child = child->next) {
        struct str rest = path;
        bool all = v->type == JSON_OBJECT && is_below(child->key, path);
        if (v->type == JSON_OBJECT && !all) {
            rest = str_from(path, child->key.n);
            if (!str_starts(path, child->key) || (rest.n && rest.p[0] != '.'))
                continue;
            rest = str_from(rest, 1);
        }
        if (all || rest.n == 0)
            put_extent(f, before + child->at, before + child->end);
        else
            put_path(f, child, rest, before);
    }
}

/* A line `#fields` of Zeek names the columns. */
static void put_columns(struct sensor_fields *f, struct str header, struct str line)
{
    size_t from = 0;
    if (!memchr(line.p, '\t', line.n))
        return;
    str_cut(&header, '\t');
    for (uint64_t column = 1; from <= line.n; column++) {
        const char *tab = memchr(line.p + from, '\t', line.n - from);
        size_t to = tab ? (size_t)(tab - line.p) : line.n;
        struct str name = header.p ? str_trim(str_cut(&header, '\t')) : STR_NONE;
        for (size_t i = 0; i < f->count; i++) {
            const struct field *one = &f->list[i];
            if (one->column == column || str_eq(name, one->path) || is_below(name, one->path)) {
                put_extent(f, from, to + 1); /* with the tab */
                break;
            }
        }
        from = to + 1;
    }
}

struct str sensor_fields_header(struct str text, size_t from)
{
    const struct str mark = STR("#fields\t");
    struct str last = STR_NONE, rest = str_from(text, from);
    const char *at;
    while (rest.n && (at = memmem(rest.p, rest.n, mark.p, mark.n)) != NULL) {
        struct str line = {at, (size_t)(text.p + text.n - at)};
        rest = line;
        line = str_cut(&rest, '\n');
        if (at == text.p || at[-1] == '\n')
            last = line;
    }
    return last;
}

uint64_t sensor_fields_line(struct sensor_fields *f)
{
    return atomic_fetch_add(&f->lines, 1) + 1;
}

/* From the brace on, behind a byte order mark, blanks and the NULs that a log has before what was
 * written to it after it was cut off; empty when the line begins otherwise. */
static struct str from_brace(struct str line)
{
    if (str_starts(line, STR("\xef\xbb\xbf")))
        line = str_from(line, 3);
    while (line.n && (unsigned char)line.p[0] <= ' ')
        line = str_from(line, 1);
    return str_starts(line, STR("{")) ? line : STR_NONE;
}

static int order(const void *pa, const void *pb)
{
    const struct extent *a = pa, *b = pb;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* Of what begins as JSON and is none, nobody knows the fields: all of it counts. Otherwise a byte
 * that is no UTF-8, or a name twice, in one field would hide what stands in another. */
static void read_line(struct sensor_fields *f, struct str header, struct str line)
{
    const struct json *doc;
    struct err ignored;
    struct str json = from_brace(line);
    f->all = false;
    f->extent_count = f->extent_at = 0;
    if (!json.n) {
        put_columns(f, header, line);
        return;
    }
    arena_reset(f->scratch);
    f->all = !json_parse(f->reader, f->scratch, json, false, &doc, &ignored);
    for (size_t i = 0; i < f->count && !f->all; i++)
        put_path(f, doc, f->list[i].path, line.n - json.n);
    size_t kept = 0;
    if (f->extent_count > 1)
        qsort(f->extents, f->extent_count, sizeof *f->extents, order);
    for (size_t i = 0; i < f->extent_count; i++)
        if (kept > 0 && f->extents[i].from < f->extents[kept - 1].to) {
            if (f->extents[i].to > f->extents[kept - 1].to)
                f->extents[kept - 1].to = f->extents[i].to;
        } else {
            f->extents[kept++] = f->extents[i];
        }
    f->extent_count = kept;
}

bool sensor_fields_have(struct sensor_fields *f, uint64_t number, struct str header,
                        struct str line, size_t at)
{
    pthread_mutex_lock(&f->lock);
    if (f->line != number)
        read_line(f, header, line);
    f->line = number;
    size_t i = f->extent_at; /* hits come one behind the other, most of the time */
    while (i > 0 && f->extents[i - 1].to > at)
        i--;
    while (i < f->extent_count && f->extents[i].to <= at)
        i++;
    f->extent_at = i;
    bool yes = f->all || (i < f->extent_count && f->extents[i].from <= at);
    pthread_mutex_unlock(&f->lock);
    return yes;
}
