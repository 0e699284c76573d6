#include "ledger/ledger.h"

#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "ledger/ledger_priv.h"

enum { ID_BYTES = 4, ID_TEXT = 2 * ID_BYTES, TIME_BYTES = 8, TIME_BITS_MOST = 63 };

#define DASH          STR("\xE2\x80\x94 ") /* U+2014 and a space begin a signature line */
#define PRIVATE       STR("PRIVATE+KEY+")
#define COSIGN_FORMAT "cosignature/v1\ntime %llu\n"

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static void put_big_endian(char *p, size_t n, uint64_t v)
{
    for (; n > 0; v >>= 8)
        p[--n] = (char)v;
}

/* ---- texts and names ---- */

bool ledger_text_valid(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n')
            return false;
    return text.n && text.p[text.n - 1] == '\n' && utf8_valid(text);
}

/* Unicode's White_Space beyond ASCII: U+0085, 00A0, 1680, 2000 to 200A, 2028, 2029, 202F, 205F,
 * 3000. */
static bool has_wide_space(struct str s)
{
    static const char spaces[][4] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                     "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                                     "\xE2\x81\x9F", "\xE3\x80\x80"};
    for (; s.n > 1; s = str_from(s, 1)) {
        for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
            if (str_starts(s, str_of(spaces[i])))
                return true;
        if (s.n > 2 && str_starts(s, STR("\xE2\x80")) && (unsigned char)s.p[2] <= 0x8A)
            return true;
    }
    return false;
}

/* signed-note: "non-empty, no Unicode spaces or plus"; no controls, since a note has none. */
static bool name_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '+' || name.p[i] == 0x7F)
            return false;
    return name.n && name.n <= LIMIT_LEDGER_NAME_BYTES && utf8_valid(name) && !has_wide_space(name);
}

/* ---- keys ---- */

/* SHA-256(name || "\n" || type || public key)[:4] */
static uint32_t id_of(const struct ledger_key *k)
{
    const char middle[] = {'\n', (char)k->type};
    const struct str parts[] = {
        k->name, {middle, 2}, {(const char *)k->public_key, sizeof k->public_key}};
    char digest[CRYPT_SHA256_BYTES];
    crypt_sha256_parts(parts, 3, (unsigned char *)digest);
    return (uint32_t)big_endian(digest, ID_BYTES);
}

static bool hex_id(struct str s, uint32_t *id)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *digit = memchr(digits, s.p[i], 16);
        if (!digit)
            return false;
        v = v << 4 | (uint32_t)(digit - digits);
    }
    *id = v;
    return s.n == ID_TEXT;
}

/* `name+id+base64(type || 32 bytes)`; the bytes may be a secret. */
static bool key_text(struct str text, struct ledger_key *k, unsigned char bytes[32], struct err *e)
{
    unsigned char coded[1 + 32] = {0};
    size_t n = 0;
    k->name = str_cut(&text, '+');
    struct str id = str_cut(&text, '+');
    bool known = name_valid(k->name) && hex_id(id, &k->id) &&
                 crypt_base64_fill(text, coded, sizeof coded, &n);
    unsigned type = coded[0];
    memcpy(bytes, coded + 1, 32);
    crypt_wipe(coded, sizeof coded);
    if (!known)
        return err_set(e, ERR_SYNTAX, "no key of the form name+id+base64");
    if (n != sizeof coded || (type != LEDGER_KEY_LOG && type != LEDGER_KEY_WITNESS))
        return err_set(e, ERR_INVALID, "no key of Ed25519 but of type %u", type);
    k->type = (enum ledger_key_type)type;
    return true;
}

bool ledger_key_parse(struct str text, struct ledger_key *out, struct err *e)
{
    struct ledger_key k;
    if (!key_text(text, &k, k.public_key, e))
        return false;
    if (id_of(&k) != k.id)
        return err_set(e, ERR_SYNTAX, "the key's id is %08x, not as written", id_of(&k));
    *out = k;
    return true;
}

static void put_key(const struct ledger_key *k, const unsigned char bytes[32], struct buf *out)
{
    char coded[1 + 32] = {(char)k->type};
    memcpy(coded + 1, bytes, 32);
    buf_str(out, k->name);
    buf_printf(out, "+%08x+", k->id);
    crypt_base64_put(out, (struct str){coded, sizeof coded}, false);
    crypt_wipe(coded, sizeof coded);
}

void ledger_key_put(const struct ledger_key *k, struct buf *out)
{
    put_key(k, k->public_key, out);
}

bool ledger_signer_make(struct str name, enum ledger_key_type type, const unsigned char seed[32],
                        struct ledger_signer *out, struct err *e)
{
    if (!name_valid(name))
        return err_set(e, ERR_INVALID, "a key's name has 1 to %d bytes, no space, no plus",
                       LIMIT_LEDGER_NAME_BYTES);
    *out = (struct ledger_signer){.key = {.name = name, .type = type}};
    crypt_sign_keys(seed, out->key.public_key, out->secret);
    out->key.id = id_of(&out->key);
    return true;
}

bool ledger_signer_parse(struct str text, struct ledger_signer *out, struct err *e)
{
    struct ledger_signer s;
    struct ledger_key k = {0};
    unsigned char seed[32];
    if (!str_starts(text, PRIVATE))
        return err_set(e, ERR_SYNTAX, "no key that begins with PRIVATE+KEY+");
    bool ok = key_text(str_from(text, PRIVATE.n), &k, seed, e) &&
              ledger_signer_make(k.name, k.type, seed, &s, e) &&
              (s.key.id == k.id || err_set(e, ERR_SYNTAX, "the key's id is not as written"));
    if (ok)
        *out = s;
    crypt_wipe(seed, sizeof seed);
    crypt_wipe(&s, sizeof s);
    return ok;
}

void ledger_signer_put(const struct ledger_signer *s, struct buf *out)
{
    buf_str(out, PRIVATE);
    put_key(&s->key, s->secret, out); /* the seed stands first */
}

/* ---- reading notes ---- */

static bool parse_line(struct arena *arena, struct str line, struct ledger_signature *out,
                       struct err *e)
{
    struct str rest = str_from(line, DASH.n);
    out->line = line;
    if (!str_starts(line, DASH) || line.p[line.n - 1] != '\n')
        return err_set(e, ERR_SYNTAX, "no signature line");
    rest.n--;
    out->name = str_cut(&rest, ' ');
    size_t room = rest.n / 4 * 3, n = 0;
    char *bytes = arena_alloc(arena, room);
    if (!bytes)
        return arena_ok(arena, e);
    if (!name_valid(out->name) || !crypt_base64_fill(rest, bytes, room, &n) || n <= ID_BYTES)
        return err_set(e, ERR_SYNTAX, "a signature line is a name and base64");
    out->id = (uint32_t)big_endian(bytes, ID_BYTES);
    out->bytes = (struct str){bytes + ID_BYTES, n - ID_BYTES};
    return true;
}

/* `lines` is a part of `note`, for the offset of what is wrong. */
static bool parse_lines(struct arena *arena, struct str note, struct str lines,
                        struct ledger_note *out, struct err *e)
{
    size_t count = 0;
    for (size_t i = 0; i < lines.n; i++)
        count += lines.p[i] == '\n';
    if (count > LIMIT_LEDGER_SIGNATURES)
        return err_set(e, ERR_LIMIT, "more than %d signatures", LIMIT_LEDGER_SIGNATURES);
    struct ledger_signature *s = arena_calloc(arena, count + 1, sizeof *s);
    if (!s)
        return arena_ok(arena, e);
    out->signatures = s;
    out->count = 0;
    while (lines.n) {
        struct str line = str_slice(lines, 0, str_find(lines, '\n') + 1);
        if (!parse_line(arena, line, &s[out->count++], e)) {
            e->at = (size_t)(line.p - note.p);
            return false;
        }
        lines = str_from(lines, line.n);
    }
    return out->count > 0 || err_set_at(e, ERR_SYNTAX, note.n, "a note without a signature");
}

bool ledger_note_parse(struct arena *arena, struct str note, struct ledger_note *out, struct err *e)
{
    struct ledger_note n = {0};
    size_t blank = note.n;
    if (note.n > LIMIT_LEDGER_NOTE_BYTES)
        return err_set(e, ERR_LIMIT, "a note of more than %u bytes", LIMIT_LEDGER_NOTE_BYTES);
    if (!ledger_text_valid(note))
        return err_set(e, ERR_SYNTAX, "a note is UTF-8 in lines");
    /* signed-note: "separated from the signatures by the last empty line". */
    while (blank > 1 && (note.p[blank - 1] != '\n' || note.p[blank - 2] != '\n'))
        blank--;
    if (blank < 2)
        return err_set_at(e, ERR_SYNTAX, note.n, "a note has an empty line before its signatures");
    n.text = str_slice(note, 0, blank - 1);
    if (n.text.n > LIMIT_LEDGER_TEXT_BYTES)
        return err_set(e, ERR_LIMIT, "a note's text of more than %d bytes",
                       LIMIT_LEDGER_TEXT_BYTES);
    if (!parse_lines(arena, note, str_from(note, blank), &n, e))
        return false;
    *out = n;
    return true;
}

/* ---- signing and verifying ---- */

/* tlog-cosignature: two lines before the text. */
struct message {
    char bytes[64 + LIMIT_LEDGER_TEXT_BYTES];
    struct str signed_text;
};

static void witness_message(struct str text, uint64_t time_s, struct message *m)
{
    int head = snprintf(m->bytes, 64, COSIGN_FORMAT, (unsigned long long)time_s);
    must(text.n <= LIMIT_LEDGER_TEXT_BYTES);
    memcpy(m->bytes + head, text.p, text.n);
    m->signed_text = (struct str){m->bytes, (size_t)head + text.n};
}

static bool good(struct str text, const struct ledger_signature *s, const struct ledger_key *k,
                 uint64_t *time_s)
{
    struct message m = {.signed_text = text};
    size_t before = k->type == LEDGER_KEY_WITNESS ? TIME_BYTES : 0;
    if (s->bytes.n != before + CRYPT_SIGNATURE_BYTES)
        return false;
    *time_s = big_endian(s->bytes.p, before);
    if (*time_s >> TIME_BITS_MOST)
        return false;
    if (k->type == LEDGER_KEY_WITNESS)
        witness_message(text, *time_s, &m);
    return crypt_sign_verify(k->public_key, m.signed_text,
                             (const unsigned char *)s->bytes.p + before);
}

enum ledger_signed ledger_note_signed(const struct ledger_note *n, const struct ledger_key *key,
                                      uint64_t *time_s)
{
    enum ledger_signed found = LEDGER_SIGNED_NOT;
    uint64_t latest = 0, time;
    for (size_t i = 0; i < n->count; i++) {
        const struct ledger_signature *s = &n->signatures[i];
        if (s->id != key->id || !str_eq(s->name, key->name))
            continue;
        if (!good(n->text, s, key, &time))
            return LEDGER_SIGNED_FORGED;
        found = LEDGER_SIGNED_BY;
        latest = time > latest ? time : latest;
    }
    if (time_s)
        *time_s = latest;
    return found;
}

bool ledger_note_verify(const struct ledger_note *n, const struct ledger_key *keys, size_t count,
                        struct err *e)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        switch (ledger_note_signed(n, &keys[i], NULL)) {
        case LEDGER_SIGNED_NOT:
            break;
        case LEDGER_SIGNED_BY:
            any = true;
            break;
        case LEDGER_SIGNED_FORGED:
            return err_set(e, ERR_INVALID, "a forged signature of %.*s", STR_FMT(keys[i].name));
        }
    }
    return any || err_set(e, ERR_INVALID, "no signature of a known key");
}

bool ledger_note_sign(struct str text, const struct ledger_signer *s, uint64_t time_s,
                      struct buf *out, struct err *e)
{
    char coded[ID_BYTES + TIME_BYTES + CRYPT_SIGNATURE_BYTES];
    struct message m = {.signed_text = text};
    struct ledger_checkpoint c;
    bool witness = s->key.type == LEDGER_KEY_WITNESS;
    size_t n = ID_BYTES + (witness ? TIME_BYTES : 0);
    must(time_s >> TIME_BITS_MOST == 0);
    if (text.n > LIMIT_LEDGER_TEXT_BYTES || !ledger_text_valid(text))
        return err_set(e, ERR_INVALID, "no text that a note can sign");
    if (witness) {
        if (!ledger_checkpoint_read(text, &c, e))
            return false;
        witness_message(text, time_s, &m);
        put_big_endian(coded + ID_BYTES, TIME_BYTES, time_s);
    }
    put_big_endian(coded, ID_BYTES, s->key.id);
    crypt_sign(s->secret, m.signed_text, (unsigned char *)coded + n);
    buf_str(out, DASH);
    buf_str(out, s->key.name);
    buf_byte(out, ' ');
    crypt_base64_put(out, (struct str){coded, n + CRYPT_SIGNATURE_BYTES}, false);
    buf_byte(out, '\n');
    return buf_ok(out, e);
}

static bool has_signature(const struct ledger_note *n, const struct ledger_signature *s)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->signatures[i].id == s->id && str_eq(n->signatures[i].name, s->name))
            return true;
    return false;
}

bool ledger_note_add(struct arena *arena, struct str note, struct str lines, struct buf *out,
                     struct err *e)
{
    struct ledger_note old, new = {0};
    size_t kept = 0;
    if (!ledger_note_parse(arena, note, &old, e) || !parse_lines(arena, lines, lines, &new, e))
        return false;
    for (size_t i = 0; i < old.count; i++)
        kept += !has_signature(&new, &old.signatures[i]);
    if (kept + new.count > LIMIT_LEDGER_SIGNATURES)
        return err_set(e, ERR_LIMIT, "more than %d signatures", LIMIT_LEDGER_SIGNATURES);
    buf_str(out, old.text);
    buf_byte(out, '\n');
    for (size_t i = 0; i < old.count; i++)
        if (!has_signature(&new, &old.signatures[i]))
            buf_str(out, old.signatures[i].line);
    buf_str(out, lines);
    return buf_ok(out, e);
}
