/* Keys, signed notes, cosignatures and checkpoints: vectors of C2SP and of Go's sumdb/note, a
 * checkpoint of a public log with its witnesses, and what must not be read. */
#include "crypt/crypt.h"
#include "ledger/ledger.h"
#include "test.h"

#define PETER_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SECRET                                                                               \
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define ENOCH_KEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define TEXT                                                                                       \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define PETER                                                                                      \
    "— PeterNeumann "                                                                            \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
#define ENOCH                                                                                      \
    "— EnochRoot "                                                                               \
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
/* The example of C2SP signed-note. */
#define FOO_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_NOTE                                                                                   \
    "This is an example message.\n\n— example.com/foo "                                          \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=" \
    "\n"

/* A public log of Certificate Transparency; its first signature is of a type that we do not know.
 */
#define ARCHE "arche2025h1.staging.ct.transparency.dev"
#define ARCHE_NOTE                                                                                 \
    ARCHE                                                                                          \
    "\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"                               \
    "— " ARCHE " zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpw"      \
    "tEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n"                                                  \
    "— " ARCHE " ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA"      \
    "23oHP7Ry1k3ZFWwQ=\n"                                                                          \
    "— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/K"     \
    "YTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n"                            \
    "— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH"     \
    "+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n"                                          \
    "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCI"     \
    "obWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"                                                        \
    "— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUv"     \
    "Vr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n"

static const char *const arche_keys[] = {
    ARCHE "+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "transparency.dev/DEV:witness-little-garden+d8042a87+"
    "BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
};

static struct ledger_key key_of(const char *text)
{
    struct ledger_key k = {0};
    struct err e = {0};
    CHECK_ROW(ledger_key_parse(str_of(text), &k, &e), "%s: %s", text, e.msg);
    return k;
}

/* ---- keys ---- */

static const char *const bad_keys[] = {
    "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
    "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "rekor.sigstore.dev+12345678+AwEB",
    "bananas.sigstore.dev+12344556",
    "++",
    "",
};

static void test_keys(void)
{
    struct ledger_key k;
    struct ledger_signer s;
    struct buf b;
    struct err e;
    char text[200];
    buf_init(&b, 0);
    for (size_t i = 0; i < sizeof arche_keys / sizeof *arche_keys; i++) {
        k = key_of(arche_keys[i]);
        buf_clear(&b);
        ledger_key_put(&k, &b);
        CHECK(str_eq(buf_view(&b), str_of(arche_keys[i])));
        CHECK(k.type == (i ? LEDGER_KEY_WITNESS : LEDGER_KEY_LOG));
    }
    for (size_t i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++)
        CHECK_ROW(!ledger_key_parse(str_of(bad_keys[i]), &k, &e), "%s", bad_keys[i]);
    CHECK(ledger_signer_parse(STR(PETER_SECRET), &s, &e) && s.key.id == 0xc74f20a3);
    buf_clear(&b);
    ledger_signer_put(&s, &b);
    CHECK(str_eq(buf_view(&b), STR(PETER_SECRET)));
    buf_clear(&b);
    ledger_key_put(&s.key, &b);
    CHECK(str_eq(buf_view(&b), STR(PETER_KEY)));
    for (size_t i = 0; i < sizeof PETER_KEY - 1; i++) {
        strcpy(text, PETER_KEY);
        text[i]++;
        CHECK_ROW(!ledger_key_parse(str_of(text), &k, &e), "%s", text);
        CHECK(!ledger_key_parse(str_slice(STR(PETER_KEY), 0, i), &k, &e));
        CHECK(!ledger_key_parse(str_from(STR(PETER_KEY), i + 1), &k, &e));
    }
    for (size_t i = 0; i < sizeof PETER_SECRET - 1; i++) {
        strcpy(text, PETER_SECRET);
        text[i]++;
        CHECK_ROW(!ledger_signer_parse(str_of(text), &s, &e), "%s", text);
        CHECK(!ledger_signer_parse(str_slice(STR(PETER_SECRET), 0, i), &s, &e));
    }
    buf_done(&b);
}

struct name_row {
    const char *name;
    bool valid;
};

static const struct name_row names[] = {
    {"cert-in.example/ledger", true},
    {"सेतु.example", true},
    {"", false},
    {"a b", false},
    {"a+b", false},
    {"a\tb", false},
    {"a\xC2\x85", false},
    {"a\xC2\xA0z", false},
    {"\xE1\x9A\x80", false},
    {"\xE2\x80\x80", false},
    {"a\xE2\x80\x8A", false},
    {"a\xE2\x80\x8B", true},
    {"a\xE2\x80\xA8", false},
    {"a\xE2\x80\xAF", false},
    {"a\xE2\x81\x9F", false},
    {"a\xE3\x80\x80", false},
    {"a\x7F", false},
    {"a\xFF", false},
    {"a\xE3\x80\x81", true},
};

static void test_names(void)
{
    static const unsigned char seed[32] = {7};
    char longest[LIMIT_LEDGER_NAME_BYTES + 2];
    struct ledger_signer s;
    struct err e;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_ROW(ledger_signer_make(str_of(names[i].name), LEDGER_KEY_LOG, seed, &s, &e) ==
                      names[i].valid,
                  "row %zu", i);
    memset(longest, 'a', sizeof longest);
    struct str name = {longest, LIMIT_LEDGER_NAME_BYTES};
    CHECK(ledger_signer_make(name, LEDGER_KEY_LOG, seed, &s, &e));
    name.n++;
    CHECK(!ledger_signer_make(name, LEDGER_KEY_LOG, seed, &s, &e));
}

/* ---- notes ---- */

static bool parses(const char *note, struct arena *a, struct ledger_note *n)
{
    struct err e = {0};
    bool ok = ledger_note_parse(a, str_of(note), n, &e);
    CHECK_ROW(ok || (e.code != ERR_NONE && e.at <= strlen(note)), "%s", note);
    return ok;
}

static void test_vectors(void)
{
    struct arena *a = arena_new(1 << 20);
    struct ledger_key peter = key_of(PETER_KEY), enoch = key_of(ENOCH_KEY), foo = key_of(FOO_KEY);
    struct ledger_key both[] = {peter, enoch};
    struct ledger_note n;
    struct err e;
    CHECK(parses(FOO_NOTE, a, &n) && n.count == 1 && ledger_note_verify(&n, &foo, 1, &e));
    CHECK(str_eq(n.text, STR("This is an example message.\n")));
    CHECK(!ledger_note_verify(&n, &peter, 1, &e) && e.code == ERR_INVALID);
    CHECK(parses(TEXT "\n" PETER "\n" ENOCH "\n", a, &n) && n.count == 2);
    CHECK(str_eq(n.text, STR(TEXT)) && str_eq(n.signatures[1].line, STR(ENOCH "\n")));
    CHECK(ledger_note_verify(&n, &peter, 1, &e) && ledger_note_verify(&n, both, 2, &e));
    CHECK(ledger_note_signed(&n, &foo, NULL) == LEDGER_SIGNED_NOT);
    CHECK(!ledger_note_verify(&n, NULL, 0, &e));
    /* A good signature beside a forged one of another key that we know. */
    peter.public_key[0] ^= 1;
    both[0] = peter;
    CHECK(ledger_note_signed(&n, &peter, NULL) == LEDGER_SIGNED_FORGED);
    CHECK(!ledger_note_verify(&n, both, 2, &e));
    CHECK(parses(TEXT "\n" ENOCH "\n" ENOCH "\n", a, &n) && ledger_note_verify(&n, &enoch, 1, &e));
    /* The text may have empty lines: the last one ends it. */
    CHECK(parses("a\n\nb\n\n" PETER "\n", a, &n) && str_eq(n.text, STR("a\n\nb\n")));
    CHECK(parses("\n\n" PETER "\n", a, &n) && str_eq(n.text, STR("\n")));
    arena_free(a);
}

static const char *const bad_notes[] = {
    "",
    "\n",
    "\n\n",
    TEXT,
    TEXT "\n",
    TEXT "\n" PETER,
    TEXT PETER "\n",
    "\x01" TEXT "\n" PETER "\n",
    "a\r\n\n" PETER "\n",
    "\xff" TEXT "\n" PETER "\n",
    TEXT "\n— Bad Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUg==\n",
    TEXT "\n" PETER "\nUnexpected line.\n",
    TEXT "\n" PETER " \n",
    TEXT "\n" PETER "\n— \n",
    TEXT "\n— PeterNeumann\n",
    TEXT "\n— PeterNeumann \n",
    TEXT "\n— PeterNeumann x08goA\n",
    TEXT "\n— PeterNeumann x08gow==\n",
    TEXT "\n—  x08go/ZJkuA=\n",
    TEXT "\n- PeterNeumann x08go/ZJkuA=\n",
};

static void test_bad_notes(void)
{
    struct arena *a = arena_new(1 << 22);
    struct ledger_note n = {0};
    struct err e;
    struct buf b;
    for (size_t i = 0; i < sizeof bad_notes / sizeof *bad_notes; i++)
        CHECK_ROW(!parses(bad_notes[i], a, &n) && n.count == 0, "row %zu", i);
    buf_init(&b, 0);
    buf_lit(&b, TEXT "\n");
    for (int i = 0; i < LIMIT_LEDGER_SIGNATURES; i++)
        buf_lit(&b, PETER "\n");
    CHECK(ledger_note_parse(a, buf_view(&b), &n, &e));
    buf_lit(&b, PETER "\n");
    CHECK(!ledger_note_parse(a, buf_view(&b), &n, &e) && e.code == ERR_LIMIT);
    buf_clear(&b);
    while (b.n < LIMIT_LEDGER_TEXT_BYTES)
        buf_lit(&b, "a line\n");
    buf_lit(&b, "\n" PETER "\n");
    CHECK(!ledger_note_parse(a, buf_view(&b), &n, &e) && e.code == ERR_LIMIT);
    while (b.n <= LIMIT_LEDGER_NOTE_BYTES)
        buf_lit(&b, "a line\n");
    CHECK(!ledger_note_parse(a, buf_view(&b), &n, &e) && e.code == ERR_LIMIT);
    buf_done(&b);
    arena_free(a);
}

static void test_public_log(void)
{
    struct arena *a = arena_new(1 << 20);
    struct ledger_checkpoint c;
    struct ledger_key log = key_of(arche_keys[0]);
    struct err e = {0};
    CHECK_ROW(ledger_checkpoint_open(a, STR(ARCHE_NOTE), &log, &c, &e), "%s", e.msg);
    CHECK(str_eq(c.origin, STR(ARCHE)) && c.head.size == 1432088532 && c.extensions.n == 0);
    CHECK(c.note.count == 6);
    for (size_t i = 1; i < sizeof arche_keys / sizeof *arche_keys; i++) {
        struct ledger_key k = key_of(arche_keys[i]);
        uint64_t time_s = 0;
        CHECK_ROW(ledger_note_signed(&c.note, &k, &time_s) == LEDGER_SIGNED_BY, "%s",
                  arche_keys[i]);
        CHECK(time_s == 0x6a122120);
        k.public_key[31] ^= 1;
        CHECK(ledger_note_signed(&c.note, &k, &time_s) == LEDGER_SIGNED_FORGED);
    }
    struct ledger_key other = key_of(arche_keys[1]);
    CHECK(!ledger_checkpoint_open(a, STR(ARCHE_NOTE), &other, &c, &e)); /* a witness is no log */
    arena_free(a);
}

/* ---- signing ---- */

static void test_signing(void)
{
    struct arena *a = arena_new(1 << 20);
    struct ledger_signer peter;
    struct buf b, more;
    struct err e = {0};
    buf_init(&b, 0);
    buf_init(&more, 0);
    CHECK(ledger_signer_parse(STR(PETER_SECRET), &peter, &e));
    buf_lit(&b, TEXT "\n");
    CHECK(ledger_note_sign(STR(TEXT), &peter, 0, &b, &e));
    CHECK(str_eq(buf_view(&b), STR(TEXT "\n" PETER "\n")));
    /* Another's line is added, one's own takes the place of the old. */
    CHECK(ledger_note_add(a, buf_view(&b), STR(ENOCH "\n"), &more, &e));
    CHECK(str_eq(buf_view(&more), STR(TEXT "\n" PETER "\n" ENOCH "\n")));
    buf_clear(&b);
    CHECK(ledger_note_add(a, STR(TEXT "\n— PeterNeumann x08go/ZJkuA=\n" ENOCH "\n"),
                          STR(PETER "\n"), &b, &e));
    CHECK(str_eq(buf_view(&b), STR(TEXT "\n" ENOCH "\n" PETER "\n")));
    CHECK(!ledger_note_add(a, STR(TEXT "\n" PETER "\n"), STR("\n"), &b, &e));
    CHECK(!ledger_note_add(a, STR(TEXT "\n" PETER "\n"), STR_NONE, &b, &e));
    CHECK(!ledger_note_add(a, STR(TEXT), STR(PETER "\n"), &b, &e));
    CHECK(!ledger_note_sign(STR("no line"), &peter, 0, &b, &e) && e.code == ERR_INVALID);
    peter.key.type = LEDGER_KEY_WITNESS;
    CHECK(!ledger_note_sign(STR(TEXT), &peter, 0, &b, &e)); /* no checkpoint */
    buf_done(&b);
    buf_done(&more);
    arena_free(a);
}

/* ---- checkpoints ---- */

#define ROOT  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

struct checkpoint_row {
    const char *text, *extensions; /* NULL: not valid */
    uint64_t size;
};

static const struct checkpoint_row rows[] = {
    {"example.com/behind-the-sofa\n20852163\n" ROOT "\n", "", 20852163},
    {"Log\n123\n" ROOT "\nlots\nof\nlines\n", "lots\nof\nlines\n", 123},
    {"Moon Log\n9223372036854775807\n" ROOT "\n", "", 9223372036854775807u},
    {"Log\n0\n" EMPTY "\n", "", 0},
    {"Log\n0\n" ROOT "\n", NULL, 0},
    {"Log\n123\n" ROOT "\n\n", NULL, 0},
    {"Log\n123\n" ROOT "\na\n\nb\n", NULL, 0},
    {"Log\n123\n" ROOT, NULL, 0},
    {"\n123\n" ROOT "\n", NULL, 0},
    {"Log\n9944\n", NULL, 0},
    {"Log\n0123\n" ROOT "\n", NULL, 0},
    {"Log\n-34\n" ROOT "\n", NULL, 0},
    {"Log\n 34\n" ROOT "\n", NULL, 0},
    {"Log\n\n" ROOT "\n", NULL, 0},
    {"Log\nbananas\n" ROOT "\n", NULL, 0},
    {"Log\n9223372036854775808\n" ROOT "\n", NULL, 0},
    {"Log\n3438945738945739845734895735\n" ROOT "\n", NULL, 0},
    {"Log\n123\nYmFuYW5hcw==\n", NULL, 0},
    {"Log\n123\nThisIsn'tBase64\n", NULL, 0},
    {"Log\n123\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", NULL, 0},
    {"", NULL, 0},
};

/* Signs the text, valid or not, as a log would. */
static void sign_text(const char *text, const struct ledger_signer *s, struct buf *out)
{
    struct err e;
    buf_clear(out);
    buf_lit(out, text);
    buf_byte(out, '\n');
    CHECK(ledger_note_sign(*text ? str_of(text) : STR("\n"), s, 0, out, &e) ||
          e.code == ERR_INVALID);
}

static void test_checkpoints(void)
{
    struct arena *a = arena_new(1 << 20);
    struct ledger_signer peter;
    struct buf b, again;
    struct err e;
    buf_init(&b, 0);
    buf_init(&again, 0);
    CHECK(ledger_signer_parse(STR(PETER_SECRET), &peter, &e));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ledger_checkpoint c = {0};
        sign_text(rows[i].text, &peter, &b);
        bool ok = ledger_checkpoint_parse(a, buf_view(&b), &c, &e);
        CHECK_ROW(ok == (rows[i].extensions != NULL), "row %zu", i);
        if (!ok)
            continue;
        CHECK(c.head.size == rows[i].size && str_eq(c.extensions, str_of(rows[i].extensions)));
        buf_clear(&again);
        CHECK(ledger_checkpoint_put(&c, &again, &e));
        CHECK(str_eq(buf_view(&again), str_of(rows[i].text)));
        c.extensions = STR("a\n\n");
        CHECK(!ledger_checkpoint_put(&c, &again, &e) && again.n == strlen(rows[i].text));
        c.extensions = STR("no end");
        CHECK(!ledger_checkpoint_put(&c, &again, &e));
        c.extensions = STR_NONE;
        c.origin = STR("a\nb");
        CHECK(!ledger_checkpoint_put(&c, &again, &e));
        c.origin = STR_NONE;
        CHECK(!ledger_checkpoint_put(&c, &again, &e) && e.code == ERR_INVALID);
    }
    buf_done(&b);
    buf_done(&again);
    arena_free(a);
}

/* ---- two nodes: one signs, the other witnesses ---- */

struct pair {
    struct arena *arena;
    struct ledger_signer log, witness;
    struct buf note;
};

static void pair_init(struct pair *p)
{
    static const unsigned char seeds[2][32] = {{1}, {2}};
    struct ledger_checkpoint c = {.origin = STR("in.example/ledger"), .head = {3, {{9}}}};
    struct buf line;
    struct err e;
    buf_init(&p->note, 0);
    buf_init(&line, 0);
    p->arena = arena_new(1 << 24);
    CHECK(ledger_signer_make(c.origin, LEDGER_KEY_LOG, seeds[0], &p->log, &e));
    CHECK(ledger_signer_make(STR("jp.example/w"), LEDGER_KEY_WITNESS, seeds[1], &p->witness, &e));
    CHECK(ledger_checkpoint_sign(&c, &p->log, &p->note, &e));
    CHECK(ledger_checkpoint_parse(p->arena, buf_view(&p->note), &c, &e));
    CHECK(ledger_note_sign(c.note.text, &p->witness, 1679315147, &line, &e));
    struct str signed_note = arena_str(p->arena, buf_view(&p->note));
    buf_clear(&p->note);
    CHECK(ledger_note_add(p->arena, signed_note, buf_view(&line), &p->note, &e));
    buf_done(&line);
}

static void pair_done(struct pair *p)
{
    buf_done(&p->note);
    arena_free(p->arena);
}

static void test_witness(void)
{
    struct pair p;
    struct ledger_checkpoint c;
    uint64_t time_s = 0;
    struct err e;
    pair_init(&p);
    struct ledger_key keys[] = {p.log.key, p.witness.key};
    CHECK(ledger_checkpoint_open(p.arena, buf_view(&p.note), &p.log.key, &c, &e));
    CHECK(c.note.count == 2 && ledger_note_verify(&c.note, keys, 2, &e));
    CHECK(ledger_note_signed(&c.note, &p.witness.key, &time_s) == LEDGER_SIGNED_BY);
    CHECK(time_s == 1679315147);
    CHECK(ledger_note_signed(&c.note, &p.log.key, &time_s) == LEDGER_SIGNED_BY && time_s == 0);
    struct ledger_key other = p.log.key;
    other.name = STR("in.example/other"); /* the same secret under another name is another key */
    CHECK(!ledger_checkpoint_open(p.arena, buf_view(&p.note), &other, &c, &e));
    pair_done(&p);
}

/* Any bit of the note: then the log's signature, or the witness's, does not hold. */
static void test_tampering(void)
{
    struct pair p;
    struct ledger_checkpoint c;
    struct err e;
    pair_init(&p);
    for (size_t i = 0; i < p.note.n * 8; i++) {
        p.note.p[i / 8] = (char)(p.note.p[i / 8] ^ 1 << i % 8);
        arena_reset(p.arena);
        bool ok = ledger_checkpoint_open(p.arena, buf_view(&p.note), &p.log.key, &c, &e) &&
                  ledger_note_signed(&c.note, &p.witness.key, NULL) == LEDGER_SIGNED_BY;
        CHECK_ROW(!ok, "bit %zu", i);
        p.note.p[i / 8] = (char)(p.note.p[i / 8] ^ 1 << i % 8);
    }
    for (size_t n = 0; n < p.note.n; n++) {
        char *exact = malloc(n ? n : 1);
        memcpy(exact, p.note.p, n);
        arena_reset(p.arena);
        bool ok = ledger_checkpoint_open(p.arena, (struct str){exact, n}, &p.log.key, &c, &e) &&
                  ledger_note_signed(&c.note, &p.witness.key, NULL) == LEDGER_SIGNED_BY;
        CHECK_ROW(!ok, "prefix %zu", n);
        free(exact);
    }
    pair_done(&p);
}

int main(void)
{
    struct err e;
    CHECK(crypt_init(&e));
    test_keys();
    test_names();
    test_vectors();
    test_bad_notes();
    test_public_log();
    test_signing();
    test_checkpoints();
    test_witness();
    test_tampering();
    TEST_END();
}
