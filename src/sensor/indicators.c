/* Collecting indicators by id, and building the set of what can be looked up. */
#include <string.h>

#include "observable/observable.h"
#include "pattern/pattern.h"
#include "sensor/sensor_priv.h"

struct sensor_indicators *sensor_indicators_new(sensor_note_fn *note, void *ctx)
{
    struct sensor_indicators *s = base_alloc(sizeof *s);
    if (!s)
        return NULL;
    s->note = note;
    s->ctx = ctx;
    buf_init(&s->marks, 0);
    s->set = match_set_new();
    s->reader = json_reader_new();
    s->kept = arena_new(LIMIT_ARENA_FILE_BYTES);
    s->scratch = arena_new(LIMIT_ARENA_FILE_BYTES);
    if (s->set && s->reader && s->kept && s->scratch)
        return s;
    sensor_indicators_free(s);
    return NULL;
}

/* What only reading needs. */
static void free_reading(struct sensor_indicators *s)
{
    json_reader_free(s->reader);
    arena_free(s->kept);
    arena_free(s->scratch);
    base_free(s->entries);
    base_free(s->slots);
    buf_done(&s->marks);
    s->reader = NULL;
    s->kept = s->scratch = NULL;
    s->entries = NULL;
    s->slots = NULL;
}

void sensor_indicators_free(struct sensor_indicators *s)
{
    if (!s)
        return;
    free_reading(s);
    match_set_free(s->set);
    match_set_free(s->compiled);
    while (s->feeds) {
        struct sensor_feed *f = s->feeds;
        s->feeds = f->next;
        sensor_feed_free(f);
    }
    base_free(s);
}

void sensor_indicators_follow(struct sensor_indicators *s)
{
    s->follows = true;
    base_random(&s->seed, sizeof s->seed);
}

void sensor_indicators_guard(struct sensor_indicators *s)
{
    s->guarded = true;
}

bool sensor_accepts(const struct sensor_indicators *s, const struct observable *o, struct err *why)
{
    uint64_t lists = s->guarded ? observable_warned(o) & OBSERVABLE_WARNINGLISTS_DEFAULT : 0;
    if (!lists)
        return true;
    struct buf names;
    buf_init(&names, 0);
    for (unsigned bit = 0; bit < OBSERVABLE_WARNINGLISTS; bit++)
        if (lists >> bit & 1)
            buf_printf(&names, "%s%.*s", names.n ? ", " : "",
                       STR_FMT(observable_warninglist_name(bit)));
    err_set(why, ERR_INVALID, "on the warning list %.*s", STR_FMT(buf_view(&names)));
    buf_done(&names);
    return false;
}

const struct match_set *sensor_indicators_set(const struct sensor_indicators *s)
{
    return s->alone ? s->compiled : s->set;
}

const struct sensor_counts *sensor_indicators_counts(const struct sensor_indicators *s)
{
    return &s->counts;
}

static void tell(const struct sensor_indicators *s, const struct sensor_note *n)
{
    if (s->note)
        s->note(s->ctx, n);
}

void sensor_note_unusable(struct sensor_indicators *s, const struct sensor_origin *from,
                          struct str id, struct str reason)
{
    s->counts.unusable++;
    tell(s, &(struct sensor_note){from->source, from->line, id, reason, false});
}

/* ---- entries by id ----------------------------------------------------------------------- */

static size_t slot_of(const struct sensor_indicators *s, struct str id)
{
    size_t at = str_hash(id, 0) & s->slot_mask;
    while (s->slots[at] && !str_eq(s->entries[s->slots[at] - 1].id, id))
        at = (at + 1) & s->slot_mask;
    return at;
}

/* Keeps the table at most half full. */
static bool make_room(struct sensor_indicators *s, struct err *e)
{
    size_t size = s->slots ? s->slot_mask + 1 : 0, bytes;
    void *items = s->entries;
    if (!base_grow(&items, &s->entry_room, s->entry_count + 1, sizeof *s->entries))
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    s->entries = items;
    if ((s->entry_count + 1) * 2 <= size)
        return true;
    size = size ? size * 2 : 1024;
    uint32_t *slots = size_mul(size, sizeof *slots, &bytes) ? base_alloc(bytes) : NULL;
    if (!slots || s->entry_count >= UINT32_MAX / 2) {
        base_free(slots);
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    }
    base_free(s->slots);
    s->slots = slots;
    s->slot_mask = size - 1;
    for (size_t i = 0; i < s->entry_count; i++)
        s->slots[slot_of(s, s->entries[i].id)] = (uint32_t)i + 1;
    return true;
}

struct sensor_entry *sensor_entry_of(const struct sensor_indicators *s, struct str id)
{
    uint32_t slot = s->slots ? s->slots[slot_of(s, id)] : 0;
    return slot ? &s->entries[slot - 1] : NULL;
}

bool sensor_take_back(struct sensor_indicators *s, struct str id, struct err *e)
{
    struct sensor_entry *old = sensor_entry_of(s, id);
    if (!old) {
        if (!make_room(s, e))
            return false;
        s->slots[slot_of(s, id)] = (uint32_t)s->entry_count + 1;
        old = &s->entries[s->entry_count++];
        *old = (struct sensor_entry){.id = arena_str(s->kept, id)};
    }
    old->gone = old->fresh = true;
    return arena_ok(s->kept, e);
}

/* ---- one indicator object ---------------------------------------------------------------- */

/* The strings of an array as a JSON array on one line. */
static struct str labels_of(struct sensor_indicators *s, const struct json *labels)
{
    struct buf b;
    if (!labels || !labels->count)
        return STR_NONE;
    buf_init(&b, 0);
    buf_byte(&b, '[');
    for (const struct json *l = labels->u.child; l; l = l->next) {
        if (l->type != JSON_STRING)
            continue;
        if (b.n > 1)
            buf_byte(&b, ',');
        json_put_string(&b, l->u.s);
    }
    buf_byte(&b, ']');
    struct str kept = b.failed ? STR_NONE : arena_str(s->kept, buf_view(&b));
    buf_done(&b);
    return kept;
}

static bool holds_mark(struct str marks, struct str id)
{
    while (marks.n)
        if (str_eq(str_cut(&marks, ' '), id))
            return true;
    return false;
}

/* Fills s->marks with those given and the ids of `refs` that are no TLP markings, each once. */
static void gather_marks(struct sensor_indicators *s, struct str given, const struct json *refs)
{
    struct buf *b = &s->marks;
    size_t count = 0;
    buf_clear(b);
    buf_str(b, given);
    for (size_t i = 0; i < given.n; i++)
        count += given.p[i] == ' ';
    for (const struct json *r = refs ? refs->u.child : NULL; r; r = r->next) {
        struct str type;
        struct err ignored;
        if (count >= LIMIT_SENSOR_MARKINGS)
            return;
        if (r->type != JSON_STRING || stix_tlp_of_id(r->u.s) != STIX_TLP_NONE ||
            !stix_id_parse(r->u.s, &type, &ignored) || !str_eq(type, STR("marking-definition")) ||
            holds_mark(buf_view(b), r->u.s))
            continue;
        buf_str(b, r->u.s);
        buf_byte(b, ' ');
        count++;
    }
}

static bool read_time(const struct json *v, struct str name, int64_t *us, struct err *why)
{
    const struct json *t = json_get(v, name);
    struct instant at;
    if (!t)
        return true;
    if (t->type != JSON_STRING)
        return err_set(why, ERR_INVALID, "%.*s is no timestamp", STR_FMT(name));
    if (!instant_parse(t->u.s, &at, why))
        return err_prefix(why, "%.*s", STR_FMT(name));
    *us = instant_us(at);
    return true;
}

/* What detection needs of an indicator; false with the reason when it cannot be used. */
static bool read_indicator(const struct stix_object *o, struct sensor_entry *n, struct err *why)
{
    struct str type = json_get_str(o->json, STR("pattern_type"));
    const struct json *pattern = json_get(o->json, STR("pattern"));
    /* STIX 2.0 knew no other language, and no pattern_type. */
    n->stix20 = !type.p && str_eq(o->spec_version, STR("2.0"));
    if (!n->stix20 && !type.p)
        return err_set(why, ERR_INVALID, "it has no pattern_type");
    if (!n->stix20 && !str_eq(type, STR("stix")))
        return err_set(why, ERR_INVALID, "pattern_type is %.*s, only stix can be looked up",
                       STR_FMT(type));
    if (!json_is(pattern, JSON_STRING))
        return err_set(why, ERR_INVALID, "it has no pattern");
    n->pattern = pattern->u.s;
    return read_time(o->json, STR("valid_from"), &n->from_us, why) &&
           read_time(o->json, STR("valid_until"), &n->until_us, why);
}

/* Copies what an entry borrows of its document. */
static bool keep_entry(struct sensor_indicators *s, struct sensor_entry *n,
                       const struct sensor_entry *old, struct err *e)
{
    struct sensor_entry none = {0};
    const struct sensor_entry *last = s->entry_count ? &s->entries[s->entry_count - 1] : &none;
    n->id = old ? old->id : arena_str(s->kept, n->id);
    n->source = str_eq(last->source, n->source) ? last->source : arena_str(s->kept, n->source);
    n->name = n->name.n ? arena_str(s->kept, n->name) : STR_NONE;
    n->pattern = n->pattern.n ? arena_str(s->kept, n->pattern) : STR_NONE;
    n->reason = n->reason.n ? arena_str(s->kept, n->reason) : STR_NONE;
    if (n->marks.n) /* many feeds give all their objects the same */
        n->marks = str_eq(last->marks, n->marks) ? last->marks : arena_str(s->kept, n->marks);
    return arena_ok(s->kept, e);
}

/* One version from two sources: the strictest marking of both, and the others of both. */
static bool join_copies(struct sensor_indicators *s, struct sensor_entry *old,
                        const struct stix_object *o, enum stix_tlp tlp, struct err *e)
{
    if (tlp > old->tlp)
        old->tlp = tlp;
    gather_marks(s, old->marks, o->markings);
    if (s->marks.n > old->marks.n)
        old->marks = arena_str(s->kept, buf_view(&s->marks));
    return buf_ok(&s->marks, e) && arena_ok(s->kept, e);
}

bool sensor_take(struct sensor_indicators *s, const struct sensor_origin *from,
                 const struct json *v, struct err *e)
{
    struct stix_object o;
    struct err why = {0};
    struct str type = json_get_str(v, STR("type"));
    if (json_is(v, JSON_OBJECT) && type.p && !str_eq(type, STR("indicator")))
        return true;
    if (!stix_object_read(v, &o, &why)) {
        sensor_note_unusable(s, from, json_get_str(v, STR("id")), str_of(why.msg));
        return true;
    }
    if (!make_room(s, e))
        return false;
    uint32_t *slot = &s->slots[slot_of(s, o.id)];
    struct sensor_entry *old = *slot ? &s->entries[*slot - 1] : NULL;
    enum stix_tlp tlp = o.tlp != STIX_TLP_NONE ? o.tlp : from->tlp;
    bool again = old && old->gone;
    if (old && !again && o.version_us == old->version_us)
        return join_copies(s, old, &o, tlp, e);
    if (old && !again && o.version_us < old->version_us)
        return true;
    struct sensor_entry n = {.source = from->source,
                             .id = o.id,
                             .line = from->line,
                             .name = json_get_str(v, STR("name")),
                             .version_us = o.version_us,
                             .from_us = INT64_MIN,
                             .until_us = INT64_MAX,
                             .tlp = tlp,
                             .revoked = o.revoked,
                             .again = again || (old && old->again),
                             .fresh = true};
    if (!n.revoked && !read_indicator(&o, &n, &why))
        n.reason = str_of(why.msg);
    n.labels = labels_of(s, o.labels);
    gather_marks(s, STR_NONE, o.markings);
    n.marks = buf_view(&s->marks);
    if (!buf_ok(&s->marks, e) || !keep_entry(s, &n, old, e))
        return false;
    if (!old) {
        *slot = (uint32_t)++s->entry_count;
        old = &s->entries[s->entry_count - 1];
    }
    *old = n;
    return true;
}

/* ---- beside a compiled set --------------------------------------------------------------- */

bool sensor_indicators_open(struct sensor_indicators *s, const char *path, struct err *e)
{
    if (s->compiled)
        return err_set(e, ERR_USAGE,
                       "%s is a second compiled set: make one of both with `setu compile`", path);
    if (!match_set_open(path, &s->compiled, e))
        return false;
    if (match_set_blinded(s->compiled)) {
        if (!s->has_key)
            return err_set(e, ERR_USAGE, "%s is blinded: --blind-key must name its key", path);
        if (!match_set_unblind(s->compiled, s->blind_key, e))
            return err_prefix(e, "%s", path);
    }
    s->counts.used += match_set_indicators(s->compiled);
    return true;
}

/* As join_copies, with what the compiled set holds. */
static bool join_compiled(struct sensor_indicators *s, struct sensor_entry *n,
                          const struct match_indicator *i, struct err *e)
{
    struct str marks = i->marks;
    enum stix_tlp tlp;
    if (i->tlp.n && stix_tlp_parse(i->tlp, &tlp) && tlp > n->tlp)
        n->tlp = tlp;
    buf_clear(&s->marks);
    buf_str(&s->marks, n->marks);
    while (marks.n) {
        struct str mark = str_cut(&marks, ' ');
        if (!mark.n || holds_mark(n->marks, mark))
            continue;
        buf_str(&s->marks, mark);
        buf_byte(&s->marks, ' ');
    }
    if (s->marks.n > n->marks.n)
        n->marks = arena_str(s->kept, buf_view(&s->marks));
    return buf_ok(&s->marks, e) && arena_ok(s->kept, e);
}

/* The newest version of an id counts, whether the compiled set holds it or what was read besides:
 * the set falls silent about those that it does not hold. */
static bool settle_versions(struct sensor_indicators *s, struct err *e)
{
    size_t count = s->entry_count ? match_set_indicators(s->compiled) : 0;
    for (size_t k = 0; k < count; k++) {
        struct match_indicator i = match_set_get(s->compiled, (uint32_t)k);
        uint32_t slot = i.stix ? s->slots[slot_of(s, i.id)] : 0;
        struct sensor_entry *n = slot ? &s->entries[slot - 1] : NULL;
        if (!n)
            continue;
        n->outdated = n->version_us < i.version_us;
        if (n->outdated)
            continue;
        s->counts.used--;
        if (!match_set_silence(s->set, i.id, e) ||
            (n->version_us == i.version_us && !join_compiled(s, n, &i, e)))
            return false;
    }
    return true;
}

/* ---- from patterns to values ------------------------------------------------------------- */

struct building {
    struct sensor_indicators *s;
    const struct sensor_entry *entry;
    bool added; /* the indicator stands in the set under `index` */
    uint32_t index;
    size_t left_out; /* values that are no observable of the scanner */
    struct err first, *e;
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
};

static bool add_indicator(struct building *b)
{
    const struct sensor_entry *n = b->entry;
    struct match_indicator m = {.id = n->id,
                                .name = n->name,
                                .labels = n->labels,
                                .from_us = n->from_us,
                                .until_us = n->until_us,
                                .stix = true,
                                .version_us = n->version_us,
                                .marks = n->marks};
    if (n->tlp != STIX_TLP_NONE)
        m.tlp = str_of(stix_tlp_name(n->tlp));
    b->added = b->added || match_set_indicator(b->s->set, &m, &b->index, b->e);
    return b->added;
}

static bool each_atom(void *ctx, const struct pattern_atom *a)
{
    struct building *b = ctx;
    struct observable o;
    struct err why = {0};
    enum observable_kind kind;
    bool good = observable_kind_of_path(a->object_type, a->path, &kind);
    if (!good)
        err_set(&why, ERR_INVALID, "nothing looks for %.*s:%.*s", STR_FMT(a->object_type),
                STR_FMT(a->path));
    else if (!observable_normalize(kind, a->value, true, b->text, sizeof b->text, &o, &why))
        good = err_prefix(&why, "\"%.*s\" is no %s", STR_FMT(a->value), observable_kind_name(kind));
    else if (!sensor_accepts(b->s, &o, &why))
        good = err_prefix(&why, "\"%.*s\"", STR_FMT(a->value));
    if (good)
        return add_indicator(b) && match_set_value(b->s->set, b->index, &o, b->e);
    if (b->left_out++ == 0)
        b->first = why;
    return true;
}

/* Says what of the pattern was left out, if anything. */
static void judge(struct building *b, size_t undecided, const char *why)
{
    struct sensor_indicators *s = b->s;
    const struct sensor_entry *n = b->entry;
    struct err reason = {0};
    struct sensor_origin from = {n->source, n->line, n->tlp};
    if (undecided && !b->added && !b->left_out)
        err_set(&reason, ERR_INVALID, "no value of its pattern suffices alone: %s", why);
    else if (undecided)
        err_set(&reason, ERR_INVALID, "%zu of its alternatives cannot be looked up: %s",
                undecided + b->left_out, why);
    else if (b->left_out)
        err_set(&reason, ERR_INVALID, "%s", b->first.msg);
    else if (!b->added)
        err_set(&reason, ERR_INVALID, "its pattern holds no value to look up");
    if (!b->added) {
        sensor_note_unusable(s, &from, n->id, str_of(reason.msg));
    } else if (undecided || b->left_out) {
        s->counts.in_part++;
        tell(s, &(struct sensor_note){n->source, n->line, n->id, str_of(reason.msg), true});
    }
}

static bool build_entry(struct building *b, int64_t now_us, struct err *e)
{
    struct sensor_indicators *s = b->s;
    const struct sensor_entry *n = b->entry;
    struct sensor_origin from = {n->source, n->line, n->tlp};
    struct pattern *pattern;
    struct err why = {0};
    const char *word = NULL;
    if (n->outdated)
        return true;
    if (n->revoked) {
        s->counts.revoked++;
        return true;
    }
    if (n->reason.n) {
        sensor_note_unusable(s, &from, n->id, n->reason);
        return true;
    }
    arena_reset(s->scratch);
    if (!pattern_parse(s->scratch, n->pattern, n->stix20 ? PATTERN_STIX_20 : PATTERN_STIX_21,
                       &pattern, &why)) {
        err_prefix(&why, "its pattern, at byte %zu", why.at + 1);
        sensor_note_unusable(s, &from, n->id, str_of(why.msg));
        return true;
    }
    b->added = false;
    b->left_out = 0;
    e->code = ERR_NONE;
    size_t undecided = pattern_atoms(pattern, each_atom, b, &word);
    if (e->code != ERR_NONE)
        return false;
    judge(b, undecided, word);
    if (b->added && (now_us < n->from_us || now_us >= n->until_us))
        s->counts.not_in_force++;
    else if (b->added)
        s->counts.used++;
    return true;
}

/* What is said of an id below, as settle_versions has it. */
static bool settle_one(struct sensor_indicators *s, struct sensor_entry *n,
                       const struct match_indicator *below, struct err *e)
{
    n->outdated = n->version_us < below->version_us;
    return n->version_us != below->version_us || join_compiled(s, n, below, e);
}

bool sensor_indicators_build(struct sensor_indicators *s, sensor_below_fn *below, void *ctx,
                             int64_t now_us, struct err *e)
{
    struct match_indicator i;
    sensor_note_fn *note = s->note;
    struct building *b = base_alloc(sizeof *b);
    if (!b)
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    b->s = s;
    b->e = e;
    bool ok = true;
    for (size_t k = 0; k < s->entry_count && ok; k++) {
        struct sensor_entry *n = &s->entries[k];
        n->outdated = false;
        if (!n->gone && !n->again && below(ctx, n->id, &i))
            ok = settle_one(s, n, &i, e);
        if (!ok || n->outdated)
            continue;
        b->entry = n;
        s->note = n->fresh ? note : NULL;
        ok = match_set_silence(s->set, n->id, e) && (n->gone || build_entry(b, now_us, e));
    }
    s->note = note;
    base_free(b);
    return ok;
}

bool sensor_indicators_seal(struct sensor_indicators *s, int64_t now_us, struct err *e)
{
    struct building *b = base_alloc(sizeof *b);
    if (!b)
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    b->s = s;
    b->e = e;
    bool ok = !s->compiled || settle_versions(s, e);
    for (size_t i = 0; i < s->entry_count && ok; i++) {
        b->entry = &s->entries[i];
        ok = build_entry(b, now_us, e);
    }
    base_free(b);
    s->alone = s->compiled && !s->entry_count && !match_set_indicators(s->set);
    free_reading(s);
    if (!ok || s->alone)
        return ok;
    if (s->compiled)
        match_set_over(s->set, s->compiled);
    return match_set_seal(s->set, e);
}

void sensor_indicators_key(struct sensor_indicators *s, const unsigned char *key)
{
    memcpy(s->blind_key, key, sizeof s->blind_key);
    s->has_key = true;
}

/* What was sealed, in a set that lies over no other. */
static bool make_whole(const struct sensor_indicators *s, struct match_set **out, struct err *e)
{
    struct match_set *whole = match_set_new();
    bool ok = whole || err_set(e, ERR_MEMORY, "no memory for the indicators");
    ok = ok && match_set_copy(whole, sensor_indicators_set(s), e) && match_set_seal(whole, e);
    if (ok)
        *out = whole;
    else
        match_set_free(whole);
    return ok;
}

bool sensor_indicators_compile(const struct sensor_indicators *s, const char *path, struct err *e)
{
    struct match_set *whole = NULL;
    if (!s->compiled)
        return match_set_write(s->set, path, e);
    bool ok = make_whole(s, &whole, e) && match_set_write(whole, path, e);
    match_set_free(whole);
    return ok;
}

bool sensor_indicators_blind(const struct sensor_indicators *s, const unsigned char *key,
                             const char *path, struct err *e)
{
    struct match_set *whole = NULL, *blind = NULL;
    bool ok = (!s->compiled || make_whole(s, &whole, e)) &&
              match_set_blind(whole ? whole : s->set, key, &blind, e) &&
              match_set_write(blind, path, e);
    match_set_free(blind);
    match_set_free(whole);
    return ok;
}
