#include "store/leaves.h"

#include <string.h>

#define AUDIENCE 8
#define LENGTH   4
#define SAME     4
#define HEAD     (AUDIENCE + LENGTH + 1 + SAME)

void leaf_past_init(struct leaf_past *p)
{
    p->count = 0;
    for (size_t i = 0; i < LEAF_PAST; i++)
        buf_init(&p->records[i].text, LIMIT_LEDGER_RECORD_BYTES);
}

void leaf_past_done(struct leaf_past *p)
{
    for (size_t i = 0; i < LEAF_PAST; i++)
        buf_done(&p->records[i].text);
}

void leaf_past_clear(struct leaf_past *p)
{
    p->count = 0;
}

/* ---- records and their pieces ---- */

static struct leaf_record *record_at(struct leaf_past *p, size_t leaf)
{
    return &p->records[leaf % LEAF_PAST];
}

static struct str piece(const struct leaf_record *r, size_t k)
{
    return str_slice(buf_view(&r->text), k ? r->ends[k - 1] : 0, r->ends[k]);
}

static bool ends_piece(struct str text, size_t n)
{
    return n >= 2 && text.p[n - 2] == '"' && text.p[n - 1] == ',';
}

/* Of the first piece of `text`, which is the k-th of its record. */
static size_t piece_length(struct str text, size_t k)
{
    const char *comma = text.p;
    while (k + 1 < LEAF_PIECES && (comma = memchr(comma, ',', text.n - (size_t)(comma - text.p)))) {
        size_t n = (size_t)(++comma - text.p);
        if (ends_piece(text, n))
            return n;
    }
    return text.n;
}

static void cut(struct leaf_record *r)
{
    struct str text = buf_view(&r->text);
    r->pieces = 0;
    for (size_t at = 0; at < text.n; at = r->ends[r->pieces++])
        r->ends[r->pieces] = at + piece_length(str_from(text, at), r->pieces);
}

/* The nearest record before the one at hand that has as many pieces: 0 is none. */
static size_t alike(struct leaf_past *p)
{
    const size_t pieces = record_at(p, p->count)->pieces;
    for (size_t back = 1; back < LEAF_PAST && back <= p->count; back++)
        if (record_at(p, p->count - back)->pieces == pieces)
            return pieces ? back : 0;
    return 0;
}

/* ---- writing ---- */

void leaf_put(struct leaf_past *p, const struct store_leaf *l, struct buf *out)
{
    struct leaf_record *r = record_at(p, p->count);
    uint32_t length = (uint32_t)l->record.n;
    uint32_t same = 0;
    must(l->salt.n == STORE_LEDGER_SALT_BYTES && l->record.n <= LIMIT_LEDGER_RECORD_BYTES);
    buf_clear(&r->text);
    buf_str(&r->text, l->record);
    if (r->text.failed) {
        out->failed = r->text.failed;
        return;
    }
    cut(r);
    size_t back = alike(p);
    const struct leaf_record *before = record_at(p, p->count - back);
    for (size_t k = 0; k < r->pieces && back; k++)
        same |= (uint32_t)str_eq(piece(r, k), piece(before, k)) << k;
    buf_put(out, &l->audience, AUDIENCE);
    buf_put(out, &length, LENGTH);
    buf_byte(out, (char)back);
    buf_put(out, &same, SAME);
    buf_str(out, l->salt);
    for (size_t k = 0; k < r->pieces; k++)
        if (!(same >> k & 1))
            buf_str(out, piece(r, k));
    p->count++;
}

/* ---- reading ---- */

/* There is room for all of the record. */
static void append(struct leaf_record *r, const char *bytes, size_t n)
{
    memcpy(r->text.p + r->text.n, bytes, n);
    r->text.n += n;
}

/* Appends to `r` the pieces that are as in `before`, from its next one on; false: it has none. */
static bool take_same(struct leaf_record *r, const struct leaf_record *before, uint32_t same,
                      size_t length)
{
    size_t first = r->pieces, end = first, start = first ? before->ends[first - 1] : 0;
    while (end < before->pieces && same >> end & 1)
        end++;
    if (end == first || before->ends[end - 1] - start > length - r->text.n)
        return false;
    for (size_t k = first; k < end; k++)
        r->ends[k] = r->text.n + before->ends[k] - start;
    append(r, before->text.p + start, before->ends[end - 1] - start);
    r->pieces = end;
    return true;
}

/* Appends one piece from `rest`, which is to differ from what `before` has in its place. */
static bool take_new(struct leaf_record *r, const struct leaf_record *before, struct str *rest,
                     size_t length)
{
    struct str text = str_slice(*rest, 0, length - r->text.n);
    text.n = piece_length(text, r->pieces);
    if (text.n == 0 ||
        (before && r->pieces < before->pieces && str_eq(text, piece(before, r->pieces))))
        return false;
    append(r, text.p, text.n);
    r->ends[r->pieces++] = r->text.n;
    *rest = str_from(*rest, text.n);
    return true;
}

static bool take_record(struct leaf_past *p, size_t back, uint32_t same, struct str *rest,
                        size_t length)
{
    struct leaf_record *r = record_at(p, p->count);
    const struct leaf_record *before = back ? record_at(p, p->count - back) : NULL;
    r->pieces = 0;
    if (!buf_reserve(&r->text, length))
        return false;
    while (r->text.n < length) {
        if (r->pieces == LEAF_PIECES || (r->text.n && !ends_piece(buf_view(&r->text), r->text.n)))
            return false;
        if (same >> r->pieces & 1 ? !before || !take_same(r, before, same, length)
                                  : !take_new(r, before, rest, length))
            return false;
    }
    return (r->pieces == LEAF_PIECES || same >> r->pieces == 0) && alike(p) == back;
}

static bool take(struct leaf_past *p, struct str *rest, struct store_leaf *l)
{
    uint32_t length;
    uint32_t same;
    if (rest->n < HEAD + STORE_LEDGER_SALT_BYTES)
        return false;
    memcpy(&l->audience, rest->p, AUDIENCE);
    memcpy(&length, rest->p + AUDIENCE, LENGTH);
    size_t back = (unsigned char)rest->p[AUDIENCE + LENGTH];
    memcpy(&same, rest->p + AUDIENCE + LENGTH + 1, SAME);
    l->salt = str_slice(*rest, HEAD, HEAD + STORE_LEDGER_SALT_BYTES);
    *rest = str_from(*rest, HEAD + STORE_LEDGER_SALT_BYTES);
    if (length > LIMIT_LEDGER_RECORD_BYTES || back >= LEAF_PAST || back > p->count ||
        !take_record(p, back, same, rest, length))
        return false;
    l->record = buf_view(&record_at(p, p->count)->text);
    p->count++;
    return true;
}

bool leaf_take(struct leaf_past *p, struct str *rest, struct store_leaf *l, struct err *e)
{
    struct buf *text = &record_at(p, p->count)->text;
    buf_clear(text);
    if (take(p, rest, l))
        return true;
    if (text->failed == ERR_MEMORY)
        return err_set(e, ERR_MEMORY, "out of memory");
    return err_set(e, ERR_STORE, "a leaf of the ledger is damaged");
}
