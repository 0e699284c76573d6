/* Inside the room: URLs, one request and its answer, finding a collection. */
#ifndef PEER_PEER_PRIV_H
#define PEER_PEER_PRIV_H

#include "peer/curl_priv.h"
#include "peer/peer.h"

/* ---- url.c ---- */

/* An absolute URL that obeys the rules of peer_url_check; ends in a slash. */
struct peer_url {
    struct str text;
    struct str path;   /* within text */
    struct str origin; /* scheme://host:port in lower case: where credentials may go */
    bool loopback;
};
/* Reads `ref` against `base` (STR_NONE: `ref` must be absolute); text lives in `a`. */
bool peer_url_read(struct arena *a, struct str base, struct str ref, struct peer_url *out,
                   struct err *e) BASE_CHECKED;

/* What a URL names, by its path. */
enum peer_url_kind { PEER_URL_SERVER, PEER_URL_ROOT, PEER_URL_COLLECTION };
/* `base`: the discovery URL, the API root, or the collection resource; each ends in a slash. */
bool peer_url_kind(const struct peer_url *u, struct arena *a, enum peer_url_kind *kind,
                   struct str *base, struct err *e) BASE_CHECKED;
/* Appends s percent-encoded but for the unreserved characters of RFC 3986 §2.3. */
void peer_url_put(struct buf *b, struct str s);
/* May an id or alias of the server stand as a path's segment? */
bool peer_url_segment_ok(struct str id);

/* ---- http.c ---- */

struct peer_client {
    CURL *curl;
    struct curl_slist *get_headers, *post_headers, *plain_headers;
    struct arena *arena; /* what lives as long as the client */
    struct arena *reply; /* the last reply's tree */
    struct json_reader *reader;
    struct buf body;
    struct peer_url url;
    enum peer_url_kind kind;
    struct str base; /* of peer_url_kind */
    bool (*stop)(void);
    size_t most; /* bytes of an answer */
    bool plain;  /* the next answers are of any type, and the next post is JSON */
    bool heavy;  /* the last request failed because its answer was too large or too slow */
    char why[CURL_ERROR_SIZE];
};

/* An answer of 2xx in TAXII's media type, or a plain one; valid until the next request. */
struct peer_reply {
    struct str text;
    const struct json *json; /* an object; NULL of a plain answer */
    struct str last_added;   /* X-TAXII-Date-Added-Last where it is a timestamp, or STR_NONE */
};
/* GET, or POST of *post. Tries again after what passes by itself; all else is an error. */
bool peer_http(struct peer_client *c, struct str url, const struct str *post,
               struct peer_reply *out, struct err *e) BASE_CHECKED;
/* Sleeps, but not past stop. */
bool peer_wait(struct peer_client *c, int64_t ms, struct err *e) BASE_CHECKED;
/* Is this Content-Type TAXII 2.1's? */
bool peer_media_ok(struct str content_type);

/* ---- client.c ---- */

/* TAXII 2.1 §3.7 */
struct peer_envelope {
    const struct json *first;
    size_t count;
    bool more;
    struct str next;
};
bool peer_envelope_read(const struct json *v, struct peer_envelope *out,
                        struct err *e) BASE_CHECKED;

/* TAXII 2.1 §4.3.1 */
struct peer_status {
    bool complete;
    struct str id; /* STR_NONE when it cannot stand in a URL */
    uint64_t success, failure, pending;
    struct str first_failure; /* its message, or STR_NONE */
};
bool peer_status_read(const struct json *v, struct peer_status *out, struct err *e) BASE_CHECKED;

/* ---- witness.c ---- */

/* ERR_NETWORK unless these leaves are in the partner's log as `head` states it; tiles are fetched.
 */
struct peer_taking;
bool peer_leaves_check(const struct peer_taking *t, struct arena *a, const struct ledger_head *head,
                       const struct exchange_taken_back *list, size_t count,
                       struct err *e) BASE_CHECKED;
/* Reads a line of /ledger/records or /ledger/withdrawals; false when it is none. Texts live in `a`,
 * which is full when it fails for want of memory. */
bool peer_record_read(struct json_reader *reader, struct arena *a, struct str line,
                      struct ledger_evidence *out, struct ledger_record *record);
/* Is this line of /ledger/records about a restore of the partner's own node? What it claims is not
 * proven by that. Texts live in `a`, which is full when it fails for want of memory. */
bool peer_restore_read(struct json_reader *reader, struct arena *a, struct str line,
                       struct ledger_evidence *out);

/* ---- sync.c ---- */

/* The stricter of our default marking and the partner's. */
enum stix_tlp peer_stricter(enum stix_tlp ours, enum stix_tlp theirs);

/* ---- witness.c ---- */

/* GET, or POST of JSON, of a path of the client's server that is not TAXII's. The answer is in `a`,
 * with BASE_PADDING readable bytes behind it. */
bool peer_fetch(struct peer_client *c, struct arena *a, struct str path, const struct str *post,
                struct str *out, struct err *e) BASE_CHECKED;

/* The server is there, but does not have this for us. */
bool peer_not_shown(const struct err *e);

/* ---- withdrawn.c ---- */

/* Takes out of the subscription's collection what the partner withdrew since the last time, and
 * gives receipts, for which all of the partner's withdrawals are answered one after the other.
 * *count: how many. A partner whose ledger is not known, or that has no such list, has withdrawn
 * nothing. */
struct peer_taking {
    struct exchange_session *s;
    struct peer_client *c;
    const struct store_peer *p;
    const struct principal *partner;
    const struct exchange_collection *into;
    struct str remote_url; /* of the partner's collection's objects */
};
bool peer_take_back(const struct peer_taking *t, size_t *count, struct err *e) BASE_CHECKED;

#endif
