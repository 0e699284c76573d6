/* In which field of its line does something stand? Lines of JSON, and of columns between tabs. */
#include <string.h>

#include "sensor/sensor_priv.h"

struct sensor_fields {
    struct arena *text, *scratch;
    struct json_reader *reader;
    struct field {
        struct str path; /* of JSON, with dots */
        uint64_t column; /* or of columns, from 1 */
    } * list;
    size_t count;
};

bool sensor_fields_new(struct str names, struct sensor_fields **out, struct err *e)
{
    struct sensor_fields *f = base_alloc(sizeof *f);
    size_t most = 1;
    for (size_t i = 0; i < names.n; i++)
        most += names.p[i] == ',';
    if (f) {
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
    json_reader_free(f->reader);
    arena_free(f->scratch);
    arena_free(f->text);
    base_free(f);
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
            /* A name may have dots itself, as Zeek's id.orig_h. */
            struct str rest = str_from(path, child->key.n);
            if (!str_starts(path, child->key) || (rest.n && rest.p[0] != '.'))
                return false;
            path = str_from(rest, 1);
        }
        v = child;
    }
    return true;
}

static uint64_t column_of(struct str line, size_t at)
{
    uint64_t n = 1;
    for (size_t i = 0; i < at; i++)
        n += line.p[i] == '\t';
    return n;
}

bool sensor_fields_have(struct sensor_fields *f, struct str line, size_t at)
{
    const struct json *doc = NULL;
    struct err ignored;
    bool has_tabs = memchr(line.p, '\t', line.n) != NULL;
    uint64_t column = column_of(line, at);
    arena_reset(f->scratch);
    if (str_starts(str_trim(line), STR("{")) &&
        !json_parse(f->reader, f->scratch, line, false, &doc, &ignored))
        doc = NULL;
    for (size_t i = 0; i < f->count; i++) {
        const struct field *one = &f->list[i];
        if (doc ? in_path(doc, one->path, (uint32_t)at)
                : has_tabs && one->column && one->column == column)
            return true;
    }
    return false;
}
