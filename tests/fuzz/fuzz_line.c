/* Any bytes as lines of a log of which fields or times are asked. The first line of the input names
 * the fields. What is said of a line is the same when it is said again, names of columns are a line
 * of the text, the first column is a field when it is named, and nothing hides in what begins as
 * JSON and is none. */
#include "sensor/sensor_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW_US INT64_C(1793000000000000)

static bool is_json(struct str text)
{
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    const struct json *doc;
    struct err e;
    must(r && a);
    bool ok = json_parse(r, a, text, false, &doc, &e);
    arena_free(a);
    json_reader_free(r);
    return ok;
}

static void ask(struct sensor_fields *f, struct sensor_fields *all, struct str header,
                struct str line)
{
    int64_t us = 0, again = 0;
    bool timed = sensor_line_time(line, NOW_US, &us);
    must(timed == sensor_line_time(line, NOW_US, &again) && us == again);
    size_t blanks = str_starts(line, STR("\xef\xbb\xbf")) ? 3 : 0;
    while (blanks < line.n && (unsigned char)line.p[blanks] <= ' ')
        blanks++;
    struct str text = str_from(line, blanks);
    bool braced = str_starts(text, STR("{")), broken = braced && !is_json(text);
    bool columns = line.n && memchr(line.p, '\t', line.n) && !braced;
    size_t step = 1 + line.n / 16;
    uint64_t number = sensor_fields_line(f);
    for (size_t at = 0; at < line.n; at += step) {
        bool has = sensor_fields_have(f, number, header, line, at);
        must(has == sensor_fields_have(f, sensor_fields_line(f), header, line, at));
        must(has || !broken);
        must(!columns || memchr(line.p, '\t', at) ||
             sensor_fields_have(all, sensor_fields_line(all), header, line, at));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sensor_fields *f, *all;
    struct err e;
    struct str text = {(const char *)data, n}, names = str_cut(&text, '\n');
    if (!names.p || !text.p || !sensor_fields_new(names, &f, &e))
        return 0;
    must(sensor_fields_new(STR("1"), &all, &e));
    struct str header = sensor_fields_header(text, 0);
    must(!header.p || (header.p >= text.p && header.p + header.n <= text.p + text.n &&
                       (header.p == text.p || header.p[-1] == '\n') &&
                       str_starts(header, STR("#fields\t")) && str_find(header, '\n') == header.n));
    while (text.p)
        ask(f, all, header, str_cut(&text, '\n'));
    sensor_fields_free(all);
    sensor_fields_free(f);
    return 0;
}
