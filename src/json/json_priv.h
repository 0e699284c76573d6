/* What the C++ file lends the C files of this room. */
#ifndef JSON_JSON_PRIV_H
#define JSON_JSON_PRIV_H

#include "json/json.h"

/* Appends a finite number as ECMAScript prints it (RFC 8785 §3.2.2.3). */
void json_put_double(struct buf *out, double d);

#endif
