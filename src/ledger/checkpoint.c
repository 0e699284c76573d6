#include "ledger/ledger.h"

#include "crypt/crypt.h"
#include "ledger/ledger_priv.h"

void ledger_hash_put(const struct ledger_hash *h, struct buf *out)
{
    crypt_base64_put(out, (struct str){(const char *)h->b, sizeof h->b}, false);
}

bool ledger_hash_get(struct str text, struct ledger_hash *out)
{
    struct ledger_hash h;
    size_t n;
    if (!crypt_base64_fill(text, h.b, sizeof h.b, &n) || n != sizeof h.b)
        return false;
    *out = h;
    return true;
}

/* ---- writing ---- */

static bool text_of(const struct ledger_checkpoint *c, struct buf *out)
{
    buf_str(out, c->origin);
    buf_byte(out, '\n');
    buf_u64(out, c->head.size);
    buf_byte(out, '\n');
    ledger_hash_put(&c->head.root, out);
    buf_byte(out, '\n');
    buf_str(out, c->extensions);
    return out->failed == ERR_NONE;
}

/* What was written is read again, so that nothing goes out that would not come in. */
bool ledger_checkpoint_put(const struct ledger_checkpoint *c, struct buf *out, struct err *e)
{
    size_t start = out->n;
    struct ledger_checkpoint again;
    if (!text_of(c, out))
        return buf_ok(out, e);
    if (ledger_checkpoint_read(str_from(buf_view(out), start), &again, e) &&
        str_eq(again.origin, c->origin))
        return true;
    out->n = start;
    return err_set(e, ERR_INVALID, "a checkpoint's origin and extensions are lines");
}

bool ledger_checkpoint_sign(const struct ledger_checkpoint *c, const struct ledger_signer *s,
                            struct buf *out, struct err *e)
{
    size_t start = out->n;
    struct buf line;
    buf_init(&line, 0);
    bool ok = ledger_checkpoint_put(c, out, e) &&
              ledger_note_sign(str_from(buf_view(out), start), s, 0, &line, e);
    if (ok) {
        buf_byte(out, '\n');
        buf_str(out, buf_view(&line));
        ok = buf_ok(out, e);
    }
    buf_done(&line);
    return ok;
}

/* ---- reading ---- */

/* tlog-checkpoint: "no leading zeroes". */
static bool read_size(struct str s, uint64_t *out)
{
    return str_to_u64(s, out) && *out <= LIMIT_LEDGER_LEAVES && (s.p[0] != '0' || s.n == 1);
}

static bool lines_not_empty(struct str lines)
{
    while (lines.n)
        if (str_cut(&lines, '\n').n == 0)
            return false;
    return true;
}

bool ledger_checkpoint_read(struct str text, struct ledger_checkpoint *out, struct err *e)
{
    struct ledger_checkpoint c = {0};
    struct ledger_head empty;
    struct str rest = text;
    c.origin = str_cut(&rest, '\n');
    struct str size = str_cut(&rest, '\n'), root = str_cut(&rest, '\n');
    c.extensions = rest;
    if (text.n > LIMIT_LEDGER_TEXT_BYTES || !ledger_text_valid(text) || !c.origin.n ||
        !read_size(size, &c.head.size) || !ledger_hash_get(root, &c.head.root) || !rest.p ||
        !lines_not_empty(rest))
        return err_set(e, ERR_SYNTAX, "no checkpoint of a ledger");
    ledger_tree_head(&(struct ledger_tree){0}, &empty);
    if (c.head.size == 0 && !ledger_hash_eq(&c.head.root, &empty.root))
        return err_set(e, ERR_INVALID, "the checkpoint of an empty ledger with another root");
    *out = c;
    return true;
}

bool ledger_checkpoint_parse(struct arena *arena, struct str note, struct ledger_checkpoint *out,
                             struct err *e)
{
    struct ledger_checkpoint c;
    struct ledger_note n;
    if (!ledger_note_parse(arena, note, &n, e) || !ledger_checkpoint_read(n.text, &c, e))
        return false;
    c.note = n;
    *out = c;
    return true;
}

bool ledger_checkpoint_open(struct arena *arena, struct str note, const struct ledger_key *log,
                            struct ledger_checkpoint *out, struct err *e)
{
    struct ledger_checkpoint c;
    if (!ledger_checkpoint_parse(arena, note, &c, e) || !ledger_note_verify(&c.note, log, 1, e))
        return false;
    if (!str_eq(c.origin, log->name))
        return err_set(e, ERR_INVALID, "the checkpoint is of another ledger, %.*s",
                       STR_FMT(c.origin));
    *out = c;
    return true;
}
