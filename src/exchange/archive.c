/* The file that a backup is: which names it may hold, and how they are written and read. */
#include <stdio.h>
#include <string.h>

#include "exchange/archive_priv.h"
#include "json/json.h"

/* ---- names ---- */

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] == 0x7F || s.p[i] == '/' || (unsigned char)s.p[i] >= 0x80)
            return false;
    return s.n && s.p[0] != '.';
}

bool archive_name_valid(struct str name)
{
    static const char *const whole[] = {ARCHIVE_FACTS, "setu.conf",      "policy.conf",
                                        "node.key",    ARCHIVE_DATABASE, ARCHIVE_SUMS};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_eq(name, str_of(whole[i])))
            return true;
    struct str rest = name, folder = str_cut(&rest, '/');
    return name.n < ARCHIVE_NAME_BYTES &&
           (str_eq(folder, STR("tls")) || str_eq(folder, STR("peers"))) && plain(rest);
}

unsigned archive_mode(struct str name)
{
    if (str_ends(name, STR(".conf")))
        return 0640;
    return str_ends(name, STR(".pem")) || str_eq(name, STR(ARCHIVE_FACTS)) ||
                   str_eq(name, STR(ARCHIVE_SUMS))
               ? 0644
               : 0600;
}

/* ---- headers (POSIX.1-1988 §10.1.1) ---- */

/* Offset and bytes of the fields that are not zero. */
enum {
    NAME = 0,
    MODE = 100,
    UID = 108,
    GID = 116,
    SIZE = 124,
    MTIME = 136,
    SUM = 148,
    TYPE = 156,
    MAGIC = 257,
    SHORT_FIELD = 8,
    LONG_FIELD = 12
};
#define OCTAL_MOST 077777777777u

static void put_octal(unsigned char *field, size_t bytes, uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%0*llo", (int)bytes - 1, (unsigned long long)v);
    memcpy(field, text, bytes);
}

/* From 8 GiB on as all tars of today write and read it: 0x80, then the number, big-endian. */
static void put_size(unsigned char *field, uint64_t v)
{
    if (v <= OCTAL_MOST) {
        put_octal(field, LONG_FIELD, v);
        return;
    }
    field[0] = 0x80;
    for (size_t i = 0; i < 8; i++)
        field[LONG_FIELD - 1 - i] = (unsigned char)(v >> (8 * i));
}

void archive_header_put(const struct archive_member *m, unsigned char block[ARCHIVE_BLOCK])
{
    unsigned sum = 0;
    memset(block, 0, ARCHIVE_BLOCK);
    memcpy(block + NAME, m->name, strlen(m->name));
    put_octal(block + MODE, SHORT_FIELD, archive_mode(str_of(m->name)));
    put_octal(block + UID, SHORT_FIELD, 0);
    put_octal(block + GID, SHORT_FIELD, 0);
    put_size(block + SIZE, m->bytes);
    put_octal(block + MTIME, LONG_FIELD, (uint64_t)m->at_s);
    memset(block + SUM, ' ', SHORT_FIELD);
    block[TYPE] = '0';
    memcpy(block + MAGIC, "ustar\00000", 8);
    for (size_t i = 0; i < ARCHIVE_BLOCK; i++)
        sum += block[i];
    put_octal(block + SUM, SHORT_FIELD - 1, sum);
}

/* What is no number reads as some other one, whose header is then not the same. */
static uint64_t octal(const unsigned char *field, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i + 1 < bytes; i++)
        v = v << 3 | (field[i] & 7u);
    return v;
}

static uint64_t size_of(const unsigned char *field)
{
    uint64_t v = 0;
    if (!(field[0] & 0x80))
        return octal(field, LONG_FIELD);
    for (size_t i = 4; i < LONG_FIELD; i++)
        v = v << 8 | field[i];
    return v;
}

bool archive_header_get(const unsigned char block[ARCHIVE_BLOCK], struct archive_member *out,
                        struct err *e)
{
    struct archive_member m = {.bytes = size_of(block + SIZE),
                               .at_s = (int64_t)octal(block + MTIME, LONG_FIELD)};
    unsigned char again[ARCHIVE_BLOCK];
    memcpy(m.name, block + NAME, sizeof m.name - 1);
    archive_header_put(&m, again);
    if (memcmp(block, again, sizeof again) != 0)
        return err_set(e, ERR_INVALID, "is no header of a backup, or a damaged one");
    if (!archive_name_valid(str_of(m.name)))
        return err_set(e, ERR_INVALID, "names a file that no backup holds");
    *out = m;
    return true;
}

/* ---- facts ---- */

#define FORMAT "setu-backup/1"

void archive_facts_put(const struct archive_facts *f, struct buf *out)
{
    char at[INSTANT_TEXT_BYTES];
    buf_byte(out, '{');
    json_put_member(out, "format", STR(FORMAT));
    json_put_member(out, "setu", STR(SETU_VERSION));
    json_put_member_u64(out, "schema", f->schema);
    json_put_member(out, "at", instant_text(instant_of_us(f->at_us), 6, at));
    json_put_member(out, "name", f->name);
    json_put_member(out, "nation", f->nation);
    json_put_member(out, "org", f->org);
    json_put_member_u64(out, "size", f->size);
    json_put_member(out, "root", f->root);
    buf_lit(out, "}\n");
}

static bool number(const struct json *v, struct str name, uint64_t *out)
{
    const struct json *m = json_get(v, name);
    if (!json_is(m, JSON_INTEGER) || m->u.i < 0)
        return false;
    *out = (uint64_t)m->u.i;
    return true;
}

static bool facts_of(const struct json *v, struct archive_facts *out, struct err *e)
{
    struct archive_facts f = {.name = json_get_str(v, STR("name")),
                              .nation = json_get_str(v, STR("nation")),
                              .org = json_get_str(v, STR("org")),
                              .root = json_get_str(v, STR("root"))};
    struct instant at;
    if (!str_eq(json_get_str(v, STR("format")), STR(FORMAT)))
        return err_set(e, ERR_INVALID, "%s: format is not %s", ARCHIVE_FACTS, FORMAT);
    if (!instant_parse(json_get_str(v, STR("at")), &at, e) ||
        !number(v, STR("schema"), &f.schema) || !number(v, STR("size"), &f.size) || f.root.n != 64)
        return err_set(e, ERR_INVALID, "%s: at, schema, size or root is missing or malformed",
                       ARCHIVE_FACTS);
    f.at_us = instant_us(at);
    *out = f;
    return true;
}

bool archive_facts_get(struct arena *a, struct str text, struct archive_facts *out, struct err *e)
{
    const struct json *v;
    struct json_reader *r = json_reader_new();
    if (!r)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = json_parse(r, a, text, false, &v, e) || err_prefix(e, "%s", ARCHIVE_FACTS);
    ok = ok && facts_of(v, out, e);
    json_reader_free(r);
    return ok;
}
