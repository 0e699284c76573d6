/*
 * The spool of sightings: envelopes that could not be handed over wait in a folder, one file each,
 * and go first the next time. A file is sent as it is, so what arrived twice is the same object.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

#define TAIL ".json"

static int is_envelope(const struct dirent *d)
{
    return d->d_name[0] != '.' && str_ends(str_of(d->d_name), STR(TAIL));
}

/* The oldest first: names begin with the instant. -1 when the folder cannot be read. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void names_free(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        base_free(names[i]);
    base_free(names);
}

static bool path_in(char out[LIMIT_PATH_BYTES], const char *dir, const char *name, struct err *e)
{
    int n = snprintf(out, LIMIT_PATH_BYTES, "%s/%s", dir, name);
    return (n > 0 && n < LIMIT_PATH_BYTES) ||
           err_set(e, ERR_LIMIT, "the path of %s is too long", dir);
}

bool sensor_spool_open(const char *dir, struct err *e)
{
    return mkdir(dir, 0700) == 0 || (errno == EEXIST && file_is_dir(dir)) ||
           err_errno(e, "cannot make the folder", dir);
}

bool sensor_spool_count(const char *dir, size_t *count, struct err *e)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_envelope, by_name);
    if (n < 0)
        return err_errno(e, "cannot read the folder", dir);
    names_free(names, n);
    *count = (size_t)n;
    return true;
}

/* ---- keeping ---- */

bool sensor_spool_keep(const char *dir, const struct sensor_sightings *s, size_t first,
                       struct err *e)
{
    size_t waiting, all = sensor_sightings_count(s);
    int64_t now = now_us();
    char at[INSTANT_TEXT_BYTES], path[LIMIT_PATH_BYTES];
    if (!sensor_spool_count(dir, &waiting, e))
        return false;
    for (size_t n = 0; first < all; n++) {
        size_t count = all - first < SENSOR_ENVELOPE ? all - first : SENSOR_ENVELOPE;
        struct buf b, name;
        if (waiting + n >= LIMIT_SENSOR_SPOOL_FILES)
            return err_set(e, ERR_LIMIT, "%s: %u envelopes wait already: the others are not kept",
                           dir, LIMIT_SENSOR_SPOOL_FILES);
        buf_init(&b, 0);
        buf_init(&name, LIMIT_PATH_BYTES);
        sensor_sightings_put(s, first, count, &b);
        buf_printf(&name, "%.*s-%06zu" TAIL, STR_FMT(instant_text(instant_of_us(now), 6, at)), n);
        buf_byte(&name, '\0');
        bool ok = buf_ok(&b, e) && buf_ok(&name, e) && path_in(path, dir, name.p, e) &&
                  file_write(path, buf_view(&b), 0600, e);
        buf_done(&name);
        buf_done(&b);
        if (!ok)
            return false;
        first += count;
    }
    return true;
}

/* ---- sending what waits ---- */

/* What will never be taken stands in nobody's way: it stays, under another name. */
static bool set_aside(const char *path, struct sensor_sent *out, struct err *e)
{
    char aside[LIMIT_PATH_BYTES];
    int n = snprintf(aside, sizeof aside, "%s.bad", path);
    if (n < 0 || n >= (int)sizeof aside || rename(path, aside) != 0)
        return err_errno(e, "cannot rename", path);
    if (out->failure++ == 0 && out->first_failure)
        buf_printf(out->first_failure, "%s: %s", aside, e->msg);
    return true;
}

static bool send_one(struct sensor_target *t, const char *path, struct sensor_sent *out,
                     struct err *e)
{
    struct str text;
    if (!file_read(path, LIMIT_SENSOR_ENVELOPE_BYTES, &text, e))
        return false;
    bool ok = sensor_target_put(t, text, out, e);
    base_free((void *)(uintptr_t)text.p);
    if (!ok && (e->code == ERR_SYNTAX || e->code == ERR_INVALID))
        return set_aside(path, out, e);
    return ok && (unlink(path) == 0 || err_errno(e, "cannot delete", path));
}

bool sensor_spool_send(const char *dir, struct sensor_target *t, struct sensor_sent *out,
                       struct err *e)
{
    struct dirent **names = NULL;
    char path[LIMIT_PATH_BYTES];
    bool ok = true;
    int n = scandir(dir, &names, is_envelope, by_name);
    if (n < 0)
        return err_errno(e, "cannot read the folder", dir);
    for (int i = 0; i < n && ok; i++)
        ok = path_in(path, dir, names[i]->d_name, e) && send_one(t, path, out, e);
    names_free(names, n);
    return ok;
}
