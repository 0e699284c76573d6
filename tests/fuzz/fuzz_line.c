/* Any bytes as lines of a log of which fields or times are asked. The first line of the input names
 * the fields. What is said of a line is the same when it is said again, names of columns are a line
 * of the text, and all columns are a field when all are named. */
#include "sensor/sensor_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW_US INT64_C(1793000000000000)

static void ask(struct sensor_fields *f, struct sensor_fields *all, struct str header,
                struct str line)
{
    int64_t us = 0, again = 0;
    bool timed = sensor_line_time(line, NOW_US, &us);
    must(timed == sensor_line_time(line, NOW_US, &again) && us == again);
    bool columns = line.n && memchr(line.p, '\t', line.n) && line.p[0] != '{' &&
                   !str_starts(str_trim(line), STR("{"));
    size_t step = 1 + line.n / 16;
    for (size_t at = 0; at < line.n; at += step) {
        bool has = sensor_fields_have(f, header, line, at);
        must(has == sensor_fields_have(f, header, line, at));
        must(!columns || memchr(line.p, '\t', at) || sensor_fields_have(all, header, line, at));
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
