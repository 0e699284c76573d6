/*
 * TAXII 2.1 (OASIS Standard, 10 June 2021): every endpoint, as a translation between URLs and the
 * verbs of `exchange`. It holds no rule of release. Called on the threads of `http`.
 */
#ifndef TAXII_TAXII_H
#define TAXII_TAXII_H

#include "http/http.h"

/* Takes up the envelopes whose status is pending, those of an earlier process too, on a thread that
 * ends with the exchange. Once, by a server. */
bool taxii_start(struct exchange *x, struct err *e) BASE_CHECKED;

/* Finds what a path below /taxii2/ and the API root names, and whether this method, role and
 * Content-Type are right for it: ERR_NOT_FOUND for every other path. */
bool taxii_admit(struct http_request *r, struct err *e) BASE_CHECKED;
/* Answers what taxii_admit let in. */
void taxii_route(struct http_request *r);

#endif
