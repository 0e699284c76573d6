/* Shared by the files of this room. */
#ifndef TAXII_TAXII_PRIV_H
#define TAXII_TAXII_PRIV_H

#include "taxii/taxii.h"

#define TAXII_STIX_TYPE "application/stix+json;version=2.1"

/* What the query of a read endpoint asks for (TAXII 2.1 §3.4). */
struct taxii_filter {
    struct exchange_query q; /* collection is the caller's */
    bool nothing;            /* no object here can match */
    unsigned wait_s;         /* how long to wait for a first one, where none is there */
};

/* May match[id] and match[type] stand here? Not on one object's endpoints. */
bool taxii_filter_read(struct http_request *r, const struct exchange_collection *c, bool by_object,
                       struct taxii_filter *out, struct err *e) BASE_CHECKED;
/* `next` (§3.5): the last date_added seen and a MAC that ties it to this node and collection. */
void taxii_next_put(struct http_request *r, const struct exchange_collection *c, int64_t last,
                    struct buf *out);

/* TAXII 2.1 §1.6.8, RFC 7231 §5.3.2: does Accept allow application/taxii+json;version=2.1? */
bool taxii_accepts(struct str accept);
/* Is Content-Type application/taxii+json, without version or with version 2.1? */
bool taxii_content_ok(struct str type);

/* Endpoints of one collection (§5), which lives as long as the request; the object's id is segment
 * TAXII_ID_SEGMENT. */
#define TAXII_ID_SEGMENT 4
void taxii_objects_get(struct http_request *r, const struct exchange_collection *c);
void taxii_manifest_get(struct http_request *r, const struct exchange_collection *c);
void taxii_object_get(struct http_request *r, const struct exchange_collection *c);
void taxii_versions_get(struct http_request *r, const struct exchange_collection *c);
void taxii_objects_post(struct http_request *r);
void taxii_object_delete(struct http_request *r);

/* Does If-None-Match name this tag, in whatever form (RFC 9110 §13.1.2)? */
bool taxii_tag_matches(struct str if_none_match, struct str tag);

/* Has the request's GET done again, on a worker's thread; false when it is on one. Afterwards the
 * request may be another thread's. */
bool taxii_work(struct http_request *r);
/* What a GET that waits keeps for later, in the request's arena; NULL until it is set. */
void *taxii_kept(const struct http_request *r);
void taxii_keep(struct http_request *r, void *kept);
/* The collection that taxii_admit found. */
const struct exchange_collection *taxii_collection(const struct http_request *r);
/* Version text of a stored object: its own, or the instant it was received (§3.4.1). */
struct str taxii_version(const struct store_object *o, char out[INSTANT_TEXT_BYTES]);
/* Renders the status resource (§4.3.1) of a batch. */
bool taxii_status_put(const struct exchange_batch *b, struct buf *out);

#endif
