/* A statement: reading must end, what is valid UTF-8 must give a draft that is valid JSON, and the
 * same bytes must give the same draft (looked at for one input of sixteen). */
#include "base/base.h"
#include "dialogue/dialogue.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct json_reader *reader;
    static struct arena *a;
    struct str text = {(const char *)data, n};
    const struct dialogue_draft *d;
    const struct json *v;
    struct buf b, again;
    struct err e;
    if (!reader) {
        reader = json_reader_new();
        a = arena_new((size_t)1 << 30);
    }
    must(reader && a);
    arena_reset(a);
    if (!dialogue_read(a, reader, text, &d, &e)) {
        must(e.code != ERR_NONE && (!utf8_valid(text) || n > 1000));
        return 0;
    }
    buf_init(&b, 0);
    buf_init(&again, 0);
    dialogue_draft_json(d, &b);
    must(json_parse(reader, a, buf_view(&b), false, &v, &e));
    if (n % 16 == 0) {
        must(dialogue_read(a, reader, text, &d, &e));
        dialogue_draft_json(d, &again);
        must(str_eq(buf_view(&b), buf_view(&again)));
    }
    buf_clear(&b);
    dialogue_draft_text(d, &b);
    buf_done(&b);
    buf_done(&again);
    return 0;
}
