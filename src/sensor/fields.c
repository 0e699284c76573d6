/* In which field of its line does something stand? Lines of JSON, and of columns between tabs. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "sensor/sensor_priv.h"

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
    uint64_t line;          /* the line that was read last */
    const struct json *doc; /* what it holds; NULL: it is no JSON */
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
    arena_free(f->scratch);
    arena_free(f->text);
    base_free(f);
}

/* id.orig_h is below id. */
static bool is_below(struct str name, struct str path)
{
    return str_starts(name, path) && name.n > path.n && name.p[path.n] == '.';
}

/* Do the names on the way to `v` begin with the path's? What is inside of a field is in it. */
static bool in_path(const struct json *v, struct str path, uint32_t at)
{
    while (path.n) {
        const struct json *child =
            v->type == JSON_OBJECT || v->type == JSON_ARRAY ? v->u.child : NULL;
        while (child && !(child->at <= at && at < child->end))
            child = child->next;
        if (!child)
            return false;
        if (v->type == JSON_OBJECT) {
            /* A name may have dots itself, as Zeek's id.orig_h, which is below id. */
            if (is_below(child->key, path))
                return true;
            struct str rest = str_from(path, child->key.n);
            if (!str_starts(path, child->key) || (rest.n && rest.p[0] != '.'))
                return false;
            path = str_from(rest, 1);
        }
        v = child;
    }
    return true;
}

static bool in_json(struct sensor_fields *f, const struct json *doc, size_t at)
{
    for (size_t i = 0; i < f->count; i++)
        if (in_path(doc, f->list[i].path, (uint32_t)at))
            return true;
    return false;
}

/* The name of a column, as a line `#fields` of Zeek gives them; empty when there is none. */
static struct str name_of(struct str header, uint64_t column)
{
    struct str name = str_cut(&header, '\t');
    for (; column && header.p; column--)
        name = str_cut(&header, '\t');
    return column ? STR_NONE : str_trim(name);
}

static bool in_column(const struct sensor_fields *f, struct str header, struct str line, size_t at)
{
    uint64_t column = 1;
    for (size_t i = 0; i < at; i++)
        column += line.p[i] == '\t';
    if (column == 1 && !memchr(line.p + at, '\t', line.n - at))
        return false;
    struct str name = name_of(header, column);
    for (size_t i = 0; i < f->count; i++) {
        const struct field *one = &f->list[i];
        if (one->column == column || str_eq(name, one->path) || is_below(name, one->path))
            return true;
    }
    return false;
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

/* Of what begins as JSON and is none, nobody knows the fields: all of it counts. Otherwise a byte
 * that is no UTF-8, or a name twice, in one field would hide what stands in another. */
bool sensor_fields_have(struct sensor_fields *f, uint64_t number, struct str header,
                        struct str line, size_t at)
{
    struct err ignored;
    struct str json = from_brace(line);
    size_t before = line.n - json.n;
    if (!json.n)
        return in_column(f, header, line, at);
    pthread_mutex_lock(&f->lock);
    if (f->line != number) {
        arena_reset(f->scratch);
        f->line = number;
        if (!json_parse(f->reader, f->scratch, json, false, &f->doc, &ignored))
            f->doc = NULL;
    }
    bool yes = !f->doc || (at >= before && in_json(f, f->doc, at - before));
    pthread_mutex_unlock(&f->lock);
    return yes;
}
