#include "ledger/ledger.h"

#include <string.h>

#define NUMBER_MOST ((uint64_t)1 << 53) /* what every reader of JSON still tells apart */
#define DIGITS      6                   /* of a second: the clock has microseconds */

enum form { TEXT, DIGEST, NUMBER };

static const struct {
    const char *name;
    enum form form;
} fields[] = {
#define X(name, text, form) {text, form},
    LEDGER_FIELDS(X)
#undef X
};

#define F(f)   ((uint32_t)1 << LEDGER_##f)
#define RULED  (F(RULE) | F(LINE) | F(POLICY))
#define ALWAYS (F(ACTOR) | F(AT) | F(KIND))
static const struct {
    const char *name;
    uint32_t needs, may;
} kinds[] = {
#define X(name, text, needs, may) {text, ALWAYS | (needs), may},
    LEDGER_KINDS(X)
#undef X
};

_Static_assert(LEDGER_FIELD_COUNT <= 32, "fields are the bits of one word");

const char *ledger_kind_name(enum ledger_kind k)
{
    return kinds[k].name;
}

const char *ledger_field_name(enum ledger_field f)
{
    return fields[f].name;
}

uint32_t ledger_kind_needs(enum ledger_kind k)
{
    return kinds[k].needs;
}

uint32_t ledger_kind_allows(enum ledger_kind k)
{
    return kinds[k].needs | kinds[k].may;
}

/* ---- filling ---- */

void ledger_record_text(struct ledger_record *r, enum ledger_field f, struct str s)
{
    must(fields[f].form != NUMBER && f != LEDGER_AT && f != LEDGER_KIND);
    r->text[f] = s;
    r->fields = s.n ? r->fields | (uint32_t)1 << f : r->fields & ~((uint32_t)1 << f);
}

void ledger_record_number(struct ledger_record *r, enum ledger_field f, uint64_t n)
{
    must(fields[f].form == NUMBER);
    r->number[f] = n;
    r->fields |= (uint32_t)1 << f;
}

/* ---- writing ---- */

static bool is_digest(struct str s)
{
    unsigned bad = 0;
    if (s.n != 2 * LEDGER_HASH_BYTES)
        return false;
    for (size_t i = 0; i < 2 * LEDGER_HASH_BYTES; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bad |= (unsigned char)((unsigned char)(c - '0') > 9) &
               (unsigned char)((unsigned char)(c - 'a') > 5);
    }
    return !bad;
}

static bool form_ok(const struct ledger_record *r, unsigned f)
{
    switch (fields[f].form) {
    case TEXT:
        return f == LEDGER_AT || f == LEDGER_KIND || utf8_valid(r->text[f]);
    case DIGEST:
        return is_digest(r->text[f]);
    case NUMBER:
        return r->number[f] <= NUMBER_MOST;
    }
    must(false);
    return false;
}

/* The lowest bit that is set. */
static unsigned lowest(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

static bool record_ok(const struct ledger_record *r, uint32_t set, struct err *e)
{
    uint32_t lacks = kinds[r->kind].needs & ~set, wrong = set & ~ledger_kind_allows(r->kind);
    const char *what = lacks ? "lacks" : "has no";
    wrong = lacks ? lacks : wrong;
    for (uint32_t left = set; left && !wrong; left &= left - 1) {
        if (!form_ok(r, lowest(left))) {
            wrong = left;
            what = "has an ill-formed";
        }
    }
    return !wrong || err_set(e, ERR_INVALID, "a record of kind %s %s %s", kinds[r->kind].name, what,
                             fields[lowest(wrong)].name);
}

/* Names are ASCII and sorted, so the order of the table is that of RFC 8785. */
/* Names are words of ours: nothing in them is to be escaped. */
static void put_name(struct buf *out, unsigned field)
{
    const struct str name = str_of(fields[field].name);
    if (!buf_reserve(out, name.n + 4))
        return;
    if (out->p[out->n - 1] != '{')
        out->p[out->n++] = ',';
    out->p[out->n++] = '"';
    memcpy(out->p + out->n, name.p, name.n);
    out->n += name.n;
    out->p[out->n++] = '"';
    out->p[out->n++] = ':';
}

/* What needs no escapes. */
static void put_plain(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    buf_str(out, s);
    buf_byte(out, '"');
}

static void put_value(const struct ledger_record *r, unsigned f, struct buf *out)
{
    char at[INSTANT_TEXT_BYTES];
    if (f == LEDGER_AT)
        put_plain(out, instant_text(instant_of_us(r->at_us), DIGITS, at));
    else if (f == LEDGER_KIND)
        put_plain(out, str_of(kinds[r->kind].name));
    else if (fields[f].form == DIGEST)
        put_plain(out, r->text[f]);
    else if (fields[f].form == NUMBER)
        buf_u64(out, r->number[f]);
    else
        json_put_string(out, r->text[f]);
}

bool ledger_record_put(const struct ledger_record *r, struct buf *out, struct err *e)
{
    const uint32_t set = r->fields | F(AT) | F(KIND);
    size_t start = out->n;
    if (!record_ok(r, set, e))
        return false;
    buf_byte(out, '{');
    for (uint32_t left = set; left; left &= left - 1) {
        put_name(out, lowest(left));
        put_value(r, lowest(left), out);
    }
    buf_byte(out, '}');
    if (buf_ok(out, e) && out->n - start <= LIMIT_LEDGER_RECORD_BYTES)
        return true;
    if (!out->failed)
        err_set(e, ERR_LIMIT, "a record of more than %u bytes", LIMIT_LEDGER_RECORD_BYTES);
    out->n = start;
    return false;
}

/* ---- reading ---- */

static bool name_of(struct str s, const char *(*name)(size_t), size_t count, size_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(s, str_of(name(i)))) {
            *out = i;
            return true;
        }
    }
    return false;
}

static const char *field_at(size_t i)
{
    return fields[i].name;
}

static const char *kind_at(size_t i)
{
    return kinds[i].name;
}

static bool take_member(struct ledger_record *r, const struct json *m)
{
    struct instant at;
    struct err ignored;
    size_t f, k;
    if (!name_of(m->key, field_at, LEDGER_FIELD_COUNT, &f))
        return false;
    if (fields[f].form == NUMBER) {
        if (m->type != JSON_INTEGER || m->u.i < 0)
            return false;
        ledger_record_number(r, (enum ledger_field)f, (uint64_t)m->u.i);
        return true;
    }
    if (m->type != JSON_STRING)
        return false;
    if (f == LEDGER_AT) {
        if (!instant_parse(m->u.s, &at, &ignored))
            return false;
        r->at_us = instant_us(at);
    } else if (f == LEDGER_KIND) {
        if (!name_of(m->u.s, kind_at, LEDGER_KIND_COUNT, &k))
            return false;
        r->kind = (enum ledger_kind)k;
    } else {
        ledger_record_text(r, (enum ledger_field)f, m->u.s);
    }
    return true;
}

/* What was read is written again: only what comes out the same was canonical and complete. */
bool ledger_record_parse(struct json_reader *reader, struct arena *arena, struct str json,
                         struct ledger_record *out, struct err *e)
{
    struct ledger_record r = {0};
    const struct json *doc;
    struct buf again;
    if (json.n > LIMIT_LEDGER_RECORD_BYTES)
        return err_set(e, ERR_LIMIT, "a record of more than %u bytes", LIMIT_LEDGER_RECORD_BYTES);
    if (!json_parse(reader, arena, json, false, &doc, e))
        return false;
    bool ok = json_is(doc, JSON_OBJECT);
    for (const struct json *m = ok ? doc->u.child : NULL; m && ok; m = m->next)
        ok = take_member(&r, m);
    if (!ok)
        return err_set(e, ERR_INVALID, "no record of a ledger");
    buf_init(&again, 0);
    ok = ledger_record_put(&r, &again, e) &&
         (str_eq(buf_view(&again), json) || err_set(e, ERR_INVALID, "a record not canonical"));
    buf_done(&again);
    if (ok)
        *out = r;
    return ok;
}
