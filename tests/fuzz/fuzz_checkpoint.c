/* Any bytes as a signed note, as a checkpoint, as a key and as lines to add to a note. What is read
 * is written back the same, and no signature of our key is believed that our key did not make. */
#include "crypt/crypt.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

#define OUR_NOTE                                                                                   \
    "in.example/ledger\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— a x08go/ZJkuA=\n"

struct fuzz {
    struct arena *arena;
    struct buf out;
    struct ledger_key key;
};

static struct fuzz *fuzz_of(void)
{
    static const unsigned char seed[32] = "a seed that no input has guessed";
    static struct fuzz f;
    struct ledger_signer s;
    struct err e;
    if (!f.arena) {
        must(crypt_init(&e) && (f.arena = arena_new(1 << 22)));
        must(ledger_signer_make(STR("in.example/ledger"), LEDGER_KEY_LOG, seed, &s, &e));
        f.key = s.key;
    }
    arena_reset(f.arena);
    buf_clear(&f.out);
    return &f;
}

static void check_note(struct fuzz *f, const struct ledger_note *note, struct str text)
{
    struct str rest = str_from(text, note->text.n + 1);
    must(str_starts(text, note->text) && note->count > 0);
    must(note->count <= LIMIT_LEDGER_SIGNATURES);
    for (size_t i = 0; i < note->count; i++) {
        must(str_starts(rest, note->signatures[i].line));
        rest = str_from(rest, note->signatures[i].line.n);
    }
    must(rest.n == 0);
    must(ledger_note_signed(note, &f->key, NULL) != LEDGER_SIGNED_BY);
}

static void check_key(struct fuzz *f, struct str text)
{
    struct ledger_key k;
    struct ledger_signer s;
    struct err e;
    buf_clear(&f->out);
    if (ledger_key_parse(text, &k, &e))
        ledger_key_put(&k, &f->out);
    else if (ledger_signer_parse(text, &s, &e))
        ledger_signer_put(&s, &f->out);
    else
        return;
    must(str_eq(buf_view(&f->out), text));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct fuzz *f = fuzz_of();
    struct str text = {(const char *)data, n};
    struct ledger_note note;
    struct ledger_checkpoint c;
    struct err e = {0};
    if (ledger_note_parse(f->arena, text, &note, &e))
        check_note(f, &note, text);
    else
        must(e.code != ERR_NONE && e.msg[0] && e.at <= n);
    if (ledger_checkpoint_parse(f->arena, text, &c, &e)) {
        must(ledger_checkpoint_put(&c, &f->out, &e));
        must(str_eq(buf_view(&f->out), c.note.text));
    }
    must(!ledger_checkpoint_open(f->arena, text, &f->key, &c, &e));
    buf_clear(&f->out);
    if (ledger_note_add(f->arena, STR(OUR_NOTE), text, &f->out, &e))
        must(ledger_note_parse(f->arena, buf_view(&f->out), &note, &e));
    check_key(f, text);
    return 0;
}
