/*
 * The dialogue of two nations as data: reading a press statement into the draft of a round, the
 * public record, norms, the objects that carry requests and commitments, the states of a request
 * and its clocks. It stores nothing and decides nothing: a draft is for an officer to confirm, and
 * what a text does not say is null. Any thread may call; a reading lives in its caller's arena.
 */
#ifndef DIALOGUE_DIALOGUE_H
#define DIALOGUE_DIALOGUE_H

#include "base/base.h"
#include "json/json.h"

/* ---- reading a statement ---- */

struct dialogue_draft;

/* Drafts the round that `text` reports. The draft lives in `a`, which `text` must outlive too.
 * ERR_INVALID if the text is not UTF-8, ERR_TOO_LARGE over LIMIT_DIALOGUE_TEXT_BYTES, ERR_LIMIT
 * over LIMIT_DIALOGUE_WORDS. A text that is about no dialogue is no error: its draft is empty. */
bool dialogue_read(struct arena *a, struct json_reader *jr, struct str text,
                   const struct dialogue_draft **out, struct err *e) BASE_CHECKED;
/* Is the text about a round of a dialogue? */
bool dialogue_draft_found(const struct dialogue_draft *d);
/* {"round":{…},"findings":[…]} on one line; docs/DIALOGUE.md names the fields. */
void dialogue_draft_json(const struct dialogue_draft *d, struct buf *out);
/* The same for people, over several lines. */
void dialogue_draft_text(const struct dialogue_draft *d, struct buf *out);

/* ---- reference data ---- */

enum dialogue_reference {
    DIALOGUE_REFERENCE_NORMS,  /* the UN norms a to k, the OSCE measures, what counts for which */
    DIALOGUE_REFERENCE_CLOCKS, /* clocks of the law, zones of nations */
    DIALOGUE_REFERENCE_EXTENSIONS, /* the STIX extension definitions of the types below */
    DIALOGUE_REFERENCE_INDIA_JAPAN /* the public record of that dialogue, each fact with its source
                                    */
};
/* JSON text that the program carries; docs/DIALOGUE.md describes each. */
struct str dialogue_reference(enum dialogue_reference which);
/* May a measure be computed for the UN norm of that letter? False for f and k, which are
 * declaratory, and for what is no norm. */
bool dialogue_norm_computable(struct str letter);

/* ---- objects ---- */

/* STIX types that Setu adds, each by an extension definition of its own; schema files have the
 * third name. */
#define DIALOGUE_TYPES(X)                                                                          \
    X(REQUEST, "assistance-request", assistance_request)                                           \
    X(MOVE, "assistance-move", assistance_move)                                                    \
    X(CONTACT, "contact-point", contact_point)                                                     \
    X(INSTRUMENT, "dialogue-instrument", instrument)                                               \
    X(ROUND, "dialogue-round", round)                                                              \
    X(COMMITMENT, "dialogue-commitment", commitment)                                               \
    X(MEASURE, "dialogue-measure", measure)                                                        \
    X(ASSESSMENT, "dialogue-assessment", assessment)

enum dialogue_type {
#define X(id, type, file) DIALOGUE_##id,
    DIALOGUE_TYPES(X)
#undef X
};
#define DIALOGUE_TYPE_COUNT 8

/* False if `type` is none of them. */
bool dialogue_type_of(struct str type, enum dialogue_type *out) BASE_CHECKED;
const char *dialogue_type_name(enum dialogue_type type);
/* The id of the type's extension definition: fixed, since objects name it for ever. */
const char *dialogue_extension_id(enum dialogue_type type);
/* The JSON schema (2020-12) of the type. */
struct str dialogue_schema(enum dialogue_type type);

/* One finding: where in the source, the member's path as in $.heads[0].side, a sentence. Valid
 * during the call. */
typedef void dialogue_finding_fn(void *ctx, size_t at, struct str path, struct str message);

/* The schemas, parsed; in `a`. Read-only and shared once made. */
struct dialogue_rules;
bool dialogue_rules_load(struct arena *a, struct json_reader *jr, const struct dialogue_rules **out,
                         struct err *e) BASE_CHECKED;
/* Checks an object of one of these types: by its schema, then what several members must satisfy
 * together. Returns the number of findings. What is of another type is one finding. */
size_t dialogue_object_check(const struct dialogue_rules *rules, const struct json *v,
                             dialogue_finding_fn *report, void *ctx);

/* ---- building objects ---- */

/* Appends one object as JSON, made now, with an id of its own; the caller checks the buffer. Texts
 * are borrowed; empty ones are left out. */
struct dialogue_author {
    struct str identity; /* created_by_ref */
    struct str marking;  /* object_marking_refs, one; or empty */
    int64_t now_us;
    bool exercise;
};
struct dialogue_request {
    struct str kind, summary, description, to_ref, urgency, instrument_ref, escalation_ref;
    const struct str *subject_refs, *contact_refs, *clocks;
    size_t subject_count, contact_count, clock_count;
    int64_t noticed_us, acknowledge_by_us, answer_by_us; /* 0: none */
};
void dialogue_request_put(const struct dialogue_author *by, const struct dialogue_request *q,
                          struct buf *out);
/* An object of any of the types, from members that somebody wrote down. */
struct dialogue_making {
    enum dialogue_type type;
    const struct json *base; /* an earlier version or a draft, whose id and created stay; or NULL */
    const struct json *given; /* members that take the place of the base's; null: without it */
};
/* ERR_INVALID when `given` is no object or has members that are not for a person to say: type, id,
 * dates of the version, creator, extensions. A version is later than its base. */
bool dialogue_object_put(const struct dialogue_author *by, const struct dialogue_making *m,
                         struct buf *out, struct err *e) BASE_CHECKED;
/* The draft as a round; fields that are null are left out. False if the draft is empty. */
bool dialogue_round_put(const struct dialogue_author *by, const struct dialogue_draft *d,
                        struct buf *out) BASE_CHECKED;

/* ---- clocks ---- */

/* Microseconds since 1970, UTC; a deadline is an instant, whatever zone shows it. */
struct dialogue_pause {
    int64_t from_us, to_us; /* to_us INT64_MAX: goes on */
};
struct dialogue_clock {
    int64_t start_us, length_s;
    bool pausable; /* clocks of the law are not */
    const struct dialogue_pause *pauses;
    size_t pause_count;
    int64_t stopped_us; /* when what was due was done; INT64_MAX: not yet */
};
enum dialogue_clock_state {
    DIALOGUE_CLOCK_RUNNING,
    DIALOGUE_CLOCK_PAUSED,
    DIALOGUE_CLOCK_MET,
    DIALOGUE_CLOCK_MET_LATE,
    DIALOGUE_CLOCK_OVERDUE,
    DIALOGUE_CLOCK_VOID /* nothing is due any more; of deadlines below only */
};
const char *dialogue_clock_name(enum dialogue_clock_state s);
/* When it is due, as known at `now_us`: the length behind the start, moved by the pauses that began
 * before it ran out. Pauses may overlap and stand in any order. ERR_LIMIT over
 * LIMIT_DIALOGUE_CLOCK_S or LIMIT_DIALOGUE_PAUSES, ERR_INVALID for a pause that ends before it
 * begins. */
bool dialogue_clock_due(const struct dialogue_clock *c, int64_t now_us, int64_t *due_us,
                        struct err *e) BASE_CHECKED;
bool dialogue_clock_state(const struct dialogue_clock *c, int64_t now_us,
                          enum dialogue_clock_state *out, struct err *e) BASE_CHECKED;

/* data/clocks.json: a clock by its id, and the zone of a nation. */
struct dialogue_law {
    struct str id, nation, what, instrument; /* nation and instrument are empty for a habit */
    int64_t seconds;
    bool pausable;
};
struct dialogue_clocks;
bool dialogue_clocks_load(struct arena *a, struct json_reader *jr,
                          const struct dialogue_clocks **out, struct err *e) BASE_CHECKED;
bool dialogue_clocks_find(const struct dialogue_clocks *c, struct str id,
                          struct dialogue_law *out) BASE_CHECKED;
/* "UTC" where none is known. */
struct str dialogue_clocks_zone(const struct dialogue_clocks *c, struct str nation);

/* Appends, as an array, the instruments and rounds of a public record that the program carries:
 * "india-japan". They are `identity`'s, their sources are external references, their ids and
 * versions follow from the record and the identity, so that they are the same bytes every time.
 * ERR_NOT_FOUND when there is no such record. */
bool dialogue_record_put(struct arena *a, struct json_reader *jr, struct str name,
                         struct str identity, struct buf *out, struct err *e) BASE_CHECKED;

/* ---- the states of a request ---- */

#define DIALOGUE_STATES(X)                                                                         \
    X(DRAFT, "draft")                                                                              \
    X(SENT, "sent")                                                                                \
    X(ACKNOWLEDGED, "acknowledged")                                                                \
    X(IN_PROGRESS, "in-progress")                                                                  \
    X(ANSWERED, "answered")                                                                        \
    X(PARTLY_ANSWERED, "partly-answered")                                                          \
    X(DECLINED, "declined")                                                                        \
    X(REFERRED, "referred")                                                                        \
    X(WITHDRAWN, "withdrawn")                                                                      \
    X(EXPIRED, "expired")

enum dialogue_state {
#define X(id, text) DIALOGUE_##id,
    DIALOGUE_STATES(X)
#undef X
};
#define DIALOGUE_STATE_COUNT 10

/* Who makes a move: the side that asks, the side that is asked, or the clock. */
enum dialogue_party { DIALOGUE_ASKING, DIALOGUE_ASKED, DIALOGUE_CLOCK };

const char *dialogue_state_name(enum dialogue_state s);
bool dialogue_state_parse(struct str name, enum dialogue_state *out) BASE_CHECKED;
/* Is that move in the table? ERR_CONFLICT with a sentence if not. */
bool dialogue_move_allowed(enum dialogue_state from, enum dialogue_state to, enum dialogue_party by,
                           struct err *e) BASE_CHECKED;
/* Does the move need a reason (declined, referred)? Is the state one that nothing leaves? */
bool dialogue_move_needs_reason(enum dialogue_state to);
bool dialogue_state_final(enum dialogue_state s);

/* What a step is: a move from state to state, a pause of the answer's clock and its end, an
 * escalation to another contact, a note in the thread. */
#define DIALOGUE_EVENTS(X)                                                                         \
    X(MOVES, "move")                                                                               \
    X(PAUSES, "pause")                                                                             \
    X(RESUMES, "resume")                                                                           \
    X(ESCALATES, "escalate")                                                                       \
    X(NOTES, "note")

enum dialogue_event {
#define X(id, text) DIALOGUE_##id,
    DIALOGUE_EVENTS(X)
#undef X
};
#define DIALOGUE_EVENT_COUNT 5

const char *dialogue_event_name(enum dialogue_event v);
bool dialogue_event_parse(struct str name, enum dialogue_event *out) BASE_CHECKED;

/* A step as an object; from and to are those of a move. */
struct dialogue_move {
    struct str request_ref, reason_code, reason, referred_to_ref, contact_ref, text, reply_to_ref;
    enum dialogue_event event;
    enum dialogue_state from, to;
    const struct str *answer_refs;
    size_t answer_count;
    int64_t at_us;
};
void dialogue_move_put(const struct dialogue_author *by, const struct dialogue_move *m,
                       struct buf *out);
/* The other way, of an object that dialogue_object_check found sound; texts are the object's, its
 * answers stand in answer_refs. */
void dialogue_move_read(const struct json *v, struct dialogue_move *out);

/* ---- the life of a request ---- */

/* What became of a request up to an instant, by the steps that count, taken in order of time. */
struct dialogue_life {
    enum dialogue_state state;
    int64_t acknowledge_by_us, answer_by_us; /* of the request; 0: none */
    /* 0: not yet. Answered: wholly, or declined; replied: at least in part. */
    int64_t sent_us, acknowledged_us, replied_us, answered_us, withdrawn_us, escalated_us;
    bool paused;
    struct dialogue_pause pauses[LIMIT_DIALOGUE_PAUSES];
    size_t pause_count;
};
struct dialogue_step {
    enum dialogue_event event;
    enum dialogue_state from, to;
    enum dialogue_party by;
    int64_t at_us;
};
void dialogue_life_begin(struct dialogue_life *l, int64_t acknowledge_by_us, int64_t answer_by_us);
/* Lets the clock run up to an instant: what is past its last day expires. */
void dialogue_life_until(struct dialogue_life *l, int64_t at_us);
/* Takes a step, or says why it does not count (ERR_CONFLICT, ERR_LIMIT) and changes nothing but the
 * clock. A move begins in the state that the request has; the side that is asked pauses and goes
 * on; every move ends a pause; either side escalates while something is to be done. */
bool dialogue_life_take(struct dialogue_life *l, const struct dialogue_step *s,
                        struct err *e) BASE_CHECKED;

/* A deadline of a request as it stands at `now_us`. */
struct dialogue_deadline {
    int64_t due_us;
    enum dialogue_clock_state state;
};
/* To acknowledge, which never pauses, and to answer; false: the request has none, or was not sent.
 * VOID: withdrawn before. */
bool dialogue_life_acknowledge(const struct dialogue_life *l, int64_t now_us,
                               struct dialogue_deadline *out) BASE_CHECKED;
bool dialogue_life_answer(const struct dialogue_life *l, int64_t now_us,
                          struct dialogue_deadline *out) BASE_CHECKED;
/* A clock of the law, from `noticed_us` (0: from sending), met by the first reply. */
bool dialogue_life_law(const struct dialogue_life *l, const struct dialogue_law *law,
                       int64_t noticed_us, int64_t now_us,
                       struct dialogue_deadline *out) BASE_CHECKED;

/* ---- zones ---- */

#define DIALOGUE_LOCAL_BYTES 48
/* Writes an instant as a clock in that zone shows it, e.g. 2026-03-08T14:30:00+05:30. Asia/Kolkata,
 * Asia/Tokyo and UTC are fixed and need no file; other zones are read from the system's tz
 * database. ERR_NOT_FOUND for a zone that is not there. */
bool dialogue_local(int64_t at_us, struct str zone, char out[DIALOGUE_LOCAL_BYTES],
                    struct err *e) BASE_CHECKED;
/* Seconds east of UTC at an instant by a TZif file's bytes (RFC 8536). */
bool dialogue_zone_offset(struct str tzif, int64_t at_s, int32_t *offset_s,
                          struct err *e) BASE_CHECKED;

#endif
