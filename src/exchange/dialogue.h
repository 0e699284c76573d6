/*
 * The dialogue's objects in the store (docs/DIALOGUE.md): statements of rounds and commitments,
 * requests for assistance and their steps, contact points and tests of them. They are written and
 * read as any object is; here is what is asked of them besides. Threads: as exchange.h says.
 */
#ifndef EXCHANGE_DIALOGUE_H
#define EXCHANGE_DIALOGUE_H

#include "base/base.h"
#include "dialogue/dialogue.h"
#include "policy/policy.h"
#include "store/store.h"

struct exchange_session;
struct exchange_collection;
struct exchange_result;
struct principal;

/* ---- the dialogue: its objects in the store (docs/DIALOGUE.md) ---- */

/* An object of one of the dialogue's types in the newest version that its reader has. */
struct exchange_statement {
    enum dialogue_type type;
    struct str id, author, text; /* author: created_by_ref */
    const struct json *json;
    int64_t created_us, version_us, arrived_us; /* arrived: its date_added for this reader */
    int64_t source_org;                         /* who submitted it here */
    struct policy_party source;
    bool exercise;
    struct str fault; /* what its schema says against it; empty: nothing */
};
struct exchange_statement_query {
    const struct principal *who;
    unsigned types; /* bits 1u << enum dialogue_type; 0: all */
    struct str id;  /* one object; empty: all */
    bool exercise;  /* exercises, and nothing else; false: nothing else than live */
    bool both;      /* live and exercises alike */
    bool faulty;    /* also what its schema speaks against */
};
struct exchange_statements {
    const struct exchange_statement *list;
    size_t count;
};
/* What is released to q->who in any collection, each id once, in order of `created`, then id;
 * without what was revoked. All of it is in `a`. ERR_LIMIT over LIMIT_DIALOGUE_OBJECTS. */
bool exchange_dialogue_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_statement_query *q,
                            struct exchange_statements *out, struct err *e) BASE_CHECKED;

typedef void exchange_result_fn(void *ctx, const struct exchange_result *r);
struct exchange_saying {
    const struct principal *who;
    const struct exchange_collection *collection;
    struct str objects;       /* JSON: a bundle, envelope, array or one object */
    exchange_result_fn *each; /* in their order, when all are on the disk; or NULL */
    void *ctx;
};
/* Checks objects by the dialogue's schemas (ERR_INVALID, and none is stored), then accepts them as
 * exchange_prepare does, with the extension definitions that they name. Objects of other types may
 * stand among them. `*refused`: how many did not come in. */
bool exchange_dialogue_add(struct exchange_session *s, const struct exchange_saying *d,
                           size_t *refused, struct err *e) BASE_CHECKED;
/* ---- requests for assistance: objects of the dialogue, and their steps ---- */

struct exchange_step {
    const struct exchange_statement *said;
    struct dialogue_move move;
    enum dialogue_party by; /* of a step that counts */
    bool counts;
    struct str why; /* it does not count */
};
/* A request and its life up to an instant, by the steps that its reader has. A step counts when
 * its author is of the request, came from its author's nation, and the table of moves allows it. */
struct exchange_request {
    const struct exchange_statement *asked;
    struct policy_party from, to; /* to: empty when its identity is nobody's here */
    bool mine;                    /* the reader is a party: */
    enum dialogue_party side;
    struct str to_ref, referred_ref; /* referred_ref: who was added last; or empty */
    struct dialogue_life life;
    const struct exchange_step *steps; /* in order of time, also those that do not count */
    size_t step_count;
};
struct exchange_request_query {
    const struct principal *who;
    struct str id; /* an id, or how its UUID begins (4 characters or more); empty: all */
    bool exercise, both;
    int64_t as_of_us; /* 0: now, with what clocks that go ahead by LIMIT_DIALOGUE_SKEW_S say */
};
struct exchange_requests {
    const struct exchange_request *list;
    size_t count;
};
/* In order of `created`. With an id: that one, else ERR_NOT_FOUND, or ERR_CONFLICT when several
 * begin so. All of it is in `a`. */
bool exchange_requests_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_requests *out,
                            struct err *e) BASE_CHECKED;

/* Asks: the request and the step that sends it, in one transaction. Where it says no deadlines it
 * gets those of data/clocks.json; clocks are ids of that file. */
struct exchange_asking {
    struct exchange_saying say; /* who, where, who hears of the results; not the objects */
    struct dialogue_author author;
    struct dialogue_request request;
    int64_t at_us; /* when it was sent: not later than now */
    bool draft;    /* it is kept, and not sent: marked TLP:AMBER+STRICT, which nobody else reads */
};
bool exchange_request_new(struct exchange_session *s, const struct exchange_asking *q,
                          size_t *refused, struct err *e) BASE_CHECKED;
/* Sends a draft: a later version of it, marked as the author has it, and the step. Its deadlines
 * are as long as those of the draft, from now on, where it says no others. ERR_CONFLICT when it is
 * no draft, ERR_FORBIDDEN for who did not make it. */
struct exchange_sending {
    struct exchange_saying say;
    struct dialogue_author author;
    struct str id;                   /* as in a query */
    int64_t acknowledge_s, answer_s; /* 0: as in the draft */
};
bool exchange_request_send(struct exchange_session *s, const struct exchange_sending *q,
                           size_t *refused, struct err *e) BASE_CHECKED;
/* Takes a step: ERR_CONFLICT when the table of moves does not allow it to this side in the state
 * that the request has, ERR_FORBIDDEN for who is no party, ERR_INVALID where a reason is missing.
 * Marked as the request where the author has no marking. */
struct exchange_stepping {
    struct exchange_saying say;
    struct dialogue_author author;
    struct str id;             /* as in a query */
    struct str kind;           /* not empty: of this kind only, else ERR_NOT_FOUND */
    struct dialogue_move move; /* without request_ref and from; at_us 0: now */
};
bool exchange_request_step(struct exchange_session *s, const struct exchange_stepping *q,
                           size_t *refused, struct err *e) BASE_CHECKED;

/* ---- contact points, and tests of them: requests of the kind "contact-test" ---- */

struct exchange_contact {
    const struct exchange_statement *said;
    int64_t from_us, until_us; /* it holds from, until before; until INT64_MAX: no end is known */
    bool holds;                /* at q->as_of_us */
    struct str successor;      /* the id of who follows it, or empty */
    size_t test_count, answered_count;
    const struct exchange_request *test; /* the last one, or NULL */
};
struct exchange_contacts {
    const struct exchange_contact *list;
    size_t count;
};
/* As exchange_requests_read, of contact points. */
bool exchange_contacts_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_contacts *out,
                            struct err *e) BASE_CHECKED;
/* Says a contact point: `given` as for dialogue_object_put. With `follows`, the id of another one
 * of the speaker's own: that one holds until this one does, and names it as its successor, in the
 * same transaction. */
struct exchange_contact_new {
    struct exchange_saying say;
    struct dialogue_author author;
    const struct json *given;
    struct str follows;
};
bool exchange_contact_add(struct exchange_session *s, const struct exchange_contact_new *c,
                          size_t *refused, struct err *e) BASE_CHECKED;
/* Asks the contact point `id` to answer: fills kind, summary, whom and contact of q->request.
 * ERR_CONFLICT when it does not hold now; the message names its successor. */
bool exchange_contact_test(struct exchange_session *s, const struct exchange_asking *q,
                           struct str id, size_t *refused, struct err *e) BASE_CHECKED;

/* The STIX identity of an organisation: an identity's id, that of a contact point which `who` reads
 * and which holds now (ERR_CONFLICT if not), or a name of policy.conf or of a user. ERR_NOT_FOUND
 * when nobody is called so, or no identity of it is known. */
bool exchange_identity_find(struct exchange_session *s, const struct principal *who,
                            struct arena *a, struct str name, struct str *out,
                            struct err *e) BASE_CHECKED;

#endif
