/* Bytes as a source of indicators, and as the log they are looked for in: every alert and every
 * envelope of sightings is JSON, and each alert's place holds what it says was seen. And as
 * sightings that a run saved: what is saved is restored the same. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/crypt.h"
#include "json/json.h"
#include "sensor/sensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
    struct str log;
    struct json_reader *reader;
    struct arena *arena;
    struct sensor_sightings *sightings;
};

static void must_be_json(struct seen *s, struct str text)
{
    const struct json *doc;
    struct err e;
    arena_reset(s->arena);
    must(json_parse(s->reader, s->arena, text, false, &doc, &e));
}

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct seen *s = ctx;
    struct buf line;
    struct str seen = a->hit->seen;
    must(a->offset <= s->log.n && seen.n <= s->log.n - a->offset);
    must(memcmp(s->log.p + a->offset, seen.p, seen.n) == 0);
    size_t number, column;
    str_line_column(s->log, a->offset, &number, &column);
    must(number == a->line);
    buf_init(&line, 0);
    sensor_alert_put(&line, a);
    must_be_json(s, buf_view(&line));
    buf_done(&line);
    sensor_sightings_add(s->sightings, a);
    return true;
}

static struct sensor_sightings *sightings(void)
{
    struct sensor_sightings *g;
    struct err e;
    must(sensor_sightings_new(&g, &e));
    sensor_sightings_evidence(g);
    return g;
}

static void must_be_saved(const struct sensor_sightings *g)
{
    struct sensor_sightings *again = sightings();
    struct buf first, second;
    struct err e;
    buf_init(&first, 0);
    buf_init(&second, 0);
    sensor_sightings_save(g, &first);
    must(sensor_sightings_restore(again, buf_view(&first), &e));
    sensor_sightings_save(again, &second);
    must(str_eq(buf_view(&first), buf_view(&second)));
    buf_done(&second);
    buf_done(&first);
    sensor_sightings_free(again);
}

static void restore(struct str text)
{
    struct sensor_sightings *g = sightings();
    struct err e = {0};
    if (sensor_sightings_restore(g, text, &e))
        must_be_saved(g);
    else
        must(e.code != ERR_NONE && e.msg[0]);
    sensor_sightings_free(g);
}

static void scan(struct seen *s, const struct sensor_indicators *indicators)
{
    char name[64];
    struct err e;
    struct buf out;
    bool to_end;
    int64_t as_of = 1789344000000000;
    struct sensor_scan sc = {.set = sensor_indicators_set(indicators),
                             .as_of_us = &as_of,
                             .alert = on_alert,
                             .ctx = s,
                             .block_bytes = 64,
                             .context_bytes = 64};
    int fd = memfd_create("log", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, s->log.p, s->log.n) == (ssize_t)s->log.n);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    must(sensor_scan_input(&sc, name, &to_end, &e) && to_end);
    close(fd);
    must_be_saved(s->sightings);
    must(sensor_sightings_write(s->sightings, STR_NONE, as_of, &e));
    buf_init(&out, 0);
    sensor_sightings_put(s->sightings, 0, sensor_sightings_count(s->sightings), &out);
    must_be_json(s, buf_view(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err e;
    struct sensor_indicators *indicators = sensor_indicators_new(NULL, NULL);
    struct seen s = {.reader = json_reader_new(), .arena = arena_new(1u << 30)};
    char *text = base_alloc(n + BASE_PADDING);
    must(crypt_init(&e) && indicators && s.reader && s.arena && text);
    if (n)
        memcpy(text, data, n);
    s.log = (struct str){text, n};
    if (sensor_indicators_text(indicators, STR("fuzz"), s.log, &e)) {
        must(sensor_indicators_seal(indicators, 1789344000000000, &e));
        s.sightings = sightings();
        scan(&s, indicators);
        sensor_sightings_free(s.sightings);
    }
    restore(s.log);
    sensor_indicators_free(indicators);
    json_reader_free(s.reader);
    arena_free(s.arena);
    base_free(text);
    return 0;
}
