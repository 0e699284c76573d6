/*
 * TAXII 2.1 (OASIS Standard, 10 June 2021): every endpoint, as a translation between URLs and the
 * verbs of `exchange`. It holds no rule of release. Called on the threads of `http`.
 */
#ifndef TAXII_TAXII_H
#define TAXII_TAXII_H

#include "http/http.h"

/* Routes /taxii2/ and the API root; answers 404 for every other path. */
void taxii_route(struct http_request *r);

#endif
